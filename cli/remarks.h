// What users should know about the lines that went in: said on standard error, with how many there
// are of a kind and where the first one stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "decode/translator.h"

namespace heddle {

/// Lines of one kind.
struct Noted {
  std::int64_t lines = 0, first = 0;

  void note(std::int64_t line) {
    if (lines++ == 0) first = line;
  }
};

/// Lines that are no UTF-8; what is invalid in them is read as U+FFFD.
class InvalidLines {
 public:
  /// Says whether it is one.
  bool note(std::int64_t line, std::string_view text);
  /// Of `lines` lines, of the file of this name.
  void print(const std::string& name, std::int64_t lines) const;

 private:
  Noted noted_;
  std::size_t byte_ = 0;  // of the first one, from 1
};

/// What happened to lines that were translated.
class Remarks {
 public:
  void note(const std::string& line, const Translation& translation);
  std::int64_t lines() const { return lines_; }
  /// `name` is where they come from, `longest` is Translator::longest_source().
  void print(const std::string& name, std::int64_t longest) const;

 private:
  std::int64_t lines_ = 0;
  InvalidLines invalid_;
  Noted unknown_, cut_, prefixes_cut_, prefixes_unknown_, unfinished_;
};

}  // namespace heddle
