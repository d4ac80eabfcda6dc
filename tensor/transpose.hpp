// The kernel that swaps two axes, in square tiles that are turned around in registers. Included by sources
// only.
#pragma once

#include <algorithm>
#include <xgrad/tensor/lanes.hpp>

namespace xgrad::kernel::detail {

/// to[p * to_step + q] = from[q * from_step + p], p < rows, q < columns. T is float or double: its bits are
/// moved, whatever they mean.
template <class T>
struct Transpose {
  static constexpr std::int64_t block = 512 / sizeof(T);  // square, so that both sides stay in the cache

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(T* to, std::int64_t to_step, const T* from,
                                                std::int64_t from_step, std::int64_t rows,
                                                std::int64_t columns) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    if (rows < N || columns < N) return narrow<N>(to, to_step, from, from_step, rows, columns);
    for (std::int64_t i = 0; i < rows; i += block) {
      for (std::int64_t j = 0; j < columns; j += block) {
        const std::int64_t i_end = std::min(i + block, rows), j_end = std::min(j + block, columns);
        for (std::int64_t k = i; k < i_end; k += N) {
          const std::int64_t p = std::min(k, rows - N);  // the last tile overlaps its neighbour
          for (std::int64_t l = j; l < j_end; l += N) {
            const std::int64_t q = std::min(l, columns - N);
            tile<N>(to + p * to_step + q, to_step, from + q * from_step + p, from_step);
          }
        }
      }
    }
  }

  template <int N>
  [[gnu::always_inline]] static inline void tile(T* to, std::int64_t to_step, const T* from,
                                                 std::int64_t from_step) {
    Pack<T, N> row[N];
    for (int i = 0; i < N; ++i) row[i] = Pack<T, N>::load(from + i * from_step);
    transpose(row);
    for (int i = 0; i < N; ++i) row[i].store(to + i * to_step);
  }

  // Fewer than N of one axis: tiles that read or write over its end, into what follows, as long as that is
  // inside; what is written too far is written again.
  template <int N>
  [[gnu::always_inline]] static inline void narrow(T* to, std::int64_t to_step, const T* from,
                                                   std::int64_t from_step, std::int64_t rows,
                                                   std::int64_t columns) {
    const std::int64_t few = std::min(rows, columns);
    if constexpr (N * sizeof(T) > 16) {
      if (few <= N / 2) return narrow<N / 2>(to, to_step, from, from_step, rows, columns);
    }
    std::int64_t p = 0, q = 0;
    Pack<T, N> row[N];
    if (rows <= columns && rows <= N && from_step > 0) {
      for (; (q + N - 1) * from_step + N <= (columns - 1) * from_step + rows && q + N <= columns; q += N) {
        for (int i = 0; i < N; ++i) row[i] = Pack<T, N>::load(from + (q + i) * from_step);
        transpose(row);
        for (int i = 0; i < N; ++i) {
          if (i < rows) row[i].store(to + i * to_step + q);
        }
      }
    } else if (columns <= N && to_step == columns) {
      for (; p + N <= rows && (p + N - 1) * to_step + N <= rows * columns; p += N) {
        for (int i = 0; i < N; ++i) {
          row[i] = Pack<T, N>::load(from + (i < columns ? i : 0) * from_step + p);
        }
        transpose(row);
        for (int i = 0; i < N; ++i) row[i].store(to + (p + i) * to_step);
      }
    }
    for (; p < rows; ++p) {
      for (std::int64_t k = q; k < columns; ++k) to[p * to_step + k] = from[k * from_step + p];
    }
  }
};

}  // namespace xgrad::kernel::detail
