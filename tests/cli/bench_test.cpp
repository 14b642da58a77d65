// `heddle bench` from outside: its figures belong together. How large they are is not judged here.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "cli/bench_batch.h"
#include "cli/bench_shapes.h"
#include "tests/support/program.h"

using namespace heddle;
using heddle::testing::check_failure;
using heddle::testing::contains;
using heddle::testing::heddle_run;
using heddle::testing::Outcome;
using heddle::testing::TemporaryFolder;
using heddle::testing::write_bytes;

namespace {

const std::string kSmall = " --sentences 6 --length 5 --vocabulary 20 --updates 3";
const std::string kSmallShape =
    "--shape tiny --set model.d_model=16 --set model.d_ff=24 --set model.layers=1" + kSmall;

nlohmann::json measured(const std::string& arguments) {
  CAPTURE(arguments);
  const Outcome outcome = heddle_run("bench " + arguments + " --json");
  CHECK(outcome.code == 0);
  CHECK(outcome.err != "");
  return nlohmann::json::parse(outcome.out);
}

void check_consistent(const nlohmann::json& report) {
  const auto number = [&](const char* key) { return report.at(key).get<double>(); };
  const double tokens = number("sentences") * number("length");
  CHECK(number("ms_per_update") > 0.0);
  CHECK(number("gemm_ms") > 0.0);
  CHECK(number("peak_mb") > 0.0);
  CHECK(number("tokens_per_second") ==
        doctest::Approx(tokens / (number("ms_per_update") * 1e-3)).epsilon(1e-9));
  CHECK(number("gemm_share") ==
        doctest::Approx(number("gemm_ms") / number("ms_per_update")).epsilon(1e-9));
  double shares = 0.0;
  std::set<std::string> names;
  for (const auto& [name, family] : report.at("families").items()) {
    names.insert(name);
    const auto share = family.at("share").get<double>();
    CHECK(share >= 0.0);
    CHECK(family.at("ms").get<double>() >= family.at("backward_ms").get<double>());
    CHECK(family.at("backward_ms").get<double>() >= 0.0);
    shares += share;
  }
  CHECK(shares == doctest::Approx(1.0).epsilon(1e-9));
  CHECK(names == std::set<std::string>{"products", "attention", "norms", "output_loss", "embedding",
                                       "pointwise", "other", "gradient_sum", "optimizer"});
}

}  // namespace

TEST_CASE("bench: help begins with an example") {
  const Outcome help = heddle_run("bench --help");
  CHECK(help.code == 0);
  CHECK(help.out.starts_with("Example: heddle bench "));
  CHECK(contains(heddle_run("--help").out, "  bench "));
}

TEST_CASE("bench: the figures of a shape belong together") {
  const nlohmann::json report = measured(kSmallShape + " --threads 2");
  check_consistent(report);
  CHECK(report.at("shape") == "tiny");
  CHECK(report.at("threads") == 2);
  CHECK(report.at("lanes") == 2);  // as many as threads
  CHECK(report.at("updates") == 3);
  CHECK(report.at("sentences") == 6);
  CHECK(report.at("length") == 5);
  CHECK(report.at("vocabulary") == 20);
  CHECK(report.at("blas_core").get<std::string>() != "");
  CHECK(report.at("compiler").get<std::string>() != "");
  // 21 rows of a table, of which one is the start; attention, norms and feed-forward networks.
  const int attention = 4 * (16 * 16 + 16), norm = 2 * 16, feed = 2 * 16 * 24 + 24 + 16;
  CHECK(report.at("parameters") == 21 * 16 + 3 * attention + 5 * norm + 2 * feed);
}

TEST_CASE("bench: the model and the optimizer of a config") {
  const TemporaryFolder folder;
  const auto file = folder / "small.json";
  write_bytes(file, R"({"model": {"d_model": 16, "heads": 2, "d_ff": 24, "layers": 1,
                        "norm_order": "pre", "gated": true, "positions": "rotary"},
                        "optimizer": {"type": "sgd", "momentum": 0.9}})");
  // Lanes without sentences, and more lanes than threads.
  const nlohmann::json report = measured(file.string() + kSmall + " --lanes 8 --threads 1");
  check_consistent(report);
  CHECK(report.at("shape") == file.string());
  CHECK(report.at("lanes") == 8);
  CHECK(report.at("threads") == 1);
}

