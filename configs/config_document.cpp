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
  // One byte more than is taken: a file may be longer than memory, or have no end, as /dev/zero.
  std::string text(kMaxConfigBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  check<ConfigError>(stream.is_open() && !stream.bad(), file.string(), ": cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
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
