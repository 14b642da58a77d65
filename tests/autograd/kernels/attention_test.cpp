// Attention against plain loops in double: values, logsumexp, weights and the three gradients.
#include "autograd/kernels/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "autograd/base/random.h"

namespace heddle::kernels {
namespace {

struct AttentionCase {
  const char* name;
  std::vector<std::int32_t> query_lengths;
  std::vector<std::int32_t> key_lengths;
  int heads;
  int kv_heads;
  int head_dim;
  bool causal;
  double dropout = 0.0;
};

const std::vector<AttentionCase>& cases() {
  static const std::vector<AttentionCase> table = {
      {"one token", {1}, {1}, 1, 1, 1, false},
      {"uneven self", {5, 1, 16, 17}, {5, 1, 16, 17}, 2, 2, 16, false},
      {"uneven causal", {5, 1, 16, 17, 40}, {5, 1, 16, 17, 40}, 2, 2, 32, true},
      {"cross", {3, 20, 1}, {7, 2, 33}, 2, 2, 5, false},
      {"cross, one query each", {1, 1, 1, 1}, {7, 1, 33, 70}, 2, 1, 20, false},
      {"single columns", {9, 4}, {9, 4}, 3, 3, 1, true},
      {"grouped heads", {12, 6}, {12, 6}, 6, 2, 16, true},
      {"one key head", {18, 3}, {5, 70}, 4, 1, 8, false},
      {"cache", {1, 3, 20}, {9, 3, 90}, 2, 2, 64, true},
      {"several tiles", {300, 33}, {300, 33}, 2, 2, 32, false},
      {"several tiles, causal", {300}, {300}, 2, 1, 40, true},
      {"dropout", {13, 1, 30}, {13, 1, 30}, 2, 2, 16, false, 0.3},
      {"dropout, tiles, grouped, causal", {100, 7}, {100, 7}, 4, 2, 5, true, 0.5},
      {"wide head", {6, 2}, {4, 11}, 1, 1, kMaxHeadDim, false, 0.1},
  };
  return table;
}

template <class T>
std::vector<T> normal(std::int64_t count, std::uint32_t which) {
  std::vector<T> values(static_cast<std::size_t>(count));
  const RandomStream stream = random_stream(StepKey{.seed = 7}, which);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(normal_pair(stream(0, i))[0]);
  return values;
}

// Operands and results of one case. query, key, value and their gradients are column blocks of
// wider matrices with `kMargin` columns of other data on both sides.
constexpr std::int64_t kMargin = 3;

template <class T>
struct Problem {
  std::vector<Sequence> queries, keys;
  AttentionShape shape;
  std::int64_t q_tokens, k_tokens, q_width, kv_width, q_ld, kv_ld;
  std::vector<T> query, memory, d_output;  // memory: key | value
  std::vector<T> output, logsumexp, weights, d_query, d_memory;

