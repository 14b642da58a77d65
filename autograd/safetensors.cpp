#include "autograd/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <optional>
#include <sstream>
#include <utility>

#include "autograd/base/atomic_file.h"
#include "autograd/base/check.h"
#include "autograd/base/nearest.h"
#include "autograd/safetensors_header.h"

namespace heddle {

namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr std::size_t kLengthField = sizeof(std::uint64_t);

struct Loadable {
  std::string_view name;
  DType dtype;
};
constexpr Loadable kLoadable[] = {
    {"F32", DType::kFloat32},
    {"F64", DType::kFloat64},
    {"I32", DType::kInt32},
    {"U8", DType::kUInt8},
};

// What the oldest readers know and others load without a question. F64 is for runs in float64,
// which resume to the same bits.
constexpr std::string_view kWritten[] = {"F64", "F32", "F16", "BF16", "I64", "U8", "I8"};

std::string list_of(std::span<const std::uint64_t> numbers) {
  std::ostringstream text;
  text << '[';
  for (std::size_t i = 0; i < numbers.size(); ++i) text << (i == 0 ? "" : ", ") << numbers[i];
  text << ']';
  return text.str();
}

std::span<const std::uint64_t> shape_of(const HeaderEntry& entry) {
  return {entry.sizes.data(), entry.rank};
}

std::string content(const HeaderEntry& entry) {
  return "shape " + list_of(shape_of(entry)) + " of " + std::string(entry.dtype->name);
}

template <class... Parts>
[[noreturn]] void refuse(const std::string& path, const HeaderEntry& entry,
                         const Parts&... reason) {
  fail<FileError>(path, ": tensor ", in_quotes(entry.name), ": ", reason..., " (header byte ",
                  entry.header_byte, ")");
}

/// Bits of the tensor's data; nothing where they overflow.
std::optional<std::uint64_t> bits_of(const HeaderEntry& entry) {
  std::uint64_t elements = 1;
  for (const std::uint64_t size : shape_of(entry)) {
    if (__builtin_mul_overflow(elements, size, &elements)) return std::nullopt;
  }
  std::uint64_t bits = 0;
  if (__builtin_mul_overflow(elements, std::uint64_t{entry.dtype->bits}, &bits))
    return std::nullopt;
  return bits;
}

/// The length of the header, which is inside the file.
std::uint64_t header_length(const std::string& path, std::span<const std::byte> file) {
  check<FileError>(file.size() >= kLengthField, path, ": has ", file.size(),
                   " bytes, a safetensors file has 8 at least (byte 0)");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthField);
  check<FileError>(length <= kMaxSafetensorsHeader, path, ": not a safetensors file: a header of ",
                   length, " bytes is announced, the limit is ", kMaxSafetensorsHeader,
                   " (byte 0)");
  check<FileError>(length <= file.size() - kLengthField, path, ": truncated: the header needs ",
                   length, " bytes, the file has ", file.size() - kLengthField,
                   " behind its length (byte 0)");
  return length;
}

/// Checks entries in the order of their data: they cover it without hole or overlap, and each has
/// the size that its shape and dtype ask for. Returns where the data ends.
std::uint64_t check_offsets(const std::string& path, std::span<const HeaderEntry> entries) {
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const HeaderEntry& entry = entries[i];
    const auto [begin, end] = entry.data_offsets;
    const auto reject = [&](const auto&... reason) {
      refuse(path, entry, "data_offsets ", list_of(entry.data_offsets), reason...);
    };
    if (begin > expected) reject(" leave a hole behind data byte ", expected);
    if (begin < expected) {
      reject(" overlap tensor ", in_quotes(entries[i - 1].name), ", which ends at data byte ",
             expected);
    }
    if (end < begin) reject(" end before they begin");
    const std::optional<std::uint64_t> bits = bits_of(entry);
    if (!bits) refuse(path, entry, content(entry), " needs 2^64 bits or more");
    if (*bits % 8 != 0) {
      refuse(path, entry, content(entry), " needs ", *bits, " bits, not whole bytes");
    }
    if (end - begin != *bits / 8) {
      reject(" hold ", end - begin, " bytes, ", content(entry), " needs ", *bits / 8);
    }
    expected = end;
  }
  return expected;
}

Shape to_shape(const std::string& path, const HeaderEntry& entry) {
  if (entry.rank > Shape::kMaxRank) {
    refuse(path, entry, "shape ", list_of(shape_of(entry)), " has ", entry.rank,
           " dimensions, at most ", Shape::kMaxRank, " are supported");
  }
  std::array<std::int64_t, Shape::kMaxRank> sizes{};
  for (std::size_t i = 0; i < entry.rank; ++i) {
    // Only an empty tensor can come here with a size beyond the schema's limit.
    if (entry.sizes[i] >= std::uint64_t{1} << 48) {
      refuse(path, entry, "shape ", list_of(shape_of(entry)), " has a size of 2^48 or more");
    }
    sizes[i] = static_cast<std::int64_t>(entry.sizes[i]);
  }
  try {
    return Shape(std::span<const std::int64_t>(sizes.data(), entry.rank));
  } catch (const Error& error) {
    refuse(path, entry, error.what());
  }
}

