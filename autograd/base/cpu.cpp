// Compiled for the oldest x86-64 processors whatever the other files are compiled for.
#include "autograd/base/cpu.h"

#include <string.h>
#include <unistd.h>

namespace heddle {

namespace {

constexpr std::size_t kMostFeatures = 32;

bool listed(const char* name, const char* const* names) {
  while (*names != nullptr && strcmp(*names, name) != 0) ++names;
  return *names != nullptr;
}

/// Text of limited size; what does not fit is dropped.
struct Text {
  char* next;
  char* last;  // where the final 0 is at the latest

  void append(const char* part) {
    while (*part != '\0' && next != last) *next++ = *part++;
    *next = '\0';
  }
};

// Priority 101 is the first that programs may use; initialisers of other files come later.
[[gnu::constructor(101)]] void check_before_all_else() {
  require_supported_cpu();
}

}  // namespace

void list_cpu_features(const char** names, std::size_t size) {
  const char** const last = names + size - 1;
#ifdef __x86_64__
  __builtin_cpu_init();  // the compiler's own initialiser may come later than ours
  // The name is a template of the compiler: it must be a literal at each call.
  const struct {
    const char* name;
    bool supported;
  } features[] = {
      {"sse4.2", __builtin_cpu_supports("sse4.2") != 0},
      {"popcnt", __builtin_cpu_supports("popcnt") != 0},
      {"avx", __builtin_cpu_supports("avx") != 0},
      {"avx2", __builtin_cpu_supports("avx2") != 0},
      {"fma", __builtin_cpu_supports("fma") != 0},
      {"bmi", __builtin_cpu_supports("bmi") != 0},
      {"bmi2", __builtin_cpu_supports("bmi2") != 0},
      {"avx512f", __builtin_cpu_supports("avx512f") != 0},
      {"avx512bw", __builtin_cpu_supports("avx512bw") != 0},
      {"avx512cd", __builtin_cpu_supports("avx512cd") != 0},
      {"avx512dq", __builtin_cpu_supports("avx512dq") != 0},
      {"avx512vl", __builtin_cpu_supports("avx512vl") != 0},
      {"avx512ifma", __builtin_cpu_supports("avx512ifma") != 0},
      {"avx512vbmi", __builtin_cpu_supports("avx512vbmi") != 0},
      {"avx512vbmi2", __builtin_cpu_supports("avx512vbmi2") != 0},
      {"avx512vnni", __builtin_cpu_supports("avx512vnni") != 0},
      {"avx512bitalg", __builtin_cpu_supports("avx512bitalg") != 0},
      {"avx512vpopcntdq", __builtin_cpu_supports("avx512vpopcntdq") != 0},
      {"avx512bf16", __builtin_cpu_supports("avx512bf16") != 0},
  };
  for (const auto& feature : features) {
    if (feature.supported && names != last) *names++ = feature.name;
  }
#endif
  *names = nullptr;
}

bool describe_missing_cpu_features(const char* const* built_for, const char* const* supported,
                                   char* text, std::size_t size) {
  Text sentence{text, text + size - 1};
  sentence.append("heddle: this binary was built for a processor with ");
  bool missing = false;
  for (; *built_for != nullptr; ++built_for) {
    if (listed(*built_for, supported)) continue;
    if (missing) sentence.append(", ");
    sentence.append(*built_for);
    missing = true;
  }
  sentence.append(
      ", which this one lacks: build Heddle on this machine, or with -DHEDDLE_NATIVE=OFF for "
      "processors since about 2015\n");
  return missing;
}

void require_supported_cpu() {
#ifdef __x86_64__
  const char* supported[kMostFeatures];
  char sentence[512];
  list_cpu_features(supported, kMostFeatures);
  if (!describe_missing_cpu_features(kBuiltForCpuFeatures, supported, sentence, sizeof(sentence))) {
    return;
  }
  // Nothing can be done where stderr is closed.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, sentence, strlen(sentence));
  _exit(kWrongCpuExitCode);
#endif
}

}  // namespace heddle
