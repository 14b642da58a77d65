#include "data/subword_training.h"

#include <malloc.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "data/line_sample.h"
#include "data/proto_reader.h"
#include "data/tokenizer_kind.h"
#include "data/utf8.h"

namespace heddle {

namespace {

constexpr std::size_t kMostLines = 500'000;
// SentencePiece leaves out lines that are longer than 4192 bytes, and dies of words of 65536
// characters.
constexpr std::size_t kLongestLine = 4096;

constexpr Named<std::string_view> kModels[] = {{"bpe", "bpe"}, {"unigram", "unigram"}};
constexpr Named<std::string_view> kNormalisations[] = {{"nmt_nfkc", "nmt_nfkc"},
                                                       {"nfkc", "nfkc"},
                                                       {"nmt_nfkc_cf", "nmt_nfkc_cf"},
                                                       {"identity", "identity"}};

// SentencePiece learns nothing from the names of its special pieces where they stand in the text.
// While it trains they have names with U+2585, which no text keeps (see remove_reserved()).
constexpr std::string_view kHiddenEnd = "\xE2\x96\x85/s", kHiddenUnknown = "\xE2\x96\x85unk";
constexpr std::string_view kUsualEnd = "</s>", kUsualUnknown = "<unk>";

/// Gives SentencePiece the lines, or takes them away while it reads, so that they are not in memory
/// twice.
class Sentences final : public sentencepiece::SentenceIterator {
 public:
  enum class Reading { kKeep, kTake };
  Sentences(std::vector<std::string>& lines, Reading reading) : lines_(lines), reading_(reading) {}

