#include "autograd/ops/shaping.h"

#include <algorithm>

#include "autograd/kernels/axes.h"
#include "autograd/op.h"

namespace heddle {

namespace {

template <class T>
void swap(const kernels::AxisPair& s, const T* x, kernels::GradientSink<T> y, int threads) {
  if (s.middle == 1 && s.inner == 1) {
    kernels::transpose_matrices(s.outer, s.a, s.b, x, y, threads);
  } else {
    kernels::swap_axes(s, x, y, threads);
  }
}

kernels::AxisPair pair_of(const Shape& shape, int a, int b) {
  kernels::AxisPair pair{1, shape[a], 1, shape[b], 1};
  for (int i = 0; i < a; ++i) pair.outer *= shape[i];
  for (int i = a + 1; i < b; ++i) pair.middle *= shape[i];
  for (int i = b + 1; i < shape.rank(); ++i) pair.inner *= shape[i];
  return pair;
}

void check_parts(const char* op, std::span<const Tensor> parts, int axis) {
  for (const Tensor& part : parts) {
    check(part.dtype == parts[0].dtype, op, ": ", part.dtype, " beside ", parts[0].dtype);
    check(part.shape.rank() == parts[0].shape.rank() &&
              part.shape.with(axis, 1) == parts[0].shape.with(axis, 1),
          op, ": ", part.shape, " does not fit ", parts[0].shape, " along axis ", axis);
  }
}

// Parts of these lengths, one after the other along `axis` of the result; backward cuts the
// gradient again.
template <class Length>
Tensor join(Context& context, const char* name, std::span<const Tensor> parts,
            const Length& length_of, int axis, const Shape& shape) {
  const Op op(context, name, parts);
  const Tensor y = op.output(shape, parts[0].dtype);
  const AxisShape whole = around(shape, axis);
  std::int64_t* const begins =
      context.arena().allocate<std::int64_t>(static_cast<std::int64_t>(parts.size()) + 1);
  begins[0] = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    begins[i + 1] = begins[i] + length_of(parts[i]);
  }
  const std::span<const Tensor> kept = context.arena().copy(parts);
  dispatch(y.dtype, name, [&](auto zero) {
    using T = decltype(zero);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const std::int64_t count = begins[i + 1] - begins[i];
      kernels::copy_range<T>(whole.outer, count, whole.inner, kept[i].template as<T>(), {count, 0},
                             {y.as<T>(), false}, {whole.length, begins[i]}, context.threads());
    }
  });
  op.record({y}, [=](Backward& b) {
    dispatch(y.dtype, name, [&](auto zero) {
      using T = decltype(zero);
      for (std::size_t i = 0; i < kept.size(); ++i) {
        const auto sink = b.sink<T>(kept[i]);
        if (!sink) continue;
        const std::int64_t count = begins[i + 1] - begins[i];
        kernels::copy_range<T>(whole.outer, count, whole.inner, b.upstream<T>(y),
                               {whole.length, begins[i]}, sink, {count, 0}, b.context().threads());
      }
    });
  });
  return y;
}

}  // namespace

Tensor reshape(Context& context, const Tensor& x, const Shape& shape) {
  Op(context, "reshape", {x});
  check(shape.elements() == x.elements(), "reshape: ", x.shape, " does not fit ", shape);
  return context.alias(x, shape);
}

Tensor transpose(Context& context, const Tensor& x, int axis_a, int axis_b) {
  const Op op(context, "transpose", {x});
  int first = normalized_axis("transpose", axis_a, x.shape);
  int second = normalized_axis("transpose", axis_b, x.shape);
  if (first == second) return context.alias(x, x.shape);
  if (first > second) std::swap(first, second);
  const Tensor y =
      op.output(x.shape.with(first, x.shape[second]).with(second, x.shape[first]), x.dtype);
  const kernels::AxisPair there = pair_of(x.shape, first, second);
  const kernels::AxisPair back = pair_of(y.shape, first, second);
  dispatch(x.dtype, "transpose", [&](auto zero) {
    using T = decltype(zero);
    swap<T>(there, x.as<T>(), {y.as<T>(), false}, context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "transpose", [&](auto zero) {
      using T = decltype(zero);
      swap<T>(back, b.upstream<T>(y), b.sink<T>(x), b.context().threads());
    });
  });
  return y;
}

