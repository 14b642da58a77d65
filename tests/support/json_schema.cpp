#include "tests/support/json_schema.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/base/check.h"

namespace heddle::testing {

namespace {

using Json = nlohmann::json;

std::string violation(const Json& schema, const Json& value, const std::string& place = "");

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "number") return value.is_number();
  if (type == "integer") {
    return value.is_number_integer() ||
           (value.is_number() &&
            value.get<double>() == static_cast<double>(value.get<std::int64_t>()));
  }
  fail("schema: unknown type ", type);
}

std::string properties_violation(const Json& schema, const Json& value, const std::string& place) {
  for (const auto& [key, element] : value.items()) {
    const std::string there = place + "/" + key;
    if (schema.at("properties").contains(key)) {
      const std::string wrong = violation(schema.at("properties").at(key), element, there);
      if (!wrong.empty()) return wrong;
    } else if (schema.value("additionalProperties", true) == false) {
      return there + ": is no property";
    }
  }
  return "";
}

std::string items_violation(const Json& schema, const Json& value, const std::string& place) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string wrong =
        violation(schema.at("items"), value[i], place + "/" + std::to_string(i));
    if (!wrong.empty()) return wrong;
  }
  return "";
}

using Keyword = std::function<bool(const Json& argument, const Json& value)>;

// Keywords that look at the value alone. Those of numbers do not mind other types.
const std::map<std::string, Keyword> kSimple = {
    {"type", [](const Json& a, const Json& v) { return has_type(v, a); }},
    {"enum",
     [](const Json& a, const Json& v) { return std::find(a.begin(), a.end(), v) != a.end(); }},
    {"const", [](const Json& a, const Json& v) { return a == v; }},
    {"minimum", [](const Json& a, const Json& v) { return !v.is_number() || v >= a; }},
    {"maximum", [](const Json& a, const Json& v) { return !v.is_number() || v <= a; }},
    {"exclusiveMinimum", [](const Json& a, const Json& v) { return !v.is_number() || v > a; }},
    {"exclusiveMaximum", [](const Json& a, const Json& v) { return !v.is_number() || v < a; }},
    {"uniqueItems",
     [](const Json&, const Json& v) {
       return !v.is_array() || std::set<Json>(v.begin(), v.end()).size() == v.size();
     }},
    {"minItems", [](const Json& a, const Json& v) { return !v.is_array() || v.size() >= a; }},
    {"maxItems", [](const Json& a, const Json& v) { return !v.is_array() || v.size() <= a; }},
    {"anyOf",
     [](const Json& a, const Json& v) {
       return std::any_of(a.begin(), a.end(),
                          [&](const Json& one) { return violation(one, v).empty(); });
     }},
    {"required",
     [](const Json& a, const Json& v) {
       return !v.is_object() || std::all_of(a.begin(), a.end(), [&](const Json& key) {
         return v.contains(key.get<std::string>());
       });
     }},
};

std::string violation(const Json& schema, const Json& value, const std::string& place) {
  for (const auto& [keyword, argument] : schema.items()) {
    const auto simple = kSimple.find(keyword);
    if (simple != kSimple.end()) {
      if (!simple->second(argument, value)) {
        return place + ": " + value.dump() + " breaks " + keyword;
      }
    } else if (keyword == "properties") {
      const std::string wrong = value.is_object() ? properties_violation(schema, value, place) : "";
      if (!wrong.empty()) return wrong;
    } else if (keyword == "items") {
      const std::string wrong = value.is_array() ? items_violation(schema, value, place) : "";
      if (!wrong.empty()) return wrong;
    } else {
      static const std::string kNotes = " $schema title description default additionalProperties ";
      check(kNotes.find(" " + keyword + " ") != std::string::npos, "schema: unknown keyword ",
            keyword);
    }
  }
  return "";
}

}  // namespace

std::string schema_violation(const std::string& schema, const std::string& value) {
  const auto parsed = [](const std::string& text) {
    return Json::parse(text, nullptr, /*allow_exceptions=*/true, /*ignore_comments=*/true);
  };
  return violation(parsed(schema), parsed(value));
}

}  // namespace heddle::testing
