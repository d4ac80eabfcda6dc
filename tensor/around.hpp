// An array seen as (outer, n, inner): one axis, and what lies before and behind it. Included by sources only.
#pragma once

#include <algorithm>
#include <xgrad/tensor/tensor.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel::detail {

struct Around {
  std::int64_t outer = 1, n = 1, inner = 1;
  Around(const Shape& shape, int axis) : n(shape[axis]) {
    for (int a = 0; a < shape.rank(); ++a) {
      if (a != axis) (a < axis ? outer : inner) *= shape[a];
    }
  }
};

/// The shape with another size of one axis.
inline Shape resized(const Shape& shape, int axis, std::int64_t size) {
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  sizes[static_cast<std::size_t>(axis)] = size;
  return Shape(std::span<const std::int64_t>(sizes));
}

/// f(begin, end) on ranges of `count` rows of `width` elements each, from enough elements on in parallel.
template <class F>
void in_rows(std::int64_t count, std::int64_t width, const F& f) {
  xgrad::detail::parallel(count,
                          std::max<std::int64_t>(1, parallel_elements / std::max<std::int64_t>(1, width)), f);
}

/// f(o, begin, end) for ranges of the lines of (outer, n, inner): columns begin to end of array o. A line
/// belongs to one thread.
template <class F>
void in_columns(const Around& around, std::int64_t n, const F& f) {
  constexpr std::int64_t together = 16;  // neighbours, which share cache lines
  const std::int64_t grain = std::max(together, parallel_elements / std::max<std::int64_t>(1, n));
  xgrad::detail::parallel(around.outer * around.inner, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end;) {
      const std::int64_t o = line / around.inner, from = line % around.inner,
                         to = std::min(around.inner, from + end - line);
      f(o, from, to);
      line += to - from;
    }
  });
}

/// f with an unsigned integer of `size` bytes: its bits are moved, whatever they mean.
template <class F>
void visit_size(std::size_t size, const F& f) {
  if (size == 1) return f(std::uint8_t{});
  if (size == 4) return f(std::uint32_t{});
  f(std::uint64_t{});
}

}  // namespace xgrad::kernel::detail