Tensor slice(Context& context, const Tensor& x, int axis, std::int64_t begin, std::int64_t end) {
  const Op op(context, "slice", {x});
  axis = normalized_axis("slice", axis, x.shape);
  check(0 <= begin && begin < end && end <= x.shape[axis], "slice: [", begin, ", ", end,
        ") is empty or outside axis ", axis, " of ", x.shape);
  const std::int64_t count = end - begin;
  const Shape shape = x.shape.with(axis, count);
  const AxisShape whole = around(x.shape, axis);
  if (whole.outer == 1 && !context.training()) {  // they stand side by side: no copy
    auto* const first = static_cast<std::byte*>(x.data);
    return context.view(first + static_cast<std::size_t>(begin * whole.inner) * size_of(x.dtype),
                        shape, x.dtype);
  }
  const Tensor y = op.output(shape, x.dtype);
  dispatch(x.dtype, "slice", [&](auto zero) {
    using T = decltype(zero);
    kernels::copy_range<T>(whole.outer, count, whole.inner, x.as<T>(), {whole.length, begin},
                           {y.as<T>(), false}, {count, 0}, context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "slice", [&](auto zero) {
      using T = decltype(zero);
      const auto sink = b.sink<T>(x);
      const int threads = b.context().threads();
      if (!sink.add) {
        kernels::clear_outside<T>(whole.outer, count, whole.inner, sink.data, {whole.length, begin},
                                  threads);
      }
      kernels::copy_range<T>(whole.outer, count, whole.inner, b.upstream<T>(y), {count, 0}, sink,
                             {whole.length, begin}, threads);
    });
  });
  return y;
}

Tensor concat(Context& context, std::span<const Tensor> parts, int axis) {
  check(!parts.empty(), "concat: no part given");
  axis = normalized_axis("concat", axis, parts[0].shape);
  check_parts("concat", parts, axis);
  const auto length_of = [axis](const Tensor& part) { return part.shape[axis]; };
  std::int64_t length = 0;
  for (const Tensor& part : parts) length += length_of(part);
  return join(context, "concat", parts, length_of, axis, parts[0].shape.with(axis, length));
}

Tensor stack(Context& context, std::span<const Tensor> parts, int axis) {
  check(!parts.empty(), "stack: no part given");
  const Shape one = parts[0].shape;
  axis = axis < 0 ? axis + one.rank() + 1 : axis;
  check(axis >= 0 && axis <= one.rank(), "stack: axis ", axis, " is outside ", one);
  check(one.rank() < Shape::kMaxRank, "stack: ", one, " has as many axes as possible");
  for (const Tensor& part : parts) {
    check(part.shape == one && part.dtype == parts[0].dtype, "stack: ", part.shape, " of ",
          part.dtype, " beside ", one, " of ", parts[0].dtype);
  }
  const auto count = static_cast<std::int64_t>(parts.size());
  const auto length_of = [](const Tensor&) { return std::int64_t{1}; };
  return join(context, "stack", parts, length_of, axis, one.inserted(axis, count));
}

Tensor gather(Context& context, const Tensor& x, int axis, std::span<const std::int32_t> indices) {
  const Op op(context, "gather", {x});
  axis = normalized_axis("gather", axis, x.shape);
  check(!indices.empty(), "gather: no index given");
  for (std::size_t i = 0; i < indices.size(); ++i) {
    check(indices[i] >= 0 && indices[i] < x.shape[axis], "gather: index ", indices[i],
          " at position ", i, " is outside axis ", axis, " of ", x.shape);
  }
  const AxisShape whole = around(x.shape, axis);
  const std::span<const std::int32_t> kept = context.arena().copy(indices);
  const kernels::GatherShape shape{whole.outer, whole.length, whole.inner,
                                   static_cast<std::int64_t>(kept.size()), kept.data()};
  const Tensor y = op.output(x.shape.with(axis, shape.count), x.dtype);
  dispatch(x.dtype, "gather", [&](auto zero) {
    using T = decltype(zero);
    kernels::gather<T>(shape, x.as<T>(), y.as<T>(), context.threads());
  });
  op.record({y}, [=](Backward& b) {
    dispatch(x.dtype, "gather", [&](auto zero) {
      using T = decltype(zero);
      kernels::gather_backward<T>(shape, b.upstream<T>(y), b.sink<T>(x), b.context().threads());
    });
  });
  return y;
}

}  // namespace heddle
