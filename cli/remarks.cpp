#include "cli/remarks.h"

#include <fmt/core.h>

#include "data/utf8.h"

namespace heddle {

void Remarks::note(const std::string& line, const Translation& translation) {
  ++lines_;
  if (first_invalid_byte(line) && invalid_++ == 0) first_invalid_ = lines_;
  if (translation.cut) ++cut_;
  if (translation.prefix_cut) ++prefixes_cut_;
  if (!translation.outputs.empty() && !translation.outputs.front().hypothesis.finished) {
    ++unfinished_;
  }
}

void Remarks::print(std::int64_t longest) const {
  if (invalid_ > 0) {
    fmt::print(stderr, "heddle: {} of {} lines are not valid UTF-8, the first is line {}\n",
               invalid_, lines_, first_invalid_);
  }
  if (cut_ > 0) {
    fmt::print(stderr,
               "heddle: {} of {} lines are longer than {} tokens; their ends were left out\n", cut_,
               lines_, longest);
  }
  if (prefixes_cut_ > 0) {
    fmt::print(stderr,
               "heddle: {} of {} prefixes have as many tokens as the model has positions; their "
               "ends were left out\n",
               prefixes_cut_, lines_);
  }
  if (unfinished_ > 0) {
    fmt::print(stderr,
               "heddle: {} of {} translations did not end and were cut at the largest length, "
               "which --max-length or decode.max_length says\n",
               unfinished_, lines_);
  }
}

}  // namespace heddle
