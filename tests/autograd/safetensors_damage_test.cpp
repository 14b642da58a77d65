// The safetensors reader against hand-made bytes that are wrong in one way each.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/safetensors.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string bytes;
  std::string reason;
};

/// A file with this header and four bytes of data.
std::string header(const std::string& text) {
  return file_of(text, 4);
}

std::string one(const std::string& shape, const std::string& offsets, std::size_t data) {
  return file_of(R"({"a":)" + entry("F32", shape, offsets) + "}", data);
}

std::string two(const std::string& first, const std::string& second, std::size_t data) {
  return file_of(
      R"({"a":)" + entry("U8", "[4]", first) + R"(,"b":)" + entry("U8", "[4]", second) + "}", data);
}

const std::string kGood = entry("F32", "[1]", "[0,4]");
const std::string kMost = "18446744073709551614";  // 2^64 - 2

std::vector<Case> damaged_text() {
  return {
      {"", "has 0 bytes, a safetensors file has 8 at least (byte 0)"},
      {"1234567", "has 7 bytes, a safetensors file has 8 at least (byte 0)"},
      {length_field(100'000'001) + "{}", "a header of 100000001 bytes is announced"},
      {length_field(~std::uint64_t{0}) + "{}", "the limit is 100000000 (byte 0)"},
      {length_field(3) + "{}", "truncated: the header needs 3 bytes, the file has 2"},
      {header(""), "not valid JSON"},
      {header("\xFF{}"), "not valid JSON"},
      {header("{\"\xC3\x28\":" + kGood + "}"), "ill-formed UTF-8 byte (header byte 4)"},
      {header("\xEF\xBB\xBF{\"a\":" + kGood + "}"), "byte order mark (header byte 0)"},
      {header("{\"a\":" + kGood + "}" + std::string(1, '\0')), "NUL (header byte 54)"},
      {header("{\"a\":" + kGood), "unexpected end of input"},
      {header("{\"a\":" + kGood + ",}"), "not valid JSON"},
      {header("{\"a\":" + kGood + "}{}"), "not valid JSON"},
      {header("{\"a\":" + kGood + "} // note"), "not valid JSON"},
      {header("[]"), "the header needs an object, not a list (header byte 1)"},
      {header("3"), "the header needs an object, not a number"},
      {header(R"({"a":null})"), R"(tensor "a": needs an object, not null (header byte 9))"},
      {header(R"({"a":[1]})"), R"(tensor "a": needs an object, not a list)"},
  };
}

std::vector<Case> damaged_keys() {
  return {
      {header("{\"a\":" + kGood + ",\"a\":" + kGood + "}"),
       R"(tensor "a": the name appears twice (header byte 57))"},
      {header("{\"a\":" + kGood + ",\"\\u0061\":" + kGood + "}"), "the name appears twice"},
      {header(R"({"a":{"dtype":"F32","dtype":"F32"}})"), R"(key "dtype" appears twice)"},
      {header(R"({"a":{"dtype":"F32","shape":[1]}})"), R"(tensor "a": has no data_offsets)"},
      {header(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})"), R"(tensor "a": has no shape)"},
      {header(R"({"a":{}})"), R"(tensor "a": has no dtype)"},
      {header(R"({"a":{"dtype":"F32","strides":[1]}})"), R"(tensor "a": unknown key "strides")"},
      {header(R"({"__metadata__":[]})"), "__metadata__: needs an object, not a list"},
      {header(R"({"__metadata__":{"a":1}})"), R"(__metadata__: "a" needs a string, not a number)"},
      {header(R"({"__metadata__":{"a":{"b":"c"}}})"), "needs a string, not an object"},
      {header(R"({"__metadata__":{"a":"b","a":"b"}})"), R"(__metadata__: key "a" appears twice)"},
      {header(R"({"__metadata__":{},"__metadata__":{}})"), "__metadata__: the key appears twice"},
  };
}

std::vector<Case> damaged_values() {
  return {
      {header(R"({"a":{"dtype":"F31"}})"), R"(tensor "a": unknown dtype "F31")"},
      {header(R"({"a":{"dtype":32}})"), "dtype needs a string, not a number"},
      {header(R"({"a":{"dtype":["F32"]}})"), "dtype needs a string, not a list"},
      {header(R"({"a":{"shape":"[1]"}})"), "shape needs a list, not a string"},
      {header(R"({"a":{"shape":{"0":1}}})"), "shape needs a list, not an object"},
      {header(R"({"a":{"shape":[[1]]}})"), "from 0 to 2^64 - 1, not a list"},
      {one("[1.0]", "[0,4]", 4), "shape needs plain integers from 0 to 2^64 - 1, not 1.0"},
      {one("[1e0]", "[0,4]", 4), "shape needs plain integers from 0 to 2^64 - 1, not 1e0"},
      {one("[-1]", "[0,4]", 4), "shape needs plain integers from 0 to 2^64 - 1, not -1"},
      {one("[-0]", "[0,4]", 4), "shape needs plain integers from 0 to 2^64 - 1, not -0"},
      {one("[18446744073709551616]", "[0,4]", 4), "2^64 - 1, not 18446744073709551616"},
      {one("[1e999]", "[0,4]", 4), "not valid JSON: number overflow"},
      {one("[true]", "[0,4]", 4), "not a boolean"},
      {one("[01]", "[0,4]", 4), "not valid JSON"},
      {one("[1]", "[0]", 4), "data_offsets holds 1 numbers, not 2"},
      {one("[1]", "[0,4,4]", 4), "data_offsets holds more than 2 numbers"},
      {one("[1]", "[\"0\",4]", 4), "not a string"},
      {one("[1,1,1,1,1,1,1,1,1]", "[0,4]", 4), "shape holds more than 8 numbers"},
      {one("[1,1,1,1,1,1,1]", "[0,4]", 4), "has 7 dimensions, at most 6 are supported"},
  };
}

