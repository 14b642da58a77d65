#include "decode/alignment.h"

#include <algorithm>
#include <atomic>
#include <iterator>

#include "autograd/base/parallel.h"
#include "decode/metrics/words.h"

namespace heddle {

namespace {

/// The mean over heads, [output tokens, source tokens].
AttentionMaps::Map attention_to_source(const Transformer& transformer,
                                       std::span<const std::int32_t> source,
                                       std::span<const std::int32_t> output, Context& context) {
  std::vector<std::int32_t> input = {transformer.vocabularies().target.start()};
  input.insert(input.end(), output.begin(), output.end() - 1);
  const Sequence from{0, static_cast<std::int32_t>(source.size())};
  const Sequence to{0, static_cast<std::int32_t>(input.size())};
  AttentionMaps maps;
  context.begin(Mode::kInference);
  const Memory memory = transformer.encode(context, {source, Sequences(&from, 1)});
  transformer.decode(context, {input, Sequences(&to, 1)}, memory, &maps);
  std::vector<std::string> layers;
  std::ranges::copy_if(maps.layers(), std::back_inserter(layers),
                       [](const std::string& name) { return name.ends_with("cross_attention"); });
  if (layers.empty()) return {0, 0, {}};
  return maps.mean(layers[layers.size() < 2 ? 0 : layers.size() - 2], 0);
}

}  // namespace

std::vector<std::int32_t> words_of_tokens(const Tokenizer& tokenizer,
                                          std::span<const std::int32_t> ids) {
  std::vector<std::int32_t> words;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string text = tokenizer.decode(ids.first(i + 1));
    words.push_back(static_cast<std::int32_t>(words_of(text).size()) - 1);
  }
  // The first bytes of a character may look like a word that the last one takes back.
  for (std::size_t i = words.size(); i-- > 1;) words[i - 1] = std::min(words[i - 1], words[i]);
  return words;
}

std::vector<WordLink> word_alignment(const Transformer& transformer, const Tokenizers& tokenizers,
                                     std::span<const std::int32_t> source,
                                     std::span<const std::int32_t> output, Context& context) {
  if (output.empty() || source.size() < 2) return {};
  const std::vector<std::int32_t> from =
      words_of_tokens(tokenizers.source(), source.first(source.size() - 1));
  const std::vector<std::int32_t> to = words_of_tokens(tokenizers.target(), output);
  if (from.back() < 0) return {};
  const AttentionMaps::Map map = attention_to_source(transformer, source, output, context);
  if (map.queries == 0) return {};
  std::vector<WordLink> links;
  std::vector<double> weights;  // of the source's words, for one word of the output
  for (std::size_t begin = 0, end = 0; begin < to.size(); begin = end) {
    weights.assign(static_cast<std::size_t>(from.back()) + 1, 0.0);
    for (; end < to.size() && to[end] == to[begin]; ++end) {
      for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i] < 0) continue;
        weights[static_cast<std::size_t>(from[i])] +=
            map.at(static_cast<std::int64_t>(end), static_cast<std::int64_t>(i));
      }
    }
    if (to[begin] < 0) continue;
    const auto largest = std::ranges::max_element(weights) - weights.begin();
    links.push_back({static_cast<std::int32_t>(largest), to[begin]});
  }
  return links;
}

std::vector<std::vector<WordLink>> word_alignments(const Transformer& transformer,
                                                   const Tokenizers& tokenizers,
                                                   std::span<const PackedPairs> pairs,
                                                   int threads) {
  std::vector<std::vector<WordLink>> alignments(pairs.size());
  std::atomic<std::size_t> next = 0;
  run_lanes(threads, threads, 1, [&](int) {
    Context context;
    for (std::size_t i = next++; i < pairs.size(); i = next++) {
      const std::span output(pairs[i].target_output);
      alignments[i] = word_alignment(transformer, tokenizers, pairs[i].source_ids,
                                     output.first(output.size() - 1), context);
    }
  });
  return alignments;
}

std::string text_of(std::span<const WordLink> links) {
  std::string text;
  for (const WordLink& link : links) {
    if (!text.empty()) text += ' ';
    text.append(std::to_string(link.source)).append("-").append(std::to_string(link.target));
  }
  return text;
}

}  // namespace heddle