void check_tensors(const std::string& path, std::span<const TensorToWrite> tensors) {
  std::vector<std::string_view> names;
  for (const TensorToWrite& tensor : tensors) {
    const auto check_that = [&](bool condition, const auto&... reason) {
      check<FileError>(condition, "cannot write ", path, ": tensor ", in_quotes(tensor.name), ": ",
                       reason...);
    };
    check_that(tensor.name != "__metadata__", "the name belongs to the format");
    check_that(std::ranges::find(kWritten, tensor.dtype) != std::end(kWritten), "dtype ",
               in_quotes(tensor.dtype), " is none of F64, F32, F16, BF16, I64, U8, I8");
    check_that(tensor.data != nullptr || tensor.shape.elements() == 0, "has no data");
    names.push_back(tensor.name);
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  check<FileError>(twice == names.end(), "cannot write ", path, ": two tensors are named ",
                   in_quotes(twice == names.end() ? "" : *twice));
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path, MapMode mode)
    : path_(path.string()), file_(path, mode) {
  const std::span<const std::byte> file = file_.bytes();
  const std::uint64_t length = header_length(path_, file);
  const auto* text = reinterpret_cast<const char*>(file.data() + kLengthField);
  Header header = parse_safetensors_header(path_, {text, length});
  std::ranges::stable_sort(header.entries, {}, &HeaderEntry::data_offsets);

  data_begin_ = kLengthField + length;
  const std::uint64_t data_bytes = file.size() - data_begin_;
  const std::uint64_t needed = check_offsets(path_, header.entries);
  check<FileError>(needed <= data_bytes, path_, ": truncated: the tensors need ", needed,
                   " bytes of data, the file has ", data_bytes, " (byte ", file.size(), ")");
  check<FileError>(needed == data_bytes, path_, ": ", data_bytes - needed,
                   " bytes behind the last tensor (byte ", data_begin_ + needed, ")");

  entries_.reserve(header.entries.size());
  for (HeaderEntry& entry : header.entries) {
    const Shape shape = to_shape(path_, entry);
    const auto [begin, end] = entry.data_offsets;
    entries_.push_back({std::move(entry.name), entry.dtype->name, shape, begin, end});
  }
  by_name_.resize(entries_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::ranges::sort(by_name_, {},
                    [&](std::size_t i) { return std::string_view(entries_[i].name); });
  metadata_ = std::move(header.metadata);
}

const SafetensorsEntry* SafetensorsFile::find(std::string_view name) const {
  const auto name_of_entry = [&](std::size_t i) { return std::string_view(entries_[i].name); };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of_entry);
  if (found == by_name_.end() || entries_[*found].name != name) return nullptr;
  return &entries_[*found];
}

const SafetensorsEntry& SafetensorsFile::at(std::string_view name) const {
  const SafetensorsEntry* entry = find(name);
  if (entry != nullptr) return *entry;
  std::vector<std::string_view> names;
  names.reserve(entries_.size());
  for (const SafetensorsEntry& known : entries_) names.push_back(known.name);
  fail<FileError>(path_, ": no tensor ", in_quotes(name), suggestion(name, names));
}

DType SafetensorsFile::dtype(const SafetensorsEntry& entry) const {
  const auto* found = std::ranges::find(kLoadable, entry.dtype, &Loadable::name);
  check<FileError>(found != std::end(kLoadable), path_, ": tensor ", in_quotes(entry.name),
                   ": cannot be loaded, its dtype ", entry.dtype,
                   " is none of F32, F64, I32, U8 (byte ", data_begin_ + entry.begin, ")");
  return found->dtype;
}

std::string_view safetensors_dtype(DType dtype) {
  return std::ranges::find(kLoadable, dtype, &Loadable::dtype)->name;
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       SafetensorsMetadata metadata) {
  check_tensors(path.string(), tensors);
  metadata["format"] = "pt";
  metadata.try_emplace("format_version", kSafetensorsFormatVersion);

  std::vector<TensorToWrite> ordered(tensors.begin(), tensors.end());
  std::ranges::stable_sort(ordered, std::ranges::greater{}, [](const TensorToWrite& tensor) {
    return find_safetensors_dtype(tensor.dtype)->bits;
  });
  const std::string header = format_safetensors_header(path.string(), ordered, metadata);
  const std::uint64_t length = header.size();

  AtomicFile file(path);
  file.write(&length, sizeof(length));
  file.write(header.data(), header.size());
  for (const TensorToWrite& tensor : ordered) file.write(tensor.data, bytes_of(tensor));
  file.commit();
}

}  // namespace heddle
