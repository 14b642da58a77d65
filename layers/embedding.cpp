#include "layers/embedding.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops/embedding.h"
#include "layers/dropout_rates.h"
#include "layers/initialisation.h"

namespace heddle {

namespace {

struct Tie {
  bool source_target, target_output;
};

constexpr Named<Tie> kTies[] = {
    {"all", {true, true}},
    {"source_target", {true, false}},
    {"target_output", {false, true}},
    {"none", {false, false}},
};

}  // namespace

EmbeddingTables EmbeddingTables::declare(const Scope& scope, const Config& model,
                                         const Vocabularies& vocabularies,
                                         std::int64_t encoder_d_model,
                                         std::int64_t decoder_d_model) {
  const Tie tie =
      model.choice("tie", "all", kTies, "Which of source, target and output tables are one.");
  const Initialisation initialisation(model);
  const auto table = [&](const char* name, const Vocabulary& vocabulary, std::int64_t d_model) {
    return (scope / name)
        .declare("weight", {vocabulary.size, d_model}, initialisation.table(d_model));
  };
  if (tie.source_target && vocabularies.source != vocabularies.target) {
    model.error("tie",
                "source and target have vocabularies of their own; take \"target_output\" or "
                "\"none\", or one tokenizer for both");
  }
  if (tie.source_target && encoder_d_model != decoder_d_model) {
    model.error("tie", "d_model is ", encoder_d_model, " in the encoder and ", decoder_d_model,
                " in the decoder; take \"target_output\" or \"none\"");
  }
  EmbeddingTables tables;
  tables.source = table(tie.source_target ? "embedding" : "source_embedding", vocabularies.source,
                        encoder_d_model);
  tables.target = tie.source_target
                      ? tables.source
                      : table("target_embedding", vocabularies.target, decoder_d_model);
  tables.output =
      tie.target_output ? tables.target : table("output", vocabularies.target, decoder_d_model);
  return tables;
}

Embedding::Embedding(const Scope& scope, const Config& config, Parameter table,
                     const Vocabulary& vocabulary, std::int64_t d_model)
    : table_(table),
      vocabulary_(vocabulary),
      scale_(std::sqrt(static_cast<double>(d_model))),
      dropout_(dropout_rate(config, "embedding_dropout", "Dropout of the embeddings.")),
      positions_(scope / "positions", config, d_model) {}

Tensor Embedding::operator()(Context& context, std::span<const std::int32_t> ids,
                             Sequences sequences,
                             std::span<const std::int32_t> first_positions) const {
  std::int64_t length = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::int64_t first = i < first_positions.size() ? first_positions[i] : 0;
    length = std::max(length, first + sequences[i].length);
  }
  EmbedOptions options;
  options.scale = scale_;
  options.dropout = dropout_;
  options.zero_id = vocabulary_.padding();
  options.first_positions = first_positions;
  return embed(context, context.use(table_), positions_(context, length), ids, sequences, options);
}

}  // namespace heddle
