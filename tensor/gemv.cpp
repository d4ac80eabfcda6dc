#include <algorithm>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/gemv.hpp>
#include <xgrad/tensor/pack.hpp>
#include <xgrad/tensor/storage.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel {
namespace {

using simd::Pack;

constexpr std::int64_t worth_a_thread = 1 << 16;  // elements of the matrix

// y[i] = sum over j of m[i, j] x[j]
template <class T>
struct Rows {
  using One = Pack<T, 1>;
  using Four = Pack<T, 4>;

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* m, std::int64_t rows, std::int64_t columns,
                                                const T* x, T* y, bool adds) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    std::int64_t i = 0;
    for (; i + 4 <= rows; i += 4) some<N, 4>(m + i * columns, columns, x, y + i, adds);
    for (; i < rows; ++i) some<N, 1>(m + i * columns, columns, x, y + i, adds);
  }

  // A row's sum has one order, whether alone or in a group: two chains of vectors, folded to four lanes; then
  // the rest by fours, the lanes, and what is left one by one.
  template <int N, int R>
  [[gnu::always_inline]] static inline void some(const T* m, std::int64_t columns, const T* x, T* y,
                                                 bool adds) {
    Four lanes[R];
    for (int r = 0; r < R; ++r) lanes[r] = zero<4>();
    std::int64_t j = 0;
    if constexpr (N > 4) {
      if (columns >= N) j = whole_vectors<N, R>(m, columns, x, lanes);
    }
    for (; j + 4 <= columns; j += 4) {
      const Four u = Four::load(x + j);
      for (int r = 0; r < R; ++r) lanes[r] = mul_add(Four::load(m + r * columns + j), u, lanes[r]);
    }
    if constexpr (R == 4) {
      Four total = adds ? Four::load(y) + sums(lanes) : sums(lanes);
      for (; j < columns; ++j) {
        const Four column(typename Four::V{m[j], m[columns + j], m[2 * columns + j], m[3 * columns + j]});
        total = Four(column.v * x[j] + total.v);
      }
      total.store(y);
    } else {
      T total = (lanes[0][0] + lanes[0][1]) + (lanes[0][2] + lanes[0][3]);
      if (adds) total = *y + total;
      for (; j < columns; ++j) total = One(One(m[j]).v * x[j] + One(total).v)[0];
      *y = total;
    }
  }

  template <int N, int R>
  [[gnu::always_inline]] static inline std::int64_t whole_vectors(const T* m, std::int64_t columns,
                                                                  const T* x, Four (&lanes)[R]) {
    using V = Pack<T, N>;
    V even[R], odd[R];
    for (int r = 0; r < R; ++r) even[r] = odd[r] = zero<N>();
    std::int64_t j = 0;
    for (; j + 2 * N <= columns; j += 2 * N) {
      const V u = V::load(x + j), v = V::load(x + j + N);
      for (int r = 0; r < R; ++r) {
        even[r] = mul_add(V::load(m + r * columns + j), u, even[r]);
        odd[r] = mul_add(V::load(m + r * columns + j + N), v, odd[r]);
      }
    }
    if (j + N <= columns) {
      const V u = V::load(x + j);
      for (int r = 0; r < R; ++r) even[r] = mul_add(V::load(m + r * columns + j), u, even[r]);
      j += N;
    }
    for (int r = 0; r < R; ++r) lanes[r] = fold(even[r] + odd[r]);
    return j;
  }

  // Not Pack(0), which GCC builds lane by lane here.
  template <int N>
  [[gnu::always_inline]] static inline Pack<T, N> zero() {
    return Pack<T, N>(typename Pack<T, N>::V{});
  }

  // Each row's lanes as (0 + 1) + (2 + 3), by a transposition.
  [[gnu::always_inline]] static inline Four sums(const Four (&x)[4]) {
    const Four a(__builtin_shufflevector(x[0].v, x[1].v, 0, 4, 2, 6)),
        b(__builtin_shufflevector(x[0].v, x[1].v, 1, 5, 3, 7)),
        c(__builtin_shufflevector(x[2].v, x[3].v, 0, 4, 2, 6)),
        d(__builtin_shufflevector(x[2].v, x[3].v, 1, 5, 3, 7));
    const Four low = a + b, high = c + d;  // lanes 0 + 1 and 2 + 3 of two rows each
    return Four(__builtin_shufflevector(low.v, high.v, 0, 1, 4, 5)) +
           Four(__builtin_shufflevector(low.v, high.v, 2, 3, 6, 7));
  }
  template <int N>
  [[gnu::always_inline]] static inline Four fold(Pack<T, N> v) {
    if constexpr (N == 4) {
      return v;
    } else {
      Pack<T, N / 2> low, high;
      simd::detail::split(v, low, high, std::make_index_sequence<N / 2>{});
      return fold(low + high);
    }
  }
};

