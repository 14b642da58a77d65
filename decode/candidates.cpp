#include "decode/candidates.h"

#include <algorithm>
#include <cmath>

#include "autograd/base/check.h"
#include "autograd/kernels/softmax.h"

namespace heddle {

namespace {

// Scores that are looked through together.
constexpr std::int64_t kBlock = 64;

template <class T>
T largest_of(const T* values, std::int64_t count) {
  T largest = values[0];
#pragma omp simd reduction(max : largest)
  for (std::int64_t i = 1; i < count; ++i) largest = std::max(largest, values[i]);
  return largest;
}

// Into a list that is sorted and stays so; of equals the one that came first is first.
void insert(Candidate candidate, std::size_t count, std::vector<Candidate>& best) {
  if (best.size() == count) best.pop_back();
  const auto place = std::ranges::upper_bound(best, candidate.log_probability, std::greater(),
                                              &Candidate::log_probability);
  best.insert(place, candidate);
}

template <class T>
double logsumexp(T* scores, std::int64_t classes) {
  const kernels::ExpShifted<T> sum = kernels::exp_shifted(classes, scores);
  const double value = static_cast<double>(sum.largest) + std::log(static_cast<double>(sum.sum));
  check_scores(value);
  return value;
}

// Of the scores as they are. Most blocks have nothing that is better than what there is, which
// their maximum tells.
template <class T>
void find_best(const T* scores, std::int64_t classes, std::size_t count,
               std::vector<Candidate>& best) {
  best.clear();
  for (std::int64_t begin = 0; begin < classes; begin += kBlock) {
    const std::int64_t end = std::min(begin + kBlock, classes);
    const auto useful = [&](T score) {
      return best.size() < count || static_cast<double>(score) > best.back().log_probability;
    };
    if (!useful(largest_of(scores + begin, end - begin))) continue;
    for (std::int64_t i = begin; i < end; ++i) {
      if (useful(scores[i])) {
        insert({static_cast<std::int32_t>(i), static_cast<double>(scores[i])}, count, best);
      }
    }
  }
}

// Zero, or NaN where one of them is NaN or infinite; a token may be forbidden by -infinity.
template <class T>
T zero_unless_bad(const T* scores, std::int64_t classes) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < classes; ++i) sum += std::max(scores[i], T{0}) * T{0};
  return sum;
}

}  // namespace

void best_candidates(const Tensor& logits, std::int64_t row, std::size_t count,
                     std::vector<Candidate>& best) {
  dispatch(logits.dtype, "best_candidates", [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t classes = logits.shape.columns();
    T* scores = static_cast<T*>(logits.data) + row * classes;
    find_best(scores, classes, count, best);
    const double normaliser = logsumexp(scores, classes);
    for (Candidate& c : best) c.log_probability -= normaliser;
  });
}

std::int32_t likeliest(const Tensor& logits, std::int64_t row) {
  return dispatch(logits.dtype, "likeliest", [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t classes = logits.shape.columns();
    const T* scores = static_cast<const T*>(logits.data) + row * classes;
    const T* best = scores;
    for (std::int64_t begin = 0; begin < classes; begin += kBlock) {
      const std::int64_t count = std::min(kBlock, classes - begin);
      const T largest = largest_of(scores + begin, count);
      if (largest > *best) best = std::find(scores + begin, scores + begin + count, largest);
    }
    check_scores(static_cast<double>(*best + zero_unless_bad(scores, classes)));
    return static_cast<std::int32_t>(best - scores);
  });
}

Candidate candidate_of(const Tensor& logits, std::int64_t row, std::int32_t id) {
  return dispatch(logits.dtype, "candidate_of", [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t classes = logits.shape.columns();
    T* scores = static_cast<T*>(logits.data) + row * classes;
    const auto score = static_cast<double>(scores[id]);
    return Candidate{id, score - logsumexp(scores, classes)};
  });
}

void check_scores(double sum) {
  check<NumericError>(
      std::isfinite(sum),
      "decoding: the model's scores are no finite numbers; its weights are damaged");
}

}  // namespace heddle
