// Batches made ahead of time by one thread of its own, so that training does not wait for them.
//
// Three batches go round: one is with the caller, up to two are ready or being made. The thread
// calls no OpenMP: its threads would compete with those that train.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "data/batch.h"

namespace heddle {

class Prefetcher {
 public:
  /// Calls `fill` on its thread for one batch after the other, as BatchStream::next(); what `fill`
  /// uses must outlive it.
  explicit Prefetcher(std::function<void(Batch&)> fill);
  /// Waits for the batch that is being made.
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next batch, in the order in which they were made, valid until the next call. What `fill`
  /// threw comes after the last whole batch, at every further call.
  const Batch& next();

  /// How long next() waited in all, for reports.
  std::int64_t waited_nanoseconds() const { return waited_; }

 private:
  static constexpr std::int64_t kAhead = 2;

  void run();
  Batch& buffer(std::int64_t number) {
    return buffers_[static_cast<std::size_t>(number % (kAhead + 1))];
  }

  std::function<void(Batch&)> fill_;
  std::array<Batch, kAhead + 1> buffers_;
  std::int64_t waited_ = 0;

  std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  std::int64_t made_ = 0, taken_ = 0;
  bool stopped_ = false;
  std::exception_ptr error_;

  std::thread thread_;  // last: it starts when all else is there
};

}  // namespace heddle
