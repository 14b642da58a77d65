#include "train/run_state.h"

#include <nlohmann/json.hpp>

#include "autograd/base/check.h"
#include "autograd/base/text_file.h"

namespace heddle {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 3;

[[noreturn]] void fail_damaged(const std::filesystem::path& file) {
  fail<FileError>(file.string(),
                  ": is damaged; let the link \"last\" beside it point to another "
                  "checkpoint");
}

}  // namespace

void write_state(const std::filesystem::path& file, const RunState& state) {
  Json json = {{"format", kFormat},
               {"update", state.update},
               {"epoch", state.cursor.epoch},
               {"position", state.cursor.position},
               {"target_tokens", state.target_tokens},
               {"validations_since_best", state.validations_since_best},
               {"train_content", state.train_content},
               {"valid_content", state.valid_content},
               {"best", Json::array()}};
  for (const RunState::Validated& v : state.best) {
    json["best"].push_back({{"update", v.update}, {"value", v.value}});
  }
  write_text(file, json.dump(2) + "\n");
}

RunState read_state(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  RunState state;
  try {
    const Json json = Json::parse(text);
    check<FileError>(
        json.at("format") == kFormat, file.string(),
        ": is of another version: it still translates, and a new run can begin with it "
        "(train.init_from)");
    state.update = json.at("update");
    state.cursor = {json.at("epoch"), json.at("position")};
    state.target_tokens = json.at("target_tokens");
    state.validations_since_best = json.at("validations_since_best");
    state.train_content = json.at("train_content");
    state.valid_content = json.at("valid_content");
    for (const Json& best : json.at("best")) {
      state.best.push_back({.update = best.at("update"), .value = best.at("value")});
    }
  } catch (const Json::exception&) {
    fail_damaged(file);
  }
  const bool possible = state.update >= 0 && state.cursor.epoch >= 0 &&
                        state.cursor.position >= 0 && state.target_tokens >= 0;
  if (!possible) fail_damaged(file);
  return state;
}

}  // namespace heddle
