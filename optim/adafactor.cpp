#include "optim/adafactor.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/base/aligned.h"

namespace heddle {

namespace {

constexpr double kLeastEps1 = 1e-37;  // in float32 it is not 0
// At most so many blocks: each has sums of all columns.
constexpr std::int64_t kMostBlocks = 64;
// Independent sums in a row, which the compiler keeps in vectors.
constexpr std::int64_t kSums = 8;

constexpr double square(double x) {
  return x * x;
}

double total(const std::vector<double>& values, std::int64_t count) {
  return std::accumulate(values.begin(), values.begin() + count, 0.0);
}

// The sum of term(j) for j in [0, count), with side effects in the order of j.
template <class Term>
double sum_of(std::int64_t count, const Term& term) {
  double sums[kSums] = {};
  std::int64_t j = 0;
  for (; j + kSums <= count; j += kSums) {
    for (std::int64_t k = 0; k < kSums; ++k) sums[k] += term(j + k);
  }
  for (; j < count; ++j) sums[0] += term(j);
  return std::accumulate(sums, sums + kSums, 0.0);
}

}  // namespace

std::int64_t Adafactor::Matrix::rows_per_block() const {
  return std::max(grain_for(columns), (rows + kMostBlocks - 1) / kMostBlocks);
}

template <class T>
struct Adafactor::Pass {
  const Matrix& matrix;
  int threads;
  double gradient_scale;
  const T* g;   // [rows, columns]
  T* p;         // [rows, columns]
  T* r;         // [rows]; null for a vector
  T* c;         // [columns]
  T* momentum;  // [rows, columns]; null without beta1

  /// Calls body(block, begin, end) for the rows of each block.
  template <class Body>
  void for_each_block(const Body& body) const {
    const std::int64_t grain = matrix.rows_per_block();
    parallel_for(threads, matrix.rows, grain,
                 [&](std::int64_t begin, std::int64_t end) { body(begin / grain, begin, end); });
  }
};

Adafactor::Adafactor(const Config& config)
    : eps1_(config.number("eps1", 1e-30, {.least = kLeastEps1}, "Added to squared gradients.")),
      eps2_(config.number("eps2", 1e-3, {.least = 0.0},
                          "The least size of a parameter that scales its learning rate.")),
      clip_threshold_(config.number("clip_threshold", 1.0, Numbers::positive(),
                                    "The largest root mean square of an update.")),
      decay_rate_(config.number("decay_rate", 0.8, Numbers::positive(),
                                "The second moment decays by 1 - update^-decay_rate.")),
      beta1_(config.number("beta1", 0.0, Numbers::probability(),
                           "Decay of the first moment; 0: there is none.")),
      scale_parameter_(config.flag("scale_parameter", true,
                                   "Whether a parameter's size scales its learning rate.")) {
  if (!scale_parameter_) config.idle("eps2", "it is for \"scale_parameter\": true");
}

void Adafactor::allocate(const ParameterStore& store, std::span<const ParameterRule> rules) {
  std::int64_t elements = 0, most_rows = 0, most_columns = 0, most_column_sums = 0, most_blocks = 0;
  matrices_.clear();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const ParameterStore::Entry& entry = store.entries()[i];
    if (rules[i].frozen) continue;
    const int rank = entry.shape.rank();
    const std::int64_t columns = rank == 0 ? 1 : entry.shape[rank - 1];
    Matrix m{.offset = entry.offset,
             .rows = entry.shape.elements() / columns,
             .columns = columns,
             .factored = rank > 1,
             .row_offset = elements,
             .column_offset = elements,
             .learning_rate_factor = rules[i].learning_rate_factor,
             .weight_decay = rules[i].weight_decay,
             .entry = i};
    if (m.factored) m.column_offset += m.rows;
    elements = m.column_offset + m.columns;
    most_rows = std::max(most_rows, m.rows);
    most_columns = std::max(most_columns, m.columns);
    most_column_sums = std::max(most_column_sums, m.columns * m.blocks());
    most_blocks = std::max(most_blocks, m.blocks());
    matrices_.push_back(m);
  }
  factors_ = allocate_zeros(static_cast<std::size_t>(elements) * size_of(store.dtype()));
  if (beta1_ > 0.0) first_.allocate(store);
  row_sums_.resize(static_cast<std::size_t>(most_rows));
  row_factors_.resize(static_cast<std::size_t>(most_rows), 1.0);
  column_sums_.resize(static_cast<std::size_t>(most_column_sums));
  column_factors_.resize(static_cast<std::size_t>(most_columns));
  block_sums_.resize(static_cast<std::size_t>(most_blocks));
}

