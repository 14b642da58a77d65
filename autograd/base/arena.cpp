#include "autograd/base/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

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

std::align_val_t alignment_of(std::size_t size) {
  return std::align_val_t{size >= kHugePage ? kHugePage : Arena::kAlignment};
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
    const std::size_t total = capacity();
    const std::size_t first = chunks_.front().size;
    free_chunks();
    try {
      add_chunk(total);
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

void Arena::add_chunk(std::size_t size) {
  size = rounded_up(size, size >= kHugePage ? kHugePage : kAlignment);
  chunks_.reserve(chunks_.size() + 1);
  auto* memory = static_cast<std::byte*>(::operator new(size, alignment_of(size)));
  // A hint only: where it is refused nothing is lost but speed.
  if (size >= kHugePage) (void)::madvise(memory, size, MADV_HUGEPAGE);
  chunks_.push_back({memory, size});
  ++growths_;
  poison(memory, size);
}

void Arena::free_chunks() {
  for (const Chunk& chunk : chunks_) {
    unpoison(chunk.memory, chunk.size);
    ::operator delete(chunk.memory, alignment_of(chunk.size));
  }
  chunks_.clear();
}

}  // namespace heddle
