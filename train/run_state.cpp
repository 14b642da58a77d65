#include "train/run_state.h"

#include <nlohmann/json.hpp>

#include "autograd/base/check.h"
#include "decode/seal.h"

namespace heddle {

namespace {

using Json = nlohmann::ordered_json;

RunState state_of(const Json& json) {
  RunState state;
  state.update = json.at("update");
  state.cursor = {json.at("epoch"), json.at("position")};
  state.target_tokens = json.at("target_tokens");
  state.since_report = {json.at("since_report").at("target_tokens"),
                        json.at("since_report").at("loss")};
  if (!json.at("mean_loss").is_null()) state.mean_loss = json.at("mean_loss");
  state.diverging = json.at("diverging");
  for (const Json& best : json.at("best")) {
    state.best.push_back({.update = best.at("update"), .value = best.at("value")});
  }
  state.validations_since_best = json.at("validations_since_best");
  state.skipped = json.at("skipped");
  state.rollbacks = json.at("rollbacks");
  state.learning_rate_scale = json.at("learning_rate_scale");
  state.train_content = json.at("train_content");
  state.valid_content = json.at("valid_content");
  state.build = json.at("build");
  return state;
}

}  // namespace

std::string state_text(const RunState& state) {
  Json json = {
      {"format", kStateFormat},
      {"update", state.update},
      {"epoch", state.cursor.epoch},
      {"position", state.cursor.position},
      {"target_tokens", state.target_tokens},
      {"since_report",
       {{"target_tokens", state.since_report.target_tokens}, {"loss", state.since_report.loss}}},
      {"mean_loss", state.mean_loss ? Json(*state.mean_loss) : Json()},
      {"diverging", state.diverging},
      {"best", Json::array()},
      {"validations_since_best", state.validations_since_best},
      {"skipped", state.skipped},
      {"rollbacks", state.rollbacks},
      {"learning_rate_scale", state.learning_rate_scale},
      {"train_content", state.train_content},
      {"valid_content", state.valid_content},
      {"build", state.build}};
  for (const RunState::Validated& v : state.best) {
    json["best"].push_back({{"update", v.update}, {"value", v.value}});
  }
  return json.dump();
}

RunState read_state(const std::filesystem::path& file) {
  const Json json = Json::parse(read_sealed(file));
  check<FileError>(json.at("format") == kStateFormat, file.string(),
                   ": is of another version: it still translates, and a new run can begin with it "
                   "(train.init_from)");
  RunState state;
  bool possible = true;
  try {
    state = state_of(json);
  } catch (const Json::exception&) {
    possible = false;
  }
  possible = possible && state.update >= 0 && state.cursor.epoch >= 0 &&
             state.cursor.position >= 0 && state.target_tokens >= 0;
  check<FileError>(possible, file.string(), ": is damaged; take another checkpoint");
  return state;
}

}  // namespace heddle
