#include "configs/path_text.h"

#include <charconv>

#include "configs/json_text.h"

namespace heddle {

namespace {

constexpr std::string_view kFileUri = "file://";

}  // namespace

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string text_of_path(const std::filesystem::path& path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-._~";
  const std::string& name = path.native();
  if (is_utf8(name)) return name;
  std::string uri(kFileUri);
  for (const char c : name) {
    if (kPlain.find(c) != kPlain.npos) {
      uri += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      uri.append("%").append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return uri;
}

std::filesystem::path path_of_text(std::string_view text) {
  if (!text.starts_with("file:///")) return text;
  text.remove_prefix(kFileUri.size());
  std::string name;
  while (!text.empty()) {
    unsigned char byte = 0;
    const bool escape = text.front() == '%' && text.size() > 2;
    const char* const end = text.data() + (escape ? 3 : 1);
    if (escape && std::from_chars(text.data() + 1, end, byte, 16).ptr == end) {
      name += static_cast<char>(byte);
      text.remove_prefix(3);
    } else {
      name += text.front();
      text.remove_prefix(1);
    }
  }
  return name;
}

}  // namespace heddle
