#include <utility>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/pack.hpp>
#include <xgrad/tensor/skinny.hpp>
#include <xgrad/tensor/storage.hpp>

namespace xgrad::kernel {
namespace {

using simd::Pack;

// One block of B read in place, `deep` by `strip`, and the next, which is fetched meanwhile, fit the second
// cache.
template <class T>
constexpr std::int64_t deep = 1024 / sizeof(T);
template <class T>
constexpr std::int64_t strip = 1280 / sizeof(T);
template <class T>
constexpr std::int64_t skinny_padding = 160 / sizeof(T);  // of the panels, at most

// x y + z. GCC makes one broadcast of a number that meets a vector like this, and one insertion a lane where
// it is converted first.
template <class T, int N>
XGRAD_SIMD Pack<T, N> mul_add(T x, Pack<T, N> y, Pack<T, N> z) {
  return Pack<T, N>(x * y.v + z.v);
}

template <class T>
struct Skinny {
  // What is known of one block of k.
  struct Block {
    const T* a;
    std::int64_t a_row, a_column;
    const T* b;
    std::int64_t b_row;
    std::int64_t k, ahead;  // ahead: from b to what the next block will read
    T* out;
  };

  // out[r, :] = sum over p of a[r, p] b[p, :] for R rows and V whole and H half vectors of columns.
  template <int N, int R, int V, int H>
  [[gnu::always_inline]] static inline int tile(const Block& t) {
    using Whole = Pack<T, N>;
    using Half = Pack<T, N / 2>;
    constexpr int width = V * N + H * N / 2;
    Whole whole[R][V + 1];
    Half half[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) whole[r][v] = Whole(typename Whole::V{});
      half[r] = Half(typename Half::V{});
    }
    const T *a = t.a, *b = t.b;
    for (std::int64_t p = t.k; p > 0; --p, a += t.a_column, b += t.b_row) {
      __builtin_prefetch(b + t.ahead);
      if constexpr (V > 1) __builtin_prefetch(b + t.ahead + N);
      Whole y[V + 1];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) y[v] = Whole::load(b + v * N);
      Half z;
      if constexpr (H == 1) z = Half::load(b + V * N);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const T x = a[r * t.a_row];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) whole[r][v] = mul_add<T, N>(x, y[v], whole[r][v]);
        if constexpr (H == 1) half[r] = mul_add<T, N / 2>(x, z, half[r]);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) whole[r][v].store(t.out + r * width + v * N);
      if constexpr (H == 1) half[r].store(t.out + r * width + V * N);
    }
    return R;
  }

  // One tile of as many of the rows as fit the registers, 32 of 64 bytes or else 16; tells how many. Few
  // sizes: each is a kernel of its own on every instruction set.
  template <int N, int V, int H>
  [[gnu::always_inline]] static inline int rows_of(std::int64_t rows, const Block& t) {
    constexpr bool wide = N * sizeof(T) == 64;
    constexpr int most = V + H == 3 ? (wide ? 8 : 4) : (wide ? 12 : 6);
    if constexpr (most == 12) {
      if (rows >= 12) return tile<N, 12, V, H>(t);
    }
    if constexpr (most >= 8) {
      if (rows >= 8) return tile<N, 8, V, H>(t);
    }
    if constexpr (most == 6) {
      if (rows >= 6) return tile<N, 6, V, H>(t);
    }
    if (rows >= 4) return tile<N, 4, V, H>(t);
    return rows >= 2 ? tile<N, 2, V, H>(t) : tile<N, 1, V, H>(t);
  }
  template <int N>
  [[gnu::always_inline]] static inline int any_tile(std::int64_t rows, int halves, const Block& t) {
    switch (halves) {
      case 1:
        return rows_of<N, 0, 1>(rows, t);
      case 2:
        return rows_of<N, 1, 0>(rows, t);
      case 3:
        return rows_of<N, 1, 1>(rows, t);
      case 4:
        return rows_of<N, 2, 0>(rows, t);
      default:
        return rows_of<N, 2, 1>(rows, t);
    }
  }

  // C[0 .. rows, skip .. columns] from a tile, whose rows are `width` apart.
  template <int N>
  [[gnu::always_inline]] static inline void store(const T* tile, int rows, int skip, int columns, int width,
                                                  T* c, std::int64_t c_row, std::int64_t c_column,
                                                  bool adds) {
    if (c_column == 1) {
      for (int r = 0; r < rows; ++r) {
        for (int j = skip; j < columns; j += N) {
          const int n = columns - j < N ? columns - j : N;
          T* target = c + r * c_row + j;
          Pack<T, N> x = Pack<T, N>::load_partial(tile + r * width + j, n);
          if (adds) x += Pack<T, N>::load_partial(target, n);
          x.store_partial(target, n);
        }
      }
    } else {
      // All of a column before the next: they may lie a page apart.
      int j = skip;
      for (; c_row == 1 && j + 4 <= columns; j += 4) {
        int r = 0;
        for (; r + 4 <= rows; r += 4) {
          Four x[4];
          for (int q = 0; q < 4; ++q) x[q] = Four::load(tile + (r + q) * width + j);
          transpose(x);
          for (int q = 0; q < 4; ++q) {
            T* target = c + (j + q) * c_column + r;
            (adds ? x[q] + Four::load(target) : x[q]).store(target);
          }
        }
        for (; r < rows; ++r) {
          for (int q = j; q < j + 4; ++q) put(c + q * c_column + r, tile[r * width + q], adds);
        }
      }
      for (; j < columns; ++j) {
        for (int r = 0; r < rows; ++r) put(c + r * c_row + j * c_column, tile[r * width + j], adds);
      }
    }
  }
  [[gnu::always_inline]] static inline void put(T* target, T x, bool adds) {
    *target = adds ? *target + x : x;
  }

  using Four = Pack<T, 4>;
  [[gnu::always_inline]] static inline void transpose(Four (&x)[4]) {
    const Four a(__builtin_shufflevector(x[0].v, x[1].v, 0, 4, 1, 5)),
        b(__builtin_shufflevector(x[2].v, x[3].v, 0, 4, 1, 5)),
        c(__builtin_shufflevector(x[0].v, x[1].v, 2, 6, 3, 7)),
        d(__builtin_shufflevector(x[2].v, x[3].v, 2, 6, 3, 7));
    x[0] = Four(__builtin_shufflevector(a.v, b.v, 0, 1, 4, 5));
    x[1] = Four(__builtin_shufflevector(a.v, b.v, 2, 3, 6, 7));
    x[2] = Four(__builtin_shufflevector(c.v, d.v, 0, 1, 4, 5));
    x[3] = Four(__builtin_shufflevector(c.v, d.v, 2, 3, 6, 7));
  }

  // dst[p, i] = src[i, p], or 0 beyond `count`, for i < padded.
  [[gnu::always_inline]] static inline void pack(const T* src, std::int64_t row, std::int64_t column,
                                                 std::int64_t count, std::int64_t padded, std::int64_t k,
                                                 T* dst) {
    std::int64_t i = 0;
    for (; column == 1 && i + 4 <= count; i += 4) {
      std::int64_t p = 0;
      for (; p + 4 <= k; p += 4) {
        Four x[4];
        for (int r = 0; r < 4; ++r) x[r] = Four::load(src + (i + r) * row + p);
        transpose(x);
        for (int r = 0; r < 4; ++r) x[r].store(dst + (p + r) * padded + i);
      }
      for (; p < k; ++p) {
        for (int r = 0; r < 4; ++r) dst[p * padded + i + r] = src[(i + r) * row + p];
      }
    }
    for (; i < padded; ++i) {
      if (i < count) {
        for (std::int64_t p = 0; p < k; ++p) dst[p * padded + i] = src[i * row + p * column];
      } else {
        for (std::int64_t p = 0; p < k; ++p) dst[p * padded + i] = T(0);
      }
    }
  }

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const SkinnyProduct<T>* product, T* packed, T* out) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    const std::int64_t n = product->n, strips = product->packs_a ? (n + strip<T> - 1) / strip<T> : 1;
    SkinnyProduct<T> s = *product;
    for (std::int64_t i = 0, column = 0, end; i < strips; ++i, column = end) {
      end = i + 1 == strips ? n : n * (i + 1) / strips / N * N;
      s.n = end - column;
      s.b = product->b + column * s.b_column;
      s.c = product->c + column * s.c_column;
      blocks<N>(s, packed, out);
    }
  }

  template <int N>
  [[gnu::always_inline]] static inline void blocks(const SkinnyProduct<T>& s, T* packed, T* out) {
    const std::int64_t count = (s.k + deep<T> - 1) / deep<T>;
    for (std::int64_t i = 0, first = 0, last; i < count; ++i, first = last) {
      last = s.k * (i + 1) / count;
      const std::int64_t k = last - first;
      const T *a = s.a + first * s.a_column, *b = s.b + first * s.b_row;
      const bool adds = s.adds || i > 0;
      if (s.packs_a) {
        pack(a, s.a_row, s.a_column, s.m, s.m, k, packed);
        broad<N>(s, {packed, 1, s.m, b, s.b_row, k, i + 1 < count ? k * s.b_row : 0, out}, adds);
      } else {
        narrow<N>(s, {a, s.a_row, s.a_column, b, s.b_row, k, 0, out}, packed, adds);
      }
    }
  }

  // Columns in place, the last tile overlapping its neighbour instead of reading beyond the row.
  template <int N>
  [[gnu::always_inline]] static inline void broad(const SkinnyProduct<T>& s, Block t, bool adds) {
    constexpr int half = N / 2;
    const T *a = t.a, *b = t.b;
    for (std::int64_t j = 0, width; j < s.n; j += width) {
      const std::int64_t left = s.n - j;
      std::int64_t halves = (left + half - 1) / half;
      if (halves != 5) halves = halves < 4 ? halves : 4;
      while (halves * half > s.n) --halves;
      width = halves * half;
      const std::int64_t begin = left < width ? s.n - width : j;
      for (std::int64_t row = 0, rows; row < s.m; row += rows) {
        t.a = a + row;
        t.b = b + begin;
        rows = any_tile<N>(s.m - row, static_cast<int>(halves), t);
        store<N>(t.out, static_cast<int>(rows), static_cast<int>(j - begin), static_cast<int>(width),
                 static_cast<int>(width), s.c + row * s.c_row + begin * s.c_column, s.c_row, s.c_column,
                 adds);
      }
    }
  }

  // Columns packed into panels of one width.
  template <int N>
  [[gnu::always_inline]] static inline void narrow(const SkinnyProduct<T>& s, Block t, T* packed, bool adds) {
    constexpr int half = N / 2;
    const T *a = t.a, *b = t.b;
    const std::int64_t total = (s.n + half - 1) / half, panels = (total + 4) / 5;
    const auto halves = static_cast<int>((total + panels - 1) / panels);
    const int width = halves * half;
    const auto columns_of = [&](std::int64_t panel) {
      return s.n - panel * width < width ? s.n - panel * width : std::int64_t{width};
    };
    for (std::int64_t p = 0; p < panels; ++p) {
      pack(b + p * width * s.b_column, s.b_column, t.b_row, columns_of(p), width, t.k,
           packed + p * width * t.k);
    }
    t.b_row = width;
    for (std::int64_t row = 0, rows; row < s.m; row += rows) {
      for (std::int64_t p = 0; p < panels; ++p) {
        t.a = a + row * t.a_row;
        t.b = packed + p * width * t.k;
        rows = any_tile<N>(s.m - row, halves, t);
        store<N>(t.out, static_cast<int>(rows), 0, static_cast<int>(columns_of(p)), width,
                 s.c + row * s.c_row + p * width * s.c_column, s.c_row, s.c_column, adds);
      }
    }
  }
};

template <class T>
void skinny_of(const SkinnyProduct<T>& s) {
  // The panels' padding is less than two vectors; a tile holds 24 of them.
  const std::int64_t sides = (s.packs_a ? s.m : s.n) + skinny_padding<T>,
                     depth = s.k < deep<T> ? s.k : deep<T>;
  const std::int64_t packed = sides * depth;
  const xgrad::detail::Storage scratch(static_cast<std::size_t>(packed) * sizeof(T) + 24 * 64);
  auto* out = static_cast<T*>(scratch.data());
  xgrad::detail::dispatch<Skinny<T>, const SkinnyProduct<T>*, T*, T*>(
      &s, out + 24 * 64 / static_cast<int>(sizeof(T)), out);
}

}  // namespace

void skinny(const SkinnyProduct<float>& product) { skinny_of(product); }
void skinny(const SkinnyProduct<double>& product) { skinny_of(product); }

}  // namespace xgrad::kernel
