#include "train/run_state.h"

#include <nlohmann/json.hpp>

#include "autograd/base/check.h"
#include "autograd/base/text_file.h"

namespace heddle {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 3;
constexpr std::int64_t kLargest = std::int64_t{1} << 53;  // counting on never overflows

/// Whole numbers only: any other the library would convert, and one that does not fit to anything.
std::int64_t integer(const Json& object, const char* key) {
  return object.at(key).get_ref<const Json::number_integer_t&>();
}

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
    state.update = integer(json, "update");
    state.cursor = {integer(json, "epoch"), integer(json, "position")};
    state.target_tokens = integer(json, "target_tokens");
    state.validations_since_best = integer(json, "validations_since_best");
    state.train_content = json.at("train_content").get_ref<const Json::number_unsigned_t&>();
    state.valid_content = json.at("valid_content").get_ref<const Json::number_unsigned_t&>();
    for (const Json& best : json.at("best")) {
      state.best.push_back({.update = integer(best, "update"), .value = best.at("value")});
    }
  } catch (const Json::exception&) {
    fail_damaged(file);
  }
  for (const std::int64_t count :
       {state.update, state.cursor.epoch, state.cursor.position, state.target_tokens}) {
    if (count < 0 || count > kLargest) fail_damaged(file);
  }
  return state;
}

}  // namespace heddle
