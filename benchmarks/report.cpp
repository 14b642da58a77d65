#include "benchmarks/report.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace heddle::bench {

namespace {

constexpr const char* kReference = "/reference";

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Collects the repetitions of every benchmark and prints the table at the end.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  explicit TableReporter(const std::vector<Pair>& pairs) : pairs_(pairs) {}

  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      seconds_[run.run_name.function_name].push_back(run.GetAdjustedRealTime() * 1e-9);
    }
  }

  void Finalize() override {
    std::printf(
        "| kernel | shape | time | rate | reference | of it |\n|---|---|---|---|---|---|\n");
    for (const Pair& pair : pairs_) {
      const std::string name = pair.kernel + " " + pair.shape;
      const double ours = median(seconds_[name]);
      if (ours == 0.0) continue;
      const double reference = median(seconds_[name + kReference]);
      const char* const unit = pair.flops ? "GFLOP/s" : "GB/s";
      std::printf("| %s | %s | %.3f ms | %.1f %s ", pair.kernel.c_str(), pair.shape.c_str(),
                  ours * 1e3, pair.work / ours * 1e-9, unit);
      if (reference > 0.0) {
        std::printf("| %.1f %s | %.0f %% |\n", pair.work / reference * 1e-9, unit,
                    100.0 * reference / ours);
      } else {
        std::printf("| | |\n");
      }
    }
  }

 private:
  const std::vector<Pair>& pairs_;
  std::map<std::string, std::vector<double>> seconds_;
};

void add(const std::string& name, const std::function<void()>& body) {
  benchmark::RegisterBenchmark(name.c_str(), [body](benchmark::State& state) {
    for (auto _ : state) {
      body();
      benchmark::ClobberMemory();
    }
  })->UseRealTime();
}

template <int kReads, int kWrites>
void copy_loop(std::int64_t n, const float* const (&reads)[kReads],
               float* const (&writes)[kWrites]) {
  for (std::int64_t i = 0; i < n; ++i) {
    float sum = reads[0][i];
    for (int r = 1; r < kReads; ++r) sum += reads[r][i];
    for (int w = 0; w < kWrites; ++w) writes[w][i] = sum;
  }
}

}  // namespace

Buffer::Buffer(std::int64_t elements, float value)
    : memory_(allocate_zeros(static_cast<std::size_t>(elements) * sizeof(float))), size_(elements) {
  for (std::int64_t i = 0; i < elements; ++i) {
    data()[i] = value * (static_cast<float>(i * 7919 % 2003) / 1001.0F - 1.0F);
  }
}

std::function<void()> plain_copy(std::int64_t n, int reads, int writes) {
  const Buffer a(n), b(n), c(n), d(n);
  const auto pick = [=]<int kReads, int kWrites>(std::integral_constant<int, kReads>,
                                                 std::integral_constant<int, kWrites>) {
    return [=] {
      const float* const from[] = {a.data(), b.data()};
      float* const to[] = {c.data(), d.data()};
      const float* sources[kReads];
      float* results[kWrites];
      std::copy_n(from, kReads, sources);
      std::copy_n(to, kWrites, results);
      copy_loop<kReads, kWrites>(n, sources, results);
    };
  };
  constexpr std::integral_constant<int, 1> one;
  constexpr std::integral_constant<int, 2> two;
  if (reads == 1) return writes == 1 ? std::function<void()>(pick(one, one)) : pick(one, two);
  return writes == 1 ? std::function<void()>(pick(two, one)) : pick(two, two);
}

int run_pairs(int argc, char** argv, const std::vector<Pair>& pairs) {
  // Runs of all benchmarks are mixed, so that a change of the machine's speed meets both of a pair.
  std::vector<std::string> arguments{argv[0], "--benchmark_enable_random_interleaving=true",
                                     "--benchmark_repetitions=9", "--benchmark_min_time=0.02"};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  for (const Pair& pair : pairs) {
    const std::string name = pair.kernel + " " + pair.shape;
    add(name, pair.run);
    if (pair.reference) add(name + kReference, pair.reference);
  }
  TableReporter reporter(pairs);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return 0;
}

}  // namespace heddle::bench
