#include "cli/whole_config.h"

namespace heddle {

Transformer read_whole_config(const Config& root, ParameterStore& store,
                              const Vocabularies& vocabularies) {
  for (const char* section : {"seed", "data", "optimizer", "schedule", "train", "decode"}) {
    root.pass_over(section);
  }
  return {Scope(store), root.object("model", "The Transformer."), vocabularies};
}

}  // namespace heddle
