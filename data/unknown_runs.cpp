#include "data/unknown_runs.h"

#include <algorithm>

#include "autograd/base/vocabulary.h"
#include "data/utf8.h"

namespace heddle {

namespace {

constexpr std::size_t kLongRun = 1024;  // bytes
// U+10FFFD, of the private use area: in no table of normalisation, in hardly any text.
constexpr std::string_view kStandIn = "\xF4\x8F\xBF\xBD";
constexpr std::size_t kCodePoints = 0x110000;

}  // namespace

UnknownRuns::UnknownRuns(const SentencePieceModel& model)
    : table_(model.normalisation), known_(kCodePoints) {
  known_[U' '] = true;
  for (std::size_t id = Vocabulary::kFirstPiece; id < model.pieces.size(); ++id) {
    for (const CodePoint& c : CodePoints(model.pieces[id].text)) known_[c.value] = true;
  }
}

std::size_t UnknownRuns::Shortened::original(std::size_t at) const {
  std::size_t place = at;
  for (const Cut& cut : cuts) {
    if (cut.end <= at) place += cut.missing;
  }
  return place;
}

std::optional<UnknownRuns::Shortened> UnknownRuns::shorten(std::string_view text) const {
  if (text.size() <= kLongRun || !unknown(kStandIn)) return std::nullopt;
  Shortened result;
  std::string expected;  // what normalisation must make of it
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at, expected_begin = expected.size();
    bool run = true;
    while (run && at < text.size()) {
      const NormalisationTable::Step step = table_.step(text.substr(at));
      // What vanishes, as control characters do, may stand between them.
      run = unknown(step.text) || (at > begin && step.text.empty());
      if (!run && at > begin) break;
      at += step.bytes;
      expected += step.text;
    }
    const bool is_long = at - begin > kLongRun;
    result.text += is_long ? kStandIn : text.substr(begin, at - begin);
    if (!is_long) continue;
    expected.resize(expected_begin);
    expected += kStandIn;
    result.cuts.push_back({result.text.size(), at - begin - kStandIn.size()});
  }
  if (result.cuts.empty() || normalised(result.text) != expected) return std::nullopt;
  return result;
}

bool UnknownRuns::unknown(std::string_view normalised) const {
  return !normalised.empty() && std::ranges::none_of(CodePoints(normalised), [&](const auto& c) {
    return known_[c.value];
  });
}

std::string UnknownRuns::normalised(std::string_view text) const {
  std::string result;
  while (!text.empty()) {
    const NormalisationTable::Step step = table_.step(text);
    result += step.text;
    text.remove_prefix(step.bytes);
  }
  return result;
}

}  // namespace heddle
