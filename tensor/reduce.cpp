#include <algorithm>
#include <cmath>
#include <limits>
#include <xgrad/tensor/reduce.hpp>
#include <xgrad/tensor/reduce_columns.hpp>
#include <xgrad/tensor/reduce_rows.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel {
namespace {

// One row, its branches on several threads; the bits are those of one.
template <class Op, class T>
void reduce_long_row(const T* in, std::int64_t n, T* out) {
  using R = detail::Rows<Op, T>;
  const auto row = detail::long_row<Op, T>();
  const std::int64_t count = n / R::branch;
  const xgrad::detail::Storage storage(static_cast<std::size_t>(count * R::lanes) * sizeof(T));
  auto* nodes = static_cast<T*>(storage.data());
  xgrad::detail::parallel(count, std::max<std::int64_t>(1, parallel_elements / R::branch),
                          [&](std::int64_t first, std::int64_t last) {
                            row.branches(in + first * R::branch, last - first, nodes + first * R::lanes);
                          });
  row.from_branches(nodes, count, in + count * R::branch, n - count * R::branch, out);
}

// Rows of n > 0 elements.
template <class Op, class T>
void reduce_rows(const T* in, T* out, std::int64_t outer, std::int64_t n) {
  if (outer < 8 && n >= 2 * parallel_elements && num_threads() > 1) {
    for (std::int64_t o = 0; o < outer; ++o) reduce_long_row<Op>(in + o * n, n, out + o);
    return;
  }
  const auto rows = detail::rows_function<Op, T>();
  xgrad::detail::parallel(
      outer, std::max<std::int64_t>(1, parallel_elements / n),
      [&](std::int64_t first, std::int64_t last) { rows(in + first * n, n, out + first, last - first); });
}

template <class Op, class T>
void reduce_middle(const T* in, T* out, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  if (outer * inner == 0) return;
  if (n == 0) {
    std::fill_n(out, outer * inner, Op::template identity<T>);
    return;
  }
  if (inner == 1) return reduce_rows<Op>(in, out, outer, n);
  using Kernel = detail::Columns<Op, T>;
  const auto kernel = detail::columns_function<Op, T>();
  // A column's sum has one order, whatever tile it is in; several threads take narrower ones.
  std::int64_t width = Kernel::tile_width(inner);
  if (num_threads() > 1 && outer * n * inner >= parallel_elements) {
    const std::int64_t share = inner / (4 * num_threads()) / 16 * 16;
    width = std::min(width, std::max<std::int64_t>(256, share));
  }
  const std::int64_t tiles = (inner + width - 1) / width;
  // Each tile of every array, or all of them together.
  const std::int64_t apart = tiles == 1 ? outer : 1, together = outer / apart;
  xgrad::detail::parallel(
      tiles * apart, std::max<std::int64_t>(1, parallel_elements / (together * n * width)),
      [&](std::int64_t first, std::int64_t last) {
        const xgrad::detail::Storage scratch(static_cast<std::size_t>(Kernel::scratch(n)) * sizeof(T));
        auto* place = static_cast<T*>(scratch.data());
        if (tiles == 1) {
          return kernel(in + first * n * inner, last - first, n, inner, inner, out + first * inner, place);
        }
        for (std::int64_t c = first * width; c < std::min(inner, last * width); c += width) {
          kernel(in + c, outer, n, inner, std::min(width, inner - c), out + c, place);
        }
      });
}

// The neighbouring axes [first, last) to one of size 1 each.
template <class Op>
Tensor reduce_run(const Tensor& x, int first, int last) {
  std::int64_t sizes[64], outer = 1, n = 1, inner = 1;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool reduced = axis >= first && axis < last;
    (axis < first ? outer : reduced ? n : inner) *= x.shape()[axis];
    sizes[axis] = reduced ? 1 : x.shape()[axis];
  }
  const Tensor result(Shape{std::span<const std::int64_t>(sizes, static_cast<std::size_t>(x.rank()))},
                      x.dtype());
  const auto run = [=, dtype = x.dtype()](void* const* out, const void* const* in) {
    xgrad::detail::visit(dtype, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (!std::is_same_v<T, bool>) {
        reduce_middle<Op, T>(static_cast<const T*>(in[0]), static_cast<T*>(out[0]), outer, n, inner);
      }
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

template <class Op>
Tensor reduce(Tensor x, AxisSet axes) {
  const auto has = [&](int axis) { return axis >= 0 && (axes >> axis & 1) != 0; };
  for (int last = x.rank(); last > 0; --last) {  // runs of neighbouring axes, the last run first
    if (!has(last - 1)) continue;
    int first = last - 1;
    while (has(first - 1)) --first;
    x = reduce_run<Op>(x, first, last);
    last = first + 1;
  }
  return x;
}

// In units of the largest element, where squares would overflow or vanish.
template <class T>
T scaled_norm(const T* x, std::int64_t n) {
  T unit = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T size = std::abs(x[i]);
    if (size != size) return size;
    unit = std::max(unit, size);
  }
  if (unit == 0 || std::isinf(unit)) return unit;
  constexpr std::int64_t block = 256;
  T sum = 0;
  for (std::int64_t i = 0; i < n; i += block) {
    T part = 0;
    for (std::int64_t k = i; k < std::min(n, i + block); ++k) part += (x[k] / unit) * (x[k] / unit);
    sum += part;
  }
  return unit * std::sqrt(sum);
}

template <class T>
void norms_of_rows(const T* in, T* out, std::int64_t outer, std::int64_t n) {
  if (n == 0) return std::fill_n(out, outer, T(0)), void();
  reduce_rows<detail::SquareSum>(in, out, outer, n);
  // Below that, what squares lose by underflow is felt.
  const T least = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon() * static_cast<T>(n);
  for (std::int64_t o = 0; o < outer; ++o) {
    const bool safe = out[o] >= least && out[o] <= std::numeric_limits<T>::max();
    out[o] = safe ? std::sqrt(out[o]) : scaled_norm(in + o * n, n);
  }
}

}  // namespace

Tensor row_norms(const Tensor& x, int first) {
  std::int64_t sizes[64], outer = 1, n = 1;
  for (int axis = 0; axis < x.rank(); ++axis) {
    (axis < first ? outer : n) *= x.shape()[axis];
    sizes[axis] = axis < first ? x.shape()[axis] : 1;
  }
  const Tensor result(Shape{std::span<const std::int64_t>(sizes, static_cast<std::size_t>(x.rank()))},
                      x.dtype());
  const auto run = [=, dtype = x.dtype()](void* const* out, const void* const* in) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      norms_of_rows(static_cast<const T*>(in[0]), static_cast<T*>(out[0]), outer, n);
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

Tensor sum(const Tensor& x, AxisSet axes) { return reduce<detail::Sum>(x, axes); }
Tensor product(const Tensor& x, AxisSet axes) { return reduce<detail::Product>(x, axes); }
Tensor max(const Tensor& x, AxisSet axes) { return reduce<detail::Max>(x, axes); }
Tensor min(const Tensor& x, AxisSet axes) { return reduce<detail::Min>(x, axes); }

Tensor sum_to(const Tensor& x, const Shape& shape) {
  AxisSet axes = 0;
  const int shift = x.rank() - shape.rank();
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis < shift || (shape[axis - shift] == 1 && x.shape()[axis] != 1)) axes |= AxisSet{1} << axis;
  }
  return sum(x, axes).reshape(shape);
}

}  // namespace xgrad::kernel
