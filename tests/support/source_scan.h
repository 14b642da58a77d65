// Just enough of a C++ reader to measure functions and to see includes: tokens, without comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heddle::testing {

enum class TokenKind { kWord, kNumber, kLiteral, kPunctuation, kDirective };

struct Token {
  TokenKind kind;
  std::string text;  // of a literal with its quotes; of a directive the line, from # on
  int line;          // first one, counted from 1
};

/// Comments are left out; a directive is one token; punctuation comes character by character, but
/// for the pairs :: == != <= >= [[ ]].
std::vector<Token> tokens_of(std::string_view source);

struct Include {
  std::string path;
  bool quoted;  // "path", not <path>
  int line;
};
std::vector<Include> includes_of(const std::vector<Token>& tokens);

struct Function {
  std::string name;
  int line;   // first one of its head
  int lines;  // to its closing brace
};

/// Blocks that only namespaces, classes and extern "C" enclose, where they are not themselves one
/// of these or an initialiser. A lambda at namespace level counts as a function.
std::vector<Function> functions_of(const std::vector<Token>& tokens);

/// Lines of the text; a last line without a line feed counts.
int lines_of(std::string_view source);

}  // namespace heddle::testing
