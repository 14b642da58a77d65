// The lines of a file that a verb reads, as UTF-8 whatever they hold: what is invalid is replaced.
#pragma once

#include <cstdint>
#include <string>

#include "cli/remarks.h"
#include "data/line_reader.h"

namespace heddle {

class RepairedLines {
 public:
  /// Throws FileError and DataError as LineReader does, as all members do.
  explicit RepairedLines(const std::string& path) : path_(path), reader_(path) {}

  /// The next line; false at the end, which says on standard error what was replaced.
  bool next(std::string& line);
  /// Of the line that was read last, from 1.
  std::int64_t number() const { return reader_.number(); }

 private:
  std::string path_;
  LineReader reader_;
  InvalidLines invalid_;
};

}  // namespace heddle
