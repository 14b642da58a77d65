#include "autograd/safetensors_header.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <tuple>
#include <utility>

#include "autograd/base/check.h"
#include "autograd/base/counting_iterator.h"
#include "autograd/base/text_file.h"

namespace heddle {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kDataAlignment = 64;
constexpr std::string_view kMetadataKey = "__metadata__";
// An entry of the metadata costs many times the bytes of its text; writers have a handful.
constexpr std::size_t kMostMetadata = 100'000;

constexpr SafetensorsDType kDTypes[] = {
    {"BOOL", 8},    {"U8", 8},      {"I8", 8},          {"I16", 16},        {"U16", 16},
    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"F64", 64},    {"I64", 64},    {"U64", 64},        {"C64", 64},        {"F8_E5M2", 8},
    {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6},
    {"F6_E3M2", 6}, {"F4", 4},
};

/// Receives the tokens of the header and accepts those that the format allows at their place. The
/// parser keeps its own stack and nothing here nests deeper than the format, so that hostile text
/// costs neither stack nor memory.
class HeaderReader {
 public:
  HeaderReader(const std::string& path, const std::size_t* bytes_read)
      : path_(path), bytes_read_(bytes_read) {}

  Header take() { return std::move(header_); }

  bool start_object(std::size_t) {
    if (place_ == Place::kOutside) return move_to(Place::kRoot);
    if (place_ != Place::kRoot) unexpected("an object");
    if (key_ == kMetadataKey) {
      if (std::exchange(metadata_seen_, true)) refuse("the key appears twice");
      return move_to(Place::kMetadata);
    }
    header_.entries.emplace_back();
    header_.entries.back().name = key_;
    header_.entries.back().header_byte = key_byte_;
    fields_seen_ = 0;
    return move_to(Place::kEntry);
  }

  bool key(std::string& text) {
    if (place_ == Place::kRoot) {
      key_ = text;
      key_byte_ = *bytes_read_;
      return true;
    }
    if (place_ == Place::kMetadata) {
      const bool fresh = header_.metadata.try_emplace(text).second;
      if (!fresh) refuse("key ", in_quotes(text), " appears twice");
      if (header_.metadata.size() > kMostMetadata)
        refuse("holds more than ", kMostMetadata, " keys");
      metadata_key_ = text;
      return true;
    }
    const auto* field = std::find(std::begin(kFields), std::end(kFields), text);
    if (field == std::end(kFields)) refuse("unknown key ", in_quotes(text));
    field_ = static_cast<Field>(field - std::begin(kFields));
    const unsigned bit = 1U << field_;
    if ((fields_seen_ & bit) != 0) refuse("key ", in_quotes(text), " appears twice");
    fields_seen_ |= bit;
    return true;
  }

  bool end_object() {
    if (place_ == Place::kRoot) return move_to(Place::kOutside);
    if (place_ == Place::kEntry) {
      for (unsigned field = 0; field < std::size(kFields); ++field) {
        if ((fields_seen_ & 1U << field) == 0) refuse("has no ", kFields[field]);
      }
    }
    return move_to(Place::kRoot);
  }

  bool start_array(std::size_t) {
    if (place_ != Place::kEntry || field_ == kDType) unexpected("a list");
    numbers_ = 0;
    return move_to(Place::kNumbers);
  }

  bool number_unsigned(std::uint64_t value) {
    if (place_ != Place::kNumbers) unexpected("a number");
    HeaderEntry& entry = header_.entries.back();
    const std::size_t limit = field_ == kShape ? entry.sizes.size() : entry.data_offsets.size();
    if (numbers_ == limit) refuse(kFields[field_], " holds more than ", limit, " numbers");
    (field_ == kShape ? &entry.sizes[0] : &entry.data_offsets[0])[numbers_++] = value;
    return true;
  }

  bool end_array() {
    HeaderEntry& entry = header_.entries.back();
    if (field_ == kShape) entry.rank = numbers_;
    if (field_ == kDataOffsets && numbers_ != 2) {
      refuse("data_offsets holds ", numbers_, " numbers, not 2");
    }
    return move_to(Place::kEntry);
  }

  bool string(std::string& text) {
    if (place_ == Place::kMetadata) {
      header_.metadata[metadata_key_] = text;
      return true;
    }
    if (place_ != Place::kEntry || field_ != kDType) unexpected("a string");
    header_.entries.back().dtype = find_safetensors_dtype(text);
    if (header_.entries.back().dtype == nullptr) refuse("unknown dtype ", in_quotes(text));
    return true;
  }

