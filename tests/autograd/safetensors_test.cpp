// The safetensors reader on what other writers may write, and the writer against the reader.
#include "autograd/safetensors.h"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;

TEST_CASE("safetensors: files that cannot be read at all") {
  const TemporaryFolder folder;
  CHECK(contains(failure([&] { SafetensorsFile file(folder / "none"); }), "none: No such file"));
  CHECK(contains(failure([&] { SafetensorsFile file(folder / "."); }), "it is a directory"));
  CHECK(contains(failure([&] { SafetensorsFile file("/dev/null"); }), "not a regular file"));
}

TEST_CASE("safetensors: what other writers write is accepted") {
  const TemporaryFolder folder;
  const fs::path path = folder / "good.safetensors";
  // White space on both sides, entries out of order, a scalar, empty tensors, unusual dtypes.
  write_bytes(path, file_of(" \n{\"late\":" + entry("F4", "[2]", "[12,13]") +
                                ", \"empty\" : " + entry("I64", "[3,0]", "[4,4]") +
                                ",\"scalar\":" + entry("F32", "[]", "[0,4]") +
                                ",\"\\u00fc\\n\":" + entry("C64", "[1]", "[4,12]") +
                                ",\"end\":" + entry("F8_E4M3", "[0]", "[13,13]") + "} \t\r\n  ",
                            13));
  SafetensorsFile file(path);
  std::vector<std::string> names;
  for (const SafetensorsEntry& e : file.entries()) names.push_back(e.name);
  CHECK(names == std::vector<std::string>{"scalar", "empty", "\u00fc\n", "late", "end"});
  CHECK(file.at("scalar").shape == Shape{});
  CHECK(file.at("empty").shape == Shape{3, 0});
  CHECK(file.bytes(file.at("empty")).empty());
  CHECK(file.bytes(file.at("late")).size() == 1);
  CHECK(file.at("late").dtype == "F4");
  CHECK(file.metadata().empty());
  CHECK(file.dtype(file.at("scalar")) == DType::kFloat32);
  CHECK(contains(failure([&] { file.dtype(file.at("late")); }),
                 R"(tensor "late": cannot be loaded, its dtype F4 is none of F32, F64, I32, U8)"));

  write_bytes(path, file_of("{}", 0));
  CHECK(SafetensorsFile(path).entries().empty());
}

TEST_CASE("safetensors: every dtype of the format is known") {
  const TemporaryFolder folder;
  const fs::path path = folder / "dtype.safetensors";
  const std::pair<const char*, std::size_t> bytes_of_eight[] = {
      {"BOOL", 8},    {"U8", 8},         {"I8", 8},          {"I16", 16}, {"U16", 16},
      {"F16", 16},    {"BF16", 16},      {"I32", 32},        {"U32", 32}, {"F32", 32},
      {"F64", 64},    {"I64", 64},       {"U64", 64},        {"C64", 64}, {"F8_E5M2", 8},
      {"F8_E4M3", 8}, {"F8_E8M0", 8},    {"F8_E4M3FNUZ", 8}, {"F4", 4},   {"F6_E2M3", 6},
      {"F6_E3M2", 6}, {"F8_E5M2FNUZ", 8}};
  for (const auto& [dtype, bytes] : bytes_of_eight) {
    const std::string offsets = "[0," + std::to_string(bytes) + "]";
    write_bytes(path, file_of(R"({"a":)" + entry(dtype, "[8]", offsets) + "}", bytes));
    CHECK(SafetensorsFile(path).at("a").dtype == dtype);
  }
}

TEST_CASE("safetensors: a missing tensor is answered with the nearest name") {
  const TemporaryFolder folder;
  const fs::path path = folder / "m";
  const float x = 0;
  write_safetensors(path, std::vector<TensorToWrite>{{"encoder.weight", "F32", {}, &x},
                                                     {"decoder.weight", "F32", {}, &x}});
  const SafetensorsFile file(path);
  CHECK(file.find("encoder.wieght") == nullptr);
  CHECK(failure([&] { file.at("encoder.wieght"); }) ==
        path.string() + R"(: no tensor "encoder.wieght"; did you mean "encoder.weight"?)");
  CHECK(failure([&] { file.at("bias"); }) == path.string() + R"(: no tensor "bias")");
}

