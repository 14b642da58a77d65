#include "autograd/base/growing_memory.h"

#include <sys/mman.h>

#include <new>

namespace heddle {

GrowingMemory::~GrowingMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void GrowingMemory::grow(std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  const std::size_t size = (bytes + kPage - 1) / kPage * kPage;
  if (size <= size_) return;
  void* const memory = data_ == nullptr ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                        : ::mremap(data_, size_, size, MREMAP_MAYMOVE);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::byte*>(memory);
  size_ = size;
}

}  // namespace heddle
