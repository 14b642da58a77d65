// Memory that grows and keeps what it holds, by pages of its own: the system moves them rather than
// copy them, and nothing is left behind in pieces as in a heap.
#pragma once

#include <cstddef>
#include <utility>

namespace heddle {

class GrowingMemory {
 public:
  GrowingMemory() = default;
  ~GrowingMemory();
  GrowingMemory(GrowingMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  GrowingMemory& operator=(GrowingMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  /// Makes it at least `bytes` long; what is new is zero. Throws OutOfMemory, and then it is as
  /// it was.
  void grow(std::size_t bytes);
  /// May be elsewhere after grow().
  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace heddle
