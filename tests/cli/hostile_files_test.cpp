// Files of somebody who means harm: each is refused in a sentence, before anything is allocated for
// what it claims. What chance finds is in tests/fuzz.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cli/line_stream.h"
#include "decode/seal.h"
#include "tests/data/corpus_samples.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"
#include "tests/support/throws.h"

using namespace heddle::testing;
namespace fs = std::filesystem;

namespace {

/// Makes the file longer, by zeros that take no place on the disk.
void stretch(const fs::path& path, std::uintmax_t bytes) {
  fs::resize_file(path, bytes);
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

/// A run that ends with this code and says this part.
void check_hostile(const std::string& arguments, int code, const std::string& part) {
  CAPTURE(arguments);
  const Outcome outcome = heddle_run(arguments);
  CAPTURE(outcome.err);
  CHECK(outcome.code == code);
  CHECK(contains(outcome.err, part));
  CHECK(outcome.err.size() < 4000);
}

}  // namespace

TEST_CASE("hostile files: a config that asks for more than there is") {
  const auto with = [](const std::string& set, const std::string& part) {
    check_hostile("config configs/tiny.json " + set, 3, part);
  };
  with("--set model.d_model=1000000000", "model.d_model: 1000000000 is outside 1 to 65536");
  with("--set seed=123456789012345678901234567890", "seed: 1.2345678901234568e+29 is too large");
  with(
      "--set model.d_model=65536 --set model.heads=1024 --set model.d_ff=1048576 "
      "--set model.layers=1000",
      "model.d_model: makes a model of ");
  const TemporaryFolder folder;
  const std::string path = (folder / "config.json").string();
  const auto text = [&](const std::string& json, const std::string& part) {
    write_bytes(path, json);
    check_hostile("config " + path, 3, path + part);
  };
  text(repeated("[", 100'000), ":1:65: nests deeper than 64 objects and lists");
  text(repeated("{\"a\":", 100'000), ":1:321: nests deeper than 64 objects and lists");
  text("{\"model\": {\"layers\": 1000, \"encoder\": {\"block\": [" +
           repeated("{\"type\": \"feed_forward\"},", 99) + "{\"type\": \"feed_forward\"}]}}}",
       ":1:49: model.encoder.block: holds 100 sublayers, in 1000 layers; a stack has at most 10000 "
       "in all");
  text("{\"seed\": [" + repeated("1,", 10'000) + "1]}",
       ":1:20007: is one value too many: a config holds at most 10000");
  text("{\"" + std::string(100'000, 'x') + "\": [" + repeated("1,", 1'000) + "1]}",
       ":1:2: the keys that lead here have more than 1000 bytes");
  stretch(path, std::uintmax_t{1} << 40);
  check_hostile("config " + path, 3, path + ": is longer than a config may be, 1048576 bytes");
  check_hostile("config /dev/zero", 3, "/dev/zero: is longer than a config may be");
}

TEST_CASE("hostile files: what a terminal would obey is not printed") {
  const TemporaryFolder folder;
  const std::string path = (folder / "config.json").string();
  write_bytes(path, R"({"model": {"\u001b]0;mine\u0007": 1}})");
  check_hostile("config " + path, 3, path + ":1:12: model.\\x1b]0;mine\\x07: unknown key");
  CHECK_FALSE(contains(heddle_run("config " + path).err, "\x1B"));
  check_failure("inspect \"$(printf 'a\\rb\\177')\"", 5,
                "heddle: a\\x0db\\x7f: there is no such model");
}

TEST_CASE("hostile files: a model that is larger than the machine") {
  SmallRun small(20);
  const std::string giant =
      " --set model.d_model=65536 --set model.heads=1024 --set model.dropout=0 ";
  const std::string refusal = "--set model.d_model=65536: model.d_model: makes a model of ";
  check_hostile(
      "train " + (small / "run.json").string() + " --run " + (small / "new").string() + giant, 3,
      refusal);
  check_hostile("bench " + (small / "run.json").string() + giant, 3, refusal);
}

TEST_CASE("hostile files: a model whose files claim terabytes") {
  SmallRun small;
  small.train({});
  const std::string model = (small / "run").string();
  const fs::path checkpoint = fs::canonical(small / "run" / "checkpoints" / "last");
  const fs::path state = checkpoint / "state.json";
  const auto with = [&](const char* file, const std::string& bytes, std::uintmax_t size,
                        const std::string& part) {
    const std::string before = read_bytes(checkpoint / file), seal = read_bytes(state);
    fs::remove(state);  // whoever means harm does not seal it
    write_bytes(checkpoint / file, bytes);
    if (size > 0) stretch(checkpoint / file, size);
    check_hostile("inspect " + checkpoint.string(), 5, part);
    write_bytes(checkpoint / file, before);
    write_bytes(state, seal);
  };
  constexpr std::uintmax_t kTerabyte = std::uintmax_t{1} << 40;
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[1048576,1048576],"data_offsets":[0,4398046511104]}})";
  const std::string length{static_cast<char>(header.size()), 0, 0, 0, 0, 0, 0, 0};
  with("model.safetensors", length + header, 0, "the tensors need 4398046511104 bytes of data");
  with("model.safetensors", std::string(8, '\xFF') + "{}", 0,
       "a header of 18446744073709551615 bytes is announced");
  with("tokenizer", "heddle tokenizer 1\nword\npieces 1073741823\na\n", 0, "ends within line 5");
  with("tokenizer", "heddle tokenizer 1\nword\n", kTerabyte, "bytes, where at most 268435456");
  const std::string sealed = read_bytes(state);
  for (const char* number :
       {"1e300", "-1", "9223372036854775807", "18446744073709551615", "true", "\"3\"", "null"}) {
    nlohmann::json changed = nlohmann::json::parse(sealed);
    changed.erase("xxh3");
    changed["update"] = nlohmann::json::parse(number);
    heddle::write_sealed(checkpoint, changed.dump());  // as somebody might who means harm
    check_hostile("inspect " + checkpoint.string(), 5, "state.json: is damaged");
  }
  nlohmann::json older = nlohmann::json::parse(sealed);
  older["format"] = 3;
  write_bytes(state, older.dump());
  CHECK(contains(heddle_run("inspect " + checkpoint.string()).out,
                 "trained     by another version: "));
  write_bytes(state, sealed);
  stretch(checkpoint / "optimizer.safetensors", kTerabyte);
  check_hostile("train " + (small / "run.json").string() + " --run " + model +
                    " --resume --set train.steps=13",
                0, "optimizer.safetensors: is damaged");
  with("state.json", repeated("[", 100'000), 0, "state.json: is damaged");
  with("config.json", "{\"model\": " + repeated("[", 100'000), 0, "nests deeper than 64");
  CHECK(heddle_run("inspect " + model).code == 0);
  // What is resumed is compared with the run's own config.
  write_bytes(small / "run" / "config.json",
              "{\"a\": " + repeated("[", 200'000) + repeated("]", 200'000) + "}");
  check_hostile("train " + (small / "run.json").string() + " --run " + model + " --resume", 5,
                "config.json: is damaged");
}

TEST_CASE("hostile files: a corpus that grows when it is unpacked") {
  SmallRun small(20);
  const std::string bomb = (small / "bomb.gz").string();
  write_bytes(bomb, gzipped(std::string(std::size_t{80} << 20, 'x')));
  CHECK(fs::file_size(bomb) < 1'000'000);
  check_hostile("train " + (small / "run.json").string() + " --run " + (small / "new").string() +
                    " --set data.train.source=" + bomb,
                4, bomb + ":1: a line of more than 64 MiB");
}

TEST_CASE("hostile files: an input without an end of a line") {
  const TemporaryFolder folder;
  write_bytes(folder / "text", "a\nb");
  stretch(folder / "text", std::uintmax_t{1} << 40);
  const int descriptor = ::open((folder / "text").c_str(), O_RDONLY | O_CLOEXEC);
  heddle::LineStream lines(descriptor, "text");
  CHECK(lines.next(1, 1) == std::vector<std::string>{"a"});
  CHECK_MESSAGE_THROWN(lines.next(1, 1), "text:2: a line of more than 64 MiB");
  ::close(descriptor);
}
