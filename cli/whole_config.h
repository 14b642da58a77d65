// A whole config file, as far as verbs read it.
#pragma once

#include "configs/config.h"
#include "layers/transformer.h"

namespace heddle {

/// Reads everything: declares the model in `store`. Sections that other verbs read are passed over.
/// Throws nothing; ConfigDocument::finish() tells what is wrong.
Transformer read_whole_config(const Config& root, ParameterStore& store,
                              const Vocabularies& vocabularies);

}  // namespace heddle
