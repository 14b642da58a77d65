// Warnings about a corpus: text that the vocabulary does not cover, filters that leave out a large
// part, files that are surely not what was meant.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/corpus.h"
#include "data/data_config.h"

namespace heddle {

/// A sentence for each thing that looks wrong, with the file and the first line.
std::vector<std::string> corpus_warnings(const Corpus& corpus, const CorpusReport& report);

/// The same of a validation text beside the training text.
std::vector<std::string> validation_warnings(const TextFiles& files, const CorpusReport& report,
                                             const CorpusReport& training);

/// What the tokenizer of the targets changes in them, as metrics compare with the text as it is.
/// Looks at the first 10,000 pairs; nothing where hardly any target changes.
std::optional<std::string> normalisation_warning(const Tokenizer& tokenizer, const PairSet& pairs);

}  // namespace heddle
