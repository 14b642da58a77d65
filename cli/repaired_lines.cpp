#include "cli/repaired_lines.h"

#include <utility>

#include "data/utf8.h"

namespace heddle {

bool RepairedLines::next(std::string& line) {
  std::string_view text;
  if (!reader_.next(text)) {
    std::exchange(invalid_, {}).print(path_, number());
    return false;
  }
  line = invalid_.note(number(), text) ? with_replacements(text) : std::string(text);
  return true;
}

}  // namespace heddle
