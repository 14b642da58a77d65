// The JSON header of a safetensors file, from and to text. Used by safetensors.cpp alone.
//
// Reading checks what the text says about itself: UTF-8, JSON, exactly the keys of the format, no
// key twice, known dtypes, plain non-negative integers. Whether the numbers agree with each other
// and with the file is checked in safetensors.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/safetensors.h"

namespace heddle {

struct SafetensorsDType {
  std::string_view name;
  unsigned bits;
};

/// The dtype of this name; null for an unknown one.
const SafetensorsDType* find_safetensors_dtype(std::string_view name);

/// One tensor as the header describes it, its numbers not yet checked.
struct HeaderEntry {
  static constexpr std::size_t kMaxRank = 8;

  std::string name;
  std::size_t header_byte = 0;  // where its name ends
  const SafetensorsDType* dtype = nullptr;
  std::array<std::uint64_t, kMaxRank> sizes{};
  std::size_t rank = 0;
  std::array<std::uint64_t, 2> data_offsets{};
};

struct Header {
  std::vector<HeaderEntry> entries;  // in the order of the text
  SafetensorsMetadata metadata;
};

/// Throws FileError beginning with `path`.
Header parse_safetensors_header(const std::string& path, std::string_view text);

/// The header for tensors that lie one after the other in this order, padded with spaces so that
/// the data begins at a multiple of 64. Throws FileError where it grows too long or a name is not
/// UTF-8.
std::string format_safetensors_header(const std::string& path,
                                      std::span<const TensorToWrite> tensors,
                                      const SafetensorsMetadata& metadata);

/// Bytes of the tensor's data. Precondition: a known dtype of whole bytes.
std::uint64_t bytes_of(const TensorToWrite& tensor);

/// `text` in quotes for a message: control characters as ?, the end of long ones left out.
std::string in_quotes(std::string_view text);

}  // namespace heddle
