// The kernel that reduces consecutive elements: (rows, n) to (rows,). Included by sources only; compiled in
// reduce_rows.cpp.
#pragma once

#include <algorithm>
#include <xgrad/tensor/lanes.hpp>

namespace xgrad::kernel::detail {

template <class Op, class T>
struct Rows {
  static constexpr int lanes = row_lanes<T>;
  static constexpr int levels = 60;                  // of a pairwise tree: enough for 2^60 blocks
  static constexpr std::int64_t block_vectors = 64;  // of 64 bytes: four chains of sixteen
  static constexpr std::int64_t block = block_vectors * lanes;
  static constexpr std::int64_t branch_blocks = 32;  // a power of two: a branch is a node of any row's tree
  static constexpr std::int64_t branch = branch_blocks * block;

  /// in: rows of n > 0 elements, one behind the other.
  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* in, std::int64_t n, T* out, std::int64_t rows) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T)), quarter = 16 / static_cast<int>(sizeof(T));
    if (n == 1) {
      for (std::int64_t r = 0; r < rows; ++r) out[r] = std::is_same_v<Op, SquareSum> ? in[r] * in[r] : in[r];
    } else if (n <= quarter) {
      short_rows<quarter, quarter>(in, n, out, rows);
    } else if (n <= 2 * quarter) {
      short_rows<std::min(2 * quarter, N), 2 * quarter>(in, n, out, rows);
    } else if (n <= lanes) {
      short_rows<N, lanes>(in, n, out, rows);
    } else {
      long_rows<N>(in, n, out, rows);
    }
  }

  // Rows of up to `width` elements, N at a time.
  template <int N, int width>
  [[gnu::always_inline]] static inline void short_rows(const T* in, std::int64_t n, T* out,
                                                       std::int64_t rows) {
    using W = Wide<T, N, width / N>;
    const WideMask<T, N, width / N> within(0, static_cast<int>(n));
    T last[(N + 1) * width] = {};
    for (std::int64_t r = 0; r < rows; r += N) {
      const T* p = in + r * n;
      const std::int64_t left = rows - r;
      if ((N - 1) * n + width > left * n) {  // would read past the end
        std::copy_n(p, std::min<std::int64_t>(left, N) * n, last);
        p = last;
      }
      Pack<T, N> row[N];
      for (int i = 0; i < N; ++i) {
        row[i] = folded(Op{}, seen_by(Op{}, W::load(p + i * n)).only(within, Op::template identity<T>));
      }
      const Pack<T, N> all = across<Op>(row);
      if (left >= N) {
        all.store(out + r);
      } else {
        all.store_partial(out + r, static_cast<int>(left));
      }
    }
  }

  template <int N>
  [[gnu::always_inline]] static inline void long_rows(const T* in, std::int64_t n, T* out,
                                                      std::int64_t rows) {
    const Tail<N> tail(lanes - static_cast<int>(n % lanes), lanes);
    T partial[N * N];
    for (std::int64_t r = 0; r < rows; r += N) {
      const std::int64_t count = std::min<std::int64_t>(rows - r, N);
#pragma GCC unroll 1
      for (std::int64_t i = 0; i < count; ++i) {
        const Pack<T, N> one = folded(Op{}, whole<N>(in + (r + i) * n, n, tail));
        if (rows == 1) {
          *out = across_one<Op>(one)[0];
          return;
        }
        one.store(partial + i * N);
      }
#pragma GCC unroll 1
      for (std::int64_t i = count; i < N; ++i) Pack<T, N>(0).store(partial + i * N);
      Pack<T, N> row[N];
      for (int i = 0; i < N; ++i) row[i] = Pack<T, N>::load(partial + i * N);
      across<Op>(row).store_partial(out + r, static_cast<int>(count));
    }
  }

  template <int N>
  using Tail = WideMask<T, N, lanes / N>;

  // A row to one vector: blocks in a pairwise tree, combined as a binary counter carries, so that every value
  // meets others of its own weight. In front of the row stand `known` nodes of the tree, for `branch` elements
  // each.
  template <int N>
  [[gnu::always_inline]] static inline Wide<T, N, lanes / N> whole(const T* in, std::int64_t n,
                                                                   const Tail<N>& tail,
                                                                   const T* nodes = nullptr,
                                                                   std::int64_t known = 0) {
    using W = Wide<T, N, lanes / N>;
    W total = W::all(Op::template identity<T>);
    const std::int64_t vectors = n % block / lanes;
    const T* rest = in + n / block * block;
    if (vectors > 0) total = chains<N>(rest, vectors);
    if (n % lanes > 0) {
      const W last = seen_by(Op{}, W::load(in + n - lanes)).only(tail, Op::template identity<T>);
      total = combined(Op{}, total, last);
    }
    if (n < block && known == 0) return total;
    W partial[levels];
    int top = 0;
    const auto meet = [&](W value, std::uint64_t before) __attribute__((always_inline)) {
      for (; (before & 1) != 0; before >>= 1) value = combined(Op{}, partial[--top], value);
      partial[top++] = value;
    };
    for (std::int64_t i = 0; i < known; ++i) {
      meet(W::load(nodes + i * lanes), static_cast<std::uint64_t>(i));
    }
    auto count = static_cast<std::uint64_t>(known * branch_blocks);
    for (; in < rest; in += block) meet(chains<N>(in, block_vectors), count++);
    while (top > 0) total = combined(Op{}, partial[--top], total);
    return total;
  }

  // At least one and at most block_vectors vectors, in four independent chains. Registers of 16 bytes walk the
  // block, which is then in the cache, twice.
  template <int N>
  [[gnu::always_inline]] static inline Wide<T, N, lanes / N> chains(const T* in, std::int64_t vectors) {
    constexpr int together = std::min(lanes / N, 2);
    using W = Wide<T, N, together>;
    Wide<T, N, lanes / N> result;
    for (int p = 0; p < lanes / N; p += together) {
      const auto at = [&](std::int64_t k) __attribute__((always_inline)) {
        return seen_by(Op{}, W::load(in + p * N + k * lanes));
      };
      W sum = at(0);
      if (vectors < 4) {
        if (vectors > 1) sum = combined(Op{}, sum, at(1));
        if (vectors > 2) sum = combined(Op{}, sum, at(2));
      } else {
        W b = at(1), c = at(2), d = at(3);
        std::int64_t k = 4;
        // Unrolled, each chain would walk the block on its own: half as fast from memory.
#pragma GCC unroll 1
        for (; k + 4 <= vectors; k += 4) {
          sum = combined(Op{}, sum, at(k));
          b = combined(Op{}, b, at(k + 1));
          c = combined(Op{}, c, at(k + 2));
          d = combined(Op{}, d, at(k + 3));
        }
        if (k < vectors) sum = combined(Op{}, sum, at(k));
        if (k + 1 < vectors) b = combined(Op{}, b, at(k + 1));
        if (k + 2 < vectors) c = combined(Op{}, c, at(k + 2));
        sum = combined(Op{}, combined(Op{}, sum, b), combined(Op{}, c, d));
      }
      for (int i = 0; i < together; ++i) result.part[p + i] = sum.part[i];
    }
    return result;
  }
};

