// What is under a Pack: its vector types, their halves, and the way from memory and back where fewer elements than
// lanes are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#define XGRAD_SIMD [[gnu::always_inline]] inline

namespace xgrad::simd {

template <class T, int N>
struct Pack;
template <class T, int N>
struct Mask;

namespace detail {

template <class T>
using SignedOf = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
template <class T>
using UnsignedOf = std::make_unsigned_t<SignedOf<T>>;

template <class T, int N>
struct Vectors {
  static constexpr int bytes = N * int(sizeof(T));
  typedef T Real __attribute__((vector_size(bytes)));
  typedef SignedOf<T> Signed __attribute__((vector_size(bytes)));
  typedef UnsignedOf<T> Unsigned __attribute__((vector_size(bytes)));
  typedef T Memory __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));
};

// Baseline code has no 64-byte condition: where GCC merges two of them, in combined masks and in nested
// choices that share a branch, it takes the merged one apart lane by lane (20x slower). Masks are therefore
// combined as numbers, and a second use of a choice, by no instruction at all, stops the other merger.
template <class W>
constexpr bool merges_badly =
#if defined(__x86_64__) && !defined(__AVX512F__) && !defined(__clang__)
    sizeof(W) == 64;
#else
    false;
#endif

template <template <class, int> class W, class T, int N, std::size_t... I>
XGRAD_SIMD void split(W<T, N> w, W<T, N / 2>& low, W<T, N / 2>& high, std::index_sequence<I...>) {
  low.v = __builtin_shufflevector(w.v, w.v, I...);
  high.v = __builtin_shufflevector(w.v, w.v, (sizeof...(I) + I)...);
}
template <class T, int N, std::size_t... I>
XGRAD_SIMD Pack<T, N> join(Pack<T, N / 2> low, Pack<T, N / 2> high, std::index_sequence<I...>) {
  return Pack<T, N>(__builtin_shufflevector(low.v, high.v, I...));
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define XGRAD_NATIVE_PACKS 1
#else
#define XGRAD_NATIVE_PACKS 0
#endif

// The n mod N elements that end at p[n], then fill. By the binary digits of n, from the smallest up, and in
// registers: a loop would become a call of memcpy, and reading back what it wrote would wait for the stores.
template <class T, int N>
XGRAD_SIMD Pack<T, N> load_digits(const T* p, int n, T fill) {
  if constexpr (N == 1) {
    return fill;
  } else {
    constexpr auto lanes = std::make_index_sequence<N>{};
    Pack<T, N / 2> rest = load_digits<T, N / 2>(p, n, fill);
    if (n & (N / 2)) return join<T, N>(Pack<T, N / 2>::load(p + (n & -N)), rest, lanes);
    return join<T, N>(rest, fill, lanes);
  }
}

// The first n lanes, n < N, from the largest digit down.
template <class T, int N>
XGRAD_SIMD void store_digits(T* p, int n, Pack<T, N> x) {
  if constexpr (N > 1) {
    Pack<T, N / 2> low, high;
    split(x, low, high, std::make_index_sequence<N / 2>{});
    if (n & (N / 2)) {
      low.store(p);
      p += N / 2;
      low = high;
    }
    store_digits(p, n, low);
  }
}

// Whether a load or a store of the first lanes is one instruction. AddressSanitizer does not watch those.
template <class T, int N>
constexpr bool has_masked_moves =
#if defined(__SANITIZE_ADDRESS__)
    false;
#else
    XGRAD_NATIVE_PACKS&& N * sizeof(T) >= 32;
#endif

#if XGRAD_NATIVE_PACKS

// GCC declares the instructions of a target once it has seen a function for it.
[[gnu::target("arch=x86-64-v4")]] inline void declare_instructions() {}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"  // nothing is called, so no vector is returned

// A mask of the first n lanes starts n before the middle.
template <class Word>
[[gnu::visibility("hidden")]] inline constexpr Word edge[64 / sizeof(Word)] = {};
template <>
[[gnu::visibility("hidden")]] inline constexpr std::int32_t edge<std::int32_t>[16] = {-1, -1, -1, -1,
                                                                                      -1, -1, -1, -1};
template <>
[[gnu::visibility("hidden")]] inline constexpr std::int64_t edge<std::int64_t>[8] = {-1, -1, -1, -1};

// The first n lanes of a register, 0 <= n <= N. Its instructions move bits, whatever number they stand for.
template <int Lane, int N>
struct MaskedMove {
  using Real = std::conditional_t<Lane == 4, float, double>;
  using V = typename Vectors<Real, N>::Real;
  typedef std::conditional_t<Lane == 4, int, long long> Signed __attribute__((vector_size(Lane * N)));

  XGRAD_SIMD static void read(V& v, const void* from, int n) {
    if constexpr (Lane * N == 64) {
      const int first = (1 << n) - 1;
      if constexpr (Lane == 4) v = __builtin_ia32_loadups512_mask(static_cast<const float*>(from), v, first);
      if constexpr (Lane == 8) v = __builtin_ia32_loadupd512_mask(static_cast<const double*>(from), v, first);
    } else {
      Signed first, loaded;
      lanes(first, n);
      if constexpr (Lane == 4)
        loaded = (Signed)__builtin_ia32_maskloadps256(static_cast<const V*>(from), first);
      if constexpr (Lane == 8)
        loaded = (Signed)__builtin_ia32_maskloadpd256(static_cast<const V*>(from), first);
      v = (V)((loaded & first) | ((Signed)v & ~first));
    }
  }
  XGRAD_SIMD static void write(const V& v, void* to, int n) {
    if constexpr (Lane * N == 64) {
      const int first = (1 << n) - 1;
      if constexpr (Lane == 4) __builtin_ia32_storeups512_mask(static_cast<float*>(to), v, first);
      if constexpr (Lane == 8) __builtin_ia32_storeupd512_mask(static_cast<double*>(to), v, first);
    } else {
      Signed first;
      lanes(first, n);
      if constexpr (Lane == 4) __builtin_ia32_maskstoreps256(static_cast<V*>(to), first, v);
      if constexpr (Lane == 8) __builtin_ia32_maskstorepd256(static_cast<V*>(to), first, v);
    }
  }

 private:
  XGRAD_SIMD static void lanes(Signed& first, int n) {
    using Memory = typename Vectors<SignedOf<Real>, N>::Memory;
    first = (Signed) * reinterpret_cast<const Memory*>(edge<SignedOf<Real>> + (N - n));
  }
};

#pragma GCC diagnostic pop

#endif

// The first n elements, n < N, then fill.
template <class T, int N>
XGRAD_SIMD Pack<T, N> load_first(const T* p, int n, T fill) {
#if XGRAD_NATIVE_PACKS
  if constexpr (has_masked_moves<T, N>) {
    using Move = MaskedMove<sizeof(T), N>;
    Pack<T, N> x(fill);
    auto v = (typename Move::V)x.v;
    Move::read(v, p, n);
    x.v = (typename Pack<T, N>::V)v;
    return x;
  }
#endif
  return load_digits<T, N>(p, n, fill);
}

template <class T, int N>
XGRAD_SIMD void store_first(T* p, int n, const Pack<T, N>& x) {
#if XGRAD_NATIVE_PACKS
  if constexpr (has_masked_moves<T, N>) {
    using Move = MaskedMove<sizeof(T), N>;
    return Move::write((typename Move::V)x.v, p, n);
  }
#endif
  store_digits(p, n, x);
}

}  // namespace detail
}  // namespace xgrad::simd
