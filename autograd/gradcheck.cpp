#include "autograd/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "autograd/base/check.h"

namespace heddle {

namespace {

// D(h) and D(h/2) of a smooth function differ by about h^2 f'''/8: far below this share of them.
constexpr double kKink = 1e-5;
constexpr double kKinkAbsolute = 1e-8;  // of the largest gradient

// Not a number is worst of all.
bool is_worse(double error, double than) {
  return std::isnan(error) || error >= than;
}

// Puts a coordinate back, also when the function under test throws.
struct Restored {
  explicit Restored(double& x) : value(x), place(x) {}
  ~Restored() { place = value; }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

  const double value;
  double& place;
};

// The same for all parameters.
struct RestoredSlab {
  ~RestoredSlab() { std::copy(before.begin(), before.end(), slab); }

  const std::vector<double>& before;
  double* const slab;
};

class Checker {
 public:
  Checker(ParameterStore& store, const std::function<Tensor(Context&)>& function,
          const GradcheckOptions& options)
      : store_(store),
        function_(function),
        options_(options),
        gradients_(store),
        context_(gradients_, options.threads) {}

  GradcheckReport run() {
    compute_analytic();
    GradcheckReport report;
    report.most_kinks = options_.most_kinks;
    for (const double g : analytic_) {
      if (std::isfinite(g))
        report.largest_gradient = std::max(report.largest_gradient, std::abs(g));
    }
    for (std::int32_t p = 0; p < static_cast<std::int32_t>(store_.entries().size()); ++p) {
      const ParameterStore::Entry& entry = store_.entry(p);
      if (!entry.trainable) continue;
      const std::int64_t count = entry.shape.elements();
      const std::int64_t most = options_.most_coordinates;
      const std::int64_t stride = most > 0 ? (count + most - 1) / most : 1;
      report.parameters.push_back({entry.name});
      for (std::int64_t i = 0; i < count; i += stride) check_coordinate(entry, i, report);
    }
    return report;
  }

  GradcheckDirections run_directions(int directions) {
    compute_analytic();
    auto* const slab = static_cast<double*>(store_.slab());
    const std::vector<double> before(slab, slab + store_.elements());
    GradcheckDirections result;
    for (int d = 0; d < directions; ++d) {
      const std::vector<double> v = direction(static_cast<std::uint32_t>(d));
      GradcheckDirection found;
      double squares = 0.0;
      for (std::size_t i = 0; i < v.size(); ++i) {
        if (v[i] == 0.0) continue;
        found.analytic += analytic_[i] * v[i];
        squares += analytic_[i] * analytic_[i];
      }
      found.numeric = slope(before, v);
      const double error = std::abs(found.analytic - found.numeric);
      found.relative_error = error == 0.0 ? 0.0 : error / std::sqrt(squares);
      result.directions.push_back(found);
    }
    return result;
  }

 private:
  // Normal deviates for the trainable parameters, 0 for the others.
  std::vector<double> direction(std::uint32_t index) const {
    const RandomStream random = random_stream(options_.key, 0xFFFFFFFE);
    std::vector<double> v(analytic_.size(), 0.0);
    for (const ParameterStore::Entry& entry : store_.entries()) {
      if (!entry.trainable) continue;
      for (std::int64_t i = entry.offset; i < entry.offset + entry.shape.elements(); ++i) {
        v[static_cast<std::size_t>(i)] =
            normal_pair(random(index, static_cast<std::uint64_t>(i)))[0];
      }
    }
    return v;
  }

  // The derivative along v: of several steps, by the one where both differences agree best.
  double slope(const std::vector<double>& before, const std::vector<double>& v) {
    double best = std::numeric_limits<double>::quiet_NaN();
    double best_gap = std::numeric_limits<double>::infinity();
    for (double h = options_.step; h > 1e-10; h /= 10) {
      const double coarse = difference(before, v, h);
      const double fine = difference(before, v, h / 2);
      const double gap = std::abs(coarse - fine);
      if (gap < best_gap) {
        best_gap = gap;
        best = (4.0 * fine - coarse) / 3.0;
      }
    }
    return best;
  }

  double difference(const std::vector<double>& before, const std::vector<double>& v, double h) {
    evaluate_at(before, v, h, plus_);
    evaluate_at(before, v, -h, minus_);
    return difference_of_sums() / (2 * h);
  }

  void evaluate_at(const std::vector<double>& before, const std::vector<double>& v, double h,
                   std::vector<double>& result) {
    const RestoredSlab restored{before, static_cast<double*>(store_.slab())};
    for (std::size_t i = 0; i < v.size(); ++i) restored.slab[i] = before[i] + h * v[i];
    evaluate(result);
  }

  // Random weights in [-1, 1) for the elements of a result; a single element counts as it is.
  std::vector<double> weights_for(std::int64_t elements) const {
    std::vector<double> weights(static_cast<std::size_t>(elements), 1.0);
    if (elements == 1) return weights;
    const RandomStream random = random_stream(options_.key, 0xFFFFFFFF);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const PhiloxCounter bits = random(0, i);
      weights[i] = 2.0 * unit_interval(bits[0], bits[1]) - 1.0;
    }
    return weights;
  }

