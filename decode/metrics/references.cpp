#include "decode/metrics/references.h"

namespace heddle {

void append_references(std::string_view line, std::string_view separator, References& references) {
  for (std::size_t end; !separator.empty() && (end = line.find(separator)) != line.npos;) {
    references.emplace_back(line.substr(0, end));
    line.remove_prefix(end + separator.size());
  }
  references.emplace_back(line);
}

void drop_empty(References& references) {
  std::erase_if(references, [](const std::string& reference) { return reference.empty(); });
  if (references.empty()) references.emplace_back();
}

}  // namespace heddle
