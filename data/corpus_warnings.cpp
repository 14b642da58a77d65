#include "data/corpus_warnings.h"

#include <algorithm>
#include <iomanip>
#include <locale>
#include <sstream>

#include "data/white_space.h"

namespace heddle {

namespace {

constexpr double kMuchPercent = 5.0;  // percent, of unknown tokens and of pairs that are left out
constexpr double kMostPercent =
    50.0;  // percent, of lines that look as if they were of something else

template <class... Parts>
std::string sentence(const Parts&... parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::fixed << std::setprecision(1);
  static_cast<void>((text << ... << parts));
  return text.str();
}

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

/// Lines of a side, in a sentence for each kind.
class Warnings {
 public:
  explicit Warnings(const CorpusReport& report) : report_(report) {}

  void unknown(const CorpusSide& side, const Finding& tokens, double share) {
    if (share <= kMuchPercent) return;
    add(share, " % of the tokens of ", side.file.string(),
        " are unknown to the vocabulary (first: line ", tokens.line,
        "); raise data.tokenizer.vocab_size or lower min_count, or choose the type subword, "
        "character or byte");
  }
  void left_out(const Finding& pairs, const std::string& reason, const std::string& advice) {
    const double share = percent(pairs.count, report_.pairs);
    if (share <= kMuchPercent) return;
    add(share, " % of the pairs are left out, with ", reason, " (first: line ", pairs.line, ")",
        advice);
  }
  void table(const CorpusSide& side, const Finding& tabs) {
    const double share = percent(tabs.count, report_.pairs);
    if (share <= kMostPercent) return;
    add(share, " % of the lines of ", side.file.string(), " hold tabs (first: line ", tabs.line,
        "): if it is a table, extract a column for each side, for example with cut -f1");
  }
  void same(const Corpus& corpus) {
    const Finding& same = report_.found.same;
    const double share = percent(same.count, report_.pairs);
    if (share <= kMostPercent) return;
    add(share, " % of the pairs have the same text on both sides (first: line ", same.line,
        "): is ", corpus.target.file.string(), " the translation of ", corpus.source.file.string(),
        "?");
  }

  template <class... Parts>
  void add(const Parts&... parts) {
    all_.push_back(sentence(parts...));
  }
  std::vector<std::string> take() { return std::move(all_); }

 private:
  const CorpusReport& report_;
  std::vector<std::string> all_;
};

}  // namespace

std::vector<std::string> corpus_warnings(const Corpus& corpus, const CorpusReport& report) {
  const CorpusFindings& found = report.found;
  const bool own_key = corpus.limits.source_limit == CorpusReport::kSourceLimit;
  const std::string source_limit =
      (own_key ? "train." : "") + std::string(corpus.limits.source_limit);
  Warnings warnings(report);
  warnings.unknown(corpus.source, found.source.unknown, report.source_unknown());
  warnings.unknown(corpus.target, found.target.unknown, report.target_unknown());
  warnings.left_out(found.empty, "an empty side", "");
  warnings.left_out(found.too_long,
                    sentence("a side longer than data.max_length (", corpus.limits.max_length, ")"),
                    sentence("; ", found.usual_max, " would keep 99 % of them"));
  warnings.left_out(
      found.source_too_long,
      sentence("a source longer than ", source_limit, " (", corpus.limits.max_source_tokens, ")"),
      sentence("; ", found.source.usual_max, " would keep 99 % of them"));
  warnings.table(corpus.source, found.source.tabs);
  warnings.table(corpus.target, found.target.tabs);
  warnings.same(corpus);
  return warnings.take();
}

std::vector<std::string> validation_warnings(const TextFiles& files, const CorpusReport& report,
                                             const CorpusReport& training) {
  const auto is = [](const SideFindings& a, const SideFindings& b) { return a.text == b.text; };
  const SideFindings &source = report.found.source, &target = report.found.target;
  const SideFindings &learned = training.found.source, &answer = training.found.target;
  Warnings warnings(report);
  if (is(source, learned) && is(target, answer)) {
    warnings.add(files.source.string(), " and ", files.target.string(),
                 " hold the training text, from line 1 on: validation on it does not show how the "
                 "model does on new text");
  } else if (is(source, answer) || is(target, learned)) {
    warnings.add(files.source.string(), " and ", files.target.string(),
                 " hold the training text with its sides exchanged, from line 1 on");
  } else if (is(source, learned) || is(target, answer)) {
    warnings.add(files.source.string(), " or ", files.target.string(),
                 " is the same text as in training, from line 1 on");
  }
  return warnings.take();
}

std::optional<std::string> normalisation_warning(const Tokenizer& tokenizer, const PairSet& pairs) {
  constexpr std::int64_t kMostPairs = 10'000, kFew = 200;  // less than one of these is not worth it
  const std::int64_t looked_at = std::min(pairs.size(), kMostPairs);
  Finding changed;
  TokenPair tokens;
  TextPair text;
  for (std::int64_t i = 0; i < looked_at; ++i) {
    pairs.cache().read(pairs[i], tokens);
    if (std::ranges::count(tokens.target, Vocabulary::kUnknown) > 0) continue;  // another warning
    pairs.cache().read(pairs[i], text);
    const std::string back = tokenizer.decode(tokens.target);
    if (without_outer_space(back) == without_outer_space(text.target)) continue;
    changed.line = changed.count == 0 ? text.line : std::min(changed.line, text.line);
    ++changed.count;
  }
  if (changed.count * kFew < looked_at || changed.count == 0) return std::nullopt;
  return sentence(changed.count, " of ", looked_at,
                  " target lines change under the tokenizer's normalisation (first: line ",
                  changed.line,
                  "), but exact match, BLEU and chrF compare with the text as it is; normalise the "
                  "text, or set data.tokenizer.normalisation to identity");
}

}  // namespace heddle