  explicit Problem(const AttentionCase& c)
      : queries(packed(c.query_lengths)), keys(packed(c.key_lengths)) {
    shape.heads = c.heads;
    shape.kv_heads = c.kv_heads;
    shape.head_dim = c.head_dim;
    shape.scale = 1.5 / std::sqrt(c.head_dim);
    shape.causal = c.causal;
    shape.queries = queries;
    shape.keys = keys;
    if (c.dropout > 0) shape.dropout = Dropout(c.dropout, random_stream(StepKey{.seed = 3}, 1));
    q_tokens = total_length(queries);
    k_tokens = total_length(keys);
    q_width = std::int64_t{c.heads} * c.head_dim;
    kv_width = std::int64_t{c.kv_heads} * c.head_dim;
    q_ld = q_width + 2 * kMargin;
    kv_ld = 2 * kv_width + 2 * kMargin;
    query = normal<T>(q_tokens * q_ld, 1);
    memory = normal<T>(k_tokens * kv_ld, 2);
    d_output = normal<T>(q_tokens * q_width, 3);
    std::int64_t pairs = 0;
    for (std::size_t s = 0; s < keys.size(); ++s) {
      pairs += std::int64_t{queries[s].length} * keys[s].length;
    }
    // Whatever a kernel should write holds NaN before.
    const T nan = std::numeric_limits<T>::quiet_NaN();
    output.assign(d_output.size(), nan);
    logsumexp.assign(static_cast<std::size_t>(q_tokens * c.heads), nan);
    weights.assign(static_cast<std::size_t>(pairs * c.heads), nan);
    d_query.assign(query.size(), nan);
    d_memory.assign(memory.size(), nan);
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  Rows<const T> q() const { return {query.data() + kMargin, q_ld}; }
  Rows<const T> k() const { return {memory.data() + kMargin, kv_ld}; }
  Rows<const T> v() const { return {memory.data() + kMargin + kv_width, kv_ld}; }

  void forward(int threads) {
    attention<T>(shape, q(), k(), v(), {output.data(), q_width}, logsumexp.data(), threads);
  }
  void all_weights(int threads) {
    attention_weights<T>(shape, q(), k(), logsumexp.data(), weights.data(), threads);
  }
  void compute(int threads) {
    forward(threads);
    all_weights(threads);
    backward(threads, false);
  }
  void backward(int threads, bool add, bool want_q = true, bool want_k = true, bool want_v = true) {
    T* dm = d_memory.data() + kMargin;
    attention_backward<T>(shape, q(), k(), v(), {output.data(), q_width}, logsumexp.data(),
                          {d_output.data(), q_width},
                          {{want_q ? d_query.data() + kMargin : nullptr, add}, q_ld},
                          {{want_k ? dm : nullptr, add}, kv_ld},
                          {{want_v ? dm + kv_width : nullptr, add}, kv_ld}, threads);
  }
};

// The same in double, one query after the other. Margins of the gradients stay NaN.
struct Oracle {
  std::vector<double> output, logsumexp, weights, d_query, d_memory;
};

struct OracleHead {
  const Problem<double>& p;
  std::size_t sentence;
  int head;