  void compute_analytic() {
    context_.begin(Mode::kTraining, options_.key);
    const Tensor result = function_(context_);
    check(result.dtype == DType::kFloat64, "gradcheck: needs float64, not ", result.dtype);
    weights_ = weights_for(result.elements());
    if (result.needs_gradient()) {
      const Tensor upstream = context_.constant(result.shape, std::span<const double>(weights_));
      context_.tape().backward(context_, result, upstream);
    }
    gradients_.clear_unwritten(options_.threads);
    const auto* const values = static_cast<const double*>(gradients_.slab());
    analytic_.assign(values, values + store_.elements());
  }

  // f(x + h) and f(x - h) are subtracted element by element before they are summed: elements that
  // do not depend on x cancel exactly.
  void evaluate(std::vector<double>& result) {
    context_.begin(Mode::kTraining, options_.key);
    const NoGradient guard(context_);
    const Tensor value = function_(context_);
    const double* const values = value.as<double>();
    result.assign(values, values + value.elements());
  }

  double difference(double& x, double h) {
    const Restored restored(x);
    x = restored.value + h;
    const double above = x;
    evaluate(plus_);
    x = restored.value - h;
    const double below = x;
    evaluate(minus_);
    return difference_of_sums() / (above - below);
  }

  double difference_of_sums() const {
    double sum = 0.0;
    for (std::size_t i = 0; i < weights_.size(); ++i) sum += weights_[i] * (plus_[i] - minus_[i]);
    return sum;
  }

  void check_coordinate(const ParameterStore::Entry& entry, std::int64_t index,
                        GradcheckReport& report) {
    const std::int64_t offset = entry.offset + index;
    double& x = static_cast<double*>(store_.slab())[offset];
    const double h = options_.step * std::max(1.0, std::abs(x));
    const double coarse = difference(x, h);
    const double fine = difference(x, h / 2);
    GradcheckCoordinate c{entry.name, index, analytic_[static_cast<std::size_t>(offset)],
                          (4.0 * fine - coarse) / 3.0};
    const double size = std::max(std::abs(c.analytic), std::abs(c.numeric));
    const double floor = options_.absolute / options_.relative * report.largest_gradient;
    const double error = std::abs(c.analytic - c.numeric);
    c.relative_error = error == 0.0 ? 0.0 : error / (size + floor);
    GradcheckParameter& parameter = report.parameters.back();
    ++report.checked;
    ++parameter.checked;
    const bool kinked =
        std::abs(coarse - fine) > kKink * std::max(std::abs(coarse), std::abs(fine)) +
                                      kKinkAbsolute * report.largest_gradient;
    const bool finite = std::isfinite(c.analytic) && std::isfinite(c.numeric);
    const bool passed = finite && c.relative_error <= options_.relative;
    if (!passed && kinked && finite) {
      ++report.kinked;
      ++parameter.kinked;
      if (report.kinks.size() < GradcheckReport::kMostListed) report.kinks.push_back(c);
      return;
    }
    if (is_worse(c.relative_error, report.worst.relative_error)) report.worst = c;
    if (is_worse(c.relative_error, parameter.relative_error)) {
      parameter.relative_error = c.relative_error;
    }
    if (!passed) {
      ++report.failed;
      ++parameter.failed;
      if (report.failures.size() < GradcheckReport::kMostListed) report.failures.push_back(c);
    }
  }

  ParameterStore& store_;
  const std::function<Tensor(Context&)>& function_;
  const GradcheckOptions& options_;
  GradientSlab gradients_;
  Context context_;
  std::vector<double> weights_, analytic_, plus_, minus_;
};

void write(std::ostream& out, const char* what, const GradcheckCoordinate& c) {
  out << "  " << what << ' ' << c.parameter << '[' << c.index << "]: analytic " << c.analytic
      << ", numeric " << c.numeric << ", relative error " << c.relative_error << '\n';
}

}  // namespace

std::string GradcheckReport::message() const {
  std::ostringstream out;
  out.precision(10);
  out << name << ": " << checked << " coordinates, " << failed << " failed, " << kinked
      << " at a kink\n";
  for (const GradcheckCoordinate& c : failures) write(out, "failed", c);
  for (const GradcheckCoordinate& c : kinks) write(out, "kink  ", c);
  write(out, "worst ", worst);
  return out.str();
}

double GradcheckDirections::worst() const {
  double worst = 0.0;
  for (const GradcheckDirection& d : directions) {
    if (is_worse(d.relative_error, worst)) worst = d.relative_error;
  }
  return worst;
}

GradcheckReport gradcheck(const std::string& name, ParameterStore& store,
                          const std::function<Tensor(Context&)>& function,
                          const GradcheckOptions& options) {
  check(store.dtype() == DType::kFloat64, "gradcheck ", name, ": needs a float64 store");
  GradcheckReport report = Checker(store, function, options).run();
  report.name = name;
  return report;
}

GradcheckDirections gradcheck_directions(ParameterStore& store,
                                         const std::function<Tensor(Context&)>& function,
                                         int directions, const GradcheckOptions& options) {
  check(store.dtype() == DType::kFloat64, "gradcheck: needs a float64 store");
  return Checker(store, function, options).run_directions(directions);
}

}  // namespace heddle
