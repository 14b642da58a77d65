#include "train/run_state.h"

#include <nlohmann/json.hpp>

#include "autograd/base/check.h"
#include "decode/seal.h"

namespace heddle {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kLargest = std::int64_t{1} << 53;  // counting on never overflows

/// Whole numbers only: any other the library would convert, and one that does not fit to anything.
std::int64_t integer(const Json& object, const char* key) {
  return object.at(key).get_ref<const Json::number_integer_t&>();
}

std::optional<double> number_if_there(const Json& object, const char* key) {
  return object.contains(key) ? std::optional(object.at(key).get<double>()) : std::nullopt;
}

RunState state_of(const Json& json) {
  RunState state;
  state.update = integer(json, "update");
  state.cursor = {integer(json, "epoch"), integer(json, "position")};
  state.target_tokens = integer(json, "target_tokens");
  state.since_report = {integer(json.at("since_report"), "target_tokens"),
                        json.at("since_report").at("loss")};
  if (!json.at("mean_loss").is_null()) state.mean_loss = json.at("mean_loss");
  state.diverging = json.at("diverging");
  state.good = integer(json, "good");
  for (const Json& best : json.at("best")) {
    state.best.push_back({.update = integer(best, "update"),
                          .value = best.at("value"),
                          .loss = number_if_there(best, "loss")});
  }
  state.least_loss = number_if_there(json, "least_loss");
  state.validations_since_best = integer(json, "validations_since_best");
  if (json.contains("validation_due") && !json.at("validation_due").is_null()) {
    state.validation_due = integer(json, "validation_due");
  }
  state.skipped = integer(json, "skipped");
  state.rollbacks = integer(json, "rollbacks");
  state.learning_rate_scale = json.at("learning_rate_scale");
  state.train_content = json.at("train_content").get_ref<const Json::number_unsigned_t&>();
  state.valid_content = json.at("valid_content").get_ref<const Json::number_unsigned_t&>();
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
      {"good", state.good},
      {"best", Json::array()},
      {"validations_since_best", state.validations_since_best},
      {"validation_due", state.validation_due ? Json(*state.validation_due) : Json()},
      {"skipped", state.skipped},
      {"rollbacks", state.rollbacks},
      {"learning_rate_scale", state.learning_rate_scale},
      {"train_content", state.train_content},
      {"valid_content", state.valid_content},
      {"build", state.build}};
  for (const RunState::Validated& v : state.best) {
    json["best"].push_back({{"update", v.update}, {"value", v.value}});
    if (v.loss) json["best"].back()["loss"] = *v.loss;
  }
  if (state.least_loss) json["least_loss"] = *state.least_loss;
  return json.dump();
}

bool is_of_this_version(const std::filesystem::path& file) {
  return Json::parse(read_sealed(file)).at("format") == kStateFormat;
}

RunState read_state(const std::filesystem::path& file) {
  const Json json = Json::parse(read_sealed(file));
  check<Damaged>(json.at("format") == kStateFormat, file.string(),
                 ": is of another version: it still translates, and a new run can begin with it "
                 "(train.init_from)");
  RunState state;
  bool possible = true;
  try {
    state = state_of(json);
  } catch (const Json::exception&) {
    possible = false;
  }
  for (const std::int64_t count :
       {state.update, state.cursor.epoch, state.cursor.position, state.target_tokens,
        state.since_report.target_tokens, state.validation_due.value_or(0), state.skipped,
        state.rollbacks}) {
    possible = possible && count >= 0 && count <= kLargest;
  }
  check<Damaged>(possible, file.string(), ": is damaged; take another checkpoint");
  return state;
}

}  // namespace heddle
