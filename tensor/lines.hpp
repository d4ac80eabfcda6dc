// Runs a formula over all lines along one axis of (outer, n, inner) arrays, N lines at a time where that is
// possible. Included by sources only.
#pragma once

#include <algorithm>
#include <xgrad/tensor/lanes.hpp>

namespace xgrad::kernel::detail {

/// A sum of many terms, in blocks, so that its error does not grow with their number.
template <class V>
struct BlockSum {
  V block = 0, all = 0;
  int count = 0;
  XGRAD_SIMD void add(V x) {
    block += x;
    if (++count < 64) return;
    all += block;
    block = 0;
    count = 0;
  }
  XGRAD_SIMD V total() const { return all + block; }
};

/// The sum of f(i), i = 0, N, ..., over a row of n >= N places, in `chains` independent sums. The last vector
/// overlaps its neighbour, so f is called there twice.
template <int N, int chains, class T, class F>
XGRAD_SIMD Pack<T, N> total(std::int64_t n, const F& f) {
  using V = Pack<T, N>;
  V all = 0;
  std::int64_t i = 0;
  while (i + N <= n) {
    V sum[chains];
    for (int k = 0; k < chains; ++k) sum[k] = 0;
    const std::int64_t end = std::min(n, i + 64 * chains * N);
#pragma GCC unroll 1
    for (; i + chains * N <= end; i += chains * N) {
      for (int k = 0; k < chains; ++k) sum[k] += f(i + k * N);
    }
    if constexpr (chains > 1) {
#pragma GCC unroll 1
      for (; i + N <= end; i += N) sum[0] += f(i);
    }
    for (int half = chains / 2; half > 0; half /= 2) {
      for (int k = 0; k < half; ++k) sum[k] += sum[k + half];
    }
    all += sum[0];
  }
  if (n % N != 0) all += where(lane_numbers<T, N>() >= T(N - n % N), f(n - N), V(0));
  return all;
}

/// f(i) for i = 0, N, ... and for n - N.
template <int N, class F>
XGRAD_SIMD void along(std::int64_t n, const F& f) {
#pragma GCC unroll 1
  for (std::int64_t i = 0; i + N <= n; i += N) f(i);
  if (n % N != 0) f(n - N);
}

/// What a formula is given: up to two arrays to read, one to write, all (outer, n, inner).
template <class T>
struct Arrays {
  const T* in[2];
  T* out;
  T* scratch = nullptr;  // of Lines::scratch elements
};

/// F: a formula for T with
///   inputs, writes                            how many arrays it reads, and whether it writes one
///   columns<N>(arrays, stride, n, line, count)  N lines, neighbours, elements `stride` apart; of the lines
///                                             from number `line` on only the first `count` are meant
///   row<N>(arrays, n, line)                   one line of more than N elements, one behind the other
/// or, with a constant `side_by_side`,
///   rows<N>(arrays, n, count)                 `count` such lines
template <class T, class F>
struct Lines {
  // Far apart in memory, many elements of few columns are a cache line each, and always the same few places of
  // the cache: such columns are copied to the scratch first, `tile` of them at a time.
  static constexpr std::int64_t tile = 64, tall = 32;
  static bool tiled(std::int64_t n, std::int64_t inner) { return n > tall && inner >= 2 * tile; }
  static std::int64_t scratch(std::int64_t n, std::int64_t inner) {
    return tiled(n, inner) ? (F::inputs + F::writes) * n * tile : 0;
  }

