#include "decode/translator.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <numeric>

#include "autograd/base/parallel.h"
#include "data/utf8.h"
#include "data/white_space.h"
#include "decode/greedy.h"

namespace heddle {

namespace {

// Enough rows for fast products, few enough that all threads have work.
constexpr std::size_t kBatchSentences = 32;
constexpr std::size_t kBatchRows = 80;  // sentences by hypotheses of each
constexpr std::size_t kBatchTokens = 4096;

/// Where batches begin, and the end: of sentences from long to short.
std::vector<std::size_t> batch_borders(std::span<const std::size_t> order,
                                       const std::vector<Translation>& translations,
                                       std::size_t hypotheses, std::size_t threads) {
  const std::size_t largest = std::clamp<std::size_t>(kBatchRows / hypotheses, 1, kBatchSentences);
  const std::size_t most =
      std::clamp<std::size_t>((order.size() + threads - 1) / threads, 1, largest);
  std::vector<std::size_t> borders = {0};
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t length = translations[order[i]].source_ids.size();
    const std::size_t sentences = i - borders.back();
    if (sentences > 0 && (sentences == most || tokens + length > kBatchTokens)) {
      borders.push_back(i);
      tokens = 0;
    }
    tokens += length;
  }
  borders.push_back(order.size());
  return borders;
}

/// Invalid bytes are read as U+FFFD.
std::string valid_text(const std::string& text) {
  return first_invalid_byte(text) ? with_replacements(text) : text;
}

/// Where the blanks begin that a text ends with.
std::size_t text_end(std::string_view text) {
  return text.find_last_not_of(kBlanks) + 1;
}

/// Whether nothing but unknown symbols and blanks is in them.
bool only_unknown(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  std::vector<std::int32_t> known;
  std::ranges::remove_copy(ids, std::back_inserter(known), Vocabulary::kUnknown);
  return known.size() < ids.size() &&
         tokenizer.decode(known).find_first_not_of(' ') == std::string::npos;
}

/// While alive, the context has these threads and weights; it may be lent.
class SetForDecoding {
 public:
  SetForDecoding(Context& context, int threads, kernels::PreparedWeights* prepared)
      : context_(context), threads_(context.threads()), prepared_(context.prepared_weights()) {
    context.set_threads(threads);
    context.set_prepared_weights(prepared);
  }
  ~SetForDecoding() {
    context_.set_threads(threads_);
    context_.set_prepared_weights(prepared_);
  }
  SetForDecoding(const SetForDecoding&) = delete;
  SetForDecoding& operator=(const SetForDecoding&) = delete;

 private:
  Context& context_;
  int threads_;
  kernels::PreparedWeights* prepared_;
};

}  // namespace

const std::string& Translation::text() const {
  static const std::string kNone;
  return outputs.empty() ? kNone : outputs.front().text;
}

Translator::Translator(const Transformer& transformer, const Tokenizers& tokenizers,
                       const TranslatorOptions& options)
    : transformer_(transformer),
      tokenizers_(tokenizers),
      search_({options.beam, options.length_penalty, options.limit}),
      sampling_(options.sampling),
      scores_(options.scores),
      align_(options.align),
      n_best_(static_cast<std::size_t>(options.n_best)),
      longest_source_(std::min(options.longest_source, transformer.longest_source())),
      tick_(options.tick),
      prepared_weights_(options.prepared_weights) {
  check(options.beam >= 1 && options.n_best >= 1 &&
            (options.sampling || options.n_best <= options.beam),
        "translator: ", options.n_best, " outputs of a beam of ", options.beam);
  const auto threads = static_cast<std::size_t>(std::max(1, options.threads));
  for (std::size_t i = 0; i < threads; ++i) {
    spaces_.push_back(i < options.contexts.size()
                          ? std::make_unique<DecodingSpace>(*options.contexts[i])
                          : std::make_unique<DecodingSpace>());
  }
}

// Of one sentence at a time.
std::size_t Translator::hypotheses() const {
  return sampling_ ? n_best_ : static_cast<std::size_t>(search_.beam);
}

void Translator::encode(const std::string& line, Translation& translation) const {
  std::vector<std::int32_t>& ids = translation.source_ids;
  if (!has_text(line)) return;
  if (align_) {
    translation.source_words = encode_in_words(tokenizers_.source(), valid_text(line), ids);
  } else {
    tokenizers_.source().encode(valid_text(line), ids);
  }
  translation.unknown = only_unknown(tokenizers_.source(), ids);
  const auto longest = static_cast<std::size_t>(longest_source_);
  translation.cut = ids.size() + 1 > longest;
  if (translation.cut) ids.resize(longest - 1);
  if (!ids.empty()) ids.push_back(Vocabulary::kEnd);
}

void Translator::encode_prefix(const std::string& prefix, Translation& translation) const {
  const Tokenizer& tokenizer = tokenizers_.target();
  if (!has_text(prefix)) return;
  const std::string given = valid_text(prefix);
  std::vector<std::int32_t>& ids = translation.prefix_ids;
  if (align_) {
    translation.prefix_words = encode_in_words(tokenizer, given, ids);
  } else {
    tokenizer.encode(given, ids);
  }
  translation.prefix_unknown = std::ranges::find(ids, Vocabulary::kUnknown) != ids.end();
  const auto most = static_cast<std::size_t>(transformer_.longest_target() - 1);
  translation.prefix_cut = ids.size() > most;
  ids.resize(std::min(ids.size(), most));
  const std::string own = tokenizer.decode(ids);
  if (translation.prefix_cut || own == given || own.empty()) return;
  // Whether blanks follow is for the tokens to say.
  translation.given_prefix = given.substr(0, text_end(given)) + own.substr(text_end(own));
}

