// Hand-made safetensors files.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace heddle::testing {

inline std::string length_field(std::uint64_t length) {
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes;
}

/// The bytes of a file with this header and `data` bytes of zeros behind it.
inline std::string file_of(const std::string& header, std::size_t data) {
  return length_field(header.size()) + header + std::string(data, '\0');
}

inline std::string entry(const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace heddle::testing
