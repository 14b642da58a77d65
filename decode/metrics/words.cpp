#include "decode/metrics/words.h"

#include <algorithm>

#include "data/utf8.h"
#include "data/white_space.h"

namespace heddle {

std::string references_signature(std::optional<std::size_t> references) {
  return "nrefs:" + (references ? std::to_string(*references) : "var");
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  const char* begin = nullptr;  // of the word that is being read
  const auto end_word = [&](const char* end) {
    if (begin != nullptr) words.emplace_back(begin, static_cast<std::size_t>(end - begin));
    begin = nullptr;
  };
  for (const CodePoint& c : CodePoints(line)) {
    if (is_white_space(c.value)) {
      end_word(c.bytes.data());
    } else if (begin == nullptr) {
      begin = c.bytes.data();
    }
  }
  end_word(line.data() + line.size());
  return words;
}

std::u32string WordNumbers::operator()(const std::vector<std::string_view>& words) {
  std::u32string symbols;
  symbols.reserve(words.size());
  for (const std::string_view word : words) {
    const auto next = static_cast<char32_t>(numbers_.size());
    symbols.push_back(numbers_.try_emplace(word, next).first->second);
  }
  return symbols;
}

Ngrams ngrams(std::u32string_view symbols, std::size_t n) {
  Ngrams counts;
  for (std::size_t i = 0; i + n <= symbols.size(); ++i) ++counts[symbols.substr(i, n)];
  return counts;
}

std::int64_t common(const Ngrams& a, const Ngrams& b) {
  std::int64_t sum = 0;
  for (const auto& [ngram, count] : a) {
    const auto found = b.find(ngram);
    if (found != b.end()) sum += std::min(count, found->second);
  }
  return sum;
}

std::int64_t ngram_count(std::size_t symbols, std::size_t n) {
  return symbols < n ? 0 : static_cast<std::int64_t>(symbols - n + 1);
}

}  // namespace heddle
