#include <xgrad/tensor/lines_call.hpp>
#include <xgrad/tensor/reduce.hpp>
#include <xgrad/tensor/reduce_rows.hpp>

namespace xgrad::kernel {
namespace {

using detail::Mask, detail::Max, detail::Pack, detail::Wide, detail::WideMask;

// Of lane numbers, which are never NaN.
struct Least {
  template <class V>
  XGRAD_SIMD static V combine(V a, V b) {
    return where(a < b, a, b);
  }
};

// One element after the other; the first NaN, if there is one.
template <class T>
std::int64_t plainly(const T* in, std::int64_t n, std::int64_t stride) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    const T value = in[i * stride], record = in[best * stride];
    if (value > record || (value != value && record == record)) best = i;
  }
  return best;
}

// Consecutive elements.
template <class T>
struct ArgRows {
  static constexpr int lanes = detail::row_lanes<T>;

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* in, std::int64_t n, std::int64_t* out,
                                                std::int64_t rows) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    if (n <= lanes) {
      short_rows<N>(in, n, out, rows);
    } else {
      for (std::int64_t r = 0; r < rows; ++r) out[r] = long_row<N>(in + r * n, n);
    }
  }

  // The maxima of N rows first, then the lanes where they stand.
  template <int N>
  [[gnu::always_inline]] static inline void short_rows(const T* in, std::int64_t n, std::int64_t* out,
                                                       std::int64_t rows) {
    using W = Wide<T, N, lanes / N>;
    const WideMask<T, N, lanes / N> within(0, static_cast<int>(n));
    T last[(N + 1) * lanes] = {}, maxima[2 * N] = {}, places[N];
    for (std::int64_t r = 0; r < rows; r += N) {
      const T* p = in + r * n;
      const std::int64_t left = rows - r, count = left < N ? left : N;
      if ((N - 1) * n + lanes > left * n) {  // would read past the end
        std::copy_n(p, count * n, last);
        p = last;
      }
      Pack<T, N> row[N];
      for (int i = 0; i < N; ++i) row[i] = folded(Max{}, W::load(p + i * n).only(within, Max::identity<T>));
      detail::across<Max>(row).store(maxima);
      for (int i = 0; i < N; ++i) {
        W place = W::load(p + i * n);
        for (int k = 0; k < lanes / N; ++k) {
          const Pack<T, N> lane = detail::lane_numbers<T, N>() + T(k * N);
          place.part[k] = where(place.part[k] < detail::spread<T, N>(maxima + i), T(lanes), lane);
        }
        row[i] = folded(Least{}, place);
      }
      detail::across<Least>(row).store(places);
      for (std::int64_t i = 0; i < count; ++i) {
        out[r + i] = maxima[i] == maxima[i] ? static_cast<std::int64_t>(places[i]) : plainly(p + i * n, n, 1);
      }
    }
  }

  // The block that holds the first maximum, then its place there.
  template <int N>
  [[gnu::always_inline]] static inline std::int64_t long_row(const T* in, std::int64_t n) {
    using R = detail::Rows<Max, T>;
    Pack<T, N> best = Max::identity<T>;
    std::int64_t found = 0, length = 0;
    for (std::int64_t start = 0; start < n; start += R::block) {
      // A short last block begins earlier: what it shares with its neighbour is not larger than the best.
      const std::int64_t from = n - start < lanes ? n - lanes : start;
      const std::int64_t size = n - from < R::block ? n - from : R::block;
      const typename R::template Tail<N> tail(lanes - static_cast<int>(size % lanes), lanes);
      const Pack<T, N> top =
          detail::across_one<Max>(folded(Max{}, R::template whole<N>(in + from, size, tail)));
      const T now = top[0];
      if (length > 0 && !(now > best[0] || now != now)) continue;
      best = top, found = from, length = size;
      if (now != now) return found + plainly(in + found, length, 1);
    }
    return found + static_cast<std::int64_t>(first_hit<N>(in + found, length, best));
  }

  // Among `lanes` to `block` elements: few enough for T to count them exactly.
  template <int N>
  [[gnu::always_inline]] static inline T first_hit(const T* in, std::int64_t n, Pack<T, N> best) {
    constexpr T none = T(detail::Rows<Max, T>::block);
    Pack<T, N> first[2] = {none, none}, lane = detail::lane_numbers<T, N>();
    const auto look = [&](std::int64_t i, Pack<T, N> number, Pack<T, N> & least)
        __attribute__((always_inline)) {
      const Pack<T, N> x = Pack<T, N>::load(in + i);
      least = Least::combine(least, where(x < best, none, number));
    };
    std::int64_t i = 0;
    for (; i + 2 * N <= n; i += 2 * N, lane += T(2 * N)) {
      look(i, lane, first[0]);
      look(i + N, lane + T(N), first[1]);
    }
    if (i + N <= n) look(i, lane, first[0]);
    if (n % N != 0) look(n - N, detail::lane_numbers<T, N>() + T(n - N), first[1]);
    return detail::across_one<Least>(Least::combine(first[0], first[1]))[0];
  }
};

