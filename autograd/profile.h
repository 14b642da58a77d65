// Where the time of a step goes: nanoseconds by operation, forward and backward together.
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

/// The time of one lane: attach it with Context::set_profile. An operation that runs inside
/// another interrupts it, so that no time counts twice.
class OpProfile {
 public:
  struct Entry {
    std::string_view op;
    std::int64_t nanoseconds = 0;
    std::int64_t runs = 0;  // forward and backward
  };

  /// The operation `op`, a literal, begins; returns what it interrupts, for leave().
  std::size_t enter(std::string_view op, std::int64_t now);
  void leave(std::size_t interrupted, std::int64_t now);
  /// Notes a product with a weight, y = x W^T: y is [m, n], x [m, k].
  void note_product(const kernels::ProductShape& product) { products_.push_back(product); }

  /// In the order in which operations were first seen.
  std::span<const Entry> entries() const { return entries_; }
  /// Of all forward passes so far, in their order.
  std::span<const kernels::ProductShape> products() const { return products_; }
  /// Adds the times of another profile.
  void add(const OpProfile& other);

 private:
  static constexpr std::size_t kNothing = static_cast<std::size_t>(-1);
  std::size_t index_of(std::string_view op);
  void charge(std::int64_t now);

  std::vector<Entry> entries_;
  std::vector<kernels::ProductShape> products_;
  std::size_t running_ = kNothing;
  std::int64_t since_ = 0;  // when it began or went on
};

/// While alive, time belongs to `op`; does nothing without a profile.
class OpTimer {
 public:
  OpTimer(OpProfile* profile, const char* op) : profile_(profile) {
    if (profile_ != nullptr) [[unlikely]] {
      interrupted_ = profile_->enter(op, nanoseconds_now());
    }
  }
  ~OpTimer() {
    if (profile_ != nullptr) [[unlikely]] {
      profile_->leave(interrupted_, nanoseconds_now());
    }
  }
  OpTimer(const OpTimer&) = delete;
  OpTimer& operator=(const OpTimer&) = delete;

 private:
  OpProfile* profile_;
  std::size_t interrupted_ = 0;
};

}  // namespace heddle
