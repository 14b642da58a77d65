// The README and its commands: each runs, and the config that it shows is the one in the tree.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/documents.h"
#include "tests/support/places.h"
#include "tests/support/program.h"

using namespace heddle::testing;
namespace fs = std::filesystem;

namespace {

struct Block {
  std::string language, text;
};

std::vector<Block> blocks_of(const std::string& document) {
  std::vector<Block> blocks;
  std::istringstream lines(document);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), ""});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

/// The commands of blocks without a language, without their comments.
std::vector<std::string> commands_of(const std::string& document) {
  std::vector<std::string> commands;
  for (const Block& block : blocks_of(document)) {
    std::istringstream lines(block.language.empty() ? block.text : "");
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("heddle ") && !line.starts_with("scripts/")) continue;
      line = line.substr(0, line.find('#'));
      commands.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
    }
  }
  return commands;
}

}  // namespace

TEST_CASE("readme: its commands run") {
  const TemporaryFolder folder;
  for (const char* name : {"configs", "data"}) {
    fs::create_symlink(fs::path(source_folder()) / name, folder / name);
  }
  const std::string ci = contents(".ci/run");
  int run = 0;
  for (std::string command : commands_of(contents("README.md"))) {
    CAPTURE(command);
    if (command.starts_with("scripts/")) {
      CHECK(contains(ci, command));
      continue;
    }
    // The same run, only shorter.
    if (command.starts_with("heddle train ")) {
      command += " --set train.steps=3 --set schedule.warmup=1 --set train.lanes=2";
    }
    command.replace(0, std::string("heddle").size(), program());
    const std::string log = (folder / "log").string();
    const int status = std::system(
        ("cd " + (folder / ".").string() + " && " + command + " >" + log + " 2>&1").c_str());
    CHECK_MESSAGE(status == 0, read_bytes(log));
    ++run;
  }
  CHECK(run >= 8);
}

TEST_CASE("readme: shows the config of the toy corpus") {
  const auto parse = [](const std::string& text) {
    return nlohmann::json::parse(text, nullptr, true, /*ignore_comments=*/true);
  };
  int shown = 0;
  for (const Block& block : blocks_of(contents("README.md"))) {
    if (block.language != "json") continue;
    CHECK(parse(block.text) == parse(contents("configs/toy.json")));
    ++shown;
  }
  CHECK(shown == 1);
}

TEST_CASE("configs: all that are shipped are valid") {
  for (const auto& file : fs::directory_iterator(fs::path(source_folder()) / "configs")) {
    const std::string name = file.path().filename().string();
    if (!name.ends_with(".json") || name == "heddle.schema.json") continue;
    CAPTURE(name);
    const Outcome outcome = heddle_run("config configs/" + name);
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
  }
}

TEST_CASE("configs: those for text from elsewhere train on it, where it is there") {
  const std::pair<std::string, std::string> texts[] = {{"multi30k", "multi30k"},
                                                       {"multi30k_tiny", "multi30k"},
                                                       {"g2p", "g2p_cmudict"},
                                                       {"scan", "scan_simple"}};
  for (const auto& text : texts) {
    const std::string &config = text.first, &set = text.second;
    CAPTURE(config);
    if (!fs::exists(fs::path(source_folder()) / "data" / "external" / set)) {
      MESSAGE("skipped: data/external/", set, " is not there; configs/", config,
              ".json says where to get it");
      continue;
    }
    const TemporaryFolder folder;
    const std::string run = (folder / "run").string();
    const Outcome outcome =
        heddle_run("train configs/" + config + ".json --run " + run +
                   " --set train.steps=2 --set train.batch_tokens=200 --set schedule.warmup=1 "
                   "--set train.validate_every=1000 --set train.sample_translations=1 "
                   "--set train.best_by=loss "
                   "--set model.encoder.layers=1 --set model.decoder.layers=1 ");
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    CHECK(contains(outcome.err, "validation at update 2: loss "));
  }
}