// Down the columns of an array (n, stride), N or 4 N of them at a time.
template <class T>
struct ArgColumns {
  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* in, std::int64_t n, std::int64_t stride,
                                                std::int64_t* out, std::int64_t width) {
    some<Bytes / static_cast<int>(sizeof(T))>(in, n, stride, out, width);
  }

  template <int N>
  [[gnu::always_inline]] static inline void some(const T* in, std::int64_t n, std::int64_t stride,
                                                 std::int64_t* out, std::int64_t width) {
    if (width < N) {
      if constexpr (N > 1) some<N / 2>(in, n, stride, out, width);
      return;
    }
    std::int64_t c = 0;
    for (; c + 4 * N <= width; c += 4 * N) columns<N, 4>(in + c, n, stride, out + c);
    for (; c + N <= width; c += N) columns<N, 1>(in + c, n, stride, out + c);
    if (c < width) columns<N, 1>(in + width - N, n, stride, out + width - N);
  }

  template <int N, int Count>
  [[gnu::always_inline]] static inline void columns(const T* in, std::int64_t n, std::int64_t stride,
                                                    std::int64_t* out) {
    using Index = typename Pack<T, N>::Signed;
    Pack<T, N> best[Count];
    Pack<T, N> missing = 0;  // or a NaN that was seen
    Index place[Count], row = {};
    for (int k = 0; k < Count; ++k) {
      best[k] = Pack<T, N>::load(in + k * N), place[k] = row;
      missing = where(isnan(best[k]), best[k], missing);
    }
    for (std::int64_t i = 1; i < n; ++i) {
      row += 1;
      for (int k = 0; k < Count; ++k) {
        const Pack<T, N> x = Pack<T, N>::load(in + i * stride + k * N);
        const Mask<T, N> better = x > best[k];
        best[k] = where(better, x, best[k]);
        place[k] = better.v ? row : place[k];
        if constexpr (!std::is_integral_v<T>) missing = where(isnan(x), x, missing);
      }
    }
    if (any(isnan(missing))) {
      for (std::int64_t c = 0; c < Count * N; ++c) out[c] = plainly(in + c, n, stride);
      return;
    }
    for (int k = 0; k < Count; ++k) {
      for (int lane = 0; lane < N; ++lane) out[k * N + lane] = place[k][lane];
    }
  }
};

template <class T>
void find(const T* in, std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t* out) {
  detail::in_lines({outer, n, inner}, [&](std::int64_t first, std::int64_t last) {
    const auto each = [&] {
      for (std::int64_t i = first; i < last; ++i) {
        out[i] = plainly(in + i / inner * n * inner + i % inner, n, inner);
      }
    };
    if constexpr (std::is_same_v<T, bool>) {
      each();
    } else if (inner == 1) {
      xgrad::detail::dispatch<ArgRows<T>, const T*, std::int64_t, std::int64_t*, std::int64_t>(
          in + first * n, n, out + first, last - first);
    } else if (n <= std::numeric_limits<simd::detail::SignedOf<T>>::max()) {  // a lane counts the rows
      for (std::int64_t line = first; line < last;) {
        const std::int64_t o = line / inner, c = line % inner, width = std::min(inner - c, last - line);
        xgrad::detail::dispatch<ArgColumns<T>, const T*, std::int64_t, std::int64_t, std::int64_t*,
                                std::int64_t>(in + o * n * inner + c, n, inner, out + line, width);
        line += width;
      }
    } else {
      each();
    }
  });
}

}  // namespace

Tensor argmax(const Tensor& x, int axis) {
  std::int64_t sizes[64], outer = 1, inner = 1;
  const std::int64_t n = x.shape()[axis];
  std::size_t rank = 0;
  for (int a = 0; a < x.rank(); ++a) {
    if (a != axis) sizes[rank++] = x.shape()[a], (a < axis ? outer : inner) *= x.shape()[a];
  }
  const Tensor result(Shape{std::span<const std::int64_t>(sizes, rank)}, int64);
  if (result.size() == 0) return result;
  const auto run = [=, dtype = x.dtype()](void* const* out, const void* const* in) {
    xgrad::detail::visit(dtype, [&](auto zero) {
      find(static_cast<const decltype(zero)*>(in[0]), outer, n, inner, static_cast<std::int64_t*>(out[0]));
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace xgrad::kernel
