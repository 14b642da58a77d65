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
#include "train/update_timing.h"

namespace heddle {

namespace {

constexpr int kRuns = 5;
constexpr std::size_t kSingles = 100;
constexpr kernels::ProductShape kReference{4096, 128, 128};
constexpr double kReferenceFlops =
    306e9;  // of two lanes, on the machine that others are compared on

double seconds_of(const std::function<void()>& work) {
  const std::int64_t begin = nanoseconds_now();
  work();
  return static_cast<double>(nanoseconds_now() - begin) * 1e-9;
}

std::int64_t output_tokens(const std::vector<Translation>& translations) {
  std::int64_t tokens = 0;
  for (const Translation& t : translations) {
    for (const Translation::Output& output : t.outputs) {
      tokens += std::ssize(output.hypothesis.ids);
    }
  }
  return tokens;
}

// What the machine can do now: the product of a projection, in as many lanes as there are threads.
double reference_flops(int threads) {
  constexpr int kProducts = 16;
  const std::vector<ProductTiming::Products> lanes(static_cast<std::size_t>(threads),
                                                   ProductTiming::Products(kProducts, kReference));
  ProductTiming timing(lanes, threads, kernels::GemmLibrary::kOpenBlas,
                       ProductTiming::Which::kForward);
  for (int i = 0; i < 20; ++i) timing.run();
  return 2.0 * kProducts * threads *
         static_cast<double>(kReference.m * kReference.n * kReference.k) / timing.seconds();
}

// Lines from all over the file, each translated alone; those without text do not count.
double single_seconds(Translator& translator, const std::vector<std::string>& lines) {
  std::vector<double> seconds;
  const std::size_t count = std::min(kSingles, lines.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::span<const std::string> one(&lines[i * lines.size() / count], 1);
    bool empty = false;
    const double taken = seconds_of([&] { empty = translator(one)[0].outputs.empty(); });
    if (!empty) seconds.push_back(taken);
  }
  return seconds.empty() ? 0.0 : median(seconds);
}

// "102", or "2 x source + 50".
std::string words_of(const LengthLimit& limit) {
  const std::string extra = fmt::format("{}", limit.extra);
  return limit.factor == 0.0 ? extra : fmt::format("{:g} x source + {}", limit.factor, extra);
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
  const double flops_before = reference_flops(threads);
  forget_peak_resident_bytes();
  TranslatorOptions options = search.applied_to(trained->translator_options(threads));
  options.scores = false;
  report.beam = options.beam;
  report.limit = words_of(options.limit);
  Translator translator(trained->transformer(), trained->tokenizers(), options);
  report.output_tokens = output_tokens(translator(lines));  // and warms up
  std::vector<double> seconds;
  for (int i = 0; i < kRuns; ++i) seconds.push_back(seconds_of([&] { translator(lines); }));
  report.seconds = median(seconds);
  report.peak_bytes = peak_resident_bytes();
  report.single_seconds = single_seconds(translator, lines);
  report.gemm_flops = std::max(flops_before, reference_flops(threads));
  return report;
}

double DecodeReport::tokens_per_sentence() const {
  return static_cast<double>(output_tokens) / static_cast<double>(sentences);
}

double DecodeReport::scaled_tokens_per_second() const {
  return per_second(output_tokens, seconds) * kReferenceFlops / gemm_flops;
}

std::string DecodeReport::text() const {
  std::string text = fmt::format("{}: {} sentences, beam {}, {} thread{}\n", model, sentences, beam,
                                 threads, threads == 1 ? "" : "s");
  const auto line = [&](const char* name, const std::string& value, const std::string& about) {
    fmt::format_to(std::back_inserter(text), "{:<20}{:>10}{}{}\n", name, value,
                   about.empty() ? "" : "  ", about);
  };
  line("output tokens/s", fmt::format("{:.0f}", per_second(output_tokens, seconds)),
       fmt::format("median of {} runs, {:.1f} tokens per sentence, ends not counted, at most {}",
                   runs, tokens_per_sentence(), limit));
  line("sentences/s", fmt::format("{:.0f}", per_second(sentences, seconds)), "");
  line("ms of one sentence", fmt::format("{:.2f}", single_seconds * 1e3), "alone, the median");
  line("ms to load", fmt::format("{:.1f}", load_seconds * 1e3), "");
  line("peak memory", fmt::format("{:.0f} MiB", static_cast<double>(peak_bytes) / (1 << 20)),
       "translating the file as a whole");
  line("sgemm GFLOP/s", fmt::format("{:.0f}", gemm_flops * 1e-9),
       fmt::format("4096x128x128, OpenBLAS ({}), {} lanes, the best before and after",
                   kernels::blas_core_name(), threads));
  line("tokens/s at 306", fmt::format("{:.0f}", scaled_tokens_per_second()),
       "output tokens/s in proportion, where that sgemm reaches 306 GFLOP/s");
  return text;
}

std::string DecodeReport::json() const {
  const nlohmann::ordered_json json = {
      {"model", model},
      {"threads", threads},
      {"beam", beam},
      {"limit", limit},
      {"sentences", sentences},
      {"output_tokens", output_tokens},
      {"tokens_per_sentence", tokens_per_sentence()},
      {"output_tokens_per_second", per_second(output_tokens, seconds)},
      {"sentences_per_second", per_second(sentences, seconds)},
      {"single_ms", single_seconds * 1e3},
      {"load_ms", load_seconds * 1e3},
      {"peak_mb", static_cast<double>(peak_bytes) / (1 << 20)},
      {"blas_core", kernels::blas_core_name()},
      {"sgemm_gflops", gemm_flops * 1e-9},
      {"scaled_output_tokens_per_second", scaled_tokens_per_second()}};
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace heddle
