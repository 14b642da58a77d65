#include "cli/bench_decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "autograd/profile.h"
#include "data/line_reader.h"
#include "decode/trained_model.h"
#include "train/product_timing.h"
#include "train/step_timing.h"

namespace heddle {

namespace {

constexpr int kRuns = 5;
constexpr std::size_t kSingles = 100;
constexpr kernels::ProductShape kReference{4096, 128, 128};

double seconds_of(const std::function<void()>& work) {
  const std::int64_t begin = nanoseconds_now();
  work();
  return static_cast<double>(nanoseconds_now() - begin) * 1e-9;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::int64_t output_tokens(const std::vector<Translation>& translations) {
  std::int64_t tokens = 0;
  for (const Translation& t : translations) {
    for (const Translation::Output& output : t.outputs) {
      tokens += std::ssize(output.hypothesis.ids) + (output.hypothesis.finished ? 1 : 0);
    }
  }
  return tokens;
}

// What the machine can do: the three products of a projection, in as many lanes as there are
// threads.
double reference_flops(int threads) {
  const std::vector<ProductTiming::Products> lanes(static_cast<std::size_t>(threads),
                                                   ProductTiming::Products(8, kReference));
  ProductTiming timing(lanes, threads, kernels::GemmLibrary::kOpenBlas);
  for (int i = 0; i < 20; ++i) timing.run();
  const auto products = 3.0 * 8.0 * threads;
  return products * 2.0 * static_cast<double>(kReference.m * kReference.n * kReference.k) /
         timing.seconds();
}

double per_second(std::int64_t count, double seconds) {
  return static_cast<double>(count) / seconds;
}

}  // namespace

DecodeReport bench_decode(const std::string& model, const std::string& source,
                          const SearchOptions& search, int threads) {
  std::vector<std::string> lines;
  LineReader reader(source);
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  check<DataError>(!lines.empty(), source, ": the file is empty");

  DecodeReport report{.model = model, .threads = threads, .runs = kRuns};
  report.sentences = std::ssize(lines);
  std::optional<TrainedModel> trained;
  report.load_seconds = seconds_of([&] { trained.emplace(model); });
  const TranslatorOptions options = search.applied_to(trained->translator_options(threads));
  report.beam = options.beam;
  Translator translator(trained->transformer(), trained->tokenizers(), options);
  report.output_tokens = output_tokens(translator(lines));  // and warms up
  std::vector<double> seconds;
  for (int i = 0; i < kRuns; ++i) seconds.push_back(seconds_of([&] { translator(lines); }));
  report.seconds = median(seconds);
  report.peak_bytes = peak_resident_bytes();
  std::vector<double> singles;
  for (std::size_t i = 0; i < std::min(kSingles, lines.size()); ++i) {
    const std::span<const std::string> one(&lines[i * lines.size() / kSingles % lines.size()], 1);
    singles.push_back(seconds_of([&] { translator(one); }));
  }
  report.single_seconds = median(singles);
  report.gemm_flops = reference_flops(threads);
  return report;
}

std::string DecodeReport::text() const {
  std::string text = fmt::format("{}: {} sentences, beam {}, {} thread{}\n", model, sentences, beam,
                                 threads, threads == 1 ? "" : "s");
  const auto line = [&](const char* name, const std::string& value, const std::string& about) {
    fmt::format_to(std::back_inserter(text), "{:<20}{:>10}{}{}\n", name, value,
                   about.empty() ? "" : "  ", about);
  };
  line("output tokens/s", fmt::format("{:.0f}", per_second(output_tokens, seconds)),
       fmt::format("median of {} runs, {:.1f} tokens per sentence, ends counted", runs,
                   per_second(output_tokens, static_cast<double>(sentences))));
  line("sentences/s", fmt::format("{:.0f}", per_second(sentences, seconds)), "");
  line("ms of one sentence", fmt::format("{:.2f}", single_seconds * 1e3), "alone, the median");
  line("ms to load", fmt::format("{:.1f}", load_seconds * 1e3), "");
  line("peak memory", fmt::format("{:.0f} MiB", static_cast<double>(peak_bytes) / (1 << 20)), "");
  line("sgemm GFLOP/s", fmt::format("{:.0f}", gemm_flops * 1e-9),
       fmt::format("4096x128x128 and its gradients, OpenBLAS, {} lanes", threads));
  return text;
}

std::string DecodeReport::json() const {
  const nlohmann::ordered_json json = {
      {"model", model},
      {"threads", threads},
      {"beam", beam},
      {"sentences", sentences},
      {"output_tokens", output_tokens},
      {"output_tokens_per_second", per_second(output_tokens, seconds)},
      {"sentences_per_second", per_second(sentences, seconds)},
      {"single_ms", single_seconds * 1e3},
      {"load_ms", load_seconds * 1e3},
      {"peak_mb", static_cast<double>(peak_bytes) / (1 << 20)},
      {"sgemm_gflops", gemm_flops * 1e-9}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace heddle
