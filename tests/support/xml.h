// Is a text well-formed XML? As far as the project's own pages and images need it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::testing {

/// What is wrong with the escapes of a text between tags or in a tag; empty where nothing is.
inline std::string escape_error(std::string_view text) {
  constexpr std::array<std::string_view, 5> kKnown = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  for (std::size_t at = text.find('&'); at != text.npos; at = text.find('&', at + 1)) {
    bool known = false;
    for (const std::string_view escape : kKnown) known |= text.substr(at).starts_with(escape);
    if (!known) return "a bare & in: " + std::string(text);
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' && c != '\n') return "a control character";
  }
  return "";
}

/// What is wrong with the document: tags that do not close each other, attributes without quotes,
/// bare & or <, control characters. Empty where nothing is.
inline std::string xml_error(std::string_view document) {
  std::vector<std::string> open;
  bool rooted = false;
  while (!document.empty()) {
    const std::size_t begin = document.find('<');
    const std::string_view text = document.substr(0, begin);
    if (const std::string error = escape_error(text); !error.empty()) return error;
    if (open.empty() && text.find_first_not_of('\n') != text.npos) return "text beside the root";
    if (begin == document.npos) break;
    const std::size_t end = document.find('>', begin);
    if (end == document.npos) return "a tag without its end";
    std::string_view tag = document.substr(begin + 1, end - begin - 1);
    document.remove_prefix(end + 1);
    if (tag.starts_with("!DOCTYPE ")) continue;
    if (tag.find('<') != tag.npos) return "a bare < in: " + std::string(tag);
    if (const std::string error = escape_error(tag); !error.empty()) return error;
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return "</" + std::string(tag.substr(1));
      open.pop_back();
      continue;
    }
    if (open.empty() && rooted) return "a second root";
    rooted = true;
    std::size_t quotes = 0, equals = 0;
    for (const char c : tag) {
      quotes += c == '"';
      equals += c == '=' && quotes % 2 == 0;
    }
    if (quotes != 2 * equals) return "attributes without quotes in: " + std::string(tag);
    if (!tag.ends_with('/')) open.emplace_back(tag.substr(0, tag.find_first_of(" \n")));
  }
  if (!open.empty()) return "<" + open.back() + "> without its end";
  return rooted ? "" : "no element";
}

/// How often a part occurs.
inline std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

}  // namespace heddle::testing
