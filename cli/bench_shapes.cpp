#include "cli/bench_shapes.h"

#include <algorithm>
#include <iterator>

#include "autograd/base/check.h"

namespace heddle {

namespace {

// Dropout at all four places: "dropout" stands for embeddings and residual connections.
constexpr BenchShape kShapes[] = {
    // A small model for a small corpus of words: its output layer is half of its work.
    {"tiny",
     R"({
  "model": {
    "layers": 4, "d_model": 128, "d_ff": 256, "heads": 4, "norm_order": "post", "tie": "all",
    "dropout": 0.3, "attention_dropout": 0.3, "activation_dropout": 0.3
  },
  "optimizer": {"type": "adam"}
})",
     {256, 16, 10000}},
    // Characters: hardly any output layer.
    {"char",
     R"({
  "model": {
    "layers": 4, "d_model": 256, "d_ff": 1024, "heads": 4, "norm_order": "post", "tie": "all",
    "dropout": 0.3, "attention_dropout": 0.3, "activation_dropout": 0.3
  },
  "optimizer": {"type": "adam"}
})",
     {256, 12, 64}},
    // The base model of Vaswani et al. 2017, table 3.
    {"base",
     R"({
  "model": {
    "layers": 6, "d_model": 512, "d_ff": 2048, "heads": 8, "norm_order": "post", "tie": "all",
    "dropout": 0.1, "attention_dropout": 0.1, "activation_dropout": 0.1
  },
  "optimizer": {"type": "adam"}
})",
     {64, 32, 32000}},
};

}  // namespace

std::span<const BenchShape> bench_shapes() {
  return kShapes;
}

std::vector<std::string> bench_shape_names() {
  std::vector<std::string> names;
  for (const BenchShape& shape : kShapes) names.emplace_back(shape.name);
  return names;
}

const BenchShape& bench_shape(std::string_view name) {
  const auto found = std::ranges::find(kShapes, name, &BenchShape::name);
  check(found != std::end(kShapes), "there is no shape ", name);
  return *found;
}

}  // namespace heddle