  bool null() { unexpected("null"); }
  bool boolean(bool) { unexpected("a boolean"); }
  bool binary(Json::binary_t&) { unexpected("binary data"); }
  bool number_integer(std::int64_t value) { unexpected(value == 0 ? "-0" : std::to_string(value)); }
  bool number_float(double, const std::string& text) { unexpected(text); }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: <reason>; last read: ..."
    std::string_view reason = error.what();
    reason.remove_prefix(reason.find("] ") + 2);
    if (reason.starts_with("parse error at")) reason.remove_prefix(reason.find(": ") + 2);
    reason = reason.substr(0, reason.find("; last read"));
    fail<FileError>(path_, ": the header is not valid JSON: ", reason.substr(0, 200),
                    " (header byte ", *bytes_read_, ")");
  }

 private:
  enum class Place { kOutside, kRoot, kMetadata, kEntry, kNumbers };
  enum Field : unsigned { kDType, kShape, kDataOffsets };
  static constexpr std::string_view kFields[] = {"dtype", "shape", "data_offsets"};

  bool move_to(Place place) {
    place_ = place;
    return true;
  }

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... reason) const {
    const std::string subject = key_ == kMetadataKey ? key_ : "tensor " + in_quotes(key_);
    fail<FileError>(path_, ": ", subject, ": ", reason..., " (header byte ", *bytes_read_, ")");
  }

  /// Something other than what belongs here.
  [[noreturn]] void unexpected(std::string_view found) const {
    found = found.substr(0, 40);
    if (place_ == Place::kRoot) refuse("needs an object, not ", found);
    if (place_ == Place::kMetadata) {
      refuse(in_quotes(metadata_key_), " needs a string, not ", found);
    }
    if (place_ == Place::kEntry) {
      refuse(kFields[field_], " needs a ", field_ == kDType ? "string" : "list", ", not ", found);
    }
    if (place_ == Place::kNumbers) {
      refuse(kFields[field_], " needs plain integers from 0 to 2^64 - 1, not ", found);
    }
    fail<FileError>(path_, ": the header needs an object, not ", found, " (header byte ",
                    *bytes_read_, ")");
  }

  const std::string& path_;
  const std::size_t* bytes_read_;
  Header header_;
  Place place_ = Place::kOutside;
  std::string key_;           // the last one at the root
  std::size_t key_byte_ = 0;  // where it ends
  std::string metadata_key_;
  bool metadata_seen_ = false;
  Field field_ = kDType;
  unsigned fields_seen_ = 0;  // one bit for each
  std::size_t numbers_ = 0;   // of the list being read
};

/// Throws where two entries have the same name.
void check_names(const std::string& path, const std::vector<HeaderEntry>& entries) {
  std::vector<const HeaderEntry*> sorted;
  sorted.reserve(entries.size());
  for (const HeaderEntry& entry : entries) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const HeaderEntry* a, const HeaderEntry* b) {
    return std::tie(a->name, a->header_byte) < std::tie(b->name, b->header_byte);
  });
  const auto same = [](const HeaderEntry* a, const HeaderEntry* b) { return a->name == b->name; };
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end(), same);
  if (twice == sorted.end()) return;
  fail<FileError>(path, ": tensor ", in_quotes((*twice)->name),
                  ": the name appears twice (header byte ", twice[1]->header_byte, ")");
}

/// The position at or before `at` where a UTF-8 character begins.
std::size_t character_start(std::string_view text, std::size_t at) {
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

}  // namespace

const SafetensorsDType* find_safetensors_dtype(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kDTypes), std::end(kDTypes),
                   [&](const SafetensorsDType& dtype) { return dtype.name == name; });
  return found == std::end(kDTypes) ? nullptr : found;
}

Header parse_safetensors_header(const std::string& path, std::string_view text) {
  // The parser would end the text at a NUL and skip a byte order mark.
  const std::size_t nul = text.find('\0');
  check<FileError>(nul == text.npos, path, ": the header is not valid JSON: NUL (header byte ", nul,
                   ")");
  check<FileError>(!text.starts_with(kByteOrderMark), path,
                   ": the header is not valid JSON: byte order mark (header byte 0)");
  std::size_t bytes_read = 0;
  HeaderReader reader(path, &bytes_read);
  const char* begin = text.data();
  Json::sax_parse(CountingIterator(begin, &bytes_read),
                  CountingIterator(begin + text.size(), &bytes_read), &reader);
  Header header = reader.take();
  check_names(path, header.entries);
  return header;
}

std::uint64_t bytes_of(const TensorToWrite& tensor) {
  const std::uint64_t bits = find_safetensors_dtype(tensor.dtype)->bits;
  return static_cast<std::uint64_t>(tensor.shape.elements()) * bits / 8;
}

std::string format_safetensors_header(const std::string& path,
                                      std::span<const TensorToWrite> tensors,
                                      const SafetensorsMetadata& metadata) try {
  std::ostringstream text;
  text << "{" << Json(kMetadataKey) << ":" << Json(metadata);
  std::uint64_t begin = 0;
  for (const TensorToWrite& tensor : tensors) {
    const std::uint64_t end = begin + bytes_of(tensor);
    text << "," << Json(tensor.name) << R"(:{"dtype":")" << tensor.dtype << R"(","shape":)"
         << Json(tensor.shape.sizes()) << R"(,"data_offsets":[)" << begin << "," << end << "]}";
    begin = end;
  }
  text << "}";
  std::string header = text.str();
  const std::size_t data_begin = (sizeof(std::uint64_t) + header.size() + kDataAlignment - 1) /
                                 kDataAlignment * kDataAlignment;
  header.resize(data_begin - sizeof(std::uint64_t), ' ');
  check<FileError>(header.size() <= kMaxSafetensorsHeader, "cannot write ", path, ": a header of ",
                   header.size(), " bytes, the limit is ", kMaxSafetensorsHeader);
  return header;
} catch (const Json::exception&) {
  fail<FileError>("cannot write ", path, ": a tensor's name or the metadata is not UTF-8");
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 120;
  std::string result = "\"";
  for (const char c : text.substr(0, kLongest)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    result += control ? '?' : c;
  }
  if (text.size() > kLongest) {
    result.resize(character_start(result, result.size() - 1));
    result += "...";
  }
  return result + "\"";
}

}  // namespace heddle
