// Subwords: SentencePiece, BPE or unigram, with our contract of ids: its pieces are all ids but the
// last. "</s>" or "<unk>" in a text, be it trained on or encoded, is text like any other.
//
// In a file, after the lines of tokenizer_kind.h:
//   sample 0.1                  alpha of sample()
//   checksum 0123456789abcdef   of what follows: FNV-1a, 64 bits
//   the bytes of SentencePiece's model
#include <sentencepiece_processor.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "data/proto_reader.h"
#include "data/sentencepiece_model.h"
#include "data/subword_sampling.h"
#include "data/subword_training.h"
#include "data/tokenizer_kind.h"
#include "data/unknown_runs.h"
#include "data/utf8.h"
#include "data/word_cache.h"

namespace heddle {

namespace {

constexpr std::string_view kBlank = "\xE2\x96\x81";  // U+2581, SentencePiece's

// SentencePiece needs hundreds of bytes for each one of a text, and of words without an end more
// time than a line is worth. So long ones are cut, at blanks, which changes nothing, where there
// are any.
constexpr std::size_t kLongestPart = std::size_t{256} << 10;

/// Calls `use` with the parts of a text and their numbers.
template <class Use>
void for_each_part(std::string_view text, const Use& use) {
  std::uint64_t number = 0;
  for (; text.size() > kLongestPart; ++number) {
    const std::size_t part = first_part(text, kLongestPart);
    use(text.substr(0, part), number);
    text.remove_prefix(part);
  }
  use(text, number);
}

std::uint64_t checksum_of(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  }
  return hash;
}

template <class Number, class... Base>
std::string text_of(Number number, Base... base) {
  char text[32];
  return {text, std::to_chars(text, std::end(text), number, base...).ptr};
}

/// A piece of a text as SentencePiece reports it (SentencePieceText.SentencePiece).
struct FoundPiece {
  static constexpr std::uint64_t kField = 2;  // of SentencePieceText

  explicit FoundPiece(std::string_view message) {
    ProtoReader reader(message);
    while (const auto field = reader.next()) {
      if (field->number == 1) piece = field->bytes;
      if (field->number == 2) id = static_cast<std::int32_t>(field->integer);
      if (field->number == 4) begin = field->integer;
      if (field->number == 5) end = field->integer;
    }
  }

  /// Where it ends in `text`. Where one character became several, as a ligature does, those but
  /// the last end in front of it, says SentencePiece; here they end behind it.
  std::size_t end_in(std::string_view text) const {
    const std::size_t first = text.find_first_not_of(kBlanks, begin);
    const bool only_blank = piece.find_first_not_of(kBlank) == piece.npos;
    if (only_blank || first == text.npos || first < end) return std::min(end, text.size());
    return first + first_code_point(text.substr(first)).bytes.size();
  }

  std::string_view piece;
  std::int32_t id = 0;
  std::size_t begin = 0, end = 0;
};

class SubwordTokenizer final : public Tokenizer {
 public:
  /// Throws Error that says what is wrong with the model.
  SubwordTokenizer(std::string bytes, double sample);

  Vocabulary vocabulary() const override {
    return {static_cast<std::int32_t>(pieces_.size()) + 1};  // the start is not SentencePiece's
  }
  void encode(std::string_view text, std::vector<std::int32_t>& ids) const override;
  void encode_with_ends(std::string_view text, std::vector<std::int32_t>& ids,
                        std::vector<std::size_t>& ends) const override;
  void sample(std::string_view text, std::uint64_t random,
              std::vector<std::int32_t>& ids) const override;
  bool samples() const override { return sampler_.has_value(); }
  std::string decode(std::span<const std::int32_t> ids) const override;
  std::string piece(std::int32_t id) const override;
  std::string serialised() const override;

 private:
  void encode_part(std::string_view text, std::vector<std::int32_t>& ids) const;
  std::vector<std::string> pieces_of(std::string_view text) const;
  std::vector<std::int32_t> ids_of(std::string_view text) const;

