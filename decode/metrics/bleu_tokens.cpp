#include "data/utf8.h"
#include "data/white_space.h"
#include "decode/metrics/bleu.h"
#include "decode/metrics/words.h"

namespace heddle {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_full_stop(char c) {
  return c == '.' || c == ',';
}

// ASCII punctuation but the apostrophe, the comma, the hyphen and the full stop.
bool always_stands_alone(char c) {
  return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// Each pair of neighbours that `matches`, from left to right without overlap, with spaces around
// its second or its first character.
template <class Matches>
std::string set_apart(const std::string& text, bool second, const Matches& matches) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !matches(text[i], text[i + 1])) {
      result += text[i];
      continue;
    }
    result += second ? std::string{text[i], ' ', text[i + 1], ' '}
                     : std::string{' ', text[i], ' ', text[i + 1]};
    ++i;
  }
  return result;
}

// mteval-v13a.pl, Western languages. Bytes are enough: all that it looks for is ASCII.
std::string tokens_13a(std::string_view line) {
  std::string text(line);
  replace_all(text, "<skipped>", "");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  std::string apart = " ";
  for (const char c : text) {
    apart += always_stands_alone(c) ? std::string{' ', c, ' '} : std::string{c};
  }
  apart += ' ';
  apart = set_apart(apart, true, [](char a, char b) { return !is_digit(a) && is_full_stop(b); });
  apart = set_apart(apart, false, [](char a, char b) { return is_full_stop(a) && !is_digit(b); });
  return set_apart(apart, true, [](char a, char b) { return is_digit(a) && b == '-'; });
}

}  // namespace

std::string bleu_tokens(std::string_view line, BleuTokens tokens) {
  line = without_trailing_space(line);
  std::string apart;
  switch (tokens) {
    case BleuTokens::k13a:
      apart = tokens_13a(line);
      break;
    case BleuTokens::kNone:
      apart = line;
      break;
    case BleuTokens::kChar:
      for (const CodePoint& c : CodePoints(line)) apart.append(c.bytes).append(" ");
      break;
  }
  std::string joined;
  for (const std::string_view word : words_of(apart)) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
}

}  // namespace heddle
