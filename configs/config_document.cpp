// A config file as a whole: read, overridden, finished, resolved.
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

void ConfigDocument::finish(IdleKeys idle) const {
  state_->note_unknown();
  std::vector<Config::State::Found> errors = state_->errors;
  if (idle == IdleKeys::kRefuse) {
    for (Config::State::Found& found : state_->idle_keys()) errors.push_back(std::move(found));
  }
  if (errors.empty()) return;
  sort_errors(errors);
  std::string message;
  for (const auto& error : errors)
    message.append(message.empty() ? "" : "\n").append(error.message);
  throw ConfigError(message);
}

std::vector<std::string> ConfigDocument::idle_keys() const {
  std::vector<Config::State::Found> keys = state_->idle_keys();
  sort_errors(keys);
  std::vector<std::string> messages;
  for (Config::State::Found& key : keys) messages.push_back(std::move(key.message));
  return messages;
}

std::string ConfigDocument::resolved() const {
  state_->settle_defaults();
  return state_->resolved.dump(2) + "\n";
}

}  // namespace heddle
