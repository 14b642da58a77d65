#include "data/tokenizer.h"

#include <charconv>

#include "data/tokenizer_kind.h"

namespace heddle {

namespace {

constexpr std::string_view kFirstLine = "heddle tokenizer 1";

constexpr Named<TokenizerKind (*)()> kKinds[] = {
    {"subword", subword_tokenizer},
    {"word", word_tokenizer},
    {"character", character_tokenizer},
    {"byte", byte_tokenizer},
};

/// The keys that not all types read, with those that do.
constexpr Named<std::string_view> kKeysOfTypes[] = {
    {"model", "the type \"subword\""},
    {"normalisation", "the type \"subword\""},
    {"character_coverage", "the type \"subword\""},
    {"sample", "the type \"subword\""},
    {"min_count", "the types \"word\" and \"character\""},
    {"vocab_size", "the types \"subword\", \"word\" and \"character\""},
};

TokenizerKind kind_of(const Config& config) {
  return config.choice("type", "subword", kKinds, "How text is cut into pieces.")();
}

}  // namespace

TokenizerFile::TokenizerFile(std::string_view bytes, std::string name)
    : rest_(bytes), name_(std::move(name)) {}

std::string_view TokenizerFile::line() {
  ++line_number_;
  const std::size_t end = rest_.find('\n');
  require(end != rest_.npos, "ends within line ", line_number_, "; the file was cut off");
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return line;
}

std::string_view TokenizerFile::value_of(std::string_view key) {
  std::string_view text = line();
  const bool found = text.starts_with(key) && text.substr(key.size()).starts_with(' ');
  require(found, "line ", line_number_, " is not \"", key, "\" and a value; the file is damaged");
  text.remove_prefix(key.size() + 1);
  return text;
}

std::uint64_t TokenizerFile::number_of(std::string_view key, int base) {
  const std::string_view text = value_of(key);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  require(error == std::errc() && end == text.data() + text.size(), "line ", line_number_,
          " holds no number; the file is damaged");
  return number;
}

std::string place_of(const Config& config) {
  const std::string place = config.place();
  return place.empty() ? "tokenizer" : place;  // empty at the root of a document
}

std::string tokenizer_header(std::string_view type) {
  std::string header(kFirstLine);
  return header.append("\n").append(type).append("\n");
}

std::unique_ptr<Tokenizer> train_tokenizer(const Config& config, const LineSource& lines) {
  return kind_of(config).train(config, lines);
}

void read_tokenizer_config(const Config& config) {
  kind_of(config).read_config(config);
  for (const auto& [key, types] : kKeysOfTypes) config.unread(key, "it is for ", types);
}

std::unique_ptr<Tokenizer> load_tokenizer(std::string_view bytes, const std::string& name) {
  TokenizerFile file(bytes, name);
  file.require(file.line() == kFirstLine,
               "is no tokenizer of this version: the first line is not \"", kFirstLine, "\"");
  const std::string_view type = file.line();
  for (const auto& kind : kKinds) {
    if (kind.name == type) return kind.value().load(file);
  }
  std::string known;
  for (const auto& kind : kKinds) known.append(known.empty() ? "" : ", ").append(kind.name);
  file.require(false, "line 2 names no type of tokenizer (known: ", known, ")");
  return nullptr;
}

}  // namespace heddle
