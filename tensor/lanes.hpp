// What several lanes make together: sums and extrema across a vector, and across several vectors at once.
//
// A row is always reduced in 64 bytes of lanes, whatever the registers hold, and lanes are joined by halving:
// lane k with lane k + half. A result therefore has the same bits on every instruction set.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <xgrad/tensor/pack.hpp>

namespace xgrad::kernel::detail {

using simd::Mask;
using simd::Pack;

struct Sum {
  template <class T>
  static constexpr T identity = T(0);
  template <class V>
  XGRAD_SIMD static V combine(V a, V b) {
    return a + b;
  }
};

// Of squares, for rows.
struct SquareSum : Sum {};

struct Product {
  template <class T>
  static constexpr T identity = T(1);
  template <class V>
  XGRAD_SIMD static V combine(V a, V b) {
    return a * b;
  }
};

struct Max {
  template <class T>
  static constexpr T identity = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                                     : std::numeric_limits<T>::lowest();
  template <class V>
  XGRAD_SIMD static V combine(V a, V b) {
    return maximum(a, b);  // a NaN on either side wins
  }
};

struct Min {
  template <class T>
  static constexpr T identity = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                                     : std::numeric_limits<T>::max();
  template <class V>
  XGRAD_SIMD static V combine(V a, V b) {
    return minimum(a, b);
  }
};

/// The lanes in which a row of T is reduced.
template <class T>
inline constexpr int row_lanes = 64 / static_cast<int>(sizeof(T));

template <class T, int N, std::size_t... I>
XGRAD_SIMD Pack<T, N> lane_numbers(std::index_sequence<I...>) {
  return Pack<T, N>(typename Pack<T, N>::V{T(I)...});
}
/// 0, 1, 2, ...
template <class T, int N>
XGRAD_SIMD Pack<T, N> lane_numbers() {
  return lane_numbers<T, N>(std::make_index_sequence<N>{});
}

/// What an element is to a reduction by Op: itself, or its square.
template <class Op, class V>
XGRAD_SIMD V seen_by(Op, V v) {
  if constexpr (std::is_same_v<Op, SquareSum>) {
    return v * v;
  } else {
    return v;
  }
}

/// The lanes from `first` up to `last`.
template <class T, int N, int Parts>
struct WideMask {
  Mask<T, N> part[Parts];

  XGRAD_SIMD WideMask(int first, int last) {
    for (int i = 0; i < Parts; ++i) {
      const Pack<T, N> lane = lane_numbers<T, N>() + T(i * N);
      part[i] = (lane >= T(first)) & (lane < T(last));
    }
  }
};

/// Lanes [0, N), [N, 2N), ... of one row: the registers that hold them.
template <class T, int N, int Parts>
struct Wide {
  Pack<T, N> part[Parts];

  XGRAD_SIMD static Wide load(const T* p) {
    Wide w;
    for (int i = 0; i < Parts; ++i) w.part[i] = Pack<T, N>::load(p + i * N);
    return w;
  }
  XGRAD_SIMD static Wide all(T value) {
    Wide w;
    for (int i = 0; i < Parts; ++i) w.part[i] = Pack<T, N>(value);
    return w;
  }
  /// This one where `chosen`, `other` elsewhere.
  XGRAD_SIMD Wide only(const WideMask<T, N, Parts>& chosen, T other) const {
    Wide w;
    for (int i = 0; i < Parts; ++i) w.part[i] = where(chosen.part[i], part[i], other);
    return w;
  }
  template <class Op>
  XGRAD_SIMD friend Wide seen_by(Op op, Wide w) {
    for (int i = 0; i < Parts; ++i) w.part[i] = seen_by(op, w.part[i]);
    return w;
  }
  template <class Op>
  XGRAD_SIMD friend Wide combined(Op, const Wide& a, const Wide& b) {
    Wide w;
    for (int i = 0; i < Parts; ++i) w.part[i] = Op::combine(a.part[i], b.part[i]);
    return w;
  }
  /// The first halvings: N lanes.
  template <class Op>
  XGRAD_SIMD friend Pack<T, N> folded(Op, Wide w) {
    for (int half = Parts / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) w.part[i] = Op::combine(w.part[i], w.part[i + half]);
    }
    return w.part[0];
  }
};