std::vector<Case> damaged_offsets() {
  return {
      {one("[1]", "[4,8]", 8),
       R"(tensor "a": data_offsets [4, 8] leave a hole behind data byte 0)"},
      {two("[0,4]", "[5,9]", 9),
       R"(tensor "b": data_offsets [5, 9] leave a hole behind data byte 4)"},
      {two("[0,4]", "[3,7]", 7),
       R"(overlap tensor "a", which ends at data byte 4 (header byte 56))"},
      {two("[0,4]", "[0,4]", 4), R"(overlap tensor "a")"},
      {one("[1]", "[0,8]", 8), "data_offsets [0, 8] hold 8 bytes, shape [1] of F32 needs 4"},
      {file_of(R"({"a":)" + entry("U8", "[0]", "[0,0]") + R"(,"b":)" + entry("U8", "[4]", "[4,0]") +
                   "}",
               4),
       "leave a hole"},
      {two("[0,4]", "[4,0]", 4), "data_offsets [4, 0] end before they begin"},
      {one("[2," + kMost + "]", "[0,4]", 4), "[2, 18446744073709551614] of F32 needs 2^64 bits"},
      {one("[" + kMost + "]", "[0,4]", 4), "needs 2^64 bits or more"},
      {one("[0,281474976710656]", "[0,0]", 0), "has a size of 2^48 or more"},
      {one("[0,281474976710655,281474976710655]", "[0,0]", 0), "more than 2^48 elements"},
      {file_of(R"({"a":)" + entry("F4", "[3]", "[0,1]") + "}", 1),
       "needs 12 bits, not whole bytes"},
      {one("[2]", "[0,8]", 7), "truncated: the tensors need 8 bytes of data, the file has 7"},
      {one("[2]", "[0,8]", 9), "1 bytes behind the last tensor (byte 70)"},
      {file_of("{}", 1), "1 bytes behind the last tensor (byte 10)"},
  };
}

TEST_CASE("safetensors: every damage is refused with its reason") {
  const TemporaryFolder folder;
  const fs::path path = folder / "bad.safetensors";
  for (const auto& cases : {damaged_text(), damaged_keys(), damaged_values(), damaged_offsets()}) {
    for (const Case& c : cases) {
      write_bytes(path, c.bytes);
      const std::string message = failure([&] { SafetensorsFile file(path); });
      CAPTURE(message);
      CAPTURE(c.reason);
      CHECK(message.starts_with(path.string() + ": "));
      CHECK(contains(message, c.reason));
    }
  }
}

TEST_CASE("safetensors: the message names file, tensor, sizes and byte") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model.safetensors";
  write_bytes(path, file_of(R"({"encoder.weight":)" + entry("F32", "[2, 4]", "[0, 24]") + "}", 24));
  CHECK(failure([&] { SafetensorsFile file(path); }) ==
        path.string() +
            R"(: tensor "encoder.weight": data_offsets [0, 24] hold 24 bytes, shape [2, 4] of F32 )"
            "needs 32 (header byte 17)");
}

TEST_CASE("safetensors: any single wrong byte gives a readable file or a FileError") {
  const TemporaryFolder folder;
  const fs::path path = folder / "byte";
  const std::string good = two("[0,4]", "[4,8]", 8);
  for (std::size_t at = 0; at + 8 < good.size(); ++at) {
    for (const char c : {'\0', '"', '9', '}', '\\', '\xFF'}) {
      std::string bytes = good;
      bytes[at] = c;
      write_bytes(path, bytes);
      try {
        const SafetensorsFile file(path);
        for (const SafetensorsEntry& e : file.entries()) CHECK(file.bytes(e).size() == 4);
      } catch (const FileError& error) {
        CHECK(std::string(error.what()).starts_with(path.string()));
      }
    }
  }
}

TEST_CASE("safetensors: hostile text costs neither stack nor a long message") {
  const TemporaryFolder folder;
  const fs::path path = folder / "hostile.safetensors";
  const std::size_t many = 1'000'000;
  for (const std::string& text :
       {std::string(many, '['), R"({"a":)" + std::string(many, '['),
        R"({"a":{"shape":)" + std::string(many, '['),
        R"({"__metadata__":{"a":)" + std::string(many, '{'),
        R"({"a":{"shape":[)" + std::string(many, '9'), R"({")" + std::string(many, 'x') + R"(":1})",
        R"({"a":{")" + std::string(many, '\x7F') + R"(":1}})",
        R"({"a":{"dtype":")" + std::string(many, 'F') + R"("}})"}) {
    write_bytes(path, file_of(text, 0));
    const std::string message = failure([&] { SafetensorsFile file(path); });
    CHECK(!message.empty());
    CHECK(message.size() < path.string().size() + 400);
  }
}

TEST_CASE("safetensors: metadata of so many keys that they cost memory") {
  const TemporaryFolder folder;
  const fs::path path = folder / "hostile.safetensors";
  std::string text = R"({"__metadata__":{"0":"")";
  for (int i = 1; i <= 100'000; ++i) text += ",\"" + std::to_string(i) + "\":\"\"";
  write_bytes(path, file_of(text + "}}", 0));
  CHECK(contains(failure([&] { SafetensorsFile file(path); }),
                 "__metadata__: holds more than 100000 keys"));
}

}  // namespace
}  // namespace heddle::testing
