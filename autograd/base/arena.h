// Memory that lives for one step: a bump allocator that is reset, not freed.
//
// Memory comes in chunks. When a step needs more than there is, a chunk is added; the next reset
// replaces all chunks by one with an eighth to spare, present from end to end: a steady step
// allocates nothing and meets no page for the first time. Debug and AddressSanitizer builds fill
// released memory with 0xFF (as floats: NaN) and the sanitizer reports every access to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace heddle {

class Arena {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kFirstChunk = std::size_t{1} << 20;

  explicit Arena(std::size_t first_chunk = kFirstChunk);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `bytes` of uninitialised memory, aligned to 64 bytes; throws OutOfMemory.
  void* allocate(std::size_t bytes);

  /// `count` uninitialised elements.
  template <class T>
  T* allocate(std::int64_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena never runs destructors");
    return static_cast<T*>(allocate(static_cast<std::size_t>(count) * sizeof(T)));
  }

  /// A copy of `values` that lives as long as the step.
  template <class T>
  std::span<const T> copy(std::span<const T> values) {
    T* memory = allocate<T>(static_cast<std::int64_t>(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) memory[i] = values[i];
    return {memory, values.size()};
  }

  /// A position to go back to: everything allocated after it is released by release().
  struct Mark {
    std::size_t chunk;   // index
    std::size_t offset;  // first free byte in it
    std::size_t before;  // bytes used in the chunks before it
  };
  Mark mark() const { return {current_, offset_, before_}; }
  void release(Mark mark);

  /// Releases everything and begins a new generation; several chunks become one.
  void reset();

  std::uint32_t generation() const { return generation_; }
  std::size_t used() const;                   // bytes now
  std::size_t peak() const { return peak_; }  // most bytes in use at once, ever
  std::size_t capacity() const;
  std::int64_t growths() const { return growths_; }  // chunks ever allocated

 private:
  struct Chunk {
    std::byte* memory;
    std::size_t size;
  };
  enum class Pages { kAsUsed, kPresent };
  void add_chunk(std::size_t size, Pages pages = Pages::kAsUsed);
  void free_chunks();

  std::vector<Chunk> chunks_;
  std::size_t current_ = 0;  // index of the chunk in use
  std::size_t offset_ = 0;   // first free byte in it
  std::size_t before_ = 0;   // bytes used in the chunks before it
  std::size_t peak_ = 0;
  std::int64_t growths_ = 0;
  std::uint32_t generation_ = 1;
};

/// Releases what was allocated during its life: scratch memory of one kernel call.
class ArenaScope {
 public:
  explicit ArenaScope(Arena& arena) : arena_(arena), mark_(arena.mark()) {}
  ~ArenaScope() { arena_.release(mark_); }
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

 private:
  Arena& arena_;
  Arena::Mark mark_;
};

}  // namespace heddle
