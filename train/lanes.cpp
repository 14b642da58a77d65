#include "train/lanes.h"

#include <algorithm>
#include <functional>

#include "autograd/base/parallel.h"

namespace heddle {

namespace {

/// While alive, operations of the context are timed: those of updates, not those of validations.
class Profiled {
 public:
  Profiled(Context& context, OpProfile* profile) : context_(context) {
    context.set_profile(profile);
  }
  ~Profiled() { context_.set_profile(nullptr); }
  Profiled(const Profiled&) = delete;
  Profiled& operator=(const Profiled&) = delete;

 private:
  Context& context_;
};

}  // namespace

std::int64_t target_tokens(const MicroBatch& batch) {
  std::int64_t tokens = 0;
  for (const Examples& examples : batch) {
    tokens += static_cast<std::int64_t>(examples.target_output.size());
  }
  return tokens;
}

Lanes::Lanes(const Transformer& transformer, const ParameterStore& store,
             const LaneOptions& options)
    : transformer_(transformer),
      options_(options),
      threads_per_lane_(std::max(1, options.threads / std::max(1, options.lanes))) {
  check(options.lanes >= 1, "lanes: ", options.lanes, " are not at least one");
  for (int i = 0; i < options.lanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(store, threads_per_lane_));
    slabs_.push_back(&lanes_.back()->gradients);
  }
}

void Lanes::set_profile(UpdateProfile* profile) {
  profile_ = profile;
  if (profile != nullptr) {
    profile->lanes.resize(lanes_.size());
    for (OpProfile& lane : profile->lanes) {
      if (profile->keeps_products) lane.keep_products();
      lane.keep_events(profile->most_events);
    }
  }
}

void Lanes::run_lane(Lane& lane, int index, std::span<const MicroBatch> micro_batches, StepKey key,
                     double row_weight) const {
  lane.loss = 0.0;
  key.lane += static_cast<std::uint32_t>(index);
  const auto i = static_cast<std::size_t>(index);
  const Profiled profiled(lane.context, profile_ != nullptr ? &profile_->lanes[i] : nullptr);
  for (const MicroBatch& batch : micro_batches) {
    const Examples& examples = batch[i];
    if (!examples.target_output.empty()) {
      lane.row_weights.assign(examples.target_output.size(), row_weight);
      lane.context.begin(Mode::kTraining, key);
      const Tensor loss =
          transformer_.loss(lane.context, examples, lane.row_weights, options_.label_smoothing);
      lane.loss += loss.value();
      lane.context.backward(loss);
    }
    ++key.micro_batch;
  }
}

std::vector<Context*> Lanes::contexts() const {
  std::vector<Context*> contexts;
  for (const auto& lane : lanes_) contexts.push_back(&lane->context);
  return contexts;
}

UpdateResult Lanes::run(std::span<const MicroBatch> micro_batches, const StepKey& key) {
  UpdateResult result;
  for (const MicroBatch& batch : micro_batches) {
    check(batch.size() == lanes_.size(), "lanes: a micro-batch for ", batch.size(), " lanes, not ",
          lanes_.size());
    result.target_tokens += target_tokens(batch);
  }
  check(result.target_tokens > 0, "lanes: an update without target tokens");
  const std::int64_t begin = nanoseconds_now();
  for (const auto& lane : lanes_) lane->gradients.reset();
  const double row_weight = 1.0 / static_cast<double>(result.target_tokens);
  const auto body = [&](int i) {
    run_lane(*lanes_[static_cast<std::size_t>(i)], i, micro_batches, key, row_weight);
  };
  run_lanes(count(), options_.threads, threads_per_lane_, std::cref(body));
  for (const auto& lane : lanes_) result.loss += lane->loss;
  const std::int64_t computed = nanoseconds_now();
  sum_lanes(slabs_, options_.threads);
  result.gradient_norm = gradient_norm(lanes_.front()->gradients, options_.threads);
  if (profile_ != nullptr) {
    ++profile_->updates;
    profile_->lanes_nanoseconds += computed - begin;
    profile_->sum_nanoseconds += nanoseconds_now() - computed;
  }
  return result;
}

std::optional<NonFinite> Lanes::find_non_finite(std::span<const MicroBatch> micro_batches,
                                                const StepKey& key) {
  std::int64_t tokens = 0;
  for (const MicroBatch& batch : micro_batches) tokens += target_tokens(batch);
  for (int i = 0; i < count(); ++i) {
    Lane& lane = *lanes_[static_cast<std::size_t>(i)];
    StepKey lane_key = key;
    lane_key.lane += static_cast<std::uint32_t>(i);
    for (const MicroBatch& batch : micro_batches) {
      const Examples& examples = batch[static_cast<std::size_t>(i)];
      lane.row_weights.assign(examples.target_output.size(), 1.0 / static_cast<double>(tokens));
      const auto loss = [&](Context& context) {
        return transformer_.loss(context, examples, lane.row_weights, options_.label_smoothing);
      };
      if (!examples.target_output.empty()) {
        if (auto found = heddle::find_non_finite(lane.context, lane_key, loss)) return found;
      }
      ++lane_key.micro_batch;
    }
  }
  return std::nullopt;
}

double Lanes::negative_log_likelihood(const MicroBatch& batch) {
  const auto body = [&](int i) {
    Lane& lane = *lanes_[static_cast<std::size_t>(i)];
    const Examples& examples = batch[static_cast<std::size_t>(i)];
    lane.loss = 0.0;
    if (examples.target_output.empty()) return;
    lane.row_weights.assign(examples.target_output.size(), 1.0);
    lane.context.begin(Mode::kInference);
    lane.loss = transformer_.loss(lane.context, examples, lane.row_weights, 0.0).value();
  };
  check(batch.size() == lanes_.size(), "lanes: a batch for ", batch.size(), " lanes, not ",
        lanes_.size());
  run_lanes(count(), options_.threads, threads_per_lane_, std::cref(body));
  double sum = 0.0;
  for (const auto& lane : lanes_) sum += lane->loss;
  return sum;
}

}  // namespace heddle
