#include "tests/support/source_scan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

namespace heddle::testing {

namespace {

constexpr std::array<std::string_view, 7> kPairs = {"::", "==", "!=", "<=", ">=", "[[", "]]"};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Cuts a source into tokens, one call of next() each.
class Scanner {
 public:
  explicit Scanner(std::string_view source) : source_(source) {}

  std::vector<Token> all() {
    while (at_ < source_.size()) step();
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return source_.substr(at_); }

  void step() {
    const char c = source_[at_];
    if (c == '\n') line_starts_ = true;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) return skip(1);
    if (rest().starts_with("//")) return skip(std::min(rest().find('\n'), rest().size()));
    if (rest().starts_with("/*")) return skip(end_of("*/", 2));
    if (c == '#' && line_starts_) return take(TokenKind::kDirective, directive_length());
    line_starts_ = false;
    if (c == '"' || c == '\'') return take(TokenKind::kLiteral, quoted_length());
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      return take(TokenKind::kNumber, number_length());
    }
    if (is_word(c)) return take_word();
    const bool pair = std::ranges::find(kPairs, rest().substr(0, 2)) != kPairs.end();
    take(TokenKind::kPunctuation, pair ? 2 : 1);
  }

  void skip(std::size_t length) {
    line_ += static_cast<int>(std::ranges::count(rest().substr(0, length), '\n'));
    at_ += length;
  }

  void take(TokenKind kind, std::size_t length) {
    tokens_.push_back({kind, std::string(rest().substr(0, length)), line_});
    skip(length);
  }

  /// Length up to the end of `mark`, looked for from `from` on; all that is left without one.
  std::size_t end_of(std::string_view mark, std::size_t from) const {
    const std::size_t found = rest().find(mark, from);
    return found == rest().npos ? rest().size() : found + mark.size();
  }

  std::size_t quoted_length() const {
    std::size_t length = 1;
    while (length < rest().size() && rest()[length] != rest()[0] && rest()[length] != '\n') {
      length += rest()[length] == '\\' ? 2 : 1;
    }
    return std::min(length + 1, rest().size());
  }

  /// Digits, letters, points, digit separators and the signs of exponents.
  std::size_t number_length() const {
    std::size_t length = 1;
    while (length < rest().size()) {
      const char c = rest()[length];
      const char before = rest()[length - 1];
      const bool exponent = std::string_view("eEpP").find(before) != std::string_view::npos;
      const bool sign = (c == '+' || c == '-') && exponent;
      if (!is_word(c) && c != '.' && c != '\'' && !sign) break;
      ++length;
    }
    return length;
  }

  /// To the end of the line, where a backslash continues it, without a comment.
  std::size_t directive_length() const {
    std::size_t length = 0;
    while (length < rest().size() && rest()[length] != '\n') {
      const std::string_view here = rest().substr(length);
      if (here.starts_with("//") || here.starts_with("/*")) break;
      length += here.starts_with("\\\n") ? 2 : 1;
    }
    return length;
  }

