#include "train/plot/xml.h"

#include "data/utf8.h"

namespace heddle {

namespace {

bool allowed(const CodePoint& c) {
  const bool blank = c.value == U'\t' || c.value == U'\n' || c.value == U'\r';
  return c.valid && (c.value >= U' ' || blank) && c.value != U'\uFFFE' && c.value != U'\uFFFF';
}

}  // namespace

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const CodePoint& c : CodePoints(text)) {
    switch (c.value) {
      case U'&':
        escaped += "&amp;";
        break;
      case U'<':
        escaped += "&lt;";
        break;
      case U'>':
        escaped += "&gt;";
        break;
      case U'"':
        escaped += "&quot;";
        break;
      case U'\'':
        escaped += "&#39;";
        break;
      default:
        escaped += allowed(c) ? c.bytes : kReplacementCharacter;
    }
  }
  return escaped;
}

}  // namespace heddle
