// Adafactor (Shazeer and Stern 2018, algorithms 4 and 5): the second moment of a matrix G [n, m] is
// kept as the means R of its rows and C of its columns; a vector keeps V whole. a is the learning
// rate of the schedule, w the weight decay, d the clip_threshold, b2 = 1 - t^-decay_rate.
//
//   R = b2 R + (1 - b2) mean over columns of (G^2 + eps1),   C likewise over rows
//   U = G / sqrt(R C / mean(R)),          of a vector U = G / sqrt(V)
//   A = a max(eps2, RMS(p))               a where scale_parameter is false
//   D = A U / max(1, RMS(U) / d)          with beta1 its moving average M = beta1 M + (1 - beta1) D
//   p = p - A w p - D
//
// Means where the paper has sums: the quotient is the same. Leading dimensions of a tensor of rank
// 3 and more count as rows. Sums are in float64, over blocks of rows that depend on the shape.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "configs/config.h"
#include "optim/update.h"

namespace heddle {

class Adafactor {
 public:
  /// Reads "eps1", "eps2", "clip_threshold", "decay_rate", "beta1" and "scale_parameter".
  explicit Adafactor(const Config& config);

  void allocate(const ParameterStore& store, std::span<const ParameterRule> rules);
  void step(const UpdateInput& input);
  std::vector<StateTensor> state(const ParameterStore& store,
                                 std::span<const ParameterRule> rules) const;

 private:
  // A trained parameter as a matrix, and where its parts of the slabs begin. A vector is one row.
  struct Matrix {
    std::int64_t offset, rows, columns;
    bool factored;                           // otherwise C is V, and there is no R
    std::int64_t row_offset, column_offset;  // of R and C, in elements of factors_
    double learning_rate_factor, weight_decay;
    std::size_t entry;  // of the store

    std::int64_t rows_per_block() const;
    std::int64_t blocks() const { return (rows + rows_per_block() - 1) / rows_per_block(); }
  };
  // What a pass needs.
  template <class T>
  struct Pass;

  template <class T>
  void step_matrix(const UpdateInput& input, const Matrix& matrix);
  template <class T>
  void gather_squares(const Pass<T>& pass);
  template <class T>
  void refresh_factors(const Pass<T>& pass, double beta2);
  template <class T>
  double update_rms(const Pass<T>& pass);
  template <class T>
  void apply(const Pass<T>& pass, double rate, double clip);

  double eps1_, eps2_, clip_threshold_, decay_rate_, beta1_;
  bool scale_parameter_;
  std::vector<Matrix> matrices_;
  std::shared_ptr<void> factors_;  // R, C and V of all parameters
  Moment first_;                   // M, where beta1 > 0
  // Scratch, for one parameter at a time.
  std::vector<double> row_sums_, column_sums_;        // of G^2; of columns one row for each block
  std::vector<double> row_factors_, column_factors_;  // 1 / sqrt(R / mean(R)) and 1 / sqrt(C)
  std::vector<double> block_sums_;
};

}  // namespace heddle
