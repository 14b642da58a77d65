#include "autograd/kernels/embedding.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tests/support/compare.h"
#include "tests/support/random_values.h"

namespace {

using heddle::kernels::Dropout;
using heddle::kernels::dropout_keeps;
using heddle::kernels::EmbeddingTokens;
using heddle::testing::random_values;
using heddle::testing::worse_of;
using heddle::testing::worst_error;

constexpr std::int64_t kTableRows = 13;
constexpr std::int64_t kMaxLength = 40;
constexpr double kScale = 3.5;

// 57 tokens in sentences of uneven length; ids repeat, and the last of the vocabulary is zero_row.
template <class T>
struct EmbeddingProblem {
  std::int64_t columns;
  Dropout dropout;
  std::vector<heddle::Sequence> sequences =
      heddle::packed(std::vector<std::int32_t>{5, 1, 30, 8, 13});
  std::vector<std::int32_t> offsets = {0, 7, 2, 31, 1};
  std::vector<std::int32_t> ids, positions_of;
  std::vector<T> table, positions, dy;

  EmbeddingProblem(std::int64_t width, double p)
      : columns(width),
        dropout(p, heddle::random_stream({3, 4, 5, 6}, 2)),
        table(random_values<T>(kTableRows * width, 1)),
        positions(random_values<T>(kMaxLength * width, 2)),
        dy(random_values<T>(57 * width, 3)) {
    for (std::int32_t i = 0; i < 57; ++i)
      ids.push_back(static_cast<std::int32_t>(i * i % kTableRows));
    ids[4] = ids[20] = ids[56] = kTableRows - 1;
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      for (std::int32_t i = 0; i < sequences[s].length; ++i) {
        positions_of.push_back(i + offsets[s]);
      }
    }
    // Reading the row of zero_row would show.
    std::fill(table.end() - width, table.end(), std::numeric_limits<T>::quiet_NaN());
  }
  EmbeddingTokens tokens() const {
    return {57, ids.data(), kTableRows - 1, sequences, offsets.data()};
  }
  bool keeps(std::int64_t token, std::int64_t column) const {
    return dropout_keeps(dropout, static_cast<std::uint64_t>(token),
                         static_cast<std::uint32_t>(column));
  }
};

template <class T>
std::vector<T> embedded(const EmbeddingProblem<T>& p, bool with_positions, int threads) {
  std::vector<T> y(p.dy.size(), std::numeric_limits<T>::quiet_NaN());
  heddle::kernels::embedding(p.tokens(), p.columns, p.table.data(), kScale,
                             with_positions ? p.positions.data() : nullptr, p.dropout, y.data(),
                             threads);
  return y;
}

template <class T>
struct Gradients {
  std::vector<T> table, positions;

  Gradients(const EmbeddingProblem<T>& p, bool add, int threads)
      : table(p.table.size(), add ? T{2} : std::numeric_limits<T>::quiet_NaN()),
        positions(p.positions.size(), table[0]) {
    heddle::kernels::embedding_backward<T>(
        p.tokens(), p.columns, kScale, p.dropout, p.dy.data(),
        {{table.data(), add}, kTableRows, {positions.data(), add}, kMaxLength}, threads);
  }
};

template <class T>
void check_forward(const EmbeddingProblem<T>& p, bool with_positions, double tolerance) {
  const std::vector<T> y = embedded(p, with_positions, 1);
  double worst = 0.0;
  for (std::int64_t i = 0; i < 57; ++i) {
    for (std::int64_t c = 0; c < p.columns; ++c) {
      const std::int64_t id = p.ids.data()[i];
      double value = id == kTableRows - 1 ? 0.0 : kScale * p.table.data()[id * p.columns + c];
      if (with_positions) value += p.positions.data()[p.positions_of.data()[i] * p.columns + c];
      const double expected = p.keeps(i, c) ? value * p.dropout.scale : 0.0;
      const double error = std::abs(y.data()[i * p.columns + c] - expected);
      worst = worse_of(worst, error);
    }
  }
  CHECK(worst < tolerance);
}