  void take_word() {
    std::size_t length = 0;
    while (length < rest().size() && is_word(rest()[length])) ++length;
    const std::string_view word = rest().substr(0, length);
    const char behind = length < rest().size() ? rest()[length] : ' ';
    constexpr std::array<std::string_view, 4> kPrefixes = {"u8", "u", "U", "L"};
    const bool raw = word.ends_with('R') && behind == '"' &&
                     (word == "R" ||
                      std::ranges::find(kPrefixes, word.substr(0, length - 1)) != kPrefixes.end());
    if (!raw) return take(TokenKind::kWord, length);
    const std::size_t open = std::min(rest().find('(', length), rest().size() - 1);
    std::string end(")");
    end.append(rest().substr(length + 1, open - length - 1)).append("\"");
    take(TokenKind::kLiteral, end_of(end, open));
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starts_ = true;  // only white space before on this line
  std::vector<Token> tokens_;
};

using Head = std::span<const Token>;

bool is(const Token& token, std::string_view text) {
  return token.kind != TokenKind::kLiteral && token.text == text;
}

/// The position behind the bracket that closes the one at `at`.
std::size_t behind_group(Head head, std::size_t at, std::string_view open, std::string_view close) {
  int depth = 0;
  for (; at < head.size(); ++at) {
    if (is(head[at], open)) ++depth;
    if (is(head[at], close) && --depth == 0) return at + 1;
  }
  return head.size();
}

Head without_access_label(Head head) {
  constexpr std::array<std::string_view, 3> kLabels = {"public", "protected", "private"};
  const bool label = head.size() > 1 && is(head[1], ":") &&
                     std::ranges::find(kLabels, head[0].text) != kLabels.end();
  return label ? without_access_label(head.subspan(2)) : head;
}

/// The head without what may stand before any declaration: access labels, template parameters,
/// attributes, alignas(...) and specifiers.
Head declaration(Head head) {
  constexpr std::array<std::string_view, 7> kSpecifiers = {
      "static", "inline", "constexpr", "const", "extern", "typedef", "friend"};
  head = without_access_label(head);
  std::size_t at = 0;
  while (at < head.size()) {
    if (is(head[at], "template")) {
      at = behind_group(head, at, "<", ">");
    } else if (is(head[at], "[[")) {
      at = behind_group(head, at, "[[", "]]");
    } else if (is(head[at], "alignas")) {
      at = behind_group(head, at, "(", ")");
    } else if (std::ranges::find(kSpecifiers, head[at].text) != kSpecifiers.end()) {
      ++at;
    } else {
      break;
    }
  }
  return head.subspan(at);
}

enum class Block { kScope, kFunction, kInitialiser };

/// What the brackets of a head say about the block behind it.
struct Outline {
  bool parentheses = false;
  bool open = false;          // inside a parenthesis at the end: a default argument
  bool initialisers = false;  // a constructor's list has begun
  bool assigned = false;
  bool lambda = false;  // assigned
};

Outline outline_of(Head head) {
  Outline outline;
  int depth = 0;
  bool after_operator = false;
  for (std::size_t i = 0; i < head.size() && !outline.assigned; ++i) {
    if (is(head[i], "alignas")) i = behind_group(head, i, "(", ")");
    if (i == head.size()) break;
    if (is(head[i], "operator")) after_operator = true;
    if (is(head[i], "(")) {
      ++depth;
      after_operator = false;
      outline.parentheses = true;
    }
    if (is(head[i], ")")) --depth;
    if (depth == 0 && is(head[i], ":") && outline.parentheses) outline.initialisers = true;
    if (depth == 0 && is(head[i], "=") && !after_operator) {
      outline.assigned = true;
      outline.lambda = i + 1 < head.size() && is(head[i + 1], "[");
    }
  }
  outline.open = depth != 0;
  return outline;
}

Block kind_of(Head head) {
  head = declaration(head);
  if (head.empty()) return Block::kInitialiser;
  const Outline outline = outline_of(head);
  if (outline.open) return Block::kInitialiser;
  if (outline.assigned) return outline.lambda ? Block::kFunction : Block::kInitialiser;
  const Token& last = head.back();
  const bool member = last.kind == TokenKind::kWord || is(last, ">");
  if (outline.initialisers && member) return Block::kInitialiser;
  if (outline.parentheses) return Block::kFunction;
  for (const std::string_view scope : {"namespace", "\"C\"", "class", "struct", "union", "enum"}) {
    if (head[0].text == scope) return Block::kScope;
  }
  return Block::kInitialiser;
}

/// The words before the first parenthesis, with the text inside where that is a test's name.
std::string name_of(Head head) {
  head = declaration(head);
  std::size_t open = 0;
  const auto ends_name = [&](std::size_t i) {
    return is(head[i], "(") || (is(head[i], "=") && i > 0 && !is(head[i - 1], "operator"));
  };
  while (open < head.size() && !ends_name(open)) ++open;
  std::size_t first = open;
  const auto joined = [&](std::size_t i) {
    return is(head[i - 1], "::") || is(head[i], "::") || is(head[i - 1], "~") ||
           is(head[i - 1], "operator");
  };
  while (first > 0 && (first == open || joined(first))) --first;
  std::string name;
  for (std::size_t i = first; i < open; ++i) name += head[i].text;
  if (open + 1 < head.size() && head[open + 1].kind == TokenKind::kLiteral) {
    name += "(" + head[open + 1].text + ")";
  }
  return name;
}

}  // namespace

std::vector<Token> tokens_of(std::string_view source) {
  return Scanner(source).all();
}

std::vector<Include> includes_of(const std::vector<Token>& tokens) {
  std::vector<Include> includes;
  for (const Token& token : tokens) {
    if (token.kind != TokenKind::kDirective) continue;
    const std::size_t word = token.text.find_first_not_of("# \t");
    if (word == std::string::npos || !token.text.substr(word).starts_with("include")) continue;
    const std::size_t open = token.text.find_first_of("\"<");
    if (open == std::string::npos) continue;
    const bool quoted = token.text[open] == '"';
    const std::size_t close = token.text.find(quoted ? '"' : '>', open + 1);
    if (close == std::string::npos) continue;
    includes.push_back({token.text.substr(open + 1, close - open - 1), quoted, token.line});
  }
  return includes;
}

std::vector<Function> functions_of(const std::vector<Token>& tokens) {
  std::vector<Token> code;
  for (const Token& token : tokens) {
    if (token.kind != TokenKind::kDirective) code.push_back(token);
  }
  const Head all(code);
  std::vector<Function> functions;
  std::size_t head = 0;  // where the head of the next block begins
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (is(all[i], ";") || is(all[i], "}")) head = i + 1;
    if (!is(all[i], "{")) continue;
    const Head words = all.subspan(head, i - head);
    const Block kind = kind_of(words);
    head = kind == Block::kInitialiser ? head : i + 1;
    if (kind == Block::kScope) continue;
    const std::size_t end = behind_group(all, i, "{", "}") - 1;
    if (kind == Block::kFunction) {
      const int first_line = without_access_label(words)[0].line;
      functions.push_back({name_of(words), first_line, all[end].line - first_line + 1});
      head = end + 1;
    }
    i = end;
  }
  return functions;
}

int lines_of(std::string_view source) {
  const auto feeds = static_cast<int>(std::ranges::count(source, '\n'));
  return feeds + (source.empty() || source.ends_with('\n') ? 0 : 1);
}

}  // namespace heddle::testing
