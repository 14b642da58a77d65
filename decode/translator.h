// From lines of text to lines of text.
//
// Sentences are sorted by length and decoded in batches, which threads take one after the other. A
// translation depends on its line alone, never on the batch, the order or the number of threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/tokenizers.h"
#include "decode/alignment.h"
#include "decode/beam_search.h"
#include "decode/sampling.h"

namespace heddle {

struct Translation {
  struct Output {
    std::string text;
    Hypothesis hypothesis;
    std::vector<WordLink> alignment;  // where it was asked for
  };

  std::vector<std::int32_t> source_ids;    // with the end
  std::vector<std::int32_t> source_words;  // of these ids, where an alignment was asked for
  std::vector<std::int32_t> prefix_ids;
  std::vector<std::int32_t> prefix_words;  // of these ids, where an alignment was asked for
  /// The prefix as it was given, where its tokens give another text; outputs begin with it.
  std::string given_prefix;
  bool unknown = false;         // there is text, but no symbol of it that the model knows
  bool cut = false;             // the source was too long: its end was left out
  bool prefix_cut = false;      // the same of the prefix
  bool prefix_unknown = false;  // parts of the prefix are unknown to the model
  /// The best first, or as they were drawn; none for a line without text.
  std::vector<Output> outputs;

  /// The first one's; empty for a line without text.
  const std::string& text() const;
};

struct TranslatorOptions {
  LengthLimit limit;
  int beam = 1;  // 1: greedy
  double length_penalty = 1.0;
  int n_best = 1;  // outputs of a line: at most as many as the beam, unless they are sampled
  std::optional<SamplingOptions> sampling = {};  // instead of a search
  /// Whether somebody looks at scores. Greedy search is faster without; then scores may be NaN.
  bool scores = true;
  bool align = false;
  /// Tokens of a source, its end included; at most as many as the model has positions.
  std::int64_t longest_source = 1024;
  int threads = 1;
  /// Contexts to decode in that exist anyway: one for each thread, as far as they go.
  std::vector<Context*> contexts = {};
  /// Called between batches, by any thread; it may throw to stop.
  std::function<void()> tick = {};
  /// Where copies of the weights are kept in the order of products; null where the weights do not
  /// stay as they are.
  kernels::PreparedWeights* prepared_weights = nullptr;
};

class Translator {
 public:
  /// All must outlive the translator.
  Translator(const Transformer& transformer, const Tokenizers& tokenizers,
             const TranslatorOptions& options);

  std::int64_t longest_source() const { return longest_source_; }
  /// A translation for each line, in their order. Lines are UTF-8; invalid bytes are read as
  /// U+FFFD. `prefixes`, one for each line or none at all, are what the outputs must begin with.
  /// Samples depend on the number of a line; the first has `first_line`.
  std::vector<Translation> operator()(std::span<const std::string> lines,
                                      std::span<const std::string> prefixes = {},
                                      std::uint64_t first_line = 1);

 private:
  /// Lines of one batch, as indices; line 0 has the number `first_line`.
  struct Batch {
    std::span<const std::size_t> which;
    std::uint64_t first_line;
  };

  std::size_t hypotheses() const;
  void encode(const std::string& line, Translation& translation) const;
  void encode_prefix(const std::string& prefix, Translation& translation) const;
  std::string text_of(const Translation& translation, std::span<const std::int32_t> ids) const;
  std::vector<WordLink> align(const Translation& translation, std::span<const std::int32_t> ids,
                              Context& context) const;
  std::vector<std::vector<Hypothesis>> search(const DecodingInput& input, const Batch& batch,
                                              DecodingSpace& space) const;
  void translate_batch(const Batch& batch, std::vector<Translation>& translations,
                       DecodingSpace& space) const;

  const Transformer& transformer_;
  const Tokenizers& tokenizers_;
  BeamOptions search_;
  std::optional<SamplingOptions> sampling_;
  bool scores_;
  bool align_;
  std::size_t n_best_;
  std::int64_t longest_source_;
  std::function<void()> tick_;
  kernels::PreparedWeights* prepared_weights_;
  std::vector<std::unique_ptr<DecodingSpace>> spaces_;  // one for each thread
};

}  // namespace heddle
