// What users should know about the lines that a model translated.
#pragma once

#include <cstdint>
#include <string>

#include "decode/translator.h"

namespace heddle {

class Remarks {
 public:
  void note(const std::string& line, const Translation& translation);
  std::int64_t lines() const { return lines_; }
  /// To standard error, at the end; `longest` is Translator::longest_source().
  void print(std::int64_t longest) const;

 private:
  std::int64_t lines_ = 0, invalid_ = 0, first_invalid_ = 0;
  std::int64_t cut_ = 0, prefixes_cut_ = 0, unfinished_ = 0;
};

}  // namespace heddle
