#include "cli/bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "autograd/kernels/gemm.h"

namespace heddle {

namespace {

std::string compiler() {
#ifdef __clang__
  return __VERSION__;  // begins with its name
#else
  return "GCC " __VERSION__;
#endif
}

std::string counted(int count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string parameters_in_words(std::int64_t parameters) {
  if (parameters < 10000) return fmt::format("{} parameters", parameters);
  return fmt::format("{:.2f} M parameters", static_cast<double>(parameters) * 1e-6);
}

double sum_of(const std::vector<FamilyTime>& families) {
  double sum = 0.0;
  for (const FamilyTime& f : families) sum += f.seconds;
  return sum;
}

double mebibytes(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace

std::string family_text(const std::vector<FamilyTime>& families) {
  std::string text = fmt::format("{:<16}{:>8}{:>12}{:>12}\n", "time of an update", "share",
                                 "forward ms", "backward ms");
  const double all = sum_of(families);
  for (const FamilyTime& f : families) {
    fmt::format_to(std::back_inserter(text), "  {:<15}{:>6.1f} %{:>12.2f}{:>12.2f}  {}\n", f.family,
                   100.0 * f.seconds / all, (f.seconds - f.backward) * 1e3, f.backward * 1e3,
                   f.about);
  }
  return text;
}

std::string operation_text(const UpdateProfile& profile) {
  const OpProfile all = profile.operations();
  std::vector<OpProfile::Entry> entries(all.entries().begin(), all.entries().end());
  std::ranges::sort(entries, std::ranges::greater(), &OpProfile::Entry::nanoseconds);
  const auto of_an_update = [&](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(profile.updates);
  };
  std::string text = fmt::format("{:<17}{:>8}{:>12}{:>12}\n", "operation, all lanes", "runs",
                                 "forward ms", "backward ms");
  for (const OpProfile::Entry& e : entries) {
    fmt::format_to(std::back_inserter(text), "  {:<15}{:>11.0f}{:>12.2f}{:>12.2f}\n", e.op,
                   of_an_update(e.runs), of_an_update(e.forward) * 1e-6,
                   of_an_update(e.backward) * 1e-6);
  }
  return text;
}

std::string BenchReport::text() const {
  std::string text = fmt::format("{}: {}, {}, {}\n", shape, parameters_in_words(parameters),
                                 counted(lanes, "lane"), counted(threads, "thread"));
  const auto line = [&](const char* name, const std::string& value, const std::string& about) {
    fmt::format_to(std::back_inserter(text), "{:<20}{:>10}{}{}\n", name, value,
                   about.empty() ? "" : "  ", about);
  };
  line("target tokens/s", fmt::format("{:.0f}", timing.tokens_per_second()),
       fmt::format("median of {}, {} sentences of {} tokens each", counted(updates, "update"),
                   sentences.count, sentences.length));
  line("ms per update", fmt::format("{:.1f}", timing.seconds * 1e3), "");
  line("ms of its products", fmt::format("{:.1f}", timing.product_seconds * 1e3),
       fmt::format("OpenBLAS {}, one thread per lane", kernels::blas_core_name()));
  line("GEMM share", fmt::format("{:.3f}", timing.gemm_share()), "");
  if (timing.faster_product_seconds) {
    line("ms of its products", fmt::format("{:.1f}", *timing.faster_product_seconds * 1e3),
         fmt::format("with oneDNN {} where it is faster, as in the update",
                     kernels::one_dnn_version()));
    line("share of these", fmt::format("{:.3f}", *timing.faster_product_seconds / timing.seconds),
         "");
  }
  line("peak memory", fmt::format("{:.0f} MiB", mebibytes(timing.peak_bytes)), "");
  return text + family_text(timing.families);
}

std::string BenchReport::json() const {
  using Json = nlohmann::ordered_json;
  const double all = sum_of(timing.families);
  Json families = Json::object();
  for (const FamilyTime& f : timing.families) {
    families[std::string(f.family)] = {
        {"ms", f.seconds * 1e3}, {"backward_ms", f.backward * 1e3}, {"share", f.seconds / all}};
  }
  Json report = {{"shape", shape},
                 {"parameters", parameters},
                 {"sentences", sentences.count},
                 {"length", sentences.length},
                 {"vocabulary", sentences.vocabulary},
                 {"threads", threads},
                 {"lanes", lanes},
                 {"updates", updates},
                 {"tokens_per_second", timing.tokens_per_second()},
                 {"ms_per_update", timing.seconds * 1e3},
                 {"gemm_ms", timing.product_seconds * 1e3},
                 {"gemm_share", timing.gemm_share()},
                 {"families", families},
                 {"peak_mb", mebibytes(timing.peak_bytes)},
                 {"blas_core", kernels::blas_core_name()},
                 {"compiler", compiler()}};
  if (timing.faster_product_seconds) {
    report["one_dnn"] = kernels::one_dnn_version();
    report["one_dnn_gemm_ms"] = *timing.faster_product_seconds * 1e3;
    report["one_dnn_gemm_share"] = *timing.faster_product_seconds / timing.seconds;
  }
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace heddle
