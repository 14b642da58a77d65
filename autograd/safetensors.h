// The safetensors container: named tensors in one file, as the Hugging Face tools read and write
// it.
//
//   u64 N (little-endian) | N bytes of JSON | data, row-major, little-endian, without gaps
//
// JSON: {"__metadata__": {string: string}, name: {"dtype": "F32", "shape": [2, 3],
// "data_offsets": [begin, end]}, ...}, offsets counted from the first byte of the data. A reader
// believes nothing: everything is checked before data is touched. Every failure is a FileError that
// names file, tensor, reason and byte. "Header byte k" is how many bytes of the JSON text had been
// read, or for offsets and sizes: where the tensor's name ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/base/dtype.h"
#include "autograd/base/mapped_file.h"
#include "autograd/base/shape.h"

namespace heddle {

/// Free text of the file, by key.
using SafetensorsMetadata = std::map<std::string, std::string, std::less<>>;

inline constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;  // bytes
inline constexpr std::string_view kSafetensorsFormatVersion = "1";

struct SafetensorsEntry {
  std::string name;
  std::string_view dtype;  // as the file writes it; also types that Heddle cannot load
  Shape shape;
  std::uint64_t begin, end;  // bytes of the data
};

class SafetensorsFile {
 public:
  /// Maps the file and checks all of it but the values. With MapMode::kPrivate the tensors can be
  /// written in place, without any effect on the file.
  explicit SafetensorsFile(const std::filesystem::path& path, MapMode mode = MapMode::kReadOnly);

  /// In the order of their data.
  std::span<const SafetensorsEntry> entries() const { return entries_; }

  /// The tensor of this name; null where there is none.
  const SafetensorsEntry* find(std::string_view name) const;

  /// The tensor of this name; throws, with the nearest name, where there is none.
  const SafetensorsEntry& at(std::string_view name) const;

  /// The tensor's element type; throws where Heddle has none for it.
  DType dtype(const SafetensorsEntry& entry) const;

  /// The tensor's bytes. Files of other writers align them to 8 bytes only, or not at all: copy
  /// with memcpy where the address is not a multiple of the element's size.
  std::span<const std::byte> bytes(const SafetensorsEntry& entry) const {
    return data().subspan(entry.begin, entry.end - entry.begin);
  }

  /// All tensors' bytes, one after the other. Aligned to 64 bytes in files that Heddle wrote.
  std::span<const std::byte> data() const { return file_.bytes().subspan(data_begin_); }
  /// The same for writing. Precondition: opened with MapMode::kPrivate.
  std::span<std::byte> writable_data() { return file_.writable_bytes().subspan(data_begin_); }

  const std::string& path() const { return path_; }
  const SafetensorsMetadata& metadata() const { return metadata_; }

 private:
  std::string path_;
  MappedFile file_;
  std::uint64_t data_begin_ = 0;  // byte of the file
  std::vector<SafetensorsEntry> entries_;
  std::vector<std::size_t> by_name_;  // positions in entries_
  SafetensorsMetadata metadata_;
};

struct TensorToWrite {
  std::string name;
  std::string_view dtype;  // F64, F32, F16, BF16, I64, U8 or I8
  Shape shape;
  const void* data;
};

/// The dtype string of a float32, float64, int32 or uint8 tensor.
std::string_view safetensors_dtype(DType dtype);

/// Writes the file whole or not at all (see AtomicFile), its data aligned to 64 bytes, straight
/// from the tensors' memory. The given order is kept where all elements have the same size;
/// otherwise larger elements come first, so that every tensor is aligned to its element. The
/// metadata always gets "format": "pt" (transformers asks for it) and, unless given,
/// "format_version".
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       SafetensorsMetadata metadata = {});

}  // namespace heddle
