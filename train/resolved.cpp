#include "train/resolved.h"

#include <algorithm>
#include <set>

#include "autograd/base/text_file.h"
#include "configs/config.h"
#include "configs/json_text.h"

namespace heddle {

namespace {

constexpr std::string_view kMayChange[] = {
    "/$schema",
    "/train/steps",
    "/train/epochs",
    "/train/report_every",
    "/train/validate_every",
    "/train/validate_every_epochs",
    "/train/checkpoint_every",
    "/train/checkpoint_every_epochs",
    "/train/keep_last",
    "/train/keep_best",
    "/train/patience",
    "/train/average_last",
    "/train/average_best",
    "/train/sample_translations",
    "/train/init_from",
    "/train/save_timeout",
    "/data/train/source",
    "/data/train/target",
    "/data/valid/source",
    "/data/valid/target",
    "/data/valid/references",
    "/decode/beam",  // validations have one of their own
};

/// A text may be elsewhere, but not appear or go.
bool appears(std::string_view pointer, const Json& before, const Json& now) {
  const auto is_there = [&](const Json& flat) {
    const std::string key(pointer);
    return flat.contains(key) && !flat.at(key).is_null();
  };
  return pointer.starts_with("/data/") && is_there(before) != is_there(now);
}

bool may_change(std::string_view pointer) {
  return std::ranges::count(kMayChange, pointer) > 0;
}

std::string place_of(std::string pointer) {
  std::ranges::replace(pointer, '/', '.');
  return pointer.substr(1);
}

std::string text_of(const Json& flat, const std::string& pointer) {
  return flat.contains(pointer) ? flat.at(pointer).dump() : "not given";
}

// Not by the library alone: what follows descends into the values, however deep they nest.
Json parsed(const std::filesystem::path& file) try {
  return read_json_text(read_text(file), file.string()).root;
} catch (const ConfigError&) {
  fail<FileError>(file.string(),
                  ": is damaged; copy the config.json of the run's last checkpoint here");
}

}  // namespace

std::string resolved_part(const std::string& config, const std::string& pointer) {
  return Json::parse(config).at(Json::json_pointer(pointer)).dump();
}

std::string resolved_part(const std::filesystem::path& file, const std::string& pointer) {
  const Json json = parsed(file);
  const Json::json_pointer place(pointer);
  check<FileError>(json.contains(place), file.string(), ": is damaged: it has no ", pointer);
  return json.at(place).dump();
}

double resolved_number(const std::filesystem::path& file, const std::string& pointer) {
  const Json json = parsed(file);
  const Json::json_pointer place(pointer);
  return json.contains(place) && json.at(place).is_number() ? json.at(place).get<double>() : 0.0;
}

void check_resumable(const std::filesystem::path& before, const std::string& now) {
  const Json old_values = parsed(before).flatten(), values = Json::parse(now).flatten();
  std::set<std::string> pointers;
  for (const Json* flat : {&old_values, &values}) {
    for (const auto& [pointer, value] : flat->items()) pointers.insert(pointer);
  }
  std::string differences;
  for (const std::string& pointer : pointers) {
    const std::string was = text_of(old_values, pointer), is = text_of(values, pointer);
    if (was == is) continue;
    if (may_change(pointer) && !appears(pointer, old_values, values)) continue;
    differences.append(differences.empty() ? "" : "; ").append(place_of(pointer));
    differences.append(" was ").append(was).append(" and is ").append(is);
  }
  check<ConfigError>(differences.empty(), "this config cannot continue the run: ", differences,
                     "; take these back, or begin another run with --run");
}

}  // namespace heddle
