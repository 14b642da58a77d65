// Benchmarks in pairs: a kernel and the plain reference that bounds it, run in alternation,
// reported as one line of a Markdown table.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autograd/base/aligned.h"

namespace heddle::bench {

/// Memory for one operand, filled with small numbers.
class Buffer {
 public:
  explicit Buffer(std::int64_t elements, float value = 0.5F);
  float* data() const { return static_cast<float*>(memory_.get()); }
  std::int64_t size() const { return size_; }

 private:
  std::shared_ptr<void> memory_;
  std::int64_t size_;
};

/// One line of the table.
struct Pair {
  std::string kernel;
  std::string shape;
  double work = 0.0;   // bytes or floating-point operations of one call
  bool flops = false;  // what `work` counts
  std::function<void()> run;
  std::function<void()> reference;  // may be empty: only the rate is reported
};

/// A loop that reads `reads` arrays of n floats and writes their sum to `writes` arrays: what the
/// memory system allows a kernel with that traffic.
std::function<void()> plain_copy(std::int64_t n, int reads, int writes);

/// Cases of one file.
std::vector<Pair> pointwise_pairs();
std::vector<Pair> row_pairs();
std::vector<Pair> matrix_pairs();
std::vector<Pair> attention_pairs();
std::vector<Pair> op_pairs();

/// Registers, runs and prints all pairs; the filter is Google Benchmark's.
int run_pairs(int argc, char** argv, const std::vector<Pair>& pairs);

}  // namespace heddle::bench
