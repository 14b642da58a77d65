#include "decode/alignment.h"

#include <algorithm>
#include <atomic>
#include <iterator>

#include "autograd/base/parallel.h"
#include "data/utf8.h"

namespace heddle {

namespace {

/// The mean over heads, [output tokens, source tokens].
AttentionMaps::Map attention_to_source(const Transformer& transformer,
                                       std::span<const std::int32_t> source_ids,
                                       std::span<const std::int32_t> output, Context& context) {
  std::vector<std::int32_t> source(source_ids.begin(), source_ids.end());
  source.push_back(Vocabulary::kEnd);
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

std::int32_t WordCounter::add(std::string_view text) {
  for (const char c : text) {
    const bool blank = kBlanks.find(c) != kBlanks.npos;
    if (!blank && !inside_) ++last_;
    inside_ = !blank;
  }
  return last_;
}

std::vector<std::int32_t> encode_in_words(const Tokenizer& tokenizer, std::string_view line,
                                          std::vector<std::int32_t>& ids) {
  std::vector<std::size_t> ends;
  tokenizer.encode_with_ends(line, ids, ends);
  std::vector<std::int32_t> words;
  WordCounter counter;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    words.push_back(counter.add(line.substr(begin, std::max(begin, end) - begin)));
    begin = std::max(begin, end);
  }
  return words;
}

std::vector<std::int32_t> words_of_tokens(const Tokenizer& tokenizer,
                                          std::span<const std::int32_t> ids, WordCounter counter) {
  std::vector<std::int32_t> words;
  for (const std::int32_t id : ids) words.push_back(counter.add(tokenizer.piece(id)));
  return words;
}

std::vector<WordLink> word_alignment(const Transformer& transformer, const TokensOfWords& source,
                                     const TokensOfWords& output, Context& context) {
  const std::span from = source.words, to = output.words;
  if (to.empty() || from.empty() || from.back() < 0) return {};
  const AttentionMaps::Map map = attention_to_source(transformer, source.ids, output.ids, context);
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
                                                   std::span<const LinePair> lines, int threads) {
  std::vector<std::vector<WordLink>> alignments(lines.size());
  std::atomic<std::size_t> next = 0;
  run_lanes(threads, threads, 1, [&](int) {
    Context context;
    for (std::size_t i = next++; i < lines.size(); i = next++) {
      std::vector<std::int32_t> source, target;
      const auto from = encode_in_words(tokenizers.source(), lines[i].source, source);
      const auto to = encode_in_words(tokenizers.target(), lines[i].target, target);
      alignments[i] = word_alignment(transformer, {source, from}, {target, to}, context);
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
