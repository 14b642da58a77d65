// What a type of tokenizer brings to the table in tokenizer.cpp, and the text format that all of
// them write: the line "heddle tokenizer 1", the line with the type, and what the type adds.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "data/tokenizer.h"

namespace heddle {

/// A tokenizer's bytes, read from the front; every failure is a FileError that names them.
class TokenizerFile {
 public:
  TokenizerFile(std::string_view bytes, std::string name);

  /// The next line, without its end.
  std::string_view line();
  /// The number of the line that line() gave last.
  std::size_t line_number() const { return line_number_; }
  /// The value of the next line, which must be `key`, one blank and the value.
  std::string_view value_of(std::string_view key);
  /// The same as a decimal or a hexadecimal number without sign.
  std::uint64_t number_of(std::string_view key, int base = 10);
  /// Everything that was not read yet.
  std::string_view rest() const { return rest_; }

  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check<FileError>(condition, name_, ": ", parts...);
  }

 private:
  std::string_view rest_;
  std::string name_;
  std::size_t line_number_ = 0;
};

/// Throws Error unless `id` is one of the vocabulary's.
inline void check_token_id(std::int32_t id, const Vocabulary& vocabulary) {
  check(id >= 0 && id < vocabulary.size, "decode: id ", id, " is not in a vocabulary of ",
        vocabulary.size);
}

/// Where the keys of a tokenizer stand, for errors.
std::string place_of(const Config& config);

/// The first two lines of a file.
std::string tokenizer_header(std::string_view type);

struct TokenizerKind {
  void (*read_config)(const Config&);
  std::unique_ptr<Tokenizer> (*train)(const Config&, const LineSource&);
  std::unique_ptr<Tokenizer> (*load)(TokenizerFile&);
};

TokenizerKind byte_tokenizer();
TokenizerKind character_tokenizer();
TokenizerKind subword_tokenizer();
TokenizerKind word_tokenizer();

}  // namespace heddle
