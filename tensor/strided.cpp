#include <array>
#include <cstring>
#include <vector>
#include <xgrad/tensor/strided.hpp>

namespace xgrad::kernel {
namespace {

struct Axis {
  std::int64_t size, dense, strided;  // steps in the contiguous and in the strided array
};

// Axes of size 1 dropped, neighbours merged where the strided side walks them as one. Innermost last.
std::vector<Axis> collapse(const Shape& shape, std::span<const std::int64_t> strides) {
  std::vector<Axis> axes;
  std::int64_t dense = shape.size();
  for (int a = 0; a < shape.rank(); ++a) {
    dense = shape[a] == 0 ? 0 : dense / shape[a];
    if (shape[a] == 1) continue;
    const std::int64_t stride = strides[static_cast<std::size_t>(a)];
    if (!axes.empty() && axes.back().strided == stride * shape[a]) {
      axes.back() = {axes.back().size * shape[a], dense, stride};
    } else {
      axes.push_back({shape[a], dense, stride});
    }
  }
  if (axes.empty()) axes.push_back({1, 1, 1});
  return axes;
}

// Calls body(dense offset, strided offset) for every index of the axes.
template <class F>
void for_each(std::span<const Axis> axes, F&& body) {
  std::vector<std::int64_t> index(axes.size(), 0);
  std::int64_t dense = 0, strided = 0;
  for (;;) {
    body(dense, strided);
    std::size_t a = axes.size();
    for (; a > 0; --a) {
      const Axis& axis = axes[a - 1];
      dense += axis.dense, strided += axis.strided;
      if (++index[a - 1] < axis.size) break;
      dense -= axis.size * axis.dense, strided -= axis.size * axis.strided;
      index[a - 1] = 0;
    }
    if (a == 0) return;
  }
}

// move(dense pointer, strided pointer) copies one element in the direction wanted.
template <class T, bool Gather>
void copy(T* dense, T* strided, std::vector<Axis> axes) {
  const auto move = [](T* d, T* s) {
    if constexpr (Gather) {
      *d = *s;
    } else {
      *s = *d;
    }
  };
  const Axis inner = axes.back();
  axes.pop_back();
  if (inner.strided == 1) {
    for_each(axes, [&](std::int64_t d, std::int64_t s) {
      if constexpr (Gather) {
        std::memcpy(dense + d, strided + s, static_cast<std::size_t>(inner.size) * sizeof(T));
      } else {
        std::memcpy(strided + s, dense + d, static_cast<std::size_t>(inner.size) * sizeof(T));
      }
    });
    return;
  }
  for (std::size_t a = 0; a < axes.size(); ++a) {
    if (axes[a].strided != 1) continue;
    // Two axes that swap places: square blocks, so that both sides stay within a few cache lines.
    const Axis other = axes[a];
    axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(a));
    constexpr std::int64_t block = 32;
    for_each(axes, [&](std::int64_t d, std::int64_t s) {
      for (std::int64_t i = 0; i < other.size; i += block) {
        for (std::int64_t j = 0; j < inner.size; j += block) {
          const std::int64_t i_end = std::min(i + block, other.size), j_end = std::min(j + block, inner.size);
          for (std::int64_t p = i; p < i_end; ++p) {
            for (std::int64_t q = j; q < j_end; ++q) {
              move(dense + d + p * other.dense + q, strided + s + p + q * inner.strided);
            }
          }
        }
      }
    });
    return;
  }
  for_each(axes, [&](std::int64_t d, std::int64_t s) {
    for (std::int64_t q = 0; q < inner.size; ++q) move(dense + d + q, strided + s + q * inner.strided);
  });
}

template <bool Gather>
void copy(void* dense, void* strided, std::size_t size, const Shape& shape,
          std::span<const std::int64_t> strides) {
  if (shape.size() == 0) return;
  const std::vector<Axis> axes = collapse(shape, strides);
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

std::vector<std::int64_t> dense_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()));
  std::int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

// Where the picked places of an array of `shape` begin, and how they step.
struct Window {
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;
  Window(const Shape& shape, std::span<const Picked> picked) : strides(dense_strides(shape)) {
    for (std::size_t a = 0; a < picked.size(); ++a) {
      offset += picked[a].first * strides[a];
      strides[a] *= picked[a].step;
    }
  }
};

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
  const std::vector<std::int64_t> strides = dense_strides(x.shape());
  std::vector<std::int64_t> sizes, moved;
  for (int axis : order) {
    sizes.push_back(x.shape()[axis]);
    moved.push_back(strides[static_cast<std::size_t>(axis)]);
  }
  Tensor result(Shape{std::span<const std::int64_t>(sizes)}, x.dtype());
  gather(xgrad::detail::mutable_data<void>(result), x.raw(), size_of(x.dtype()), result.shape(), moved);
  return result;
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()), 0);
  const std::vector<std::int64_t> own = dense_strides(x.shape());
  const int shift = shape.rank() - x.rank();
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (x.shape()[axis] != 1)
      strides[static_cast<std::size_t>(axis + shift)] = own[static_cast<std::size_t>(axis)];
  }
  Tensor result(shape, x.dtype());
  gather(xgrad::detail::mutable_data<void>(result), x.raw(), size_of(x.dtype()), shape, strides);
  return result;
}

Tensor concat(std::span<const Tensor> parts, int axis) {
  std::vector<std::int64_t> sizes(parts[0].shape().begin(), parts[0].shape().end());
  sizes[static_cast<std::size_t>(axis)] = 0;
  for (const Tensor& part : parts) sizes[static_cast<std::size_t>(axis)] += part.shape()[axis];
  Tensor result(Shape{std::span<const std::int64_t>(sizes)}, parts[0].dtype());
  if (result.size() == 0) return result;
  const std::vector<std::int64_t> strides = dense_strides(result.shape());
  auto* target = xgrad::detail::mutable_data<char>(result);
  const std::size_t size = size_of(result.dtype());
  for (const Tensor& part : parts) {
    scatter(target, part.raw(), size, part.shape(), strides);
    target += static_cast<std::size_t>(part.shape()[axis] * strides[static_cast<std::size_t>(axis)]) * size;
  }
  return result;
}

Tensor slice(const Tensor& x, std::span<const Picked> picked) {
  std::vector<std::int64_t> sizes;
  for (const Picked& p : picked) sizes.push_back(p.count);
  Tensor result(Shape{std::span<const std::int64_t>(sizes)}, x.dtype());
  const Window window(x.shape(), picked);
  const std::size_t size = size_of(x.dtype());
  if (result.size() == 0) return result;
  gather(xgrad::detail::mutable_data<void>(result),
         static_cast<const char*>(x.raw()) + window.offset * static_cast<std::int64_t>(size), size,
         result.shape(), window.strides);
  return result;
}

Tensor unslice(const Tensor& x, const Shape& shape, std::span<const Picked> picked) {
  Tensor result = zeros(shape, x.dtype());
  const Window window(shape, picked);
  const std::size_t size = size_of(x.dtype());
  if (x.size() == 0) return result;
  scatter(xgrad::detail::mutable_data<char>(result) + window.offset * static_cast<std::int64_t>(size),
          x.raw(), size, x.shape(), window.strides);
  return result;
}

}  // namespace xgrad::kernel
