#include <algorithm>
#include <cstring>
#include <xgrad/tensor/copy.hpp>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/spread.hpp>
#include <xgrad/tensor/strided.hpp>
#include <xgrad/tensor/threads.hpp>
#include <xgrad/tensor/transpose.hpp>

namespace xgrad::kernel {
namespace {

constexpr int max_axes = 64;  // an AxisSet has no more

struct Axis {
  std::int64_t size, dense, strided;  // steps in the contiguous and in the strided array
};

// Axes, innermost last.
struct Axes {
  Axis axis[max_axes];
  int count = 0;

  // Those of size 1 dropped, neighbours merged where the strided side walks them as one.
  Axes(const Shape& shape, std::span<const std::int64_t> strides) {
    std::int64_t dense = shape.size();
    for (int a = 0; a < shape.rank(); ++a) {
      dense = shape[a] == 0 ? 0 : dense / shape[a];
      if (shape[a] == 1) continue;
      const std::int64_t stride = strides[static_cast<std::size_t>(a)];
      if (count > 0 && axis[count - 1].strided == stride * shape[a]) {
        axis[count - 1] = {axis[count - 1].size * shape[a], dense, stride};
      } else {
        axis[count++] = {shape[a], dense, stride};
      }
    }
    if (count == 0) axis[count++] = {1, 1, 1};
  }

