// A config file as a whole: read, overridden, finished, resolved.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "configs/config.h"
#include "configs/config_state.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

std::string contents_of(const fs::path& file) {
  std::error_code error;
  check<ConfigError>(fs::exists(file, error), file.string(), ": there is no such file");
  check<ConfigError>(!fs::is_directory(file, error), file.string(), ": is a folder, not a config");
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  check<ConfigError>(stream.good(), file.string(), ": cannot be read");
  return text.str();
}

}  // namespace

ConfigDocument ConfigDocument::read(const fs::path& file, std::span<const std::string> overrides) {
  return parse(contents_of(file), file.string(), overrides);
}

ConfigDocument ConfigDocument::parse(std::string_view text, const std::string& name,
                                     std::span<const std::string> overrides) {
  auto state = new_config_state();
  state->name = name;
  state->folder = fs::absolute(fs::path(name)).parent_path();
  state->text = read_json_text(text, name);
  apply_overrides(*state, overrides);
  return ConfigDocument(std::move(state));
}

Config root_of(const std::shared_ptr<Config::State>& state) {
  return {state, state->node("", &state->text.root, std::nullopt)};
}

Config ConfigDocument::root() const {
  return root_of(state_);
}

void ConfigDocument::finish() const {
  state_->note_unknown();
  auto& errors = state_->errors;
  if (errors.empty()) return;
  std::ranges::stable_sort(errors, [](const auto& a, const auto& b) {
    return std::pair(a.overridden, a.place) < std::pair(b.overridden, b.place);
  });
  std::string message;
  for (const auto& error : errors)
    message.append(message.empty() ? "" : "\n").append(error.message);
  throw ConfigError(message);
}

std::string ConfigDocument::resolved() const {
  state_->settle_defaults();
  return state_->resolved.dump(2) + "\n";
}

}  // namespace heddle