  std::string bytes_;
  double sample_;
  sentencepiece::SentencePieceProcessor processor_;
  std::vector<SentencePieceModel::Piece> pieces_;
  std::unique_ptr<const UnknownRuns> unknown_runs_;
  std::optional<SubwordSampler> sampler_;
  // Of BPE, as no merge crosses a blank and no rule of normalisation contains one: a line is cut as
  // its words are. So does unigram but for roundings, and it is fast without.
  std::unique_ptr<WordCache> words_;
};

SubwordTokenizer::SubwordTokenizer(std::string bytes, double sample)
    : bytes_(std::move(bytes)), sample_(sample) {
  SentencePieceModel model = parse_sentencepiece_model(bytes_);
  const auto status = processor_.LoadFromSerializedProto(bytes_);
  check(status.ok(), "SentencePiece does not take the model: ", status.ToString());
  if (sample > 0) sampler_.emplace(model, sample);
  if (model.algorithm == SentencePieceModel::Algorithm::kBpe) {
    words_ = std::make_unique<WordCache>();
  }
  unknown_runs_ = std::make_unique<UnknownRuns>(model);
  pieces_ = std::move(model.pieces);
}

std::vector<std::string> SubwordTokenizer::pieces_of(std::string_view text) const {
  std::vector<std::string> pieces;
  const auto shorter = unknown_runs_->shorten(text);
  const auto status = processor_.Encode(shorter ? shorter->text : text, &pieces);
  check(status.ok(), "SentencePiece cannot cut a line: ", status.ToString());
  return pieces;
}

std::vector<std::int32_t> SubwordTokenizer::ids_of(std::string_view text) const {
  std::vector<std::int32_t> ids;
  const auto shorter = unknown_runs_->shorten(text);
  const auto status = processor_.Encode(shorter ? shorter->text : text, &ids);
  check(status.ok(), "SentencePiece cannot cut a line: ", status.ToString());
  return ids;
}

void SubwordTokenizer::encode(std::string_view text, std::vector<std::int32_t>& ids) const {
  for_each_part(text, [&](std::string_view part, std::uint64_t) { encode_part(part, ids); });
}

void SubwordTokenizer::encode_part(std::string_view text, std::vector<std::int32_t>& ids) const {
  // SentencePiece takes its own sign for a blank away where a text ends, but not within it.
  if (words_ == nullptr || text.find(kBlank) != text.npos) {
    const std::vector<std::int32_t> all = ids_of(text);
    ids.insert(ids.end(), all.begin(), all.end());
    return;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    if (words_->find(word, ids)) continue;
    const std::vector<std::int32_t> own = ids_of(word);
    words_->add(word, own);
    ids.insert(ids.end(), own.begin(), own.end());
  }
}

// SentencePiece says where in the text each piece comes from, whatever the normalisation did.
void SubwordTokenizer::encode_with_ends(std::string_view text, std::vector<std::int32_t>& ids,
                                        std::vector<std::size_t>& ends) const {
  for_each_part(text, [&](std::string_view part, std::uint64_t) {
    const auto before = static_cast<std::size_t>(part.data() - text.data());
    std::size_t last = 0;
    const auto shorter = unknown_runs_->shorten(part);
    const std::string_view read = shorter ? shorter->text : part;
    const std::string pieces = processor_.EncodeAsSerializedProto(read);
    ProtoReader reader(pieces);
    while (const auto field = reader.next()) {
      if (field->number != FoundPiece::kField) continue;
      const FoundPiece piece(field->bytes);
      ids.push_back(piece.id);
      const std::size_t end = piece.end_in(read);
      last = std::max(last, shorter ? shorter->original(end) : end);
      ends.push_back(before + last);
    }
  });
}

void SubwordTokenizer::sample(std::string_view text, std::uint64_t random,
                              std::vector<std::int32_t>& ids) const {
  if (!sampler_) return encode(text, ids);
  for_each_part(text, [&](std::string_view part, std::uint64_t number) {
    // SentencePiece does not say how it normalised a text, but its pieces do.
    std::string normalised;
    for (const std::string& piece : pieces_of(part)) normalised += piece;
    sampler_->sample(normalised, random + number, ids);
  });
}

std::string SubwordTokenizer::piece(std::int32_t id) const {
  check_token_id(id, vocabulary());
  if (id == Vocabulary::kEnd || id == vocabulary().start()) return "";
  if (id == Vocabulary::kUnknown) return std::string(kUnknownText);
  std::string text = pieces_[static_cast<std::size_t>(id)].text;
  for (std::size_t at = 0; (at = text.find(kBlank, at)) != text.npos; ++at) {
    text.replace(at, kBlank.size(), " ");
  }
  return text;
}

std::string SubwordTokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) {
    check_token_id(id, vocabulary());
    if (id == Vocabulary::kEnd || id == vocabulary().start()) continue;
    const bool unknown = id == Vocabulary::kUnknown;
    text += unknown ? kUnknownText : pieces_[static_cast<std::size_t>(id)].text;
  }
  std::string result;
  for (const CodePoint& c : CodePoints(text)) {
    if (c.bytes != kBlank) {
      result += c.bytes;
    } else if (!result.empty()) {
      result += ' ';
    }
  }
  return result;
}

std::string SubwordTokenizer::serialised() const {
  std::string text = tokenizer_header("subword");
  text.append("sample ").append(text_of(sample_));
  text.append("\nchecksum ").append(text_of(checksum_of(bytes_), 16));
  return text.append("\n").append(bytes_);
}

double read_sample(TokenizerFile& file) {
  const std::string_view text = file.value_of("sample");
  double sample = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sample);
  file.require(
      error == std::errc() && end == text.data() + text.size() && sample >= 0 && sample <= 1,
      "line ", file.line_number(), " holds no number from 0 to 1; the file is damaged");
  return sample;
}

std::unique_ptr<Tokenizer> load(TokenizerFile& file) {
  const double sample = read_sample(file);
  const std::uint64_t checksum = file.number_of("checksum", 16);
  file.require(checksum == checksum_of(file.rest()),
               "the checksum does not fit the model; the file is damaged");
  try {
    return std::make_unique<SubwordTokenizer>(std::string(file.rest()), sample);
  } catch (const Error& error) {
    file.require(false, error.what());
    throw;
  }
}

}  // namespace

TokenizerKind subword_tokenizer() {
  return {.read_config = [](const Config& config) { SubwordSettings{config}; },
          .train = [](const Config& config, const LineSource& lines) -> std::unique_ptr<Tokenizer> {
            const SubwordSettings settings(config);
            return std::make_unique<SubwordTokenizer>(train_sentencepiece(settings, lines),
                                                      settings.sample);
          },
          .load = load};
}

}  // namespace heddle
