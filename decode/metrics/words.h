// Words and n-grams of a line, as the translation metrics count them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heddle {

/// The words of a line, separated by white space.
std::vector<std::string_view> words_of(std::string_view line);

/// How many references the lines have, as signatures say it; none where that differs.
std::string references_signature(std::optional<std::size_t> references);

/// A number for every distinct word, so that a line is a string of numbers and an n-gram a part of
/// it. Words must outlive this.
class WordNumbers {
 public:
  std::u32string operator()(const std::vector<std::string_view>& words);

 private:
  std::unordered_map<std::string_view, char32_t> numbers_;
};

/// How often each n-gram occurs; refers to the symbols.
using Ngrams = std::unordered_map<std::u32string_view, std::int64_t>;

Ngrams ngrams(std::u32string_view symbols, std::size_t n);

/// How many n-grams both have, each as often as it is in both.
std::int64_t common(const Ngrams& a, const Ngrams& b);

/// How many n-grams there are: all, not only the distinct ones.
std::int64_t ngram_count(std::size_t symbols, std::size_t n);

}  // namespace heddle
