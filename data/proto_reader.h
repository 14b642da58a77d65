// Protocol buffers, read field by field from memory: key = number << 3 | wire type, then the value.
// See https://protobuf.dev/programming-guides/encoding/. Nothing is allocated.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace heddle {

struct ProtoField {
  std::uint64_t number = 0;
  std::uint64_t integer = 0;  // where it is a varint, or 32 or 64 bits as they stand
  std::string_view bytes;     // where it is text, bytes or a message
  enum class Type { kVarint = 0, k64Bits = 1, kBytes = 2, k32Bits = 5 } type = Type::kVarint;
};

class ProtoReader {
 public:
  explicit ProtoReader(std::string_view message) : rest_(message) {}

  /// The next field; nothing at the end. Throws Error where the bytes are none.
  std::optional<ProtoField> next();
  /// What was not read yet.
  std::string_view rest() const { return rest_; }

 private:
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t size);
  std::string_view take(std::uint64_t size);

  std::string_view rest_;
};

}  // namespace heddle
