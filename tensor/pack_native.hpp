// Instructions that GCC does not make of vector extensions, for packs of float and double.
//
// Packs of 32 and 64 bytes are for functions compiled for AVX2 and AVX-512 (precondition): elsewhere GCC
// refuses them. Other compilers, which need no help, and other machines take the plain forms. Everything is
// always inlined, as in pack.hpp.
#pragma once

#include <type_traits>
#include <xgrad/tensor/pack.hpp>

namespace xgrad::simd::detail {

// Whether 2^n, exponents and fractions take one instruction each.
template <class T, int N>
constexpr bool has_exponent_instructions = XGRAD_NATIVE_PACKS&& N * sizeof(T) == 64;

#if XGRAD_NATIVE_PACKS

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"  // nothing is called, so no vector is returned

// a < b ? a : b: the second where one is NaN, or both are zeros.
template <class T, int N>
XGRAD_SIMD Pack<T, N> lower_of(Pack<T, N> a, Pack<T, N> b) {
  constexpr bool narrow = sizeof(T) == 4;
  if constexpr (sizeof(a) == 64) {
    if constexpr (narrow) a.v = __builtin_ia32_minps512_mask(a.v, b.v, a.v, -1, 4);
    if constexpr (!narrow) a.v = __builtin_ia32_minpd512_mask(a.v, b.v, a.v, -1, 4);
  } else if constexpr (sizeof(a) == 32) {
    if constexpr (narrow) a.v = __builtin_ia32_minps256(a.v, b.v);
    if constexpr (!narrow) a.v = __builtin_ia32_minpd256(a.v, b.v);
  } else if constexpr (sizeof(a) == 16) {
    if constexpr (narrow) a.v = __builtin_ia32_minps(a.v, b.v);
    if constexpr (!narrow) a.v = __builtin_ia32_minpd(a.v, b.v);
  } else {
    a.v = a.v < b.v ? a.v : b.v;
  }
  return a;
}

// a > b ? a : b, likewise.
template <class T, int N>
XGRAD_SIMD Pack<T, N> higher_of(Pack<T, N> a, Pack<T, N> b) {
  constexpr bool narrow = sizeof(T) == 4;
  if constexpr (sizeof(a) == 64) {
    if constexpr (narrow) a.v = __builtin_ia32_maxps512_mask(a.v, b.v, a.v, -1, 4);
    if constexpr (!narrow) a.v = __builtin_ia32_maxpd512_mask(a.v, b.v, a.v, -1, 4);
  } else if constexpr (sizeof(a) == 32) {
    if constexpr (narrow) a.v = __builtin_ia32_maxps256(a.v, b.v);
    if constexpr (!narrow) a.v = __builtin_ia32_maxpd256(a.v, b.v);
  } else if constexpr (sizeof(a) == 16) {
    if constexpr (narrow) a.v = __builtin_ia32_maxps(a.v, b.v);
    if constexpr (!narrow) a.v = __builtin_ia32_maxpd(a.v, b.v);
  } else {
    a.v = a.v > b.v ? a.v : b.v;
  }
  return a;
}

// x 2^n for whole n, rounded once. 64 bytes, as are those below.
template <class T, int N>
XGRAD_SIMD Pack<T, N> scale(Pack<T, N> x, Pack<T, N> n) {
  if constexpr (sizeof(T) == 4) x.v = __builtin_ia32_scalefps512_mask(x.v, n.v, x.v, -1, 4);
  if constexpr (sizeof(T) == 8) x.v = __builtin_ia32_scalefpd512_mask(x.v, n.v, x.v, -1, 4);
  return x;
}

// floor(log2(|x|)), of denormal numbers too: -inf at 0, inf at infinity, NaN at NaN.
template <class T, int N>
XGRAD_SIMD Pack<T, N> exponent_of(Pack<T, N> x) {
  if constexpr (sizeof(T) == 4) x.v = __builtin_ia32_getexpps512_mask(x.v, x.v, -1, 4);
  if constexpr (sizeof(T) == 8) x.v = __builtin_ia32_getexppd512_mask(x.v, x.v, -1, 4);
  return x;
}

// x times the power of two that brings it to [0.75, 1.5): NaN for x < 0, 1 at zeros and infinity.
template <class T, int N>
XGRAD_SIMD Pack<T, N> fraction_of(Pack<T, N> x) {
  constexpr int from_075 = 3, positive = 3 << 2;
  if constexpr (sizeof(T) == 4) x.v = __builtin_ia32_getmantps512_mask(x.v, from_075 | positive, x.v, -1, 4);
  if constexpr (sizeof(T) == 8) x.v = __builtin_ia32_getmantpd512_mask(x.v, from_075 | positive, x.v, -1, 4);
  return x;
}

#pragma GCC diagnostic pop

#else

template <class T, int N>
XGRAD_SIMD Pack<T, N> lower_of(Pack<T, N> a, Pack<T, N> b) {
  return Pack<T, N>(typename Pack<T, N>::V(a.v < b.v ? a.v : b.v));
}
template <class T, int N>
XGRAD_SIMD Pack<T, N> higher_of(Pack<T, N> a, Pack<T, N> b) {
  return Pack<T, N>(typename Pack<T, N>::V(a.v > b.v ? a.v : b.v));
}

#endif

}  // namespace xgrad::simd::detail