TEST_CASE("bench: results are lines on stdout, progress goes to stderr") {
  const Outcome outcome = heddle_run("bench " + kSmallShape + " --lanes 1 --threads 1 --profile");
  CHECK(outcome.code == 0);
  CHECK(contains(outcome.out, "\n  residual_norm "));
  CHECK(outcome.out.starts_with("tiny: 5376 parameters, 1 lane, 1 thread\ntarget tokens/s "));
  for (const char* line : {"\nms per update ", "\nGEMM share ", "\npeak memory ", "\n  products ",
                           "\n  output_loss ", "\n  optimizer "}) {
    CAPTURE(line);
    CHECK(contains(outcome.out, line));
  }
  CHECK(contains(outcome.err, "timing updates and their matrix products\n"));
}

TEST_CASE("bench: what cannot be measured is refused in one sentence") {
  check_failure("bench ", 2,
                "heddle: CONFIG, --shape or --decode is required; see heddle bench --help");
  check_failure("bench configs/tiny.json --shape tiny", 2,
                "heddle: CONFIG excludes --shape; see heddle bench --help");
  check_failure("bench --shape huge", 2,
                "heddle: --shape: huge not in {tiny,char,base}; see heddle bench --help");
  check_failure(
      "bench --shape tiny --updates 2", 2,
      "heddle: --updates: expected an integer from 3 to 1000000, got 2; see heddle bench --help");
  check_failure("bench --shape tiny --set model.positions=learned --length 513", 2,
                "heddle: --length: 513 tokens, but the model has 512 positions; see heddle "
                "bench --help");
  check_failure("bench --shape tiny --set model.heads=7", 3,
                "--set model.heads=7: model.heads: 7 does not divide d_model 128");
  check_failure("bench --shape tiny --set optimizer.type=adamm", 3,
                "--set optimizer.type=adamm: optimizer.type: \"adamm\" is none of adam, adamw, "
                "sgd, adafactor; did you mean \"adam\"?");
  check_failure("bench nowhere.json", 3, "nowhere.json: there is no such file");
  const Outcome overflow = heddle_run("bench " + kSmallShape +
                                      " --set model.initialisation=normal --set "
                                      "model.init_std=1e30");
  CHECK(overflow.code == 6);
  CHECK(overflow.out == "");
}

TEST_CASE("bench: sentences have the lengths and ids that they should have") {
  const Vocabulary vocabulary{21};
  const BenchSentences sentences{100, 16, 20};
  const BenchBatch batch(sentences, vocabulary, 3, 200);
  std::set<std::int32_t> lengths, ids;
  std::size_t count = 0;
  const std::span<const MicroBatch> micro_batches = batch.micro_batches();
  CHECK(micro_batches.size() == 3);
  std::vector<Examples> all;
  for (const MicroBatch& m : micro_batches) all.insert(all.end(), m.begin(), m.end());
  for (const Examples& lane : all) {
    count += lane.target_input.sequences.size();
    CHECK(lane.source.sequences.size() == lane.target_input.sequences.size());
    for (const Sequence& s : lane.source.sequences) lengths.insert(s.length);
    for (const Sequence& s : lane.target_input.sequences) {
      CHECK(s.length == 16);
      const auto last = static_cast<std::size_t>(s.begin + s.length - 1);
      CHECK(lane.target_output[last] == Vocabulary::kEnd);
      CHECK(lane.target_input.ids[static_cast<std::size_t>(s.begin)] == vocabulary.start());
    }
    ids.insert(lane.target_output.begin(), lane.target_output.end());
    ids.insert(lane.source.ids.begin(), lane.source.ids.end());
  }
  CHECK(count == 100);
  CHECK(lengths == std::set<std::int32_t>{12, 13, 14, 15, 16});
  CHECK(ids.size() == 19);  // all but unknown and start
  CHECK(!ids.contains(Vocabulary::kUnknown));
  CHECK(!ids.contains(vocabulary.start()));
}
