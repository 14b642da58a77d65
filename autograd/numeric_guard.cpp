#include "autograd/numeric_guard.h"

#include <cmath>
#include <sstream>

#include "autograd/context.h"
#include "autograd/kernels/reduction.h"

namespace heddle {

namespace {

// Carries the finding out of the replayed step.
class Found : public NumericError {
 public:
  explicit Found(NonFinite report) : NumericError(report.message()), report_(std::move(report)) {}
  const NonFinite& report() const { return report_; }

 private:
  NonFinite report_;
};

void scan(NonFinite::Where where, std::string_view op, std::string_view scope,
          const Tensor& tensor) {
  if (!is_floating(tensor.dtype)) return;
  const std::int64_t index = dispatch(tensor.dtype, "scan", [&](auto zero) {
    using T = decltype(zero);
    return kernels::first_non_finite(tensor.elements(), tensor.as<T>());
  });
  if (index < 0) return;
  throw Found(
      {where, std::string(op), std::string(scope), tensor.shape, index, tensor.value(index)});
}

}  // namespace

std::string NonFinite::message() const {
  std::ostringstream out;
  if (where == Where::kParameter) {
    out << "parameter " << op;
  } else {
    out << op << (where == Where::kForward ? ": its result" : ": a gradient that it computed");
  }
  out << ' ' << shape << " holds " << (std::isnan(value) ? std::abs(value) : value)
      << " at element " << index;
  if (!scope.empty()) out << ", in layer " << scope;
  return out.str();
}

bool is_finite_update(double loss, double gradient_norm) {
  return std::isfinite(loss) && std::isfinite(gradient_norm);
}

double gradient_norm(const GradientSlab& gradients, int threads) {
  const ParameterStore& store = gradients.store();
  return dispatch(store.dtype(), "gradient_norm", [&](auto zero) {
    using T = decltype(zero);
    const auto* const values = static_cast<const T*>(gradients.slab());
    return std::sqrt(kernels::sum_of_squares(store.elements(), values, threads));
  });
}

std::optional<NonFinite> find_non_finite(Context& context, const StepKey& key,
                                         const std::function<Tensor(Context&)>& loss) {
  std::optional<NonFinite> result;
  if (context.gradients() != nullptr) context.gradients()->reset();
  context.set_scanning(true);
  try {
    context.begin(Mode::kTraining, key);
    context.backward(loss(context));
  } catch (const Found& found) {
    result = found.report();
  } catch (...) {
    context.set_scanning(false);
    throw;
  }
  context.set_scanning(false);
  if (context.gradients() != nullptr) context.gradients()->reset();
  return result;
}

std::optional<NonFinite> find_non_finite(const ParameterStore& store) {
  try {
    const auto count = static_cast<std::int32_t>(store.entries().size());
    for (std::int32_t i = 0; i < count; ++i) scan_parameter({&store, i, 1});
  } catch (const Found& found) {
    return found.report();
  }
  return std::nullopt;
}

void scan_forward(Context& context, const char* op, std::span<const Tensor> results) {
  for (const Tensor& result : results) {
    scan(NonFinite::Where::kForward, op, context.scope(), result);
  }
}

void scan_parameter(Parameter parameter) {
  Tensor values;
  values.data = parameter.store->data(parameter);
  values.shape = parameter.shape();
  values.dtype = parameter.store->dtype();
  scan(NonFinite::Where::kParameter, parameter.name(), "", values);
}

void scan_backward(const char* op, std::string_view scope, const Tensor& gradient) {
  scan(NonFinite::Where::kBackward, op, scope, gradient);
}

}  // namespace heddle