void Adafactor::step(const UpdateInput& input) {
  dispatch(input.store.dtype(), "adafactor", [&](auto zero) {
    for (const Matrix& matrix : matrices_) step_matrix<decltype(zero)>(input, matrix);
  });
}

template <class T>
void Adafactor::step_matrix(const UpdateInput& input, const Matrix& m) {
  T* const factors = static_cast<T*>(factors_.get());
  T* const first = static_cast<T*>(first_.slab());
  const Pass<T> pass{m,
                     input.threads,
                     input.gradient_scale,
                     static_cast<const T*>(input.gradients.slab()) + m.offset,
                     static_cast<T*>(input.store.slab()) + m.offset,
                     m.factored ? factors + m.row_offset : nullptr,
                     factors + m.column_offset,
                     first == nullptr ? nullptr : first + m.offset};
  const auto size = static_cast<double>(m.rows * m.columns);
  gather_squares(pass);
  const double parameter_rms = std::sqrt(total(block_sums_, m.blocks()) / size);
  refresh_factors(pass, 1.0 - std::pow(static_cast<double>(input.update), -decay_rate_));
  const double clip = std::max(1.0, update_rms(pass) / clip_threshold_);
  const double scale = scale_parameter_ ? std::max(eps2_, parameter_rms) : 1.0;
  apply(pass, input.learning_rate * m.learning_rate_factor * scale, clip);
}

// Sums of G^2 by row, and by column within each block; sums of p^2 by block.
template <class T>
void Adafactor::gather_squares(const Pass<T>& pass) {
  const std::int64_t columns = pass.matrix.columns;
  pass.for_each_block([&](std::int64_t block, std::int64_t begin, std::int64_t end) {
    double* const column_sums = column_sums_.data() + block * columns;
    std::fill_n(column_sums, columns, 0.0);
    double parameter_squares = 0.0;
    for (std::int64_t i = begin; i < end; ++i) {
      const T* const g = pass.g + i * columns;
      const T* const p = pass.p + i * columns;
      row_sums_[static_cast<std::size_t>(i)] = sum_of(columns, [&](std::int64_t j) {
        const double squared = square(pass.gradient_scale * static_cast<double>(g[j]));
        column_sums[j] += squared;
        return squared;
      });
      parameter_squares +=
          sum_of(columns, [&](std::int64_t j) { return square(static_cast<double>(p[j])); });
    }
    block_sums_[static_cast<std::size_t>(block)] = parameter_squares;
  });
}

