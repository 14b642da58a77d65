// One tokenizer for both sides, or one for each; kept in a folder.
#include "data/tokenizers.h"

#include <doctest/doctest.h>

#include "data/data_config.h"
#include "tests/data/tokenizers.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

using namespace heddle;
using heddle::testing::encoded;
using heddle::testing::failure;
using heddle::testing::Ids;
using heddle::testing::TemporaryFolder;
using heddle::testing::write_bytes;

namespace {

Tokenizers trained_on(const TemporaryFolder& folder, const std::string& config) {
  const TextFiles text{folder / "source", folder / "target"};
  const ConfigDocument document = ConfigDocument::parse(config, "test.json");
  Tokenizers::read_config(document.root());
  Tokenizers tokenizers = Tokenizers::train(document.root(), text);
  document.finish();
  return tokenizers;
}

/// What is wrong with a section "data".
std::string complaint(const std::string& text) {
  const ConfigDocument document = ConfigDocument::parse(text, "test.json");
  const DataConfig data(document.root());
  DataConfig::require_training_text(document.root());
  try {
    document.finish();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("tokenizers: joint and separate, there and back") {
  const TemporaryFolder folder;
  write_bytes(folder / "source", "a b\nc d\n");
  write_bytes(folder / "target", "x\ny\n");
  const Tokenizers joint = trained_on(folder, R"({"type": "word"})");
  CHECK(joint.joint());
  CHECK(joint.source().vocabulary().size == 3 + 6);
  CHECK(encoded(joint.source(), "x")[0] != Vocabulary::kUnknown);
  const Tokenizers separate =
      trained_on(folder, R"({"type": "word", "sides": "separate", "target": {"type": "byte"}})");
  CHECK_FALSE(separate.joint());
  CHECK(separate.source().vocabulary().size == 3 + 4);
  CHECK(separate.target().vocabulary().size == 3 + 256);
  CHECK(encoded(separate.source(), "x a")[0] == Vocabulary::kUnknown);

  for (const Tokenizers* tokenizers : {&joint, &separate}) {
    const TemporaryFolder other;
    CHECK_FALSE(Tokenizers::are_in(other / "."));
    tokenizers->save(other / ".");
    CHECK(Tokenizers::are_in(other / "."));
    const Tokenizers loaded = Tokenizers::load(other / ".");
    CHECK(loaded.joint() == tokenizers->joint());
    CHECK(loaded.source().serialised() == tokenizers->source().serialised());
    CHECK(loaded.target().serialised() == tokenizers->target().serialised());
  }
}

TEST_CASE("tokenizers: the text is checked before anything is learnt from it") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& source, const std::string& target) {
    write_bytes(folder / "source", source);
    write_bytes(folder / "target", target);
    try {
      trained_on(folder, R"({"type": "word"})");
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string s = (folder / "source").string(), t = (folder / "target").string();
  CHECK(message("a\nb\n", "x\ny") == "");
  CHECK(message("a\nb\n", "x\n").starts_with(t + " ends at line 1, but " + s + " has 2 lines"));
  CHECK(message("a\n", "x\ny\nz\n").starts_with(s + " ends at line 1, but " + t + " has 3 lines"));
  CHECK(message("a\n", "\xC3\n").starts_with(t + ":1: no valid UTF-8"));
  CHECK(message("", "") == s + ", " + t + ": the files are empty");
}

TEST_CASE("data config: files, both or none, and where validation comes from") {
  const std::string train = R"("train": {"source": "a", "target": "b"})";
  CHECK(complaint("{" + train + "}") == "");
  CHECK(complaint("{" + train + R"(, "valid": {"hold_out": 5}})") == "");
  CHECK(complaint("{" + train + R"(, "valid": {"source": "c", "target": "d"}})") == "");
  CHECK(complaint("{" + train + R"(, "valid": {"source": "c"}})") ==
        "test.json:1:63: valid.source: \"target\" is missing beside it");
  CHECK(complaint("{" + train + R"(, "valid": {"source": "c", "target": "d", "hold_out": 1}})") ==
        "test.json:1:95: valid.hold_out: is for a config without files for validation; take one "
        "of them");
  CHECK(
      complaint("{}") ==
      "test.json:1:1: train: is missing: give the files of \"source\" and \"target\" to train on");
  CHECK(complaint(R"({"train": {"source": "a", "targte": "b"}})") ==
        "test.json:1:22: train.source: \"target\" is missing beside it\n"
        "test.json:1:27: train.targte: unknown key; did you mean \"target\"?");
}
