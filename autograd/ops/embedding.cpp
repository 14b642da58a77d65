#include "autograd/ops/embedding.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/embedding.h"
#include "autograd/op.h"

namespace heddle {

namespace {

void check_ids(std::span<const std::int32_t> ids, std::int64_t vocabulary) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    check(ids[i] >= 0 && ids[i] < vocabulary, "embed: id ", ids[i], " at token ", i,
          " is outside the vocabulary of ", vocabulary);
  }
}

void check_positions(const Tensor& positions, const Tensor& table, Sequences sequences,
                     std::span<const std::int32_t> first) {
  if (positions.data == nullptr) return;
  check(positions.shape.rank() == 2 && positions.shape.columns() == table.shape.columns() &&
            positions.dtype == table.dtype,
        "embed: positions ", positions.shape, " of ", positions.dtype, " do not fit the table ",
        table.shape, " of ", table.dtype);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const std::int64_t begin = first.empty() ? 0 : first[s];
    const std::int64_t end = begin + sequences[s].length;
    check(begin >= 0 && end <= positions.shape[0], "embed: sentence ", s, " needs positions ",
          begin, " to ", end - 1, " of positions ", positions.shape);
  }
}

}  // namespace

Tensor embed(Context& context, const Tensor& table, const Tensor& positions,
             std::span<const std::int32_t> ids, Sequences sequences, const EmbedOptions& options) {
  const Op op(context, "embed", {table, positions}, 1);
  const auto count = static_cast<std::int64_t>(ids.size());
  check_floating("embed", table);
  check(table.shape.rank() == 2, "embed: table ", table.shape, " is not a matrix");
  check_sequences("embed", sequences, count);
  check(options.first_positions.empty() || options.first_positions.size() == sequences.size(),
        "embed: ", options.first_positions.size(), " first positions for ", sequences.size(),
        " sentences");
  check(options.zero_id >= -1 && options.zero_id < table.shape[0], "embed: zero_id ",
        options.zero_id, " is outside the vocabulary of ", table.shape[0]);
  check(std::isfinite(options.scale), "embed: scale ", options.scale, " is no number");
  check_ids(ids, table.shape[0]);
  check_positions(positions, table, sequences, options.first_positions);

  Arena& arena = context.arena();
  const auto first = arena.copy(options.first_positions);
  const kernels::EmbeddingTokens tokens{count, arena.copy(ids).data(), options.zero_id,
                                        arena.copy(sequences),
                                        first.empty() ? nullptr : first.data()};
  const kernels::Dropout mask = op.dropout(options.dropout);
  const std::int64_t columns = table.shape.columns();
  const double scale = options.scale;
  const Tensor y = op.output({count, columns}, table.dtype);
  dispatch(table.dtype, "embed", [&](auto zero) {
    using T = decltype(zero);
    const T* const position_table = positions.data != nullptr ? positions.as<T>() : nullptr;
    kernels::embedding<T>(tokens, columns, table.as<T>(), scale, position_table, mask, y.as<T>(),
                          context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(table.dtype, "embed", [&](auto zero) {
      using T = decltype(zero);
      const kernels::EmbeddingGradients<T> gradients{
          b.sink<T>(table), table.shape[0], b.sink<T>(positions),
          positions.data != nullptr ? positions.shape[0] : 0};
      kernels::embedding_backward<T>(tokens, columns, scale, mask, b.upstream<T>(y), gradients,
                                     b.context().threads());
    });
  });
  return y;
}

Tensor sinusoidal_positions(Context& context, std::int64_t length, std::int64_t d_model,
                            DType dtype) {
  check(length > 0 && d_model > 0 && d_model % 2 == 0, "sinusoidal_positions: [", length, ", ",
        d_model, "] needs a positive length and an even d_model");
  const Tensor table = context.empty({length, d_model}, dtype);
  dispatch(dtype, "sinusoidal_positions", [&](auto zero) {
    using T = decltype(zero);
    kernels::sinusoidal_positions<T>(length, d_model, table.as<T>());
  });
  return table;
}

}  // namespace heddle
