#include "data/corpus_sieve.h"

#include <algorithm>

#include "autograd/base/vocabulary.h"
#include "data/checksum.h"
#include "data/corpus.h"
#include "data/white_space.h"

namespace heddle {

namespace {

/// With its end.
std::int64_t tokens_of(const TokenisedLine& line) {
  return std::ssize(line.ids) + 1;
}

bool is_empty_line(const TokenisedLine& line) {
  return line.ids.empty() || !has_text(line.text);
}

void note_side(const TokenisedLine& line, std::int64_t number, SideFindings& found) {
  if (line.text.find('\t') != line.text.npos) found.tabs.note(number);
  const auto bytes = std::as_bytes(std::span(line.text));
  found.text = checksum(bytes, found.text + 1);
}

void note_unknown(const TokenisedLine& line, std::int64_t number, SideFindings& found) {
  found.unknown.note(number, std::ranges::count(line.ids, Vocabulary::kUnknown));
}

}  // namespace

void LengthCounts::add(std::int64_t length) {
  const auto at = static_cast<std::size_t>(std::min(length, kLongest));
  if (at >= counts_.size()) counts_.resize(at + 1);
  ++counts_[at];
  ++lines_;
}

std::int64_t LengthCounts::usual_max() const {
  std::int64_t shorter = 0;
  for (std::size_t length = 0; length < counts_.size(); ++length) {
    shorter += counts_[length];
    if (100 * shorter >= 99 * lines_) return static_cast<std::int64_t>(length);
  }
  return 0;
}

bool Sieve::keeps(const TokenisedLine& source, const TokenisedLine& target) {
  ++report_.pairs;
  note_text(source, target);
  if (leaves_out(source, target)) return false;
  count_kept(source, target);
  return true;
}

void Sieve::note_text(const TokenisedLine& source, const TokenisedLine& target) {
  note_side(source, report_.pairs, report_.found.source);
  note_side(target, report_.pairs, report_.found.target);
  if (is_empty_line(source) || is_empty_line(target)) return;
  if (source.text == target.text) report_.found.same.note(report_.pairs);
  source_lengths_.add(tokens_of(source));
  target_lengths_.add(tokens_of(target));
  longer_lengths_.add(std::max(tokens_of(source), tokens_of(target)));
}

bool Sieve::leaves_out(const TokenisedLine& source, const TokenisedLine& target) {
  if (is_empty_line(source) || is_empty_line(target)) {
    ++report_.empty;
    report_.found.empty.note(report_.pairs);
  } else if (std::max(tokens_of(source), tokens_of(target)) > limits_.max_length) {
    ++report_.too_long;
    report_.found.too_long.note(report_.pairs);
  } else if (tokens_of(source) > limits_.max_source_tokens) {
    ++report_.source_too_long;
    report_.found.source_too_long.note(report_.pairs);
  } else {
    return false;
  }
  return true;
}

void Sieve::count_kept(const TokenisedLine& source, const TokenisedLine& target) {
  ++report_.kept;
  report_.source_tokens += tokens_of(source);
  report_.target_tokens += tokens_of(target);
  note_unknown(source, report_.pairs, report_.found.source);
  note_unknown(target, report_.pairs, report_.found.target);
  const double reach = limits_.reach_factor * static_cast<double>(tokens_of(source)) +
                       static_cast<double>(limits_.reach_extra);
  if (static_cast<double>(tokens_of(target)) > reach) ++report_.unreachable;
}

CorpusReport Sieve::report() const {
  CorpusReport report = report_;
  report.found.source.usual_max = source_lengths_.usual_max();
  report.found.target.usual_max = target_lengths_.usual_max();
  report.found.usual_max = longer_lengths_.usual_max();
  return report;
}

}  // namespace heddle