/// A long row by several threads: branches of its tree first, then the row from them and the rest.
template <class Op, class T>
struct Branches {
  using R = Rows<Op, T>;
  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* in, std::int64_t count, T* nodes) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T)), parts = R::lanes / N;
    const typename R::template Tail<N> none(0, R::lanes);
    for (std::int64_t i = 0; i < count; ++i) {
      const Wide<T, N, parts> node = R::template whole<N>(in + i * R::branch, R::branch, none);
      for (int k = 0; k < parts; ++k) node.part[k].store(nodes + i * R::lanes + k * N);
    }
  }
};
template <class Op, class T>
struct FromBranches {
  using R = Rows<Op, T>;
  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* nodes, std::int64_t known, const T* rest,
                                                std::int64_t n, T* out) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    const typename R::template Tail<N> tail(R::lanes - static_cast<int>(n % R::lanes), R::lanes);
    *out = across_one<Op>(folded(Op{}, R::template whole<N>(rest, n, tail, nodes, known)))[0];
  }
};

template <class T>
struct LongRow {
  void (*branches)(const T* in, std::int64_t count, T* nodes);
  void (*from_branches)(const T* nodes, std::int64_t known, const T* rest, std::int64_t n, T* out);
};
/// For the set in use; Op is Sum, SquareSum, Product, Max or Min.
template <class Op, class T>
LongRow<T> long_row();

template <class T>
using RowsFunction = void (*)(const T* in, std::int64_t n, T* out, std::int64_t rows);

/// Rows<Op, T>::run for the set in use; Op is Sum, SquareSum, Product, Max or Min.
template <class Op, class T>
RowsFunction<T> rows_function();

}  // namespace xgrad::kernel::detail