// R and C, and what they multiply an update with.
template <class T>
void Adafactor::refresh_factors(const Pass<T>& pass, double beta2) {
  const Matrix& m = pass.matrix;
  const auto moved = [&](T* moment, double mean) {
    *moment = static_cast<T>(beta2 * static_cast<double>(*moment) + (1.0 - beta2) * (mean + eps1_));
    return static_cast<double>(*moment);
  };
  const std::int64_t blocks = m.blocks();
  for (std::int64_t block = 1; block < blocks; ++block) {
    for (std::int64_t j = 0; j < m.columns; ++j) {
      column_sums_[static_cast<std::size_t>(j)] +=
          column_sums_[static_cast<std::size_t>(block * m.columns + j)];
    }
  }
  for (std::int64_t j = 0; j < m.columns; ++j) {
    const double mean = column_sums_[static_cast<std::size_t>(j)] / static_cast<double>(m.rows);
    column_factors_[static_cast<std::size_t>(j)] = 1.0 / std::sqrt(moved(pass.c + j, mean));
  }
  if (!m.factored) {
    row_factors_[0] = 1.0;
    return;
  }
  double sum = 0.0;
  for (std::int64_t i = 0; i < m.rows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    sum += moved(pass.r + i, row_sums_[row] / static_cast<double>(m.columns));
  }
  const double mean = sum / static_cast<double>(m.rows);
  for (std::int64_t i = 0; i < m.rows; ++i) {
    row_factors_[static_cast<std::size_t>(i)] = std::sqrt(mean / static_cast<double>(pass.r[i]));
  }
}

// RMS(U).
template <class T>
double Adafactor::update_rms(const Pass<T>& pass) {
  const std::int64_t columns = pass.matrix.columns;
  pass.for_each_block([&](std::int64_t block, std::int64_t begin, std::int64_t end) {
    double sum = 0.0;
    for (std::int64_t i = begin; i < end; ++i) {
      const T* const g = pass.g + i * columns;
      const double* const by_column = column_factors_.data();
      const double by_row = pass.gradient_scale * row_factors_[static_cast<std::size_t>(i)];
      sum += sum_of(columns, [&](std::int64_t j) {
        return square(static_cast<double>(g[j]) * by_row * by_column[j]);
      });
    }
    block_sums_[static_cast<std::size_t>(block)] = sum;
  });
  const auto size = static_cast<double>(pass.matrix.rows * columns);
  return std::sqrt(total(block_sums_, pass.matrix.blocks()) / size);
}

template <class T>
void Adafactor::apply(const Pass<T>& pass, double rate, double clip) {
  const std::int64_t columns = pass.matrix.columns;
  const double kept = 1.0 - rate * pass.matrix.weight_decay;
  pass.for_each_block([&](std::int64_t, std::int64_t begin, std::int64_t end) {
    const double* const by_column = column_factors_.data();
    for (std::int64_t i = begin; i < end; ++i) {
      const double by_row =
          pass.gradient_scale * row_factors_[static_cast<std::size_t>(i)] * rate / clip;
      const T* const g = pass.g + i * columns;
      T* const p = pass.p + i * columns;
      T* const first = pass.momentum == nullptr ? nullptr : pass.momentum + i * columns;
      for (std::int64_t j = 0; j < columns; ++j) {
        double change = static_cast<double>(g[j]) * by_row * by_column[j];
        if (first != nullptr) {
          change = beta1_ * static_cast<double>(first[j]) + (1.0 - beta1_) * change;
          first[j] = static_cast<T>(change);
        }
        p[j] = static_cast<T>(kept * static_cast<double>(p[j]) - change);
      }
    }
  });
}

std::vector<StateTensor> Adafactor::state(const ParameterStore& store,
                                          std::span<const ParameterRule> rules) const {
  std::vector<StateTensor> state;
  const auto part = [&](std::int64_t offset) {
    return static_cast<std::byte*>(factors_.get()) +
           static_cast<std::size_t>(offset) * size_of(store.dtype());
  };
  for (const Matrix& m : matrices_) {
    const std::string& name = store.entries()[m.entry].name;
    if (m.factored) {
      state.push_back({"adafactor.row." + name, {m.rows}, part(m.row_offset)});
      state.push_back({"adafactor.column." + name, {m.columns}, part(m.column_offset)});
    } else {
      state.push_back({"adafactor.second." + name, {m.columns}, part(m.column_offset)});
    }
  }
  if (first_.slab() != nullptr) first_.add_state("adafactor.first", store, rules, state);
  return state;
}

}  // namespace heddle
