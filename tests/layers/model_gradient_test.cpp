// Every gradient of whole models, in every combination of their options: float64 against central
// differences.
#include <doctest/doctest.h>

#include <set>

#include "autograd/base/parallel.h"
#include "layers/model_check.h"
#include "tests/support/models.h"
#include "tests/support/sanitized.h"

using namespace heddle;
using heddle::testing::json_object;
using heddle::testing::kSanitized;

namespace {

using Options = std::vector<std::string>;

// Each axis with its values, as keys of a config.
const std::vector<Options> kAxes = {
    {R"("norm_order": "post")", R"("norm_order": "pre")"},
    {R"("positions": "sinusoidal")", R"("positions": "learned", "max_positions": 4)",
     R"("positions": "rotary")"},
    {R"("activation": "relu")", R"("activation": "gelu")", R"("activation": "silu")",
     R"("activation": "relu", "gated": true)", R"("activation": "gelu", "gated": true)",
     R"("activation": "silu", "gated": true)"},
    {R"("tie": "all")", R"("tie": "source_target")", R"("tie": "target_output")",
     R"("tie": "none")"},
    {R"("heads": 2)", R"("heads": 4, "kv_heads": 2)"},
};

constexpr const char* kBase = R"("d_model": 8, "d_ff": 6, "layers": 1, "dropout": 0.2,
                                 "attention_dropout": 0.2, "activation_dropout": 0.2)";

std::string joined(const Options& options) {
  std::string text = kBase;
  for (const std::string& option : options) text.append(", ").append(option);
  return json_object(text);
}

/// All combinations of one value per axis.
std::vector<Options> all_combinations() {
  std::vector<Options> all = {{}};
  for (const Options& axis : kAxes) {
    std::vector<Options> longer;
    for (const Options& prefix : all) {
      for (const std::string& value : axis) {
        longer.push_back(prefix);
        longer.back().push_back(value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

using Pairs = std::set<std::pair<std::string, std::string>>;

Pairs pairs_of(const Options& options) {
  Pairs pairs;
  for (std::size_t i = 0; i < options.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) pairs.insert({options[j], options[i]});
  }
  return pairs;
}

/// Few combinations in which every pair of values occurs: each time the one with most new pairs.
std::vector<Options> pairwise(const std::vector<Options>& all) {
  Pairs missing;
  for (const Options& options : all) missing.merge(pairs_of(options));
  std::vector<Options> chosen;
  while (!missing.empty()) {
    std::size_t best = 0, best_new = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::size_t fresh = 0;
      for (const auto& pair : pairs_of(all[i])) fresh += missing.count(pair);
      if (fresh > best_new) {
        best = i;
        best_new = fresh;
      }
    }
    chosen.push_back(all[best]);
    for (const auto& pair : pairs_of(all[best])) missing.erase(pair);
  }
  return chosen;
}

constexpr std::int32_t kSourceLengths[] = {3, 1}, kTargetLengths[] = {2, 3};

GradcheckReport check_model(const std::string& config,
                            const Vocabularies& vocabularies = {{11}, {11}}) {
  const ConfigDocument document = ConfigDocument::parse(config, "model");
  const GradcheckReport report =
      check_model_gradients(config, document.root(), vocabularies, kSourceLengths, kTargetLengths);
  document.finish();
  return report;
}

void check_models(const std::vector<std::string>& configs,
                  const Vocabularies& vocabularies = {{11}, {11}}) {
  std::vector<GradcheckReport> reports(configs.size());
  const int count = static_cast<int>(configs.size());
  run_lanes(count, available_threads(), 1, [&](int i) {
    const auto index = static_cast<std::size_t>(i);
    reports[index] = check_model(configs[index], vocabularies);
  });
  double worst = 0.0;
  for (const GradcheckReport& report : reports) {
    CHECK_MESSAGE(report.passed(), report.message());
    CHECK(report.checked >= 800);
    CHECK(report.checked <= 3000);
    CHECK(report.largest_gradient > 1e-3);
    worst = std::max(worst, report.worst.relative_error);
  }
  CHECK(worst < 1e-6);
  MESSAGE(configs.size() << " models, worst relative error " << worst);
}

}  // namespace

TEST_CASE("model gradients: every combination of options") {
  const std::vector<Options> all = all_combinations();
  CHECK(all.size() == 288);
  const std::vector<Options> few = pairwise(all);
  CHECK(few.size() < 40);
  std::vector<std::string> configs;
  for (const Options& options : kSanitized ? few : all) configs.push_back(joined(options));
  check_models(configs);
}

TEST_CASE("model gradients: norms, biases, blocks, depth and width per side") {
  const std::string base = kBase;
  check_models({
      json_object(base, R"("heads": 2, "norm": "rms_norm")"),
      json_object(base, R"("heads": 2, "norm": "rms_norm", "norm_order": "pre")"),
      json_object(base, R"("heads": 1, "output_bias": true)"),
      json_object(base, R"("heads": 8, "kv_heads": 1, "initialisation": "normal")"),
      json_object(base, R"("heads": 2, "encoder": {"layers": 2, "d_ff": 3},
                           "decoder": {"norm": "rms_norm", "heads": 4, "activation": "gelu"})"),
      json_object(base, R"("heads": 2, "norm_order": "pre", "decoder": {"norm_order": "post",
          "block": [{"type": "feed_forward", "d_ff": 3}, {"type": "cross_attention", "heads": 4},
                    {"type": "self_attention", "kv_heads": 1}, {"type": "feed_forward"}]})"),
  });
}

TEST_CASE("model gradients: sides of different width and vocabulary") {
  const std::string config =
      json_object(kBase, R"("heads": 2, "encoder": {"d_model": 6}, "tie": "target_output")");
  check_models({config}, {{13}, {9}});
}

TEST_CASE(
    "model gradients: the model is checked without dropout as with it, and a wrong one fails") {
  const std::string config =
      json_object(R"("d_model": 8, "d_ff": 6, "layers": 1, "heads": 2, "dropout": 0)");
  CHECK(check_model(config).passed());
  const ConfigDocument document = ConfigDocument::parse(config, "model");
  ModelUnderCheck model(document.root(), {{11}, {11}}, kSourceLengths, kTargetLengths);
  const auto wrong = [&](Context& context) {  // the gradient of one bias is left out
    const Tensor loss = model(context);
    const Parameter bias = model.store().find("decoder.layers.0.feed_forward.output.bias");
    auto* const values = static_cast<double*>(model.store().data(bias));
    *loss.as<double>() += values[0] * 1e-3;
    return loss;
  };
  const GradcheckReport report = gradcheck("wrong", model.store(), wrong);
  CHECK(report.failed == 1);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].parameter == "decoder.layers.0.feed_forward.output.bias");
}

TEST_CASE("model gradients: a larger model along random directions") {
  const ConfigDocument document = ConfigDocument::parse(
      R"({"d_model": 32, "heads": 4, "d_ff": 64, "layers": 2, "attention_dropout": 0.1})", "model");
  ModelUnderCheck model(document.root(), {{200}, {200}}, kSourceLengths, kTargetLengths);
  const auto loss = [&](Context& context) { return model(context); };
  const GradcheckDirections found = gradcheck_directions(model.store(), loss, 4);
  CHECK(found.worst() < GradcheckDirections::kBound);
}
