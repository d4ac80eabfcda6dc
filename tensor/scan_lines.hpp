// Formulas that run along a line: lines.hpp's columns, rows side by side, and single rows. Included by sources only.
#pragma once

#include <xgrad/tensor/lines_call.hpp>

namespace xgrad::kernel::detail {

// f(k) for the places k of a line, in the order of the scan.
template <class F>
XGRAD_SIMD void in_order(bool reverse, std::int64_t n, std::int64_t stride, const F& f) {
  const std::int64_t step = reverse ? -stride : stride;
  std::int64_t k = reverse ? (n - 1) * stride : 0;
#pragma GCC unroll 1
  for (std::int64_t i = 0; i < n; ++i, k += step) f(k);
}

// A formula of lines.hpp. F has a State<V>, what is carried from element to element, and step(state, a, b), which gives
// the next element of the result.
template <class T, class F, int Inputs>
struct Scan {
  static constexpr int inputs = Inputs;
  static constexpr bool writes = true, side_by_side = true;
  static constexpr int fewest = 16 / static_cast<int>(sizeof(T));
  F formula;
  bool reverse;

  template <int N>
  using State = typename F::template State<Pack<T, N>>;

  template <int N>
  XGRAD_SIMD void go_on(State<N>& state, const Arrays<T>& arrays, std::int64_t stride, std::int64_t n) const {
    using V = Pack<T, N>;
    in_order(
        reverse, n, stride, [&](std::int64_t k) __attribute__((always_inline)) {
          const V a = V::load(arrays.in[0] + k), b = Inputs > 1 ? V::load(arrays.in[1] + k) : a;
          formula.step(state, a, b).store(arrays.out + k);
        });
  }

  template <int N>
  XGRAD_SIMD void columns(const Arrays<T>& arrays, std::int64_t stride, std::int64_t n, std::int64_t,
                          std::int64_t) const {
    State<N> state;
    go_on<N>(state, arrays, stride, n);
  }

  // As plain numbers, or all lanes alike: GCC 12 keeps a vector of one in memory.
  template <int>
  XGRAD_SIMD void row(const Arrays<T>& arrays, std::int64_t n, std::int64_t) const {
    using V = std::conditional_t<F::needs_vectors, Pack<T, fewest>, T>;
    typename F::template State<V> state;
    in_order(
        reverse, n, 1, [&](std::int64_t k) __attribute__((always_inline)) {
          const V a = arrays.in[0][k], b = arrays.in[Inputs - 1][k], y = formula.step(state, a, b);
          if constexpr (F::needs_vectors) {
            arrays.out[k] = y[0];
          } else {
            arrays.out[k] = y;
          }
        });
  }

  // N rows at a time, which are columns of tiles that are transposed in registers.
  template <int N>
  XGRAD_SIMD void rows(const Arrays<T>& arrays, std::int64_t n, std::int64_t count) const {
    if (count < N) {
      if constexpr (N > fewest) return rows<N / 2>(arrays, n, count);
      for (std::int64_t r = 0; r < count; ++r) row<N>(Lines<T, Scan>::moved(arrays, r * n), n, r);
      return;
    }
    for (std::int64_t r = 0; r < count; r += N) {
      block<N>(Lines<T, Scan>::moved(arrays, std::min(r, count - N) * n), n);
    }
  }

  template <int N>
  XGRAD_SIMD void block(const Arrays<T>& arrays, std::int64_t n) const {
    T edges[Inputs + 1][N * N] = {}, turned[Inputs + 1][N * N] = {};
    State<N> state;
    const std::int64_t whole = n / N, rest = n % N;
    const auto edge = [&] {
      if (rest == 0) return;
      for (int k = 0; k < Inputs; ++k) {
        for (int i = 0; i < N; ++i) std::copy_n(arrays.in[k] + i * n + whole * N, rest, edges[k] + i * N);
      }
      tile<N>(state, turned, {{edges[0], edges[Inputs - 1]}, edges[Inputs]}, N, rest);
      for (int i = 0; i < N; ++i) std::copy_n(edges[Inputs] + i * N, rest, arrays.out + i * n + whole * N);
    };
    if (reverse) edge();
    for (std::int64_t t = 0; t < whole; ++t) {
      tile<N>(state, turned, Lines<T, Scan>::moved(arrays, (reverse ? whole - 1 - t : t) * N), n, N);
    }
    if (!reverse) edge();
  }

  // The first `width` columns of N rows.
  template <int N>
  XGRAD_SIMD void tile(State<N>& state, T (&turned)[Inputs + 1][N * N], const Arrays<T>& arrays,
                       std::int64_t step, std::int64_t width) const {
    Pack<T, N> side[N];
    for (int k = 0; k < Inputs; ++k) {
      for (int i = 0; i < N; ++i) side[i] = Pack<T, N>::load(arrays.in[k] + i * step);
      transpose(side);
      for (int i = 0; i < N; ++i) side[i].store(turned[k] + i * N);
    }
    go_on<N>(state, {{turned[0], turned[Inputs - 1]}, turned[Inputs]}, N, width);
    for (int i = 0; i < N; ++i) side[i] = Pack<T, N>::load(turned[Inputs] + (i < width ? i : 0) * N);
    transpose(side);
    for (int i = 0; i < N; ++i) side[i].store(arrays.out + i * step);
  }
};

// The formula along an axis of one or two tensors; with `floating_only`, nothing is compiled for integers.
template <int Inputs, bool floating_only, class F>
Tensor scan(const Tensor& a, const Tensor& b, int axis, bool reverse, const F& formula) {
  const Tensor y(a.shape(), a.dtype());
  const auto call = [=, dtype = a.dtype(), view = View(a.shape(), axis)](void* const* out,
                                                                         const void* const* in) {
    xgrad::detail::visit(dtype, [&]<class T>(T) {
      if constexpr (std::is_floating_point_v<T> || (!floating_only && !std::is_same_v<T, bool>)) {
        run<T>(Scan<T, F, Inputs>{formula, reverse}, view, in[0], in[Inputs - 1], out[0]);
      }
    });
  };
  if constexpr (Inputs == 1) {
    xgrad::detail::launch({&y}, {&a}, call);
  } else {
    xgrad::detail::launch({&y}, {&a, &b}, call);
  }
  return y;
}

}  // namespace xgrad::kernel::detail
