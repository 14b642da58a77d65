#include "configs/schema.h"

#include "configs/config_state.h"

namespace heddle {

SchemaNotes::Entry& SchemaNotes::entry(const std::string& pointer, std::string_view key) {
  Object& object = objects_[pointer];
  const auto found = object.entries.find(key);
  if (found != object.entries.end()) return found->second;
  object.order.emplace_back(key);
  last_news_ = round_;
  return object.entries[std::string(key)];
}

void SchemaNotes::add(const std::string& pointer, std::string_view key, const Json& schema) {
  Entry& known = entry(pointer, key);
  if (known.schema.is_null()) {
    known.schema = schema;
    return;
  }
  // Readers may have other defaults for a key: then the schema names none.
  for (const char* name : {"default", "description"}) {
    const bool same = known.schema.contains(name) && schema.contains(name) &&
                      known.schema.at(name) == schema.at(name);
    if (!same) known.schema.erase(name);
  }
}

void SchemaNotes::add_object(const std::string& pointer, std::string_view key,
                             std::string_view about) {
  Entry& known = entry(pointer, key);
  known.object = true;
  known.schema = {{"description", about}};
}

void SchemaNotes::add_items(const std::string& pointer, std::string_view key,
                            std::string_view about, std::vector<std::string> types) {
  Entry& known = entry(pointer, key);
  known.types = std::move(types);
  known.schema = {{"description", about}};
}

void SchemaNotes::add_objects(const std::string& pointer, std::string_view key,
                              std::string_view about) {
  Entry& known = entry(pointer, key);
  known.objects = true;
  known.schema = {{"description", about}, {"type", "array"}};
}

bool SchemaNotes::next_round() {
  ++round_;
  return round_ <= last_news_ + 2 * most_alternatives_;
}

Json SchemaNotes::object_schema(const std::string& pointer) const {
  Json properties = Json::object();
  const auto found = objects_.find(pointer);
  const Object object = found != objects_.end() ? found->second : Object{};
  for (const std::string& key : object.order) {
    const Entry& known = object.entries.at(key);
    Json schema = known.schema;
    const std::string place = pointer_to(pointer, key);
    if (known.object) schema.update(object_schema(place));
    if (known.objects) schema["items"] = object_schema(pointer_to(place, "0"));
    if (!known.types.empty()) {
      Json alternatives = Json::array();
      for (std::size_t i = 0; i < known.types.size(); ++i) {
        Json item = object_schema(pointer_to(place, std::to_string(i)));
        Json with_type = {{"type", {{"const", known.types[i]}}}};
        with_type.update(item["properties"]);
        item["properties"] = with_type;
        item["required"] = {"type"};
        alternatives.push_back(item);
      }
      schema["type"] = "array";
      schema["items"] = {{"anyOf", alternatives}};
    }
    properties[key] = schema;
  }
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

std::string schema_of(const std::string& title, const std::function<void(const Config&)>& reader) {
  SchemaNotes notes;
  do {
    auto state = new_config_state();
    state->schema = &notes;
    reader(root_of(state));
  } while (notes.next_round());
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  schema.update(notes.object_schema(""));
  Json properties = {{"$schema", {{"type", "string"}}}};
  properties.update(schema["properties"]);
  schema["properties"] = properties;
  return schema.dump(2) + "\n";
}

}  // namespace heddle