std::string Translator::text_of(const Translation& translation,
                                std::span<const std::int32_t> ids) const {
  const Tokenizer& tokenizer = tokenizers_.target();
  std::string text = tokenizer.decode(ids);
  if (translation.given_prefix.empty()) return text;
  const std::string own = tokenizer.decode(translation.prefix_ids);
  return text.starts_with(own) ? translation.given_prefix + text.substr(own.size()) : text;
}

std::vector<WordLink> Translator::align(const Translation& translation,
                                        std::span<const std::int32_t> ids, Context& context) const {
  const std::span<const std::int32_t> source = translation.source_ids;
  const std::size_t length = source.size() - 1;  // without the end
  std::vector<std::int32_t> words;
  WordCounter counter;
  const std::size_t given = translation.prefix_ids.size();
  if (!translation.given_prefix.empty() && ids.size() >= given) {
    const std::span<const std::int32_t> prefix = translation.prefix_words;
    words.assign(prefix.begin(), prefix.begin() + static_cast<std::ptrdiff_t>(given));
    counter.add(translation.given_prefix);
  }
  const auto further = words_of_tokens(tokenizers_.target(), ids.subspan(words.size()), counter);
  words.insert(words.end(), further.begin(), further.end());
  return word_alignment(transformer_,
                        {source.first(length), std::span(translation.source_words).first(length)},
                        {ids, words}, context);
}

std::vector<std::vector<Hypothesis>> Translator::search(const DecodingInput& input,
                                                        const Batch& batch,
                                                        DecodingSpace& space) const {
  if (!sampling_ && search_.beam > 1) return beam_search(transformer_, input, search_, space);
  std::vector<Hypothesis> all;
  if (sampling_) {
    std::vector<std::uint64_t> lines;
    for (const std::size_t i : batch.which) lines.push_back(batch.first_line + i);
    all = sample(transformer_, input, lines, n_best_, *sampling_, search_.limit, space);
  } else {
    all = greedy(transformer_, input, search_.limit, space);
  }
  std::vector<std::vector<Hypothesis>> found(batch.which.size());
  const std::size_t of_each = all.size() / found.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    Hypothesis& h = all[i];
    h.score = normalised_score(h.log_probability, h.tokens(), search_.length_penalty);
    found[i / of_each].push_back(std::move(h));
  }
  return found;
}

void Translator::translate_batch(const Batch& batch, std::vector<Translation>& translations,
                                 DecodingSpace& space) const {
  std::vector<std::int32_t> ids;
  std::vector<Sequence> sentences;
  std::vector<std::vector<std::int32_t>> prefixes;
  for (const std::size_t i : batch.which) {
    const std::vector<std::int32_t>& source = translations[i].source_ids;
    sentences.push_back(
        {static_cast<std::int32_t>(ids.size()), static_cast<std::int32_t>(source.size())});
    ids.insert(ids.end(), source.begin(), source.end());
    prefixes.push_back(translations[i].prefix_ids);
  }
  const Tokens source{ids, Sequences(sentences)};
  DecodingInput input(source, prefixes);
  input.scores = scores_;
  std::vector<std::vector<Hypothesis>> found = search(input, batch, space);
  for (std::size_t i = 0; i < batch.which.size(); ++i) {
    Translation& translation = translations[batch.which[i]];
    found[i].resize(std::min(found[i].size(), n_best_));
    for (Hypothesis& h : found[i]) {
      std::string text = text_of(translation, h.ids);
      std::ranges::replace(text, '\n', ' ');  // one line in, one line out
      std::vector<WordLink> links;
      if (align_) links = align(translation, h.ids, space.context);
      translation.outputs.push_back({std::move(text), std::move(h), std::move(links)});
    }
  }
}

std::vector<Translation> Translator::operator()(std::span<const std::string> lines,
                                                std::span<const std::string> prefixes,
                                                std::uint64_t first_line) {
  check(prefixes.empty() || prefixes.size() == lines.size(), "translator: ", prefixes.size(),
        " prefixes of ", lines.size(), " lines");
  std::vector<Translation> translations(lines.size());
  const int threads = static_cast<int>(spaces_.size());
  run_lanes(threads, threads, 1, [&](int lane) {
    for (auto i = static_cast<std::size_t>(lane); i < lines.size(); i += spaces_.size()) {
      encode(lines[i], translations[i]);
      if (!prefixes.empty()) encode_prefix(prefixes[i], translations[i]);
    }
  });
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < translations.size(); ++i) {
    if (!translations[i].source_ids.empty()) order.push_back(i);
  }
  if (order.empty()) return translations;
  std::ranges::stable_sort(order, std::greater(),
                           [&](std::size_t i) { return translations[i].source_ids.size(); });
  const std::vector<std::size_t> borders =
      batch_borders(order, translations, hypotheses(), spaces_.size());
  const int lanes = std::min(threads, static_cast<int>(borders.size()) - 1);
  // Of one lane all. Several would make threads anew for every loop.
  const int threads_of_lane = lanes == 1 ? threads : 1;
  std::atomic<std::size_t> next = 0;
  run_lanes(lanes, threads, threads_of_lane, [&](int lane) {
    DecodingSpace& space = *spaces_[static_cast<std::size_t>(lane)];
    const SetForDecoding set(space.context, threads_of_lane, prepared_weights_);
    for (std::size_t b = next++; b + 1 < borders.size(); b = next++) {
      if (tick_) tick_();
      const auto which = std::span(order).subspan(borders[b], borders[b + 1] - borders[b]);
      translate_batch({which, first_line}, translations, space);
    }
  });
  return translations;
}

}  // namespace heddle
