#include "train/update_profile.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

namespace heddle {

namespace {

enum Family : std::size_t {
  kProducts,
  kAttention,
  kNorms,
  kOutputLoss,
  kEmbedding,
  kPointwise,
  kOther,
  kGradientSum,
  kOptimizer,
};

constexpr FamilyTime kFamilies[] = {
    {"products", "linear with bias and activation, matmul"},
    {"attention", "attention, rotary positions"},
    {"norms", "residual connections with dropout, norms"},
    {"output_loss", "output projection and cross entropy"},
    {"embedding", "embeddings, positions and their dropout"},
    {"pointwise", "dropout, gates, arithmetic, copies"},
    {"other", "between operations, waiting for the slowest lane"},
    {"gradient_sum", "sum of the lanes' gradients, their norm"},
    {"optimizer", "clipping and the optimizer's step"},
};

struct OpFamily {
  std::string_view op;
  Family family;
};

// Whatever is not here belongs to "pointwise": most operations do.
constexpr OpFamily kOps[] = {
    {"linear", kProducts},        {"matmul", kProducts},          {"attention", kAttention},
    {"rotary", kAttention},       {"layer_norm", kNorms},         {"rms_norm", kNorms},
    {"residual_norm", kNorms},    {"residual", kNorms},           {"softmax", kOutputLoss},
    {"log_softmax", kOutputLoss}, {"cross_entropy", kOutputLoss}, {"embed", kEmbedding},
};

Family family_of(std::string_view op) {
  const auto found = std::ranges::find(kOps, op, &OpFamily::op);
  return found != std::end(kOps) ? found->family : kPointwise;
}

const char* name_of(Pass pass) {
  return pass == Pass::kForward ? "forward" : "backward";
}

}  // namespace

OpProfile UpdateProfile::operations() const {
  OpProfile all;
  for (const OpProfile& lane : lanes) all.add(lane);
  return all;
}

std::vector<FamilyTime> family_times(const UpdateProfile& profile, int lanes_at_a_time) {
  std::vector<FamilyTime> families(std::begin(kFamilies), std::end(kFamilies));
  const auto seconds = [&](std::int64_t nanoseconds) {
    return static_cast<double>(nanoseconds) * 1e-9 / static_cast<double>(profile.updates);
  };
  double operations = 0.0;
  const OpProfile all = profile.operations();
  for (const OpProfile::Entry& entry : all.entries()) {
    FamilyTime& family = families[family_of(entry.op)];
    const double share = seconds(entry.nanoseconds()) / lanes_at_a_time;
    family.seconds += share;
    family.backward += seconds(entry.backward) / lanes_at_a_time;
    operations += share;
  }
  families[kOther].seconds = std::max(0.0, seconds(profile.lanes_nanoseconds) - operations);
  families[kGradientSum].seconds = seconds(profile.sum_nanoseconds);
  families[kOptimizer].seconds = seconds(profile.optimizer_nanoseconds);
  std::ranges::stable_sort(families, std::ranges::greater(), &FamilyTime::seconds);
  return families;
}

std::string trace_text(const UpdateProfile& profile) {
  using Json = nlohmann::ordered_json;
  Json events = Json::array();
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const OpProfile& lane : profile.lanes) {
    for (const OpProfile::Event& e : lane.events()) first = std::min(first, e.begin);
  }
  const auto microseconds = [](std::int64_t ns) { return static_cast<double>(ns) * 1e-3; };
  for (std::size_t lane = 0; lane < profile.lanes.size(); ++lane) {
    for (const OpProfile::Event& e : profile.lanes[lane].events()) {
      events.push_back({{"name", e.op},
                        {"cat", name_of(e.pass)},
                        {"ph", "X"},
                        {"ts", microseconds(e.begin - first)},
                        {"dur", microseconds(e.end - e.begin)},
                        {"pid", 1},
                        {"tid", lane}});
    }
  }
  return Json{{"traceEvents", events}}.dump() + "\n";
}

}  // namespace heddle
