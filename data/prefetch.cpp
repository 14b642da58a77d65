#include "data/prefetch.h"

#include <chrono>
#include <utility>

namespace heddle {

Prefetcher::Prefetcher(std::function<void(Batch&)> fill)
    : fill_(std::move(fill)), thread_([this] { run(); }) {}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

const Batch& Prefetcher::next() {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return made_ > taken_ || error_ != nullptr; };
  if (!ready()) {
    const auto begin = std::chrono::steady_clock::now();
    changed_.wait(lock, ready);
    const auto time = std::chrono::steady_clock::now() - begin;
    waited_ += std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  }
  if (made_ == taken_) std::rethrow_exception(error_);
  Batch& batch = buffer(taken_++);
  changed_.notify_all();
  return batch;
}

void Prefetcher::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    // The buffer after those ahead is with the caller.
    changed_.wait(lock, [&] { return stopped_ || made_ < taken_ + kAhead; });
    if (stopped_) return;
    Batch& batch = buffer(made_);
    lock.unlock();
    std::exception_ptr error;
    try {
      fill_(batch);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error != nullptr) {
      error_ = error;
      changed_.notify_all();
      return;
    }
    ++made_;
    changed_.notify_all();
  }
}

}  // namespace heddle
