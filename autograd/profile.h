// Where the time of a step goes: nanoseconds by operation, forward and backward.
//
// Measured where nothing has to be named twice: an Op lives as long as its forward, and the tape
// runs the backward of each node. A context without a profile pays one branch for each of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "autograd/kernels/gemm.h"

namespace heddle {

/// Of a clock that never goes back.
inline std::int64_t nanoseconds_now() {
  using std::chrono::nanoseconds;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<nanoseconds>(now).count();
}

enum class Pass : std::uint8_t { kForward, kBackward };

/// The time of one lane: attach it with Context::set_profile. An operation that runs inside
/// another interrupts it, so that no time counts twice.
class OpProfile {
 public:
  struct Entry {
    std::string_view op;
    std::int64_t forward = 0, backward = 0;  // nanoseconds
    std::int64_t runs = 0;                   // of either pass

    std::int64_t nanoseconds() const { return forward + backward; }
  };
  /// One run of an operation, with what runs inside it.
  struct Event {
    std::string_view op;
    Pass pass;
    std::int64_t begin, end;  // nanoseconds_now()
  };
  /// What enter() hands to leave().
  struct Mark {
    std::size_t interrupted;
    Pass interrupted_pass;
    std::int64_t begin;
  };

  /// The operation `op`, a literal, begins.
  Mark enter(std::string_view op, Pass pass, std::int64_t now);
  void leave(const Mark& mark, std::int64_t now);
  /// Notes a product with a weight, y = x W^T: y is [m, n], x [m, k].
  void note_product(const kernels::ProductShape& product) {
    if (keeps_products_) products_.push_back(product);
  }
  /// From now on products are kept.
  void keep_products() { keeps_products_ = true; }
  /// From now on every run is kept as an event, until there are `most`.
  void keep_events(std::size_t most) { most_events_ = most; }

  /// In the order in which operations were first seen.
  std::span<const Entry> entries() const { return entries_; }
  /// Of all forward passes since keep_products(), in their order.
  std::span<const kernels::ProductShape> products() const { return products_; }
  /// In the order of their ends.
  std::span<const Event> events() const { return events_; }
  /// Adds the times of another profile.
  void add(const OpProfile& other);

 private:
  static constexpr std::size_t kNothing = static_cast<std::size_t>(-1);
  std::size_t index_of(std::string_view op);
  void charge(std::int64_t now);

  std::vector<Entry> entries_;
  std::vector<kernels::ProductShape> products_;
  std::vector<Event> events_;
  bool keeps_products_ = false;
  std::size_t most_events_ = 0;
  std::size_t running_ = kNothing;
  Pass running_pass_ = Pass::kForward;
  std::int64_t since_ = 0;  // when it began or went on
};

/// While alive, time belongs to `op`; does nothing without a profile.
class OpTimer {
 public:
  OpTimer(OpProfile* profile, const char* op, Pass pass) : profile_(profile) {
    if (profile_ != nullptr) [[unlikely]] {
      mark_ = profile_->enter(op, pass, nanoseconds_now());
    }
  }
  ~OpTimer() {
    if (profile_ != nullptr) [[unlikely]] {
      profile_->leave(mark_, nanoseconds_now());
    }
  }
  OpTimer(const OpTimer&) = delete;
  OpTimer& operator=(const OpTimer&) = delete;

 private:
  OpProfile* profile_;
  OpProfile::Mark mark_{};
};

}  // namespace heddle
