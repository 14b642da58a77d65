#include "train/run_state.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/base/atomic_file.h"
#include "autograd/base/check.h"

namespace heddle {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

}  // namespace

void write_state(const std::filesystem::path& file, const RunState& state) {
  Json json = {{"format", kFormat},
               {"update", state.update},
               {"epoch", state.cursor.epoch},
               {"position", state.cursor.position},
               {"target_tokens", state.target_tokens},
               {"train_content", state.train_content},
               {"valid_content", state.valid_content}};
  if (state.best) json["best"] = {{"update", state.best->update}, {"loss", state.best->loss}};
  const std::string text = json.dump(2) + "\n";
  AtomicFile out(file);
  out.write(text.data(), text.size());
  out.commit();
}

RunState read_state(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  check<FileError>(in.is_open(), "cannot read ", file.string());
  RunState state;
  try {
    const Json json = Json::parse(in);
    check<FileError>(json.at("format") == kFormat, file.string(), ": is of another version");
    state.update = json.at("update");
    state.cursor = {json.at("epoch"), json.at("position")};
    state.target_tokens = json.at("target_tokens");
    state.train_content = json.at("train_content");
    state.valid_content = json.at("valid_content");
    if (json.contains("best")) {
      state.best = {.update = json["best"].at("update"), .loss = json["best"].at("loss")};
    }
  } catch (const Json::exception& error) {
    fail<FileError>(file.string(), ": is damaged (", error.what(), ")");
  }
  return state;
}

}  // namespace heddle
