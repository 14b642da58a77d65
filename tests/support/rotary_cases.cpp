#include <cmath>

#include "autograd/ops/arithmetic.h"
#include "autograd/ops/rotary.h"
#include "autograd/ops/shaping.h"
#include "tests/support/op_cases.h"

namespace heddle::testing {

namespace {

struct Turned {
  std::string label;
  int heads;
  std::int64_t head_dim, columns;  // columns of x, those behind the heads included
  std::vector<std::int32_t> lengths;
  std::vector<std::int32_t> first_positions = {};
  double base = 10000.0;
  bool large = false;
};

// f(position * frequency) of every token and pair: [tokens, head_dim / 2].
Tensor angles(Context& c, const Turned& s, DType dtype, double (*f)(double)) {
  const std::int64_t half = s.head_dim / 2;
  std::vector<double> values;
  for (std::size_t sentence = 0; sentence < s.lengths.size(); ++sentence) {
    const int first = s.first_positions.empty() ? 0 : s.first_positions[sentence];
    for (int i = 0; i < s.lengths[sentence]; ++i) {
      for (std::int64_t j = 0; j < half; ++j) {
        const double share = 2.0 * static_cast<double>(j) / static_cast<double>(s.head_dim);
        values.push_back(f((first + i) * std::pow(s.base, -share)));
      }
    }
  }
  const Tensor table = c.empty({static_cast<std::int64_t>(values.size()) / half, half}, dtype);
  dispatch(dtype, "angles", [&](auto zero) {
    using T = decltype(zero);
    for (std::size_t i = 0; i < values.size(); ++i) table.as<T>()[i] = static_cast<T>(values[i]);
  });
  return table;
}

Tensor plain_rotary(Context& c, const Turned& s, const Tensor& x) {
  const std::int64_t half = s.head_dim / 2;
  const Tensor cosine = angles(c, s, x.dtype, [](double a) { return std::cos(a); });
  const Tensor sine = angles(c, s, x.dtype, [](double a) { return std::sin(a); });
  std::vector<Tensor> halves;
  for (int head = 0; head < s.heads; ++head) {
    const std::int64_t begin = head * s.head_dim;
    const Tensor a = slice(c, x, 1, begin, begin + half);
    const Tensor b = slice(c, x, 1, begin + half, begin + s.head_dim);
    halves.push_back(sub(c, mul(c, a, cosine), mul(c, b, sine)));
    halves.push_back(add(c, mul(c, b, cosine), mul(c, a, sine)));
  }
  return concat(c, halves, 1);
}

void add_rotary(std::vector<OpCase>& cases, const Turned& s) {
  const auto run = [s](Context& c, std::span<const Tensor> in) {
    RotaryOptions options;
    options.heads = s.heads;
    options.head_dim = s.head_dim;
    options.base = s.base;
    options.first_positions = s.first_positions;
    return rotary(c, in[0], packed(s.lengths), options);
  };
  const auto composed = [s](Context& c, std::span<const Tensor> in) {
    return plain_rotary(c, s, in[0]);
  };
  const std::int64_t tokens = total_length(packed(s.lengths));
  cases.push_back(
      {"rotary", s.label, {{"x", {tokens, s.columns}}}, run, nullptr, composed, s.large});
}

}  // namespace

void add_rotary_cases(std::vector<OpCase>& cases) {
  const std::vector<std::int32_t> uneven{3, 1, 7};
  add_rotary(cases, {"one pair, one token", 1, 2, 2, {1}});
  add_rotary(cases, {"one pair, one token, position 5", 1, 2, 3, {1}, {5}});
  add_rotary(cases, {"uneven", 2, 6, 12, uneven});
  add_rotary(cases, {"columns left out", 2, 6, 17, uneven});
  add_rotary(cases, {"later positions", 2, 4, 9, uneven, {2, 5, 0}});
  add_rotary(cases, {"positions far apart", 1, 8, 8, uneven, {70000, 3, 11}});
  add_rotary(cases, {"decoding", 3, 4, 16, {1, 1, 1, 1}, {40, 41, 40, 40}});
  add_rotary(cases, {"head of 38, base 500", 2, 38, 76, uneven, {}, 500.0});
  Turned large{"large", 8, 32, 384, std::vector<std::int32_t>(256, 16)};
  large.large = true;
  add_rotary(cases, large);
}

}  // namespace heddle::testing