  /// The lines [first, last): line o * inner + c is column c of array o.
  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const F* f, const Arrays<T>* arrays, std::int64_t n,
                                                std::int64_t inner, std::int64_t first, std::int64_t last) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    if (inner == 1 && n <= N) {
      short_rows<N>(*f, moved(*arrays, first * n), n, first, last);
    } else if (inner == 1) {
      if constexpr (requires { F::side_by_side; }) {
        f->template rows<N>(moved(*arrays, first * n), n, last - first);
      } else {
        for (std::int64_t r = first; r < last; ++r) f->template row<N>(moved(*arrays, r * n), n, r);
      }
    } else {
      for (std::int64_t line = first; line < last;) {
        const std::int64_t o = line / inner, c = line % inner, width = std::min(inner - c, last - line);
        panels<N>(*f, moved(*arrays, o * n * inner + c), n, inner, width, line);
        line += width;
      }
    }
  }

  [[gnu::always_inline]] static inline Arrays<T> moved(Arrays<T> arrays, std::int64_t by) {
    for (int k = 0; k < F::inputs; ++k) arrays.in[k] += by;
    if (F::writes) arrays.out += by;
    return arrays;
  }

  // `width` neighbours. The last vector overlaps its neighbour; both compute the same.
  template <int N>
  [[gnu::always_inline]] static inline void columns(const F& f, const Arrays<T>& arrays, std::int64_t n,
                                                    std::int64_t stride, std::int64_t width,
                                                    std::int64_t line) {
    if (width < N) {
      if constexpr (N > 1) columns<N / 2>(f, arrays, n, stride, width, line);
      return;
    }
    for (std::int64_t c = 0; c < width; c += N) {
      const std::int64_t from = std::min(c, width - N);
      f.template columns<N>(moved(arrays, from), stride, n, line + from, N);
    }
  }

  // `width` columns of one array (n, inner), as they lie or tile by tile.
  template <int N>
  [[gnu::always_inline]] static inline void panels(const F& f, const Arrays<T>& arrays, std::int64_t n,
                                                   std::int64_t inner, std::int64_t width,
                                                   std::int64_t line) {
    const bool copied = tiled(n, inner);
    const std::int64_t together = copied ? std::min(tile, width) : width;
    const Arrays<T> copies{{arrays.scratch, arrays.scratch + n * tile},
                           arrays.scratch + F::inputs * n * tile};
    for (std::int64_t k = 0; k < width; k += together) {
      const std::int64_t c = std::min(k, width - together);
      for (int a = 0; copied && a < F::inputs; ++a) {
        T* to = arrays.scratch + a * n * tile;
        for (std::int64_t i = 0; i < n; ++i)
          std::copy_n(arrays.in[a] + i * inner + c, together, to + i * tile);
      }
      columns<N>(f, copied ? copies : arrays, n, copied ? tile : inner, together, line + c);
      if (!F::writes || !copied) continue;
      for (std::int64_t i = 0; i < n; ++i) {
        std::copy_n(copies.out + i * tile, together, arrays.out + i * inner + c);
      }
    }
  }

  // N rows of at most N elements: transposed in registers, they are columns, and full vectors.
  template <int N>
  [[gnu::always_inline]] static inline void short_rows(const F& f, const Arrays<T>& arrays, std::int64_t n,
                                                       std::int64_t first, std::int64_t end) {
    T tiles[2][N * N], result[N * N], edge[(N + 1) * N];
    const std::int64_t rows = end - first;
    for (std::int64_t r = 0; r < rows; r += N) {
      const std::int64_t left = rows - r, count = std::min<std::int64_t>(left, N);
      const bool last = (N - 1) * n + N > left * n;  // whole vectors would cross the end
      Pack<T, N> row[N];
      for (int k = 0; k < F::inputs; ++k) {
        const T* from = arrays.in[k] + r * n;
        if (last) {
          std::fill_n(std::copy_n(from, count * n, edge), (N + 1) * N - count * n, T(0));
          from = edge;
        }
        for (int i = 0; i < N; ++i) row[i] = Pack<T, N>::load(from + i * n);
        transpose(row);
        for (int i = 0; i < N; ++i) row[i].store(tiles[k] + i * N);
      }
      f.template columns<N>(Arrays<T>{{tiles[0], tiles[1]}, result}, N, n, first + r, count);
      if (!F::writes) continue;
      for (int i = 0; i < N; ++i) row[i] = Pack<T, N>::load(result + (i < n ? i : 0) * N);
      transpose(row);
      T* to = last ? edge : arrays.out + r * n;
      for (int i = 0; i < N; ++i) row[i].store(to + i * n);  // each covers what its neighbour wrote too far
      if (last) std::copy_n(edge, count * n, arrays.out + r * n);
    }
  }
};

}  // namespace xgrad::kernel::detail