  Axis take(int which) {
    const Axis taken = axis[which];
    std::copy(axis + which + 1, axis + count--, axis + which);
    return taken;
  }
  Axis take_last() { return count > 0 ? axis[--count] : Axis{1, 0, 0}; }
};

// Calls body(dense offset, strided offset) for every index of the axes.
template <class F>
void for_each(const Axes& axes, F&& body) {
  std::int64_t index[max_axes];
  std::fill_n(index, axes.count, 0);
  std::int64_t dense = 0, strided = 0;
  for (;;) {
    body(dense, strided);
    int a = axes.count;
    for (; a > 0; --a) {
      const Axis& axis = axes.axis[a - 1];
      dense += axis.dense, strided += axis.strided;
      if (++index[a - 1] < axis.size) break;
      dense -= axis.size * axis.dense, strided -= axis.size * axis.strided;
      index[a - 1] = 0;
    }
    if (a == 0) return;
  }
}

// to[p * to_step + q] = from[q * from_step + p]
template <class T>
void transpose(T* to, std::int64_t to_step, const T* from, std::int64_t from_step, std::int64_t rows,
               std::int64_t columns) {
  if constexpr (sizeof(T) == 1) {
    constexpr std::int64_t block = 32;
    for (std::int64_t i = 0; i < rows; i += block) {
      for (std::int64_t j = 0; j < columns; j += block) {
        for (std::int64_t p = i; p < std::min(i + block, rows); ++p) {
          for (std::int64_t q = j; q < std::min(j + block, columns); ++q) {
            to[p * to_step + q] = from[q * from_step + p];
          }
        }
      }
    }
  } else {
    using Moved = std::conditional_t<sizeof(T) == 4, float, double>;
    xgrad::detail::dispatch<detail::Transpose<Moved>, Moved*, std::int64_t, const Moved*, std::int64_t,
                            std::int64_t, std::int64_t>(reinterpret_cast<Moved*>(to), to_step,
                                                        reinterpret_cast<const Moved*>(from), from_step, rows,
                                                        columns);
  }
}

template <class T, bool Gather>
void copy_part(T* dense, T* strided, Axes axes) {
  const Axis inner = axes.take_last();
  if (inner.strided == 1 || (Gather && inner.strided == 0)) {
    const Axis rows = axes.take_last();
    for_each(axes, [&](std::int64_t d, std::int64_t s) {
      T *to = dense + d, *from = strided + s;
      if constexpr (Gather) {
        if (inner.strided == 0) return detail::spread(to, from, rows.strided, rows.size, inner.size);
        if (rows.strided == 0) {  // all the same
          detail::copy_few(to, from, inner.size);
          return detail::repeat_front(to, inner.size, rows.size * inner.size);
        }
        detail::copy_rows(to, rows.dense, from, rows.strided, rows.size, inner.size);
      } else {
        detail::copy_rows(from, rows.strided, to, rows.dense, rows.size, inner.size);
      }
    });
    return;
  }
  for (int a = 0; a < axes.count; ++a) {
    if (axes.axis[a].strided != 1) continue;
    const Axis other = axes.take(a);  // two axes that swap places
    for_each(axes, [&](std::int64_t d, std::int64_t s) {
      if constexpr (Gather) {
        transpose(dense + d, other.dense, strided + s, inner.strided, other.size, inner.size);
      } else {
        transpose(strided + s, inner.strided, dense + d, other.dense, inner.size, other.size);
      }
    });
    return;
  }
  for_each(axes, [&](std::int64_t d, std::int64_t s) {
    for (std::int64_t q = 0; q < inner.size; ++q) {
      T &in_dense = dense[d + q], &in_strided = strided[s + q * inner.strided];
      if constexpr (Gather) {
        in_dense = in_strided;
      } else {
        in_strided = in_dense;
      }
    }
  });
}

// Elements go their ways alone, so any axis may be cut: the outermost one that is long, or the longest.
template <class T, bool Gather>
void copy(T* dense, T* strided, const Axes& axes) {
  std::int64_t size = 1;
  int cut = 0;
  for (int a = 0; a < axes.count; ++a) {
    size *= axes.axis[a].size;
    if (axes.axis[cut].size < 64 && axes.axis[a].size > axes.axis[cut].size) cut = a;
  }
  if (size < parallel_elements) return copy_part<T, Gather>(dense, strided, axes);
  const std::int64_t length = axes.axis[cut].size;
  const std::int64_t worth = std::max<std::int64_t>(1, parallel_elements / 4 / (size / length));
  const std::int64_t grain = length < 64 ? worth : (worth + 15) / 16 * 16;  // whole tiles of a transpose
  xgrad::detail::parallel(length, grain, [&](std::int64_t begin, std::int64_t end) {
    Axes part = axes;
    part.axis[cut].size = end - begin;
    copy_part<T, Gather>(dense + begin * axes.axis[cut].dense, strided + begin * axes.axis[cut].strided,
                         part);
  });
}

template <bool Gather>
void copy(void* dense, void* strided, std::size_t size, const Shape& shape,
          std::span<const std::int64_t> strides) {
  if (shape.size() == 0) return;
  const Axes axes(shape, strides);
  switch (size) {
    case 1:
      return copy<std::uint8_t, Gather>(static_cast<std::uint8_t*>(dense),
                                        static_cast<std::uint8_t*>(strided), axes);
    case 4:
      return copy<std::uint32_t, Gather>(static_cast<std::uint32_t*>(dense),
                                         static_cast<std::uint32_t*>(strided), axes);
    default:
      return copy<std::uint64_t, Gather>(static_cast<std::uint64_t*>(dense),
                                         static_cast<std::uint64_t*>(strided), axes);
  }
}

// One number for each axis.
struct Numbers {
  std::int64_t of[max_axes];
  int count = 0;
  Numbers() = default;
  Numbers(const Numbers& other) : count(other.count) { std::copy_n(other.of, count, of); }
  Numbers& operator=(const Numbers&) = delete;
  void push_back(std::int64_t number) { of[count++] = number; }
  std::int64_t& operator[](std::size_t axis) { return of[axis]; }
  operator std::span<const std::int64_t>() const { return {of, static_cast<std::size_t>(count)}; }
};

Numbers dense_strides(const Shape& shape) {
  Numbers strides;
  strides.count = shape.rank();
  std::int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides.of[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

// Where the picked places of an array of `shape` begin, and how they step.
struct Window {
  std::int64_t offset = 0;
  Numbers strides;
  Window(const Shape& shape, std::span<const Picked> picked) : strides(dense_strides(shape)) {
    for (std::size_t a = 0; a < picked.size(); ++a) {
      offset += picked[a].first * strides[a];
      strides[a] *= picked[a].step;
    }
  }
};

// The result, filled from x.
Tensor gathered(const Tensor& x, const Tensor& result, const Numbers& strides, std::int64_t offset = 0) {
  const auto run = [strides, shape = result.shape(), size = size_of(x.dtype()), offset](
                       void* const* out, const void* const* in) {
    gather(out[0], static_cast<const char*>(in[0]) + offset * static_cast<std::int64_t>(size), size, shape,
           strides);
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace

void gather(void* out, const void* source, std::size_t size, const Shape& shape,
            std::span<const std::int64_t> strides) {
  copy<true>(out, const_cast<void*>(source), size, shape, strides);
}

void scatter(void* target, const void* in, std::size_t size, const Shape& shape,
             std::span<const std::int64_t> strides) {
  copy<false>(const_cast<void*>(in), target, size, shape, strides);
}

Tensor permute(const Tensor& x, std::span<const int> order) {
  Numbers strides = dense_strides(x.shape()), sizes, moved;
  for (int axis : order) {
    sizes.push_back(x.shape()[axis]);
    moved.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  const Tensor result(Shape(std::span<const std::int64_t>(sizes)), x.dtype());
  return gathered(x, result, moved);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  Numbers strides, own = dense_strides(x.shape());
  for (int axis = 0; axis < shape.rank(); ++axis) strides.push_back(0);
  const int shift = shape.rank() - x.rank();
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (x.shape()[axis] != 1)
      strides[static_cast<std::size_t>(axis + shift)] = own[static_cast<std::size_t>(axis)];
  }
  return gathered(x, Tensor(shape, x.dtype()), strides);
}

Tensor concat(std::span<const Tensor> parts, int axis) {
  Numbers sizes;
  for (std::int64_t size : parts[0].shape()) sizes.push_back(size);
  sizes[static_cast<std::size_t>(axis)] = 0;
  for (const Tensor& part : parts) sizes[static_cast<std::size_t>(axis)] += part.shape()[axis];
  const Tensor result(Shape(std::span<const std::int64_t>(sizes)), parts[0].dtype());
  if (result.size() == 0) return result;
  std::vector<Shape> shapes;
  std::vector<const Tensor*> in;
  for (const Tensor& part : parts) {
    shapes.push_back(part.shape());
    in.push_back(&part);
  }
  const auto run = [shapes = std::move(shapes), strides = dense_strides(result.shape()), axis,
                    size = size_of(result.dtype())](void* const* out, const void* const* sources) {
    auto* target = static_cast<char*>(out[0]);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      scatter(target, sources[i], size, shapes[i], strides);
      target += static_cast<std::size_t>(shapes[i][axis] * strides.of[axis]) * size;
    }
  };
  const Tensor* results[] = {&result};
  xgrad::detail::launch(results, in, run);
  return result;
}

Tensor slice(const Tensor& x, std::span<const Picked> picked) {
  Numbers sizes;
  for (const Picked& p : picked) sizes.push_back(p.count);
  const Tensor result(Shape(std::span<const std::int64_t>(sizes)), x.dtype());
  if (result.size() == 0) return result;
  const Window window(x.shape(), picked);
  return gathered(x, result, window.strides, window.offset);
}

Tensor unslice(const Tensor& x, const Shape& shape, std::span<const Picked> picked) {
  if (x.size() == 0) return zeros(shape, x.dtype());
  const Tensor result(shape, x.dtype());
  const auto run = [window = Window(shape, picked), size = size_of(x.dtype()), bytes = result.bytes(),
                    from = x.shape()](void* const* out, const void* const* in) {
    std::memset(out[0], 0, bytes);
    scatter(static_cast<char*>(out[0]) + window.offset * static_cast<std::int64_t>(size), in[0], size, from,
            window.strides);
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace xgrad::kernel
