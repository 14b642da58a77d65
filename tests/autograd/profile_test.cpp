// Every operation's time counts once, whatever runs inside it, forward and backward.
#include "autograd/profile.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "autograd/op.h"
#include "autograd/ops/ops.h"
#include "tests/support/throws.h"

using namespace heddle;

namespace {

using Counts = std::map<std::string, std::int64_t>;

Counts times_of(const OpProfile& profile) {
  Counts times;
  for (const OpProfile::Entry& entry : profile.entries()) {
    times[std::string(entry.op)] = entry.nanoseconds();
  }
  return times;
}

Counts runs_of(const OpProfile& profile) {
  Counts runs;
  for (const OpProfile::Entry& entry : profile.entries()) {
    runs[std::string(entry.op)] = entry.runs;
  }
  return runs;
}

struct Step {
  ParameterStore store{DType::kFloat64};
  Parameter weight = store.declare("weight", {3, 2}, Initialiser::normal(1.0));

  Step() {
    store.allocate();
    store.initialise(1);
  }
  /// Forward and backward; a context with `profile` attached where there is one.
  void run(OpProfile* profile, Mode mode = Mode::kTraining) const {
    GradientSlab gradients(store);
    Context context(gradients);
    context.set_profile(profile);
    context.begin(mode);
    const std::vector<double> values(8, 0.5);
    const Tensor x = context.constant({4, 2}, std::span<const double>(values));
    const Tensor y = linear(context, x, context.use(weight), {});
    const Tensor loss = sum_all(context, mul(context, y, y));
    if (mode == Mode::kTraining) context.backward(loss);
  }
};

}  // namespace

TEST_CASE("profile: an inner operation interrupts the outer one") {
  OpProfile profile;
  profile.keep_events(3);
  const auto before = profile.enter("outer", Pass::kForward, 100);
  const auto outer = profile.enter("inner", Pass::kForward, 110);
  const auto inner = profile.enter("outer", Pass::kBackward, 150);  // the same name further in
  profile.leave(inner, 151);
  profile.leave(outer, 160);
  profile.leave(before, 163);
  const auto nothing =
      profile.enter("inner", Pass::kForward, 1000);  // what is between belongs to nobody
  profile.leave(nothing, 1005);
  CHECK(times_of(profile) == Counts{{"outer", 10 + 1 + 3}, {"inner", 40 + 9 + 5}});
  CHECK(runs_of(profile) == Counts{{"outer", 2}, {"inner", 2}});
  CHECK(profile.entries()[0].forward == 13);
  CHECK(profile.entries()[0].backward == 1);
  REQUIRE(profile.events().size() == 3);  // and no more
  CHECK(profile.events()[0].pass == Pass::kBackward);
  CHECK(profile.events()[1].op == "inner");
  CHECK(profile.events()[1].begin == 110);
  CHECK(profile.events()[1].end == 160);

  OpProfile other;
  other.leave(other.enter("inner", Pass::kForward, 0), 7);
  other.leave(other.enter("third", Pass::kBackward, 7), 9);
  other.add(profile);
  CHECK(times_of(other) == Counts{{"outer", 14}, {"inner", 61}, {"third", 2}});
  CHECK(runs_of(other) == Counts{{"outer", 2}, {"inner", 3}, {"third", 1}});
}

TEST_CASE("profile: forward and backward of every operation, under its name") {
  const Step step;
  OpProfile profile;
  step.run(&profile);
  const Counts runs = runs_of(profile);
  CHECK(runs.at("linear") == 2);
  CHECK(runs.at("mul") == 2);
  CHECK(runs.at("sum_all") >= 2);
  for (const OpProfile::Entry& entry : profile.entries()) {
    CAPTURE(entry.op);
    CHECK(entry.nanoseconds() >= 0);
  }
  step.run(&profile, Mode::kInference);
  CHECK(runs_of(profile).at("linear") == 3);
  step.run(nullptr);
  CHECK(runs_of(profile).at("linear") == 3);
}

TEST_CASE("profile: an operation that throws ends, too") {
  OpProfile profile;
  Context context;
  context.set_profile(&profile);
  context.begin(Mode::kInference);
  CHECK_MESSAGE_THROWN(Op(context, "wrong", {Tensor{}}), "wrong: input 0 is an empty Tensor");
  profile.leave(profile.enter("next", Pass::kForward, nanoseconds_now()), nanoseconds_now());
  const Counts times = times_of(profile);
  const std::int64_t wrong = times.at("wrong");
  profile.leave(profile.enter("next", Pass::kForward, nanoseconds_now()), nanoseconds_now());
  CHECK(times_of(profile).at("wrong") == wrong);  // it does not go on
}

TEST_CASE("profile: products with weights are noted, those of the output among them") {
  const Step step;
  OpProfile profile;
  step.run(&profile);
  CHECK(profile.products().empty());  // nobody asked for them
  profile.keep_products();
  step.run(&profile);
  REQUIRE(profile.products().size() == 1);
  CHECK(profile.products()[0].m == 4);
  CHECK(profile.products()[0].n == 3);
  CHECK(profile.products()[0].k == 2);
}