TEST_CASE("safetensors: a round trip keeps names, shapes, bits and order") {
  const TemporaryFolder folder;
  const fs::path path = folder / "round.safetensors";
  const std::vector<float> a = {1.5F, -0.0F, std::numeric_limits<float>::quiet_NaN(), 4, 5, 6};
  const std::vector<float> b = {7};
  write_safetensors(path,
                    std::vector<TensorToWrite>{{"z \"quoted\" \u00fc\n", "F32", {2, 3}, a.data()},
                                               {"a", "F32", {}, b.data()},
                                               {"empty", "F32", {0, 5}, nullptr}},
                    {{"step", "12"}, {"note", "line\nbreak \"quote\""}});
  const std::string bytes = read_bytes(path);
  CHECK(bytes[8] == '{');
  const SafetensorsFile file(path);
  REQUIRE(file.entries().size() == 3);
  CHECK(file.entries()[0].name == "z \"quoted\" \u00fc\n");
  CHECK(file.entries()[0].shape == Shape{2, 3});
  CHECK(file.entries()[1].name == "a");
  CHECK(file.entries()[1].dtype == "F32");
  CHECK(std::memcmp(file.bytes(file.entries()[0]).data(), a.data(), 24) == 0);
  CHECK(std::memcmp(file.bytes(file.at("a")).data(), b.data(), 4) == 0);
  CHECK(file.data().size() == 28);
  CHECK((bytes.size() - 28) % 64 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(file.data().data()) % 64 == 0);
  CHECK(file.metadata() == SafetensorsMetadata{{"format", "pt"},
                                               {"format_version", "1"},
                                               {"note", "line\nbreak \"quote\""},
                                               {"step", "12"}});
}

TEST_CASE("safetensors: larger elements come first, otherwise the given order stays") {
  const TemporaryFolder folder;
  const fs::path path = folder / "mixed";
  const std::uint64_t zero = 0;
  write_safetensors(path, std::vector<TensorToWrite>{{"byte", "U8", {1}, &zero},
                                                     {"half", "BF16", {1}, &zero},
                                                     {"single", "F32", {1}, &zero},
                                                     {"long", "I64", {1}, &zero},
                                                     {"another half", "F16", {1}, &zero},
                                                     {"double", "F64", {1}, &zero}});
  std::vector<std::string> names;
  const SafetensorsFile file(path);
  for (const SafetensorsEntry& e : file.entries()) names.push_back(e.name);
  CHECK(names ==
        std::vector<std::string>{"long", "double", "single", "half", "another half", "byte"});
}

TEST_CASE("safetensors: the writer refuses what no reader could use") {
  const TemporaryFolder folder;
  const fs::path path = folder / "refused";
  const float x = 0;
  const auto message = [&](std::vector<TensorToWrite> tensors) {
    return failure([&] { write_safetensors(path, tensors); });
  };
  CHECK(contains(message({{"a", "F32", {}, &x}, {"a", "F32", {}, &x}}), R"(are named "a")"));
  CHECK(contains(message({{"__metadata__", "F32", {}, &x}}), "belongs to the format"));
  CHECK(contains(message({{"a", "float", {}, &x}}), R"(dtype "float" is none of)"));
  CHECK(contains(message({{"a", "I32", {}, &x}}), R"(dtype "I32" is none of)"));
  CHECK(contains(message({{"a", "F32", {}, nullptr}}), "has no data"));
  CHECK(contains(message({{"\xFF", "F32", {}, &x}}), "is not UTF-8"));
  CHECK(folder.files() == 0);
}

TEST_CASE("safetensors: a private mapping is written without the file noticing") {
  const TemporaryFolder folder;
  const fs::path path = folder / "m";
  const std::vector<float> values = {1, 2, 3};
  write_safetensors(path, std::vector<TensorToWrite>{{"a", "F32", {3}, values.data()}});
  const std::string before = read_bytes(path);
  SafetensorsFile file(path, MapMode::kPrivate);
  auto* slab = reinterpret_cast<float*>(file.writable_data().data());
  CHECK(slab[2] == 3);
  slab[2] = 30;
  SafetensorsFile moved = std::move(file);
  CHECK(reinterpret_cast<const float*>(moved.bytes(moved.at("a")).data())[2] == 30);
  CHECK(read_bytes(path) == before);
  const SafetensorsFile again(path);
  CHECK(reinterpret_cast<const float*>(again.data().data())[2] == 3);
}

TEST_CASE("safetensors: a hundred thousand tensors") {
  const TemporaryFolder folder;
  const fs::path path = folder / "many";
  constexpr int kCount = 100'000;
  std::vector<std::int64_t> values(kCount);
  std::vector<TensorToWrite> tensors;
  for (int i = 0; i < kCount; ++i) {
    values[static_cast<std::size_t>(i)] = i;
    tensors.push_back({"model.layers." + std::to_string(i) + ".self_attention.query.weight",
                       "I64",
                       {1},
                       &values[static_cast<std::size_t>(i)]});
  }
  write_safetensors(path, tensors);
  const SafetensorsFile file(path);
  REQUIRE(file.entries().size() == kCount);
  for (int i = 0; i < kCount; i += 997) {
    std::int64_t value = -1;
    const auto& e = file.at("model.layers." + std::to_string(i) + ".self_attention.query.weight");
    std::memcpy(&value, file.bytes(e).data(), sizeof(value));
    CHECK(value == i);
  }
}

}  // namespace
}  // namespace heddle::testing