  std::int64_t kv_column() const {
    return kMargin + std::int64_t{head * p.shape.kv_heads / p.shape.heads} * p.shape.head_dim;
  }
  std::size_t query_at(std::int64_t t, int c) const {
    return static_cast<std::size_t>((p.queries[sentence].begin + t) * p.q_ld + kMargin +
                                    head * p.shape.head_dim + c);
  }
  std::size_t output_at(std::int64_t t, int c) const {
    return static_cast<std::size_t>((p.queries[sentence].begin + t) * p.q_width +
                                    head * p.shape.head_dim + c);
  }
  std::size_t key_at(std::int64_t j, int c) const {
    return static_cast<std::size_t>((p.keys[sentence].begin + j) * p.kv_ld + kv_column() + c);
  }
  std::size_t value_at(std::int64_t j, int c) const {
    return key_at(j, c) + static_cast<std::size_t>(p.kv_width);
  }
};

void oracle_query(const OracleHead& h, std::int64_t t, double* weights, Oracle& result) {
  const Problem<double>& p = h.p;
  const AttentionShape& shape = p.shape;
  const std::int64_t n_k = p.keys[h.sentence].length;
  const std::int64_t seen = shape.causal ? n_k - p.queries[h.sentence].length + t + 1 : n_k;
  std::vector<double> mask(static_cast<std::size_t>(seen), 1.0), dp(mask.size(), 0.0);
  double sum = 0, delta = 0;
  for (std::int64_t j = 0; j < seen; ++j) {
    double score = 0;
    for (int c = 0; c < shape.head_dim; ++c) {
      score += shape.scale * p.query[h.query_at(t, c)] * p.memory[h.key_at(j, c)];
    }
    weights[j] = std::exp(score);
    sum += weights[j];
  }
  result.logsumexp[static_cast<std::size_t>((p.queries[h.sentence].begin + t) * shape.heads +
                                            h.head)] = std::log(sum);
  for (std::int64_t j = 0; j < seen; ++j) {
    const auto at = static_cast<std::size_t>(j);
    weights[j] /= sum;
    const std::uint64_t row =
        attention_dropout_row(shape, static_cast<std::int64_t>(h.sentence), h.head, t);
    if (shape.dropout.active()) {
      mask[at] = dropout_keeps(shape.dropout, row, static_cast<std::uint32_t>(j))
                     ? shape.dropout.scale
                     : 0.0;
    }
    for (int c = 0; c < shape.head_dim; ++c) {
      const double d_o = p.d_output[h.output_at(t, c)];
      result.output[h.output_at(t, c)] += mask[at] * weights[j] * p.memory[h.value_at(j, c)];
      result.d_memory[h.value_at(j, c)] += mask[at] * weights[j] * d_o;
      dp[at] += mask[at] * d_o * p.memory[h.value_at(j, c)];
    }
    delta += weights[j] * dp[at];
  }
  for (std::int64_t j = 0; j < seen; ++j) {
    const double ds = shape.scale * weights[j] * (dp[static_cast<std::size_t>(j)] - delta);
    for (int c = 0; c < shape.head_dim; ++c) {
      result.d_query[h.query_at(t, c)] += ds * p.memory[h.key_at(j, c)];
      result.d_memory[h.key_at(j, c)] += ds * p.query[h.query_at(t, c)];
    }
  }
}

Oracle oracle(const Problem<double>& p) {
  Oracle result;
  result.output.assign(p.output.size(), 0);
  result.logsumexp.assign(p.logsumexp.size(), 0);
  result.weights.assign(p.weights.size(), 0);
  result.d_query.assign(p.d_query.size(), 0);
  result.d_memory.assign(p.d_memory.size(), 0);
  double* weights = result.weights.data();
  for (std::size_t s = 0; s < p.queries.size(); ++s) {
    for (int head = 0; head < p.shape.heads; ++head) {
      for (std::int64_t t = 0; t < p.queries[s].length; ++t, weights += p.keys[s].length) {
        oracle_query({p, s, head}, t, weights, result);
      }
    }
  }
  return result;
}

bool is_margin(std::int64_t index, std::int64_t ld) {
  return index % ld < kMargin || index % ld >= ld - kMargin;
}

// What a kernel owns of a gradient matrix.
template <class T>
std::vector<T> inside(const std::vector<T>& matrix, std::int64_t ld) {
  std::vector<T> result;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    if (!is_margin(static_cast<std::int64_t>(i), ld)) result.push_back(matrix[i]);
  }
  return result;
}

// The largest difference over the largest value; infinite where a value is not a number.
template <class T>
double error(const std::vector<T>& values, const std::vector<double>& expected) {
  REQUIRE(values.size() == expected.size());
  double largest = 1e-3, difference = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    const double here = std::abs(static_cast<double>(values[i]) - expected[i]);
    if (!(here <= difference)) difference = std::isnan(here) ? 1e300 : here;
  }
  return difference / largest;
}

template <class T>
void compare(const AttentionCase& c, double bound) {
  CAPTURE(c.name);
  const Problem<double> reference(c);
  const Oracle expected = oracle(reference);
  Problem<T> p(c);
  p.compute(1);
  CHECK(error(p.output, expected.output) < bound);
  CHECK(error(p.logsumexp, expected.logsumexp) < bound);
  CHECK(error(p.weights, expected.weights) < bound);
  CHECK(error(inside(p.d_query, p.q_ld), inside(expected.d_query, p.q_ld)) < bound);
  CHECK(error(inside(p.d_memory, p.kv_ld), inside(expected.d_memory, p.kv_ld)) < bound);
}

TEST_CASE("attention: values and gradients equal plain loops") {
  for (const AttentionCase& c : cases()) {
    compare<double>(c, 1e-13);
    compare<float>(c, 1e-5);
  }
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
bool same_results(const Problem<T>& a, const Problem<T>& b) {
  return same_bits(a.output, b.output) && same_bits(a.logsumexp, b.logsumexp) &&
         same_bits(a.weights, b.weights) && same_bits(a.d_query, b.d_query) &&
         same_bits(a.d_memory, b.d_memory);
}

TEST_CASE("attention: the bits do not depend on the number of threads") {
  for (const AttentionCase& c : cases()) {
    CAPTURE(c.name);
    Problem<float> one(c);
    one.compute(1);
    for (int threads = 2; threads <= 4; ++threads) {
      Problem<float> p(c);
      p.compute(threads);
      CHECK(same_results(p, one));
    }
  }
}

bool only_margins_are_nan(const std::vector<double>& matrix, std::int64_t ld) {
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    if (std::isnan(matrix[i]) != is_margin(static_cast<std::int64_t>(i), ld)) return false;
  }
  return true;
}

TEST_CASE("attention: add adds to what is there, nothing beside the blocks is touched") {
  for (const AttentionCase& c : cases()) {
    CAPTURE(c.name);
    Problem<double> fresh(c);
    fresh.forward(1);
    fresh.backward(1, false);
    Problem<double> p(c);
    p.forward(1);
    p.d_query = normal<double>(static_cast<std::int64_t>(p.d_query.size()), 4);
    p.d_memory = normal<double>(static_cast<std::int64_t>(p.d_memory.size()), 5);
    const std::vector<double> old_query = p.d_query, old_memory = p.d_memory;
    p.backward(1, true);
    const auto sum_of = [](std::vector<double> sum, const std::vector<double>& part) {
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += std::isnan(part[i]) ? 0.0 : part[i];
      return sum;
    };
    CHECK(error(p.d_query, sum_of(old_query, fresh.d_query)) < 1e-14);
    CHECK(error(p.d_memory, sum_of(old_memory, fresh.d_memory)) < 1e-14);
    CHECK(only_margins_are_nan(fresh.d_query, fresh.q_ld));
    CHECK(only_margins_are_nan(fresh.d_memory, fresh.kv_ld));
  }
}

TEST_CASE("attention: gradients that nobody wants stay untouched, the others do not change") {
  const AttentionCase& c = cases()[6];
  Problem<double> all(c);
  all.forward(1);
  all.backward(1, false);
  for (int wanted = 0; wanted < 8; ++wanted) {
    CAPTURE(wanted);
    Problem<double> p(c), expected(c);
    for (Problem<double>* problem : {&p, &expected}) problem->forward(1);
    p.backward(1, false, wanted & 1, wanted & 2, wanted & 4);
    if (wanted & 1) expected.d_query = all.d_query;
    for (std::size_t i = 0; i < p.d_memory.size(); ++i) {
      const std::int64_t column = static_cast<std::int64_t>(i) % p.kv_ld - kMargin;
      if (wanted & (column < p.kv_width ? 2 : 4)) expected.d_memory[i] = all.d_memory[i];
    }
    CHECK(same_results(p, expected));
  }
}

TEST_CASE("attention: rows reached through an index equal gathered rows, bit for bit") {
  for (const AttentionCase& c : cases()) {
    CAPTURE(c.name);
    Problem<float> gathered(c), indexed(c);
    const auto rows = static_cast<std::size_t>(gathered.k_tokens);
    const std::size_t ld = gathered.memory.size() / rows;
    std::vector<std::int32_t> index(rows);
    for (std::size_t j = 0; j < rows; ++j) {
      // Some rows repeat, some are left out.
      index[j] = static_cast<std::int32_t>((j * j + 3 * j) % rows);
      for (std::size_t i = 0; i < ld; ++i) {
        gathered.memory[j * ld + i] = indexed.memory[static_cast<std::size_t>(index[j]) * ld + i];
      }
    }
    indexed.shape.key_rows = index.data();
    for (Problem<float>* problem : {&gathered, &indexed}) {
      problem->forward(1);
      problem->all_weights(1);
    }
    CHECK(same_results(gathered, indexed));
  }
}

TEST_CASE("attention: one query after the other over a growing cache equals the whole sentence") {
  Problem<double> whole({"whole", {70}, {70}, 2, 2, 24, true});
  whole.forward(1);
  for (std::int32_t t = 0; t < 70; ++t) {
    const std::vector<Sequence> query{{t, 1}}, keys{{0, t + 1}};
    AttentionShape shape = whole.shape;
    shape.queries = query;
    shape.keys = keys;
    std::vector<double> output(whole.output.size());
    attention<double>(shape, whole.q(), whole.k(), whole.v(), {output.data(), whole.q_width},
                      nullptr, 1);
    for (auto i = static_cast<std::size_t>(t * whole.q_width);
         i < static_cast<std::size_t>((t + 1) * whole.q_width); ++i) {
      CHECK(output[i] == doctest::Approx(whole.output[i]).epsilon(1e-13));
    }
  }
}

TEST_CASE("attention: scores of ten thousand either way stay finite") {
  Problem<float> p({"large", {20, 1, 300}, {20, 1, 300}, 1, 1, 4, false});
  for (std::size_t i = 0; i < p.query.size(); ++i) p.query[i] *= 100;
  for (std::size_t i = 0; i < p.memory.size(); ++i) p.memory[i] *= 100;
  p.shape.scale = 1.0;
  p.compute(1);
  const auto finite = [](const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
  };
  for (const auto& values :
       {p.output, p.logsumexp, p.weights, inside(p.d_query, p.q_ld), inside(p.d_memory, p.kv_ld)}) {
    CHECK(finite(values));
  }
  CHECK(*std::max_element(p.logsumexp.begin(), p.logsumexp.end()) > 1e4F);
}

}  // namespace
}  // namespace heddle::kernels
