// The search for the first number that is not finite.
//
// A training step only looks at its loss and its gradient norm, where a NaN or an infinity ends up
// unless an operation swallows it (relu of -infinity is 0). When it did, the step is replayed with
// the same weights, batch and random keys while the result of every operation, and in backward
// every gradient, is scanned; the first bad value is named. The replay writes gradients but touches
// no parameter.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "autograd/base/random.h"
#include "autograd/base/shape.h"
#include "autograd/parameter.h"
#include "autograd/tensor.h"

namespace heddle {

class Context;
class GradientSlab;

/// Where the first non-finite number appeared.
struct NonFinite {
  enum class Where : std::uint8_t { kParameter, kForward, kBackward };
  Where where;
  std::string op;     // operation, or name of the parameter
  std::string scope;  // layer, may be empty
  Shape shape;        // of the tensor that holds it
  std::int64_t index;
  double value;

  /// One sentence.
  std::string message() const;
};

/// Whether an update may be applied.
bool is_finite_update(double loss, double gradient_norm);

/// The Euclidean norm of all gradients, in float64, summed in a fixed order. Unwritten gradients
/// must have been cleared (sum_lanes, GradientSlab::clear_unwritten).
double gradient_norm(const GradientSlab& gradients, int threads);

/// Replays forward and backward of one lane with every operation scanned. `loss` builds the loss as
/// the failed step did. The lane's gradients are reset afterwards. Empty where all is finite.
std::optional<NonFinite> find_non_finite(Context& context, const StepKey& key,
                                         const std::function<Tensor(Context&)>& loss);

/// The first such number of all parameters. Empty where all are finite.
std::optional<NonFinite> find_non_finite(const ParameterStore& store);

/// Called by operations of a scanning context.
void scan_forward(Context& context, const char* op, std::span<const Tensor> results);
void scan_parameter(Parameter parameter);
void scan_backward(const char* op, std::string_view scope, const Tensor& gradient);

}  // namespace heddle
