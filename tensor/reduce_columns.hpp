// The kernel that reduces a middle axis: (outer, n, inner) to (outer, inner). Included by sources only;
// compiled in reduce_columns.cpp.
#pragma once

#include <algorithm>
#include <bit>
#include <xgrad/tensor/lanes.hpp>

namespace xgrad::kernel::detail {

// Blocks of 128 rows, in groups of eight, meet in a pairwise tree whose rows lie in the scratch. A column's
// order depends on n and inner alone.
template <class Op, class T>
struct Columns {
  static constexpr std::int64_t tile = 1024, block = 128;

  /// How many elements of scratch `run` needs.
  static std::int64_t scratch(std::int64_t n) {
    const auto blocks = static_cast<std::uint64_t>((n + block - 1) / block);
    return (3 + std::bit_width(blocks)) * tile;
  }

  /// How many rows of a narrow array count as one, so that vectors are full.
  static std::int64_t joined_rows(std::int64_t n, std::int64_t inner) {
    std::int64_t rows = 1;
    while (rows * inner < 2 * row_lanes<T>) rows *= 2;
    return rows > 2 && n >= 8 * rows ? rows : 1;
  }

  /// How wide the tiles are: nearly equal, in whole vectors.
  static std::int64_t tile_width(std::int64_t inner) {
    const std::int64_t tiles = (inner + tile - 1) / tile;
    return (inner + tiles * 16 - 1) / (tiles * 16) * 16;
  }

  /// `columns` (at most `tile`) neighbouring columns of each of `outer` arrays (n, inner), n > 0.
  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* in, std::int64_t outer, std::int64_t n,
                                                std::int64_t inner, std::int64_t columns, T* out,
                                                T* scratch) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    const std::int64_t joined = joined_rows(n, inner);
    for (std::int64_t o = 0; o < outer; ++o, in += n * inner, out += inner) {
      if (joined > 1) {
        narrow<N>(in, n, inner, joined, out, scratch);
      } else if (n <= 16 || (n <= block && n * inner <= 4096)) {
        few_rows<N>(in, n, columns, inner, out);
      } else {
        many_rows<N>(in, n, columns, inner, out, scratch);
      }
    }
  }

  template <int N>
  [[gnu::always_inline]] static inline void narrow(const T* in, std::int64_t n, std::int64_t inner,
                                                   std::int64_t joined, T* out, T* scratch) {
    const std::int64_t width = joined * inner, rows = n / joined;
    T* sums = scratch;
    many_rows<N>(in, rows, width, width, sums, scratch + tile);
    const auto add = [](T& a, T b) { a = Op::combine(Pack<T, 1>(a), Pack<T, 1>(b)).v[0]; };
    for (std::int64_t i = 0; i < (n - rows * joined) * inner; ++i) add(sums[i], in[rows * width + i]);
    for (std::int64_t half = width / 2; half >= inner; half /= 2) {
      for (std::int64_t i = 0; i < half; ++i) add(sums[i], sums[i + half]);
    }
    std::copy_n(sums, inner, out);
  }

  // In registers from the first row to the last.
  template <int N>
  [[gnu::always_inline]] static inline void few_rows(const T* in, std::int64_t n, std::int64_t columns,
                                                     std::int64_t stride, T* out) {
    if (columns < N) {
      if constexpr (N > 1) few_rows<N / 2>(in, n, columns, stride, out);
      return;
    }
    each<N>(
        columns, [&](std::int64_t c, std::int64_t) __attribute__((always_inline)) {
          const T* p = in + c;
          Pack<T, N> sum = Pack<T, N>::load(p);
          std::int64_t r = 0;
#pragma GCC unroll 1
          for (; r + 8 <= n; r += 8) {
            const Pack<T, N> eight = eight_rows<N>(p + r * stride, stride);
            sum = r == 0 ? eight : Op::combine(sum, eight);
          }
#pragma GCC unroll 1
          for (r = std::max<std::int64_t>(r, 1); r < n; ++r) {
            sum = Op::combine(sum, Pack<T, N>::load(p + r * stride));
          }
          sum.store(out + c);
        });
  }

  template <int N>
  [[gnu::always_inline]] static inline void many_rows(const T* in, std::int64_t n, std::int64_t columns,
                                                      std::int64_t stride, T* out, T* scratch) {
    using V = Pack<T, N>;
    int top = 0;
    std::uint64_t count = 0;
    for (std::int64_t row = 0; row < n; row += block) {
      const std::int64_t end = std::min(row + block, n);
      T* acc = scratch + top * tile;
      std::int64_t r = row;
      for (; r + 8 <= end; r += 8) {
        const T* p = in + r * stride;
        each<N>(
            columns, [&](std::int64_t c, std::int64_t kept) __attribute__((always_inline)) {
              const V eight = eight_rows<N>(p + c, stride);
              T* place = acc + kept;
              (r == row ? eight : Op::combine(V::load(place), eight)).store(place);
            });
      }
      for (; r < end; ++r) {
        const T* p = in + r * stride;
        each<N>(
            columns, [&](std::int64_t c, std::int64_t kept) __attribute__((always_inline)) {
              const V one = V::load(p + c);
              T* place = acc + kept;
              (r == row ? one : Op::combine(V::load(place), one)).store(place);
            });
      }
      ++top;
      for (std::uint64_t carry = count++; (carry & 1) != 0; carry >>= 1) merge<N>(scratch, --top, columns);
    }
    while (top > 1) merge<N>(scratch, --top, columns);
    each<N>(
        columns, [&](std::int64_t c, std::int64_t kept)
                     __attribute__((always_inline)) { V::load(scratch + kept).store(out + c); });
  }

  template <int N>
  [[gnu::always_inline]] static inline Pack<T, N> eight_rows(const T* p, std::int64_t stride) {
    const auto at = [&](int k) __attribute__((always_inline)) { return Pack<T, N>::load(p + k * stride); };
    return Op::combine(Op::combine(Op::combine(at(0), at(1)), Op::combine(at(2), at(3))),
                       Op::combine(Op::combine(at(4), at(5)), Op::combine(at(6), at(7))));
  }

  // f(column, place of its accumulator). The last vector overlaps its neighbour instead of being partial: both
  // compute the same, but only accumulators of its own keep it from counting anything twice.
  template <int N, class F>
  [[gnu::always_inline]] static inline void each(std::int64_t columns, const F& f) {
#pragma GCC unroll 1
    for (std::int64_t c = 0; c < columns; c += N) f(std::min(c, columns - N), c);
  }

  template <int N>
  [[gnu::always_inline]] static inline void merge(T* scratch, int top, std::int64_t columns) {
    T *a = scratch + (top - 1) * tile, *b = scratch + top * tile;
    for (std::int64_t c = 0; c < columns; c += N) {
      Op::combine(Pack<T, N>::load(a + c), Pack<T, N>::load(b + c)).store(a + c);
    }
  }
};

template <class T>
using ColumnsFunction = void (*)(const T* in, std::int64_t outer, std::int64_t n, std::int64_t inner,
                                 std::int64_t columns, T* out, T* scratch);

/// Columns<Op, T>::run for the set in use; Op is Sum, Product, Max or Min.
template <class Op, class T>
ColumnsFunction<T> columns_function();

}  // namespace xgrad::kernel::detail
