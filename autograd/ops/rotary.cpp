#include "autograd/ops/rotary.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "autograd/kernels/rotary.h"
#include "autograd/op.h"

namespace heddle {

namespace {

void check_input(const Tensor& x, Sequences sequences, const RotaryOptions& options) {
  check_floating("rotary", x);
  check(x.shape.rank() == 2, "rotary: x ", x.shape, " is not a matrix");
  check(options.heads >= 1, "rotary: ", options.heads, " heads, at least 1 is needed");
  check(options.head_dim >= 2 && options.head_dim % 2 == 0, "rotary: head_dim ", options.head_dim,
        " is not a positive even number: columns turn in pairs");
  check(options.head_dim <= x.shape.columns() / options.heads, "rotary: ", options.heads,
        " heads of ", options.head_dim, " do not fit the columns of x ", x.shape);
  check(std::isfinite(options.base) && options.base > 0.0, "rotary: base ", options.base,
        " is not a positive number");
  check_sequences("rotary", sequences, x.shape[0]);
  const auto first = options.first_positions;
  check(first.empty() || first.size() == sequences.size(), "rotary: ", first.size(),
        " first positions for ", sequences.size(), " sentences");
  for (std::size_t s = 0; s < first.size(); ++s) {
    check(first[s] >= 0, "rotary: sentence ", s, " begins at position ", first[s],
          ", the lowest is 0");
  }
}

std::int64_t first_position(const RotaryOptions& options, std::size_t sentence) {
  return options.first_positions.empty() ? 0 : options.first_positions[sentence];
}

// The positions that get a row of the table, in `scratch`, and into `rows` [tokens] the row of each
// token. All positions from the lowest to the highest; where these are more than tokens (sentences
// far apart while decoding) every token has a row of its own.
std::span<const std::int64_t> table_positions(Sequences sequences, const RotaryOptions& options,
                                              Arena& scratch, std::int32_t* rows) {
  std::int64_t lowest = first_position(options, 0), end = lowest;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const std::int64_t first = first_position(options, s);
    lowest = std::min(lowest, first);
    end = std::max(end, first + sequences[s].length);
  }
  const std::int64_t tokens = total_length(sequences);
  const bool shared = end - lowest <= tokens;
  const std::int64_t count = shared ? end - lowest : tokens;
  auto* const positions = scratch.allocate<std::int64_t>(count);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const std::int64_t first = first_position(options, s);
    const std::int64_t row = shared ? first - lowest : sequences[s].begin;
    for (std::int32_t i = 0; i < sequences[s].length; ++i) {
      positions[row + i] = first + i;
      rows[sequences[s].begin + i] = static_cast<std::int32_t>(row + i);
    }
  }
  return {positions, static_cast<std::size_t>(count)};
}

}  // namespace

Tensor rotary(Context& context, const Tensor& x, Sequences sequences,
              const RotaryOptions& options) {
  const Op op(context, "rotary", {x});
  check_input(x, sequences, options);
  const std::int64_t tokens = x.shape[0];
  const Tensor y = op.output({tokens, options.heads * options.head_dim}, x.dtype);

  // Backward needs the table again; inference forgets it at once.
  const ArenaScope scope(context.scratch());
  Arena& kept = op.recording() ? context.arena() : context.scratch();
  auto* const rows = kept.allocate<std::int32_t>(tokens);
  const auto positions = table_positions(sequences, options, context.scratch(), rows);
  const kernels::RotaryShape shape{tokens, x.shape.columns(), options.heads, options.head_dim / 2,
                                   rows};
  void* const table = kept.allocate(positions.size() * size_of(x.dtype) *
                                    static_cast<std::size_t>(options.head_dim));
  dispatch(x.dtype, "rotary", [&](auto zero) {
    using T = decltype(zero);
    kernels::rotary_table<T>(positions, shape.half, options.base, static_cast<T*>(table),
                             context.threads());
    kernels::rotary<T>(shape, static_cast<const T*>(table), x.as<T>(), y.as<T>(),
                       context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "rotary", [&](auto zero) {
      using T = decltype(zero);
      kernels::rotary_backward<T>(shape, static_cast<const T*>(table), b.upstream<T>(y),
                                  b.sink<T>(x), b.context().threads());
    });
  });
  return y;
}

}  // namespace heddle
