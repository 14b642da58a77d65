// Large blocks of memory that live long: slabs of parameters, gradients, optimizer moments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace heddle {

/// `bytes` of zeros, aligned to 64 bytes; throws OutOfMemory.
std::shared_ptr<void> allocate_zeros(std::size_t bytes);

/// Bytes of memory that this machine has, whoever uses them.
std::int64_t physical_memory();

}  // namespace heddle