template <class T>
void check_backward(const EmbeddingProblem<T>& p, bool add, double tolerance) {
  std::vector<double> table(p.table.size(), add ? 2.0 : 0.0);
  std::vector<double> positions(p.positions.size(), add ? 2.0 : 0.0);
  for (std::int64_t i = 0; i < 57; ++i) {
    for (std::int64_t c = 0; c < p.columns; ++c) {
      if (!p.keeps(i, c)) continue;
      const std::int64_t id = p.ids.data()[i];
      const double d = p.dy.data()[i * p.columns + c] * p.dropout.scale;
      if (id != kTableRows - 1) table.data()[id * p.columns + c] += kScale * d;
      positions.data()[p.positions_of.data()[i] * p.columns + c] += d;
    }
  }
  const Gradients<T> actual(p, add, 1);
  CHECK(worst_error(actual.table, table) < tolerance);
  CHECK(worst_error(actual.positions, positions) < tolerance);
}

}  // namespace

TEST_CASE_TEMPLATE("embedding forward and backward equal plain loops", T, float, double) {
  const double tolerance = sizeof(T) == 4 ? 5e-5 : 1e-13;
  for (const std::int64_t columns : {1, 6, 16, 33, 128, 4104}) {
    for (const double p : {0.0, 0.2}) {
      const EmbeddingProblem<T> problem(columns, p);
      CAPTURE(columns);
      CAPTURE(p);
      check_forward(problem, false, tolerance);
      check_forward(problem, true, tolerance);
      check_backward(problem, false, tolerance);
      check_backward(problem, true, tolerance);
    }
  }
}

TEST_CASE("embedding has the same bits on any number of threads") {
  const EmbeddingProblem<float> p(75, 0.1);
  const std::vector<float> y = embedded(p, true, 1);
  const Gradients<float> gradients(p, true, 1);
  for (int threads = 2; threads <= 4; ++threads) {
    CHECK(embedded(p, true, threads) == y);
    const Gradients<float> several(p, true, threads);
    CHECK(several.table == gradients.table);
    CHECK(several.positions == gradients.positions);
  }
}

TEST_CASE("positions start at zero without offsets, and unwanted gradients are left out") {
  const EmbeddingProblem<double> p(8, 0.0);
  EmbeddingTokens tokens = p.tokens();
  tokens.offsets = nullptr;
  tokens.zero_row = -1;
  std::vector<double> table(static_cast<std::size_t>(kTableRows * 8), 0.0);
  std::vector<double> y(p.dy.size());
  heddle::kernels::embedding(tokens, 8, table.data(), 1.0, p.positions.data(), p.dropout, y.data(),
                             1);
  for (const heddle::Sequence& s : p.sequences) {
    for (std::int64_t i = 0; i < s.length * 8; ++i) {
      CHECK(y.data()[s.begin * 8 + i] == p.positions.data()[i]);
    }
  }
  std::vector<double> all(table.size());
  heddle::kernels::embedding_backward<double>(tokens, 8, 1.0, p.dropout, p.dy.data(),
                                              {{all.data()}, kTableRows, {}, 0}, 1);
  double received = 0.0;
  double sent = 0.0;
  for (const double d : all) received += d;
  for (const double d : p.dy) sent += d;
  CHECK(received == doctest::Approx(sent));
}

TEST_CASE("sinusoidal positions are those of the paper, in halves") {
  std::vector<double> table(6 * 4);
  heddle::kernels::sinusoidal_positions(6, 4, table.data());
  for (std::int64_t p = 0; p < 6; ++p) {
    const auto at = static_cast<double>(p);
    CHECK(table.data()[p * 4 + 0] == doctest::Approx(std::sin(at)));
    CHECK(table.data()[p * 4 + 1] == doctest::Approx(std::sin(at / 100.0)));
    CHECK(table.data()[p * 4 + 2] == doctest::Approx(std::cos(at)));
    CHECK(table.data()[p * 4 + 3] == doctest::Approx(std::cos(at / 100.0)));
  }
  std::vector<float> single(1000 * 8);
  std::vector<double> exact(1000 * 8);
  heddle::kernels::sinusoidal_positions(1000, 8, single.data());
  heddle::kernels::sinusoidal_positions(1000, 8, exact.data());
  for (std::size_t i = 0; i < exact.size(); ++i) CHECK(single[i] == static_cast<float>(exact[i]));
}