// y[j] (+)= sum over i of m[i, j] x[i]; neighbours of a column are `row` apart.
template <class T>
struct Columns {
  static constexpr std::int64_t strip = 16384 / sizeof(T);  // of y, in the first cache

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* m, std::int64_t rows, std::int64_t columns,
                                                const T* x, T* y, bool adds) {
    for (std::int64_t first = 0; first < columns; first += strip) {
      const std::int64_t n = columns - first < strip ? columns - first : strip;
      bool more = adds;
      std::int64_t i = 0;
      for (; i + 8 <= rows; i += 8, more = true)
        some<Bytes, 8>(m + i * columns + first, columns, n, x + i, y + first, more);
      for (; i + 4 <= rows; i += 4, more = true)
        some<Bytes, 4>(m + i * columns + first, columns, n, x + i, y + first, more);
      for (; i < rows; ++i, more = true)
        some<Bytes, 1>(m + i * columns + first, columns, n, x + i, y + first, more);
    }
  }

  // By vectors, then by quads, then one by one; a column's sum has one order in all of them.
  template <int Bytes, int R>
  [[gnu::always_inline]] static inline void some(const T* m, std::int64_t row, std::int64_t n, const T* x,
                                                 T* y, bool adds) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    T factors[R];  // in registers, whatever y's stores may touch
    for (int r = 0; r < R; ++r) factors[r] = x[r];
    std::int64_t j = 0;
    for (; j + N <= n; j += N) one<N, R>(m + j, row, factors, y + j, adds);
    if constexpr (N > 4) {
      for (; j + 4 <= n; j += 4) one<4, R>(m + j, row, factors, y + j, adds);
    }
    for (; j < n; ++j) one<1, R>(m + j, row, factors, y + j, adds);
  }
  template <int N, int R>
  [[gnu::always_inline]] static inline void one(const T* m, std::int64_t row, const T (&x)[R], T* y,
                                                bool adds) {
    using V = Pack<T, N>;
    V even(x[0] * V::load(m).v);
    if (adds) even = V(x[0] * V::load(m).v + V::load(y).v);
    if constexpr (R == 1) return even.store(y);
    V odd(x[R > 1] * V::load(m + row).v);
    for (int r = 2; r < R; r += 2) {
      even = V(x[r] * V::load(m + r * row).v + even.v);
      odd = V(x[r + 1] * V::load(m + (r + 1) * row).v + odd.v);
    }
    (even + odd).store(y);
  }
};

template <class Kernel, class T>
void call(const T* m, std::int64_t rows, std::int64_t columns, const T* x, T* y, bool adds) {
  xgrad::detail::dispatch<Kernel, const T*, std::int64_t, std::int64_t, const T*, T*, bool>(m, rows, columns,
                                                                                            x, y, adds);
}

template <class T>
void gemv_of(const T* m, std::int64_t rows, std::int64_t columns, bool transposed, const T* x, T* y,
             bool adds) {
  const std::int64_t size = rows * columns;
  const std::int64_t parts =
      size < 2 * worth_a_thread ? 1 : std::min({size / worth_a_thread, rows, std::int64_t{num_threads()}});
  if (!transposed) {
    const std::int64_t grain =
        parts == 1 ? rows : std::max<std::int64_t>(4, worth_a_thread / columns / 4 * 4);
    xgrad::detail::parallel(rows, grain, [&](std::int64_t begin, std::int64_t end) {
      call<Rows<T>>(m + begin * columns, end - begin, columns, x, y + begin, adds);
    });
    return;
  }
  if (parts == 1) return call<Columns<T>>(m, rows, columns, x, y, adds);
  // Each part of the rows has a sum of its own, added up in their order whoever made them.
  const xgrad::detail::Storage storage(static_cast<std::size_t>(parts * columns) * sizeof(T));
  auto* sums = static_cast<T*>(storage.data());
  xgrad::detail::parallel(parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const std::int64_t first = rows * p / parts, last = rows * (p + 1) / parts;
      call<Columns<T>>(m + first * columns, last - first, columns, x + first, sums + p * columns, false);
    }
  });
  for (std::int64_t p = 0; p < parts; ++p) {
    for (std::int64_t j = 0; j < columns; ++j) y[j] = (adds || p > 0 ? y[j] : T(0)) + sums[p * columns + j];
  }
}

}  // namespace

void gemv(const float* matrix, std::int64_t rows, std::int64_t columns, bool transposed, const float* x,
          float* y, bool adds) {
  gemv_of(matrix, rows, columns, transposed, x, y, adds);
}
void gemv(const double* matrix, std::int64_t rows, std::int64_t columns, bool transposed, const double* x,
          double* y, bool adds) {
  gemv_of(matrix, rows, columns, transposed, x, y, adds);
}

}  // namespace xgrad::kernel
