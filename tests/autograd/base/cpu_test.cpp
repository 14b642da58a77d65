// The sentence about a processor that lacks what the binary was built for. That a binary prints it
// is checked under an emulator by scripts/check_all.sh.
#include "autograd/base/cpu.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace heddle {
namespace {

TEST_CASE("cpu: the sentence names what is missing and what to do") {
  const char* const built_for[] = {"avx2", "avx512f", "avx512vl", nullptr};
  const char* const supported[] = {"avx", "avx2", nullptr};
  std::array<char, 512> text{};
  CHECK(describe_missing_cpu_features(built_for, supported, text.data(), text.size()));
  CHECK(std::string(text.data()) ==
        "heddle: this binary was built for a processor with avx512f, avx512vl, which this one "
        "lacks: build Heddle on this machine, or with -DHEDDLE_NATIVE=OFF for processors since "
        "about 2015\n");
}

TEST_CASE("cpu: nothing is missing where all is there") {
  const char* const built_for[] = {"avx2", nullptr};
  const char* const supported[] = {"avx", "avx2", nullptr};
  const char* const nothing[] = {nullptr};
  std::array<char, 512> text{};
  CHECK_FALSE(describe_missing_cpu_features(built_for, supported, text.data(), text.size()));
  CHECK_FALSE(describe_missing_cpu_features(nothing, nothing, text.data(), text.size()));
}

TEST_CASE("cpu: short memory cuts the sentence and the list") {
  const char* const built_for[] = {"avx2", nullptr};
  const char* const nothing[] = {nullptr};
  std::array<char, 8> text{};
  CHECK(describe_missing_cpu_features(built_for, nothing, text.data(), text.size()));
  CHECK(std::string(text.data()) == "heddle:");
  const char* names[1] = {"untouched"};
  list_cpu_features(names, 1);
  CHECK(names[0] == nullptr);
}

TEST_CASE("cpu: this processor has what this test was built for, by the same names") {
  std::array<const char*, 64> names{};
  list_cpu_features(names.data(), names.size());
  std::array<char, 512> text{};
  const bool missing =
      describe_missing_cpu_features(kBuiltForCpuFeatures, names.data(), text.data(), text.size());
  CHECK_MESSAGE(!missing, text.data());
  require_supported_cpu();
}

}  // namespace
}  // namespace heddle
