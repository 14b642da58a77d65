#include "data/tokenizers.h"

#include "autograd/base/text_file.h"
#include "data/corpus_pass.h"
#include "data/line_reader.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr const char* kJoint = "tokenizer";
constexpr const char* kSource = "tokenizer.source";
constexpr const char* kTarget = "tokenizer.target";

constexpr Named<bool> kSides[] = {{"joint", true}, {"separate", false}};

Config side(const Config& config, const char* name) {
  return config.inheriting(name, "What differs for this side.");
}

/// The lines of these files, one file after the other.
LineSource lines_of(std::initializer_list<fs::path> files) {
  return [paths = std::vector<fs::path>(files)](const std::function<bool(std::string_view)>& use) {
    for (const fs::path& path : paths) {
      LineReader reader(path);
      for (std::string_view line; reader.next(line);) {
        if (!use(line)) return;
      }
    }
  };
}

std::shared_ptr<const Tokenizer> load_file(const fs::path& path) {
  return load_tokenizer(read_text(path), path.string());
}

}  // namespace

bool Tokenizers::are_joint(const Config& tokenizer) {
  return tokenizer.choice("sides", "joint", kSides,
                          "One vocabulary for both sides, or one for each.");
}

void Tokenizers::read_config(const Config& tokenizer) {
  if (are_joint(tokenizer)) {
    for (const char* key : {"source", "target"}) {
      tokenizer.unread(key, "it is for \"sides\": \"separate\"");
    }
    return read_tokenizer_config(tokenizer);
  }
  read_tokenizer_config(side(tokenizer, "source"));
  read_tokenizer_config(side(tokenizer, "target"));
}

Tokenizers Tokenizers::train(const Config& tokenizer, const TextFiles& text) {
  check_text(text.source, text.target);
  Tokenizers result;
  if (are_joint(tokenizer)) {
    result.source_ = result.target_ =
        train_tokenizer(tokenizer, lines_of({text.source, text.target}));
  } else {
    result.source_ = train_tokenizer(side(tokenizer, "source"), lines_of({text.source}));
    result.target_ = train_tokenizer(side(tokenizer, "target"), lines_of({text.target}));
  }
  return result;
}

Tokenizers Tokenizers::load(const fs::path& folder) {
  Tokenizers result;
  if (fs::exists(folder / kSource)) {
    result.source_ = load_file(folder / kSource);
    result.target_ = load_file(folder / kTarget);
  } else {
    result.source_ = result.target_ = load_file(folder / kJoint);
  }
  return result;
}

void Tokenizers::save(const fs::path& folder) const {
  if (joint()) return write_text(folder / kJoint, source_->serialised());
  write_text(folder / kTarget, target_->serialised());
  write_text(folder / kSource, source_->serialised());  // last: load() asks for it
}

bool Tokenizers::equal(const Tokenizers& other) const {
  return joint() == other.joint() && source_->serialised() == other.source_->serialised() &&
         target_->serialised() == other.target_->serialised();
}

bool Tokenizers::are_in(const fs::path& folder) {
  return fs::exists(folder / kSource) || fs::exists(folder / kJoint);
}

}  // namespace heddle
