#include "data/shell_quote.h"

#include "data/utf8.h"

namespace heddle {

namespace {

// "$(printf '...')": the one way in which every shell takes bytes by number.
std::string printed(std::string_view word) {
  std::string text = "\"$(printf '";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '%') {
      text += "%%";
    } else if (byte < ' ' || byte > '~' || c == '\'' || c == '\\') {
      text += '\\';
      for (const int shift : {6, 3, 0}) text += static_cast<char>('0' + ((byte >> shift) & 7));
    } else {
      text += c;
    }
  }
  return text + "')\"";
}

}  // namespace

std::string shell_quoted(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return std::string(word);
  if (visible(word) != word) return printed(word);
  std::string text = "'";
  for (const char c : word) c == '\'' ? text += "'\\''" : text += c;
  return text + "'";
}

std::string shell_path(const std::filesystem::path& path) {
  const std::string& name = path.native();
  return shell_quoted(name.starts_with('-') ? "./" + name : name);
}

}  // namespace heddle
