#include "autograd/base/growing_memory.h"

#include <sys/mman.h>

#include <limits>

#include "autograd/base/out_of_memory.h"

namespace heddle {

GrowingMemory::~GrowingMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void GrowingMemory::grow(std::size_t bytes) {
  if (bytes <= size_) return;
  constexpr std::size_t kPage = 4096;
  if (bytes > std::numeric_limits<std::size_t>::max() - kPage) throw OutOfMemory(bytes);
  const std::size_t size = (bytes + kPage - 1) / kPage * kPage;
  void* const fresh =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (fresh == MAP_FAILED) throw OutOfMemory(bytes);
  // To a place that was asked for: sanitizers see an mmap, but not where mremap alone would go.
  if (data_ != nullptr &&
      ::mremap(data_, size_, size, MREMAP_MAYMOVE | MREMAP_FIXED, fresh) == MAP_FAILED) {
    ::munmap(fresh, size);
    throw OutOfMemory(bytes);
  }
  data_ = static_cast<std::byte*>(fresh);
  size_ = size;
}

}  // namespace heddle
