#include "train/corpora.h"

#include "autograd/base/text_file.h"
#include "data/checksum.h"
#include "data/corpus_file.h"
#include "data/corpus_warnings.h"
#include "data/line_reader.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenizerKey = "tokenizer.key";

std::string stamp_of(const fs::path& path) {
  require_regular(path, kReadAgain);
  const CorpusFile file(path);
  const FileStamp stamp = file.stamp();
  return path.string() + ", " + std::to_string(stamp.size) + " bytes, changed at " +
         std::to_string(stamp.changed) + "\n";
}

std::string sizes_of(const Tokenizers& tokenizers) {
  const auto ids = [](const Tokenizer& t) { return std::to_string(t.vocabulary().size); };
  if (tokenizers.joint()) return "vocabulary of " + ids(tokenizers.source());
  return "vocabularies of " + ids(tokenizers.source()) + " and " + ids(tokenizers.target());
}

TokenCache open_cache(const char* name, const TextFiles& text, const Tokenizers& tokenizers,
                      const CorpusLimits& limits, const CorporaOptions& options) {
  const Corpus corpus{
      {text.source, &tokenizers.source()}, {text.target, &tokenizers.target()}, limits};
  const auto progress = [&](std::int64_t pairs) {
    if (options.tick) options.tick();
    if (pairs % 1'000'000 < 8192 && pairs >= 1'000'000) {
      options.say(std::string(name) + ": " + std::to_string(pairs) + " pairs so far");
    }
  };
  OpenedCorpus opened = open_corpus(corpus, options.folder / (std::string(name) + ".tokens"),
                                    options.threads, progress);
  const CorpusReport& report = opened.cache.report();
  options.say(std::string(name) + ": " + report.message(limits.source_limit));
  for (const std::string& warning : corpus_warnings(corpus, report)) {
    options.say("warning: " + std::string(name) + ": " + warning);
  }
  if (report.unreachable > 0) {
    options.say("warning: " + std::string(name) + ": " + std::to_string(report.unreachable) +
                " targets are longer than decode.max_length lets a translation be");
  }
  return std::move(opened.cache);
}

void say_normalisation(const Tokenizers& tokenizers, const PairSet& valid, const Say& say) {
  const auto warning = normalisation_warning(tokenizers.target(), valid);
  if (warning) say("warning: valid: " + *warning);
}

/// Of each line of the validation text, with tabs between them. `content` becomes a number for
/// them, too.
std::vector<References> read_references(const DataConfig& data, std::int64_t lines,
                                        std::uint64_t& content) {
  const fs::path& file = *data.valid_references;
  const auto check_lines = [&](bool as_many, const auto& count) {
    check<DataError>(as_many, file.string(), " has ", count, " lines, but ",
                     data.valid->target.string(), " has ", lines,
                     "; line n of one must belong to line n of the other");
  };
  require_regular(file, kReadAgain);
  std::vector<References> references;
  LineReader reader(file);
  for (std::string_view line; reader.next(line);) {
    check_lines(reader.number() <= lines, "more");  // at once: it may never end
    check_utf8(file, reader.number(), line);
    content = checksum(std::as_bytes(std::span(line)), content);
    append_references(line, "\t", references.emplace_back());
    if_none_the_empty_one(references.back());
  }
  check_lines(std::ssize(references) == lines, references.size());
  return references;
}

}  // namespace

Tokenizers trained_tokenizers(const Config& tokenizer, const std::string& part,
                              const TextFiles& text, const fs::path& folder, const Say& say) {
  const std::string key = part + "\n" + stamp_of(text.source) + stamp_of(text.target);
  const fs::path key_file = folder / kTokenizerKey;
  const bool fits = fs::exists(key_file) && read_text(key_file) == key;
  if (fits && Tokenizers::are_in(folder)) return Tokenizers::load(folder);
  say("training the tokenizer");
  Tokenizers tokenizers = Tokenizers::train(tokenizer, text);
  fs::remove_all(folder);  // with caches of older tokenizers
  fs::create_directories(folder);
  tokenizers.save(folder);
  write_text(key_file, key);
  say("tokenizer: " + sizes_of(tokenizers));
  return tokenizers;
}

Corpora::Corpora(const Tokenizers& tokenizers, const Settings& settings,
                 const CorporaOptions& options) {
  fs::create_directories(options.folder);
  CorpusLimits limits;
  limits.max_length = settings.data.max_length;
  limits.max_source_tokens = settings.train.max_source_tokens;
  if (!settings.train.max_source_given) limits.source_limit = "twice train.batch_tokens";
  limits.reach_factor = settings.decode.limit.factor;
  limits.reach_extra = settings.decode.limit.extra;
  train_cache_ = open_cache("train", *settings.data.train, tokenizers, limits, options);
  if (settings.data.hold_out > 0) {
    const HeldOut parts(*train_cache_, settings.data.hold_out, settings.seed);
    train_ = parts.train;
    valid_ = parts.valid;
    say_normalisation(tokenizers, *valid_, options.say);
    return;
  }
  train_ = PairSet(*train_cache_);
  if (!settings.data.valid) return;
  valid_cache_ = open_cache("valid", *settings.data.valid, tokenizers, limits, options);
  valid_ = PairSet(*valid_cache_);
  for (const std::string& warning :
       validation_warnings(*settings.data.valid, valid_cache_->report(), train_cache_->report())) {
    options.say("warning: valid: " + warning);
  }
  say_normalisation(tokenizers, *valid_, options.say);
  valid_content_ = valid_cache_->content();
  if (!settings.data.valid_references) return;
  valid_references_ = read_references(settings.data, valid_cache_->report().pairs, valid_content_);
}

}  // namespace heddle
