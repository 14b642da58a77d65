#include "autograd/base/aligned.h"

#include <unistd.h>

#include <cstring>
#include <new>

#include "autograd/base/out_of_memory.h"

namespace heddle {

namespace {
constexpr std::align_val_t kAlignment{64};
}

std::shared_ptr<void> allocate_zeros(std::size_t bytes) {
  void* memory = ::operator new(bytes, kAlignment, std::nothrow);
  if (memory == nullptr) throw OutOfMemory(bytes);
  std::memset(memory, 0, bytes);
  return {memory, [](void* block) { ::operator delete(block, kAlignment); }};
}

std::int64_t physical_memory() {
  return std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGE_SIZE);
}

}  // namespace heddle
