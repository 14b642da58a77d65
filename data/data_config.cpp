#include "data/data_config.h"

#include "data/tokenizers.h"

namespace heddle {

namespace {

std::optional<TextFiles> read_files(const Config& files) {
  const auto source = files.optional_path("source", "A file of text; .gz, too.");
  const auto target = files.optional_path("target", "Its translation, line by line.");
  if (source && !target) files.error("source", "\"target\" is missing beside it");
  if (target && !source) files.error("target", "\"source\" is missing beside it");
  if (!source || !target) return std::nullopt;
  return TextFiles{*source, *target};
}

}  // namespace

DataConfig::DataConfig(const Config& data) {
  train = read_files(data.object("train", "The text to learn from."));
  const Config validation = data.object("valid", "The text that judges, never learnt from.");
  valid = read_files(validation);
  valid_references = validation.optional_path(
      "references",
      "What metrics compare with instead of the target: a file with several right "
      "translations on each line, tabs between.");
  if (valid_references && !valid) {
    validation.error("references", "\"source\" and \"target\" are missing beside it");
  }
  hold_out = validation.integer("hold_out", 0, {0, std::int64_t{1} << 40},
                                "Instead of files: so many pairs of the training text.");
  if (valid && hold_out > 0) {
    validation.error("hold_out", "is for a config without files for validation; take one of them");
  }
  Tokenizers::read_config(data.object("tokenizer", "How text is cut into tokens."));
  max_length = data.integer("max_length", max_length, {2, 1 << 24},
                            "Tokens of a side, the end included; longer pairs are left out.");
}

void DataConfig::require_training_text(const Config& data) {
  const Config train = data.object("train", "");
  if (!train.has("source") && !train.has("target")) {
    data.error("train", "is missing: give the files of \"source\" and \"target\" to train on");
  }
}

}  // namespace heddle
