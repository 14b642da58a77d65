#include "cli/remarks.h"

#include <fmt/core.h>

#include "cli/standard_error.h"
#include "data/utf8.h"

namespace heddle {

namespace {

void say(const Noted& noted, std::int64_t lines, const std::string& what,
         const char* then_what = "") {
  if (noted.lines == 0) return;
  print_to_stderr("heddle: {} of {} {}, the first is line {}{}\n", noted.lines, lines, what,
                  noted.first, then_what);
}

}  // namespace

bool InvalidLines::note(std::int64_t line, std::string_view text) {
  const std::optional<std::size_t> at = first_invalid_byte(text);
  if (!at) return false;
  if (noted_.lines == 0) byte_ = *at + 1;
  noted_.note(line);
  return true;
}

void InvalidLines::print(const std::string& name, std::int64_t lines) const {
  const std::string byte = " (byte " + std::to_string(byte_) + ")";
  say(noted_, lines, "lines of " + name + " are not valid UTF-8", byte.c_str());
}

void Remarks::note(const std::string& line, const Translation& translation) {
  ++lines_;
  invalid_.note(lines_, line);
  if (translation.unknown) unknown_.note(lines_);
  if (translation.cut) cut_.note(lines_);
  if (translation.prefix_cut) prefixes_cut_.note(lines_);
  if (translation.prefix_unknown) prefixes_unknown_.note(lines_);
  if (!translation.outputs.empty() && !translation.outputs.front().hypothesis.finished) {
    unfinished_.note(lines_);
  }
}

void Remarks::print(const std::string& name, std::int64_t longest) const {
  invalid_.print(name, lines_);
  say(unknown_, lines_, "lines have no symbol that the model knows");
  say(cut_, lines_, fmt::format("lines are longer than {} tokens", longest),
      "; their ends were left out");
  say(prefixes_cut_, lines_, "prefixes have as many tokens as the model has positions",
      "; their ends were left out");
  say(prefixes_unknown_, lines_, "prefixes hold characters or words that the model does not know",
      "; the outputs begin with them as given, but the model cannot tell what they are");
  say(unfinished_, lines_, "translations did not end",
      "; they were cut at the largest length, which --max-length or decode.max_length says");
}

}  // namespace heddle
