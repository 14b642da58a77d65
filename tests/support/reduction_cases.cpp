#include <algorithm>
#include <cmath>

#include "autograd/ops/reduction.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

// The values along one axis, for every place on the other axes in row-major order.
std::vector<std::vector<double>> lines(const Values& x, int axis) {
  const Shape& shape = x.shape;
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < axis; ++i) outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) inner *= shape[i];
  std::vector<std::vector<double>> result;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t e = 0; e < inner; ++e) {
      std::vector<double>& line = result.emplace_back();
      for (std::int64_t k = 0; k < shape[axis]; ++k) {
        line.push_back(x[(o * shape[axis] + k) * inner + e]);
      }
    }
  }
  return result;
}

using Line = std::vector<double>;

double sum_of(const Line& line) {
  double sum = 0.0;
  for (const double x : line) sum += x;
  return sum;
}

double mean_of(const Line& line) {
  return sum_of(line) / static_cast<double>(line.size());
}

double max_of(const Line& line) {
  return *std::max_element(line.begin(), line.end());
}

double variance_of(const Line& line, int correction) {
  double squares = 0.0;
  for (const double x : line) squares += (x - mean_of(line)) * (x - mean_of(line));
  return squares / (static_cast<double>(line.size()) - correction);
}

double logsumexp_of(const Line& line) {
  double sum = 0.0;
  for (const double x : line) sum += std::exp(x - max_of(line));
  return max_of(line) + std::log(sum);
}

struct Place {
  Shape shape;
  int axis;
  bool keepdim;
};

const std::vector<Place> kPlaces{{{7}, 0, false},       {{1, 9}, 1, false},    {{9, 1}, 0, true},
                                 {{5, 33}, -1, false},  {{5, 33}, 0, false},   {{5, 33}, 1, true},
                                 {{3, 17, 4}, 1, true}, {{2, 3, 40}, 2, false}};

template <class Run, class F>
void add_reduction(std::vector<OpCase>& cases, const std::string& name, const Run& op, const F& f) {
  const auto add = [&](const Place& place, bool large) {
    const auto run = [=](Context& c, std::span<const Tensor> in) {
      return op(c, in[0], place.axis, place.keepdim);
    };
    const Oracle naive = [=](std::span<const Values> in) {
      std::vector<double> out;
      const int axis = normalized_axis("test", place.axis, place.shape);
      for (const Line& line : lines(in[0], axis)) out.push_back(f(line));
      return out;
    };
    cases.push_back({name,
                     large ? "large" : "",
                     {{"x", place.shape, -2.0, 2.0}},
                     run,
                     naive,
                     nullptr,
                     large,
                     1e-5});
  };
  for (const Place& place : kPlaces) add(place, false);
  add({{4096, 128}, 1, false}, true);
  add({{4096, 128}, 0, false}, true);
}

template <class Run>
void add_softmax(std::vector<OpCase>& cases, const std::string& name, const Run& op, bool log) {
  const auto add = [&](const Shape& shape, int axis, double spread, bool large) {
    const auto run = [=](Context& c, std::span<const Tensor> in) { return op(c, in[0], axis); };
    const Oracle naive = [=](std::span<const Values> in) {
      const int from_front = normalized_axis("test", axis, shape);
      std::int64_t inner = 1;
      for (int i = from_front + 1; i < shape.rank(); ++i) inner *= shape[i];
      const auto all = lines(in[0], from_front);
      std::vector<double> out(static_cast<std::size_t>(shape.elements()));
      for (std::size_t i = 0; i < all.size(); ++i) {
        const auto line = static_cast<std::int64_t>(i);
        for (std::size_t k = 0; k < all[i].size(); ++k) {
          const double y = all[i][k] - logsumexp_of(all[i]);
          const std::int64_t outer =
              line / inner * shape[from_front] + static_cast<std::int64_t>(k);
          out[static_cast<std::size_t>(outer * inner + line % inner)] = log ? y : std::exp(y);
        }
      }
      return out;
    };
    cases.push_back({name,
                     large ? "large" : "",
                     {{"x", shape, -spread, spread}},
                     run,
                     naive,
                     nullptr,
                     large,
                     1e-5});
  };
  add({1, 1}, -1, 2.0, false);
  add({1, 7}, -1, 2.0, false);
  add({9, 1}, 1, 2.0, false);
  add({5, 33}, -1, 2.0, false);
  add({5, 33}, 0, 2.0, false);
  add({3, 17, 4}, 1, 2.0, false);
  add({4, 19}, -1, 40.0, false);
  add({4096, 128}, -1, 4.0, true);
}

}  // namespace

void add_reduction_cases(std::vector<OpCase>& cases) {
  add_reduction(cases, "sum", sum, sum_of);
  add_reduction(cases, "mean", mean, mean_of);
  add_reduction(cases, "max", max, max_of);
  const auto population = [](Context& c, const Tensor& x, int axis, bool keepdim) {
    return variance(c, x, axis, keepdim, 0);
  };
  add_reduction(cases, "variance", population, [](const Line& l) { return variance_of(l, 0); });
  for (const Shape& shape : {Shape{5, 33}, Shape{4, 2}}) {
    cases.push_back(
        {"variance",
         "unbiased",
         {{"x", shape}},
         [](Context& c, std::span<const Tensor> in) { return variance(c, in[0], 1, false, 1); },
         [](std::span<const Values> in) {
           std::vector<double> out;
           for (const Line& line : lines(in[0], 1)) out.push_back(variance_of(line, 1));
           return out;
         },
         nullptr});
  }
  add_reduction(cases, "logsumexp", logsumexp, logsumexp_of);
  for (const Shape& shape : {Shape{}, Shape{1, 1}, Shape{5, 33}, Shape{4096, 128}}) {
    const bool large = shape.elements() > 10000;
    cases.push_back({"sum_all",
                     large ? "large" : "",
                     {{"x", shape}},
                     [](Context& c, std::span<const Tensor> in) { return sum_all(c, in[0]); },
                     [](std::span<const Values> in) { return std::vector{sum_of(in[0].data)}; },
                     nullptr,
                     large,
                     1e-4});
  }
  add_softmax(cases, "softmax", softmax, false);
  add_softmax(cases, "log_softmax", log_softmax, true);
}

}  // namespace heddle::testing
