// What is thrown where large blocks of memory cannot be had: std::bad_alloc that knows how much.
#pragma once

#include <cstddef>
#include <new>

namespace heddle {

class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::size_t bytes) noexcept : bytes_(bytes) {}

  const char* what() const noexcept override { return "not enough memory"; }
  /// That were asked for, on top of what was in use.
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_;
};

}  // namespace heddle
