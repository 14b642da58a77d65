// Whatever happens to a file of a checkpoint is seen before anything is made of it.
#include "decode/seal.h"

#include <doctest/doctest.h>

#include <iomanip>
#include <sstream>

#include "data/checksum.h"
#include "tests/support/temporary_folder.h"

using namespace heddle;
using heddle::testing::contains;
using heddle::testing::failure;
using heddle::testing::read_bytes;
using heddle::testing::TemporaryFolder;
using heddle::testing::write_bytes;
namespace fs = std::filesystem;

namespace {

struct Sealed {
  TemporaryFolder folder;
  fs::path state = folder / "state.json";

  Sealed() {
    write_bytes(folder / "model.safetensors", std::string(1000, 'm'));
    write_bytes(folder / "tokenizer", "abc");
    write_sealed(folder.path(), R"({"format": 4, "update": 12, "loss": 0.1})");
  }
  std::string damage(std::string_view except = "") const {
    return failure([&] { verify_files(folder.path(), except); });
  }
};

}  // namespace

TEST_CASE("seal: XXH3, as xxhsum -H3 prints it") {
  const auto sum = [](std::string_view text) { return checksum(std::as_bytes(std::span(text))); };
  CHECK(sum("") == 0x2d06800538d394c2U);
  CHECK(sum("abc") == 0x78af5f94892f3950U);
  CHECK(checksum(std::as_bytes(std::span(std::string_view("abc"))), 1) != sum("abc"));
  const TemporaryFolder folder;
  for (const std::size_t size : {0U, 1U, 240U, 1U << 20, (3U << 20) + 7U}) {  // in blocks
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * i >> 7);
    write_bytes(folder / "file", bytes);
    CHECK(checksum_of_file(folder / "file") == sum(bytes));
  }
  CHECK(failure([&] { checksum_of_file(folder.path()); }) ==
        "cannot read " + folder.path().string() + ": it is a directory");
  CHECK(failure([&] { checksum_of_file(folder / "none"); }) ==
        "cannot read " + (folder / "none").string() + ": No such file or directory");
}

TEST_CASE("seal: state.json tells the files beside it and its own text") {
  const Sealed sealed;
  const std::string text = read_bytes(sealed.state);
  CHECK(text.starts_with(R"({
  "format": 4,
  "update": 12,
  "loss": 0.1,
  "files": {
    "model.safetensors": {
      "bytes": 1000,
      "xxh3": ")"));
  CHECK(contains(text, R"("tokenizer": {
      "bytes": 3,
      "xxh3": "78af5f94892f3950"
    }
  },
  "xxh3": ")"));
  CHECK(sealed.damage() == "");
  CHECK(read_sealed(sealed.state) == text);
}

TEST_CASE("seal: every change of every file is seen") {
  const Sealed sealed;
  for (const char* name : {"model.safetensors", "tokenizer", "state.json"}) {
    const fs::path file = sealed.folder / name;
    const std::string whole = read_bytes(file);
    for (std::size_t i = 0; i < whole.size(); i += 1 + whole.size() / 100) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      write_bytes(file, changed);
      CAPTURE(changed);
      CHECK(contains(sealed.damage(), file.string() + ": is damaged"));
      write_bytes(file, whole.substr(0, i));
      CHECK(contains(sealed.damage(), file.string() + ": is damaged"));
    }
    write_bytes(file, whole + " ");
    CHECK(contains(sealed.damage(), file.string() + ": is damaged"));
    write_bytes(file, whole);
    CHECK(sealed.damage() == "");
  }
}

TEST_CASE("seal: a state that names files of others is refused") {
  const Sealed sealed;
  for (const char* files : {R"({"../x": {}})", R"({"/dev/zero": {"bytes": 0}})", "[]", "null"}) {
    CAPTURE(files);
    std::string body = std::string("{\n  \"format\": 4,\n  \"files\": ") + files;
    std::ostringstream sum;
    sum << std::hex << std::setw(16) << std::setfill('0')
        << checksum(std::as_bytes(std::span(std::string_view(body))));
    write_bytes(sealed.state, body + ",\n  \"xxh3\": \"" + sum.str() + "\"\n}\n");
    CHECK(sealed.damage() == sealed.state.string() +
                                 ": is damaged: it is not what was written; take another "
                                 "checkpoint");
  }
  write_sealed(sealed.folder.path(), R"({"format": 4})");
  CHECK(sealed.damage() == "");
}

TEST_CASE("seal: what is gone is missed, unless nobody needs it") {
  const Sealed sealed;
  fs::remove(sealed.folder / "tokenizer");
  CHECK(sealed.damage() ==
        (sealed.folder / "tokenizer").string() + ": is missing; take another checkpoint");
  CHECK(sealed.damage("tokenizer") == "");
  fs::remove(sealed.state);
  CHECK(sealed.damage() == "");  // as of a mean of checkpoints
  write_bytes(sealed.state, R"({"format": 3})");
  CHECK(sealed.damage() == "");  // of before there were seals
}