  bool done() const override { return at_ >= lines_.size(); }
  void Next() override {
    if (reading_ == Reading::kTake) std::string().swap(lines_[at_]);
    ++at_;
  }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string>& lines_;
  Reading reading_;
  std::size_t at_ = 0;
};

using Options = std::unordered_map<std::string, std::string>;

Options options_of(const SubwordSettings& settings) {
  char coverage[32];
  char* const end = std::to_chars(coverage, std::end(coverage), settings.character_coverage).ptr;
  return {{"model_type", settings.model},
          {"vocab_size", std::to_string(settings.vocab_size - 1)},
          {"normalization_rule_name", settings.normalisation},
          {"character_coverage", std::string(&coverage[0], end)},
          {"eos_id", std::to_string(Vocabulary::kEnd)},
          {"unk_id", std::to_string(Vocabulary::kUnknown)},
          {"bos_id", "-1"},
          {"pad_id", "-1"},
          {"eos_piece", std::string(kHiddenEnd)},
          {"unk_piece", std::string(kHiddenUnknown)},
          {"num_threads", "4"},
          {"minloglevel", "3"}};
}

/// Adds a line, in parts where it is too long.
void add_in_parts(std::string_view line, LineSample& sample) {
  while (line.size() > kLongestLine) {
    const std::size_t part = first_part(line, kLongestLine);
    sample.add(line.substr(0, part));
    line.remove_prefix(part);
  }
  if (line.find_first_not_of(" \t") != line.npos) sample.add(line);
}

/// SentencePiece leaves out lines with U+2585, its sign for what is no text.
void remove_reserved(std::string& line) {
  constexpr std::string_view kReserved = "\xE2\x96\x85";
  for (std::size_t at = line.find(kReserved); at != line.npos; at = line.find(kReserved, at)) {
    std::fill_n(line.begin() + static_cast<std::ptrdiff_t>(at), kReserved.size(), ' ');
  }
}

/// The number behind `words` in a message of SentencePiece.
std::optional<int> number_behind(std::string_view message, std::string_view words) {
  const std::size_t at = message.find(words);
  if (at == message.npos) return std::nullopt;
  const std::string_view digits = message.substr(at + words.size());
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

[[noreturn]] void explain(const SubwordSettings& settings, const std::string& message) {
  const std::string here = settings.place + ".vocab_size: ";
  if (const auto most = number_behind(message, "Please set it to a value <= ")) {
    fail<DataError>(here, settings.vocab_size, " is more than this text supports; the largest ",
                    "possible vocab_size is ", *most + 1);
  }
  const std::string vs = std::to_string(settings.vocab_size - 1) + " vs ";
  if (const auto least = number_behind(message, vs)) {
    fail<DataError>(here, settings.vocab_size, " has no room for the characters of this text; ",
                    "the smallest possible vocab_size is ", *least + 1,
                    ", or lower character_coverage so that rare ones become unknown");
  }
  fail<DataError>(settings.place, ": SentencePiece cannot train on this text: ", message);
}

std::size_t pieces_in(std::string_view model) {
  constexpr std::uint64_t kPiece = 1;
  std::size_t pieces = 0;
  ProtoReader reader(model);
  while (const auto field = reader.next()) pieces += field->number == kPiece ? 1 : 0;
  return pieces;
}

/// Normalisation removes control characters and blanks. Where nothing is left SentencePiece ends
/// the process, but a model of characters it can always make.
bool is_empty(const SubwordSettings& settings, std::vector<std::string>& lines) {
  const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
  for (const std::string& line : lines) {
    if (std::ranges::any_of(line, printable)) return false;  // which no normalisation removes
  }
  Options options = options_of(settings);
  options["model_type"] = "char";
  options["vocab_size"] = "4000000";  // no limit
  Sentences sentences(lines, Sentences::Reading::kKeep);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &sentences, &model);
  return !status.ok() || pieces_in(model) <= Vocabulary::kFirstPiece;
}

void append_varint(std::uint64_t value, std::string& message) {
  for (; value >= 0x80; value >>= 7) message += static_cast<char>(value | 0x80);
  message += static_cast<char>(value);
}

void append_bytes(std::uint64_t number, std::string_view bytes, std::string& message) {
  append_varint(number << 3 | static_cast<std::uint64_t>(ProtoField::Type::kBytes), message);
  append_varint(bytes.size(), message);
  message += bytes;
}

/// A message whose fields `edit` writes, or leaves as they are where it returns false.
template <class Edit>
std::string edited(std::string_view message, const Edit& edit) {
  std::string result;
  ProtoReader reader(message);
  for (std::string_view before = message; const auto field = reader.next();) {
    const std::string_view after = reader.rest();
    if (!edit(*field, result)) result += before.substr(0, before.size() - after.size());
    before = after;
  }
  return result;
}

std::string_view text_of_piece(std::string_view piece) {
  ProtoReader reader(piece);
  while (const auto field = reader.next()) {
    if (field->number == 1) return field->bytes;
  }
  return {};
}

/// The model with "</s>" and "<unk>" as names of its special pieces, as SentencePiece calls them;
/// where those became pieces of text, the names are left as they are.
std::string with_usual_names(const std::string& model) {
  constexpr std::uint64_t kPiece = 1, kTrainer = 2, kUnknownName = 45, kEndName = 47;
  ProtoReader reader(model);
  while (const auto field = reader.next()) {
    if (field->number != kPiece) continue;
    const std::string_view text = text_of_piece(field->bytes);
    if (text == kUsualEnd || text == kUsualUnknown) return model;
  }
  return edited(model, [&](const ProtoField& part, std::string& result) {
    const std::string_view text = part.number == kPiece ? text_of_piece(part.bytes) : "";
    const bool special = text == kHiddenEnd || text == kHiddenUnknown;
    if (!special && part.number != kTrainer) return false;
    const auto edit_field = [&](const ProtoField& field, std::string& message) {
      if (!special) return field.number == kUnknownName || field.number == kEndName;  // left out
      if (field.number != 1) return false;
      append_bytes(1, text == kHiddenEnd ? kUsualEnd : kUsualUnknown, message);
      return true;
    };
    append_bytes(part.number, edited(part.bytes, edit_field), result);
    return true;
  });
}

std::string train(const SubwordSettings& settings, const LineSource& lines) {
  LineSample sample(kMostLines);
  lines([&](std::string_view line) {
    add_in_parts(line, sample);
    return true;
  });
  std::ranges::for_each(sample.lines(), remove_reserved);
  check<DataError>(!sample.lines().empty() && !is_empty(settings, sample.lines()), settings.place,
                   ": the text holds no words to train a tokenizer on");
  Sentences sentences(sample.lines(), Sentences::Reading::kTake);
  std::string model;
  const auto status =
      sentencepiece::SentencePieceTrainer::Train(options_of(settings), &sentences, &model);
  if (!status.ok()) explain(settings, status.ToString());
  return with_usual_names(model);
}

}  // namespace

SubwordSettings::SubwordSettings(const Config& config) : place(place_of(config)) {
  model = config.choice("model", "bpe", kModels, "How subwords are found.");
  vocab_size = static_cast<std::int32_t>(config.integer("vocab_size", 8000,
                                                        {Vocabulary::kSmallest + 1, 1 << 24},
                                                        "Ids, the three special ones counted."));
  normalisation = config.choice("normalisation", "nmt_nfkc", kNormalisations,
                                "What is done to characters first; identity keeps them.");
  character_coverage = config.number("character_coverage", 1.0, {.least = 0.98, .most = 1.0},
                                     "Share of the text whose characters get an id.");
  sample = config.number("sample", 0.0, {.least = 0.0, .most = 1.0},
                         "Subword regularisation: of bpe, how often a merge is left out; of "
                         "unigram, the power of probabilities; 0 for none.");
}

std::string train_sentencepiece(const SubwordSettings& settings, const LineSource& lines) {
  std::string model = train(settings, lines);
  // Training leaves hundreds of megabytes of small free pieces behind, which nobody needs again.
  ::malloc_trim(0);
  return model;
}

}  // namespace heddle
