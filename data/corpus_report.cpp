#include "data/corpus_report.h"

#include <iomanip>
#include <locale>
#include <sstream>

namespace heddle {

namespace {

double unknown_share(const Finding& unknown, std::int64_t tokens, std::int64_t ends) {
  const std::int64_t all = tokens - ends;
  return all == 0 ? 0.0 : 100.0 * static_cast<double>(unknown.count) / static_cast<double>(all);
}

}  // namespace

double CorpusReport::source_unknown() const {
  return unknown_share(found.source.unknown, source_tokens, kept);
}

double CorpusReport::target_unknown() const {
  return unknown_share(found.target.unknown, target_tokens, kept);
}

std::string CorpusReport::message(std::string_view source_limit) const {
  std::ostringstream text;
  text.imbue(std::locale::classic());
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
  if (found.source.unknown.count + found.target.unknown.count > 0) {
    text << std::fixed << std::setprecision(1) << "; unknown tokens: " << source_unknown()
         << " % of the source, " << target_unknown() << " % of the target";
  }
  return text.str();
}

}  // namespace heddle
