#include "layers/transformer.h"

#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/shaping.h"

namespace heddle {

namespace {

std::int64_t d_model_of(const Config& side) {
  return side.integer("d_model", 512, {1, 1 << 16}, "Width of the residual stream.");
}

// Far more than any machine holds that this library runs on.
constexpr std::int64_t kMostParameters = std::int64_t{1} << 36;

// Of the first sentences, those that are encoded together.
std::size_t sentences_at_once(Sequences sentences) {
  constexpr std::int64_t kTokens = 128;  // enough rows for fast products
  std::size_t count = 1;
  for (std::int64_t tokens = sentences[0].length; count < sentences.size(); ++count) {
    tokens += sentences[count].length;
    if (tokens > kTokens) break;
  }
  return count;
}

}  // namespace

// The config by sides, and the tables, which sides may share.
struct Transformer::Parts {
  Config model, encoder, decoder;
  std::int64_t encoder_d_model, decoder_d_model;
  EmbeddingTables tables;

  Parts(const Scope& scope, const Config& config, const Vocabularies& vocabularies)
      : model(config),
        encoder(config.inheriting("encoder", "What differs in the encoder.")),
        decoder(config.inheriting("decoder", "What differs in the decoder.")),
        encoder_d_model(d_model_of(encoder)),
        decoder_d_model(d_model_of(decoder)),
        tables(EmbeddingTables::declare(scope, config, vocabularies, encoder_d_model,
                                        decoder_d_model)) {}
};

Transformer::Transformer(const Scope& scope, const Config& model, const Vocabularies& vocabularies)
    : Transformer(scope, Parts(scope, model, vocabularies), vocabularies) {}

Transformer::Transformer(const Scope& scope, const Parts& p, const Vocabularies& vocabularies)
    : vocabularies_(vocabularies),
      output_(p.tables.output),
      source_embedding_(scope / "encoder", p.encoder, p.tables.source, vocabularies.source,
                        p.encoder_d_model),
      target_embedding_(scope / "decoder", p.decoder, p.tables.target, vocabularies.target,
                        p.decoder_d_model),
      encoder_(scope / "encoder", p.encoder, Stack::Role::kEncoder, p.encoder_d_model, 0),
      decoder_(scope / "decoder", p.decoder, Stack::Role::kDecoder, p.decoder_d_model,
               p.encoder_d_model) {
  if (p.model.flag("output_bias", false, "Whether the output projection has a bias.")) {
    output_bias_ =
        (scope / "output").declare("bias", {vocabularies.target.size}, Initialiser::constant(0.0));
  }
  const std::int64_t parameters = scope.store().elements();
  if (parameters > kMostParameters) {
    p.model.error("d_model", "makes a model of ", parameters, " parameters; at most ",
                  kMostParameters, " are supported");
  }
}

Memory Transformer::encode(Context& context, const Tokens& source, AttentionMaps* maps) const {
  const NamedScope named(context, "encoder");
  const Sequences sequences = context.arena().copy(source.sequences);
  StackInput input{sequences};
  input.maps = maps;
  const Tensor x = source_embedding_(context, source.ids, sequences);
  return {encoder_(context, x, input), sequences};
}

Tensor Transformer::decode(Context& context, const Tokens& target, const Memory& memory,
                           AttentionMaps* maps) const {
  const NamedScope named(context, "decoder");
  check(target.sequences.size() == memory.sequences.size(), "decode: ", target.sequences.size(),
        " target sentences, ", memory.sequences.size(), " source sentences");
  StackInput input{target.sequences, &memory};
  input.maps = maps;
  return decoder_(context, target_embedding_(context, target.ids, target.sequences), input);
}

Tensor Transformer::logits(Context& context, const Tensor& states) const {
  const NamedScope named(context, "output");
  const auto of_classes = [&](const Parameter& parameter) {
    return slice(context, context.use(parameter), 0, 0, vocabularies_.target.classes());
  };
  return linear(context, states, of_classes(output_),
                output_bias_ ? of_classes(*output_bias_) : Tensor{});
}

Tensor Transformer::loss(Context& context, const Examples& examples,
                         std::span<const double> row_weights, double label_smoothing) const {
  const Memory memory = encode(context, examples.source);
  const Tensor states = decode(context, examples.target_input, memory);
  const NamedScope named(context, "output");
  const Tensor bias = output_bias_ ? context.use(*output_bias_) : Tensor{};
  return cross_entropy(context, states, context.use(output_), bias, examples.target_output,
                       row_weights, {label_smoothing, vocabularies_.target.classes()});
}

void Transformer::begin_decoding(Context& context, const Tokens& source,
                                 DecoderCache& cache) const {
  check(!context.training(), "begin_decoding: the context is training");
  cache.begin(decoder_.cache_layout(), source.sequences, output_.store->dtype());
  for (std::size_t first = 0; first < source.sequences.size();) {
    const std::size_t count = sentences_at_once(source.sequences.subspan(first));
    context.begin(Mode::kInference);
    const std::int32_t begin = source.sequences[first].begin;
    const std::span piece(context.arena().allocate<Sequence>(static_cast<std::int64_t>(count)),
                          count);
    for (std::size_t i = 0; i < count; ++i) {
      const Sequence& sentence = source.sequences[first + i];
      piece[i] = {sentence.begin - begin, sentence.length};
    }
    const auto ids = source.ids.subspan(static_cast<std::size_t>(begin),
                                        static_cast<std::size_t>(total_length(piece)));
    decoder_.store_memory(context, encode(context, {ids, piece}), begin, cache);
    first += count;
  }
}

Tensor Transformer::decode(Context& context, const Tokens& next, DecoderCache& cache,
                           AttentionMaps* maps) const {
  const NamedScope named(context, "decoder");
  check(cache.layout() == decoder_.cache_layout(),
        "decode: the cache was not begun by this model; see begin_decoding");
  cache.extend(next.sequences);
  StackInput input{next.sequences, nullptr, &cache};
  input.maps = maps;
  const Tensor x = target_embedding_(context, next.ids, next.sequences, cache.first_positions());
  return decoder_(context, x, input);
}

}  // namespace heddle
