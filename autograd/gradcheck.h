// The gradient check: analytic gradients in float64 against central differences.
//
// The function under test is reduced to one number, sum_i r_i f_i with random r (a loss with one
// element counts as it is). For a coordinate x of a parameter, D(h) = (f(x + h) - f(x - h)) / 2h;
// D(h) and D(h/2) are combined as (4 D(h/2) - D(h)) / 3, which removes the error of order h^2
// (Richardson 1911), so that rounding is all that is left. A coordinate passes when
//   |analytic - numeric| <= relative * max(|analytic|, |numeric|) + absolute * max |gradient|.
// Where D(h) and D(h/2) disagree the function has a kink between x - h and x + h (as relu at 0):
// the coordinate is counted, and too many of them fail the check.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autograd/base/random.h"
#include "autograd/context.h"
#include "autograd/parameter.h"

namespace heddle {

struct GradcheckOptions {
  double relative = 1e-6;
  double absolute = 1e-9;
  double step = 1e-4;                 // h, for coordinates up to 1; larger ones in proportion
  double most_kinks = 0.001;          // share of the coordinates
  std::int64_t most_coordinates = 0;  // per parameter, evenly spread; 0: all
  StepKey key{.seed = 1, .update = 1};
  int threads = 1;
};

struct GradcheckCoordinate {
  std::string parameter;
  std::int64_t index = 0;
  double analytic = 0.0;
  double numeric = 0.0;
  // |analytic - numeric| / (max(|analytic|, |numeric|) + absolute / relative * max |gradient|): a
  // coordinate passes where this is at most GradcheckOptions::relative.
  double relative_error = 0.0;
};

/// The coordinates of one parameter.
struct GradcheckParameter {
  std::string name;
  std::int64_t checked = 0, failed = 0, kinked = 0;
  double relative_error = 0.0;  // the worst, over all coordinates without a kink
};

struct GradcheckReport {
  std::string name;
  std::vector<GradcheckParameter> parameters;  // those that are trainable, in the store's order
  std::int64_t checked = 0;
  double largest_gradient = 0.0;
  GradcheckCoordinate worst;                  // over all coordinates without a kink
  std::vector<GradcheckCoordinate> failures;  // at most kMostListed of them
  std::int64_t failed = 0;
  std::vector<GradcheckCoordinate> kinks;  // at most kMostListed
  std::int64_t kinked = 0;
  double most_kinks = 0.0;

  static constexpr std::size_t kMostListed = 10;

  bool passed() const {
    return failed == 0 && static_cast<double>(kinked) <= most_kinks * static_cast<double>(checked);
  }
  /// One line a coordinate: what failed, where, both values; last the worst relative error.
  std::string message() const;
};

/// Checks all parameters of a float64 store that are trainable. `function` must compute the same
/// tensor whenever it is given the same parameters: randomness comes from the context, whose key is
/// the same each time, so that dropout stays on with a fixed mask. The parameters are restored.
GradcheckReport gradcheck(const std::string& name, ParameterStore& store,
                          const std::function<Tensor(Context&)>& function,
                          const GradcheckOptions& options = {});

/// One random direction v, with normal elements: g v by the analytic gradient g and by differences.
struct GradcheckDirection {
  double analytic = 0.0;
  double numeric = 0.0;
  double relative_error = 0.0;  // |analytic - numeric| / |g|, the size that g v has on average
};

struct GradcheckDirections {
  static constexpr double kBound = 1e-5;
  std::vector<GradcheckDirection> directions;

  double worst() const;
  bool passed() const { return worst() <= kBound; }
};

/// The check for models too large for a look at each coordinate: all trainable parameters move
/// together along `directions` random directions. Differences are taken with several steps h; the
/// one where D(h) and D(h/2) agree best counts, since a large model has kinks near every point.
GradcheckDirections gradcheck_directions(ParameterStore& store,
                                         const std::function<Tensor(Context&)>& function,
                                         int directions, const GradcheckOptions& options = {});

}  // namespace heddle
