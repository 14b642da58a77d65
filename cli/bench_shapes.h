// The models that `heddle bench` knows by name, with the sentences that they are trained on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// Synthetic sentence pairs: every target has `length` tokens, a source 3/4 of it or more, ends
/// included.
struct BenchSentences {
  std::int32_t count = 256;
  std::int32_t length = 16;
  std::int32_t vocabulary = 10000;  // classes: all ids but the start
};

struct BenchShape {
  std::string_view name;
  std::string_view config;  // JSON
  BenchSentences sentences;
};

/// All of them; configs of the same form as those in files.
std::span<const BenchShape> bench_shapes();
std::vector<std::string> bench_shape_names();
const BenchShape& bench_shape(std::string_view name);

}  // namespace heddle
