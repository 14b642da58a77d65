// A config file as a whole: read, overridden, finished, resolved.
#include <filesystem>
#include <system_error>
#include <utility>

#include "autograd/base/input_file.h"
#include "configs/config.h"
#include "configs/config_state.h"

namespace heddle {

namespace fs = std::filesystem;

ConfigText ConfigText::read(const fs::path& file) try {
  std::error_code error;
  check<ConfigError>(fs::exists(file, error), file.string(), ": there is no such file");
  check<ConfigError>(!fs::is_directory(file, error), file.string(), ": is a folder, not a config");
  InputFile input(file);
  const fs::path folder = input.regular() ? fs::absolute(file).parent_path() : fs::current_path();
  // One byte more than is taken: a file may be longer than memory, or have no end, as /dev/zero.
  return {input.read_text(kMaxConfigBytes + 1), file.string(), folder};
} catch (const FileError& error) {
  throw ConfigError(error.what());
}

ConfigDocument ConfigDocument::read(const fs::path& file, std::span<const std::string> overrides) {
  return parse(ConfigText::read(file), overrides);
}

ConfigDocument ConfigDocument::parse(std::string_view text, const std::string& name,
                                     std::span<const std::string> overrides) {
  return parse({std::string(text), name, fs::absolute(fs::path(name)).parent_path()}, overrides);
}

ConfigDocument ConfigDocument::parse(const ConfigText& text,
                                     std::span<const std::string> overrides) {
  auto state = new_config_state();
  state->name = text.name;
  state->folder = text.folder;
  state->text = read_json_text(text.text, text.name);
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
