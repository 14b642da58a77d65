#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace heddle {

namespace {

constexpr Named<ScheduleKind> kSchedules[] = {
    {"noam", ScheduleKind::kNoam},         {"inverse_sqrt", ScheduleKind::kInverseSqrt},
    {"cosine", ScheduleKind::kCosine},     {"linear", ScheduleKind::kLinear},
    {"constant", ScheduleKind::kConstant},
};

constexpr std::int64_t kMostUpdates = 1'000'000'000'000;

bool decays_to_an_end(ScheduleKind kind) {
  return kind == ScheduleKind::kCosine || kind == ScheduleKind::kLinear;
}

}  // namespace

Schedule::Schedule(const Config& schedule, std::int64_t d_model, std::int64_t updates)
    : kind_(schedule.choice("type", "noam", kSchedules, "How the learning rate changes.")),
      warmup_(static_cast<double>(schedule.integer("warmup", 4000, {0, kMostUpdates},
                                                   "Updates in which the learning rate climbs."))) {
  const bool noam = kind_ == ScheduleKind::kNoam;
  peak_ = schedule.number("learning_rate", noam ? 1.0 : 1e-3, Numbers::positive(),
                          "The highest learning rate, by default 0.001; of \"noam\" a factor, by "
                          "default 1.");
  if (noam) peak_ /= std::sqrt(static_cast<double>(d_model));
  if (decays_to_an_end(kind_)) {
    read_decay(schedule, updates);
    return;
  }
  for (const char* key : {"final_learning_rate", "decay_steps"}) {
    schedule.unread(key, "it is for the types \"cosine\" and \"linear\"");
  }
}

void Schedule::read_decay(const Config& schedule, std::int64_t updates) {
  final_ = schedule.number("final_learning_rate", 0.0, {.least = 0.0},
                           "The learning rate after decay_steps.");
  const auto given = schedule.integer_or("decay_steps", "auto", {1, kMostUpdates},
                                         "The update at which the decay ends; by default the "
                                         "last of the run.");
  const std::int64_t end = given.value_or(updates);
  decay_steps_ = static_cast<double>(end);
  if (end == 0) {
    schedule.error("decay_steps",
                   "needs a number, because the run does not say how many updates it has");
  } else if (decay_steps_ <= warmup_) {
    schedule.error("warmup", "a warm-up of ", static_cast<std::int64_t>(warmup_), " updates",
                   schedule.if_default("warmup"), " leaves none for the decay, which ends at ",
                   "update ", end, "; lower warmup or raise ",
                   given ? "decay_steps" : "train.steps");
  }
}

double Schedule::operator()(std::int64_t update) const {
  const auto t = static_cast<double>(update);
  if (kind_ == ScheduleKind::kNoam) {
    const double climb = warmup_ > 0.0 ? t * std::pow(warmup_, -1.5) : 1.0;
    return peak_ * std::min(1.0 / std::sqrt(t), climb);
  }
  return t < warmup_ ? peak_ * t / warmup_ : decayed(t);
}

double Schedule::decayed(double t) const {
  if (kind_ == ScheduleKind::kConstant) return peak_;
  if (kind_ == ScheduleKind::kInverseSqrt) return peak_ * std::sqrt(std::max(warmup_, 1.0) / t);
  const double progress = std::min(1.0, (t - warmup_) / (decay_steps_ - warmup_));
  if (kind_ == ScheduleKind::kLinear) return peak_ + (final_ - peak_) * progress;
  return final_ + (peak_ - final_) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

}  // namespace heddle
