// From text to ids and back, under the contract of autograd/base/vocabulary.h: 0 ends a sentence, 1
// stands for what the vocabulary lacks, pieces follow from 2, the last id is padding and start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/base/vocabulary.h"
#include "configs/config.h"

namespace heddle {

/// Const after construction; used by several threads at once.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual Vocabulary vocabulary() const = 0;
  /// Appends the ids of a line of UTF-8, without the end.
  virtual void encode(std::string_view text, std::vector<std::int32_t>& ids) const = 0;
  /// The same, and for each id where in `text` ends what it stands for, in bytes.
  virtual void encode_with_ends(std::string_view text, std::vector<std::int32_t>& ids,
                                std::vector<std::size_t>& ends) const = 0;
  /// The same as encode() with a segmentation drawn by `random` where the tokenizer samples
  /// (subword regularisation, Kudo 2018); else as encode().
  virtual void sample(std::string_view text, std::uint64_t random,
                      std::vector<std::int32_t>& ids) const {
    static_cast<void>(random);
    encode(text, ids);
  }
  /// Whether sample() draws.
  virtual bool samples() const { return false; }
  /// The text of ids; end and start give nothing, unknown gives U+2047 (double question mark).
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  /// What one id adds to the text of those before it: a word comes with the blank in front of it, a
  /// byte need not be a character.
  virtual std::string piece(std::int32_t id) const = 0;

  /// The bytes of the one file that load_tokenizer() needs.
  virtual std::string serialised() const = 0;
};

/// Calls its argument for lines of text, one after the other, until all were given or it returns
/// false.
using LineSource = std::function<void(const std::function<bool(std::string_view)>&)>;

/// Reads "type" and its keys from `config` and trains on `lines`. Throws DataError where the text
/// does not support the vocabulary.
std::unique_ptr<Tokenizer> train_tokenizer(const Config& config, const LineSource& lines);
/// Only reads the keys: for schemas and checks.
void read_tokenizer_config(const Config& config);
/// What serialised() gave; `name` stands in errors.
std::unique_ptr<Tokenizer> load_tokenizer(std::string_view bytes, const std::string& name);

}  // namespace heddle
