#include "autograd/base/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

#include "autograd/base/out_of_memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define HEDDLE_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEDDLE_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef HEDDLE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace heddle {

namespace {

// Chunks of this size and more are aligned to it, so that the kernel can back them by huge pages.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t rounded_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// Fresh pages of the system: those of a heap may be in use in part, and then the kernel makes huge
// pages of them hours later, with memory that nobody asked for.
std::byte* map(std::size_t size) {
  void* const all =
      ::mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) throw OutOfMemory(size);
  auto* const begin = static_cast<std::byte*>(all);
  const std::size_t before = rounded_up(reinterpret_cast<std::uintptr_t>(begin), kHugePage) -
                             reinterpret_cast<std::uintptr_t>(begin);
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + size, kHugePage - before);
  // A hint only: where it is refused nothing is lost but speed.
  static_cast<void>(::madvise(begin + before, size, MADV_HUGEPAGE));
  return begin + before;
}

std::byte* obtain(std::size_t size) {
  if (size >= kHugePage) return map(size);
  void* const memory = ::operator new (size, std::align_val_t{Arena::kAlignment}, std::nothrow);
  if (memory == nullptr) throw OutOfMemory(size);
  return static_cast<std::byte*>(memory);
}

void give_back(std::byte* memory, std::size_t size) {
  if (size >= kHugePage) {
    ::munmap(memory, size);
  } else {
    ::operator delete (memory, std::align_val_t{Arena::kAlignment});
  }
}

// So that the kernel provides every page now.
void write_to_pages(std::byte* memory, std::size_t size) {
  constexpr std::size_t kPage = 4096;
  for (std::size_t i = 0; i < size; i += kPage) memory[i] = std::byte{0};
}

void unpoison([[maybe_unused]] std::byte* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef HEDDLE_ADDRESS_SANITIZER
  ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
#endif
}

void poison([[maybe_unused]] std::byte* memory, [[maybe_unused]] std::size_t bytes) {
  unpoison(memory, bytes);  // parts may have been released before
#if defined(HEDDLE_ADDRESS_SANITIZER) || !defined(NDEBUG)
  if (bytes > 0) std::memset(memory, 0xFF, bytes);
#endif
#ifdef HEDDLE_ADDRESS_SANITIZER
  ASAN_POISON_MEMORY_REGION(memory, bytes);
#endif
}

}  // namespace

Arena::Arena(std::size_t first_chunk) {
  add_chunk(std::max(first_chunk, kAlignment));
}

Arena::~Arena() {
  free_chunks();
}

void* Arena::allocate(std::size_t bytes) {
  // One byte at least, so that two allocations never share an address.
  const std::size_t size = rounded_up(std::max<std::size_t>(bytes, 1), kAlignment);
  while (size > chunks_[current_].size - offset_) {
    if (current_ + 1 == chunks_.size()) add_chunk(std::max(size, capacity()));
    before_ += offset_;
    ++current_;
    offset_ = 0;
  }
  std::byte* memory = chunks_[current_].memory + offset_;
  unpoison(memory, size);
  offset_ += size;
  peak_ = std::max(peak_, used());
  return memory;
}

void Arena::release(Mark mark) {
  while (current_ > mark.chunk) {
    poison(chunks_[current_].memory, offset_);
    --current_;
    offset_ = chunks_[current_].size;  // how far it was used is not kept: up to its end
  }
  poison(chunks_[current_].memory + mark.offset, offset_ - mark.offset);
  offset_ = mark.offset;
  before_ = mark.before;
}

void Arena::reset() {
  release({0, 0, 0});
  if (chunks_.size() > 1) {
    const std::size_t first = chunks_.front().size;
    free_chunks();
    try {
      add_chunk(peak_ + peak_ / 8, Pages::kPresent);
    } catch (const std::bad_alloc&) {
      add_chunk(first);  // there was room for the pieces: they come back one by one
    }
  }
  ++generation_;
}

std::size_t Arena::used() const {
  return before_ + offset_;
}

std::size_t Arena::capacity() const {
  std::size_t total = 0;
  for (const Chunk& chunk : chunks_) total += chunk.size;
  return total;
}

void Arena::add_chunk(std::size_t size, Pages pages) {
  size = rounded_up(size, size >= kHugePage ? kHugePage : kAlignment);
  chunks_.reserve(chunks_.size() + 1);
  std::byte* const memory = obtain(size);
  if (pages == Pages::kPresent) write_to_pages(memory, size);
  chunks_.push_back({memory, size});
  ++growths_;
  poison(memory, size);
}

void Arena::free_chunks() {
  for (const Chunk& chunk : chunks_) {
    unpoison(chunk.memory, chunk.size);
    give_back(chunk.memory, chunk.size);
  }
  chunks_.clear();
}

}  // namespace heddle