// a and b hold N / width rows each, of `width` lanes: the halves of all of them meet.
template <class Op, int width, class T, int N, std::size_t... I>
XGRAD_SIMD Pack<T, N> halved(Pack<T, N> a, Pack<T, N> b, std::index_sequence<I...>) {
  constexpr int half = width / 2;
  const Pack<T, N> low(__builtin_shufflevector(
      a.v, b.v, (static_cast<int>(I) / half * width + static_cast<int>(I) % half)...));
  const Pack<T, N> high(__builtin_shufflevector(
      a.v, b.v, (static_cast<int>(I) / half * width + static_cast<int>(I) % half + half)...));
  return Op::combine(low, high);
}

template <class Op, int first, int width, class T, int N>
XGRAD_SIMD Pack<T, N> across_from(const Pack<T, N> (&rows)[N]) {
  if constexpr (width == N * 2) {
    return rows[first];
  } else {
    return halved<Op, width>(across_from<Op, first, width * 2>(rows),
                             across_from<Op, first + N / width, width * 2>(rows),
                             std::make_index_sequence<N>{});
  }
}
/// Lane r of the result is all lanes of rows[r], joined.
template <class Op, class T, int N>
XGRAD_SIMD Pack<T, N> across(const Pack<T, N> (&rows)[N]) {
  if constexpr (N == 1) {
    return rows[0];
  } else {
    return across_from<Op, 0, 2>(rows);
  }
}
template <class T, int N, std::size_t... I>
XGRAD_SIMD Pack<T, N> spread(Pack<T, N> v, std::index_sequence<I...>) {
  return Pack<T, N>(__builtin_shufflevector(v.v, v.v, static_cast<int>(I * 0)...));
}
/// p[0] in all lanes; reads N elements. (From memory alone, GCC 12 fills a vector lane by lane.)
template <class T, int N>
XGRAD_SIMD Pack<T, N> spread(const T* p) {
  return spread(Pack<T, N>::load(p), std::make_index_sequence<N>{});
}

template <int shift, class T, int N, std::size_t... I>
XGRAD_SIMD Pack<T, N> turned(Pack<T, N> v, std::index_sequence<I...>) {
  return Pack<T, N>(__builtin_shufflevector(v.v, v.v, (static_cast<int>(I) + shift) % N...));
}
/// All lanes of one vector, joined in the same order: the same number in every lane of the result.
template <class Op, class T, int N, int half = N / 2>
XGRAD_SIMD Pack<T, N> across_one(Pack<T, N> v) {
  if constexpr (half == 0) {
    return v;
  } else {
    return across_one<Op, T, N, half / 2>(Op::combine(v, turned<half>(v, std::make_index_sequence<N>{})));
  }
}

template <int half, bool upper, class T, int N, std::size_t... I>
XGRAD_SIMD Pack<T, N> swapped(Pack<T, N> a, Pack<T, N> b, std::index_sequence<I...>) {
  constexpr auto lane = [](int l) {
    const bool high = (l & half) != 0;
    return upper ? (high ? N + l : l + half) : (high ? N + l - half : l);
  };
  return Pack<T, N>(__builtin_shufflevector(a.v, b.v, lane(static_cast<int>(I))...));
}
/// Lane i of rows[k] and lane k of rows[i] change places.
template <class T, int N, int half = N / 2>
XGRAD_SIMD void transpose(Pack<T, N> (&rows)[N]) {
  if constexpr (half > 0) {
    for (int i = 0; i < N; ++i) {
      if ((i & half) != 0) continue;
      const Pack<T, N> a = rows[i], b = rows[i + half];
      rows[i] = swapped<half, false>(a, b, std::make_index_sequence<N>{});
      rows[i + half] = swapped<half, true>(a, b, std::make_index_sequence<N>{});
    }
    transpose<T, N, half / 2>(rows);
  }
}

}  // namespace xgrad::kernel::detail
