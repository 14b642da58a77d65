#include "data/proto_reader.h"

#include "autograd/base/check.h"

namespace heddle {

std::optional<ProtoField> ProtoReader::next() {
  if (rest_.empty()) return std::nullopt;
  const std::uint64_t key = varint();
  ProtoField field;
  field.number = key >> 3;
  check(field.number != 0, "a field has the number 0");
  field.type = static_cast<ProtoField::Type>(key & 7);
  switch (field.type) {
    case ProtoField::Type::kVarint:
      field.integer = varint();
      return field;
    case ProtoField::Type::k64Bits:
      field.integer = fixed(8);
      return field;
    case ProtoField::Type::kBytes:
      field.bytes = take(varint());
      return field;
    case ProtoField::Type::k32Bits:
      field.integer = fixed(4);
      return field;
  }
  fail("a field has the unknown type ", key & 7);
}

std::uint64_t ProtoReader::varint() {
  constexpr int kMostBits = 63;
  std::uint64_t value = 0;
  for (int shift = 0; shift <= kMostBits; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  fail("a number has more than ten bytes");
}

std::uint64_t ProtoReader::fixed(std::size_t size) {
  std::uint64_t value = 0;
  int shift = 0;
  for (const char byte : take(size)) {
    value |= std::uint64_t{static_cast<unsigned char>(byte)} << shift;
    shift += 8;
  }
  return value;
}

std::string_view ProtoReader::take(std::uint64_t size) {
  check(size <= rest_.size(), "a field is longer than what holds it");
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

}  // namespace heddle
