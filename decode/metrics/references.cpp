#include "decode/metrics/references.h"

namespace heddle {

void append_references(std::string_view line, std::string_view separator, References& references) {
  const auto append = [&](std::string_view part) {
    if (!part.empty()) references.emplace_back(part);
  };
  for (std::size_t end; !separator.empty() && (end = line.find(separator)) != line.npos;) {
    append(line.substr(0, end));
    line.remove_prefix(end + separator.size());
  }
  append(line);
}

void if_none_the_empty_one(References& references) {
  if (references.empty()) references.emplace_back();
}

}  // namespace heddle
