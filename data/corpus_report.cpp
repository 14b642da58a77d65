#include "data/corpus_report.h"

#include <sstream>

namespace heddle {

std::string CorpusReport::message(std::string_view source_limit) const {
  std::ostringstream text;
  text << pairs << (pairs == 1 ? " pair, " : " pairs, ") << kept << " kept";
  const char* before = "; left out: ";
  const auto left_out = [&](std::int64_t count, const std::string& reason) {
    if (count == 0) return;
    text << before << count << reason;
    before = ", ";
  };
  left_out(empty, " with an empty side");
  left_out(too_long, " with a side longer than max_length");
  left_out(source_too_long, std::string(" with a source longer than ").append(source_limit));
  if (source_crlf > 0) text << "; source lines ending in \\r\\n: " << source_crlf;
  if (target_crlf > 0) text << "; target lines ending in \\r\\n: " << target_crlf;
  return text.str();
}

}  // namespace heddle
