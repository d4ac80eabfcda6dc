// Philox blocks side by side, made into uniform and normal doubles. Included by philox.cpp only, which is compiled without
// contraction: the numbers have the same bits on every instruction set.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <xgrad/tensor/pack.hpp>

namespace xgrad::detail {

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

template <class V, std::size_t N>
XGRAD_SIMD V horner(V x, const double (&coefficients)[N]) {
  V y = coefficients[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) y = y * x + coefficients[i];
  return y;
}

// Whole numbers below 2^52 as numbers.
template <class V, class W>
XGRAD_SIMD V real(W bits) {
  return V::from_bits(bits | W(std::bit_cast<std::uint64_t>(0x1p52))) - 0x1p52;
}
// k / 2^53 for the k < 2^53 in the upper bits: exact, in two parts.
template <class V, class W>
XGRAD_SIMD V scaled(W bits) {
  return real<V>(bits >> 32) * 0x1p-32 + real<V>((bits >> 11) & W((1 << 21) - 1)) * 0x1p-53;
}

// For normal x > 0: log(m 2^e) = e log 2 + 2 atanh(s), s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt(2)).
// |s| < 0.1716, so that the series is cut at a relative 1e-18.
template <class V>
XGRAD_SIMD V log_of(V x) {
  constexpr double series[] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9, 1.0 / 11,
                               1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  constexpr std::uint64_t fraction = (std::uint64_t{1} << 52) - 1;
  using W = decltype(x.bits());
  const V exponent = real<V>(x.bits() >> 52) - 1023;
  const V whole = V::from_bits((x.bits() & W(fraction)) | W(std::uint64_t{1023} << 52));  // in [1, 2)
  const auto large = whole >= 1.4142135623730951;
  const V m = where(large, whole * 0.5, whole), e = where(large, exponent + 1, exponent);
  const V s = (m - 1) / (m + 1);
  return e * 0x1.62e42fefa39efp-1 + 2 * s * horner(s * s, series);
}

// cos and sin of 2 pi u for u in [0, 1). The turn is reduced exactly, to a quarter q and an angle of at most
// pi / 4 beside it; there the Taylor series are cut at 2e-18.
template <class V>
XGRAD_SIMD void cos_sin_of_turn(V u, V& cos, V& sin) {
  constexpr double cosine[] = {1.0,
                               -1.0 / 2,
                               1.0 / 24,
                               -1.0 / 720,
                               1.0 / 40320,
                               -1.0 / 3628800,
                               1.0 / 479001600,
                               -1.0 / 87178291200,
                               1.0 / 20922789888000};
  constexpr double sine[] = {1.0,
                             -1.0 / 6,
                             1.0 / 120,
                             -1.0 / 5040,
                             1.0 / 362880,
                             -1.0 / 39916800,
                             1.0 / 6227020800,
                             -1.0 / 1307674368000,
                             1.0 / 355687428096000};
  const V q = floor(4 * u + 0.5);                  // 0 to 4
  const V x = (4 * u - q) * 0x1.921fb54442d18p+0;  // times pi / 2
  const V c = horner(x * x, cosine);
  const V s = x * horner(x * x, sine);
  const auto odd = (q == 1) | (q == 3);
  const V a = where(odd, s, c), b = where(odd, c, s);
  cos = where((q == 1) | (q == 2), -a, a);
  sin = where((q == 2) | (q == 3), -b, b);
}

// Both numbers of a block in [0, 1).
struct Uniforms {
  template <class V, class W>
  XGRAD_SIMD static void make(W a, W b, V& first, V& second) {
    first = scaled<V>(a);
    second = scaled<V>(b);
  }
};

// Box-Muller: both normals of a block from both its numbers. The logarithm's argument is in (0, 1].
struct Normals {
  template <class V, class W>
  XGRAD_SIMD static void make(W a, W b, V& first, V& second) {
    // (a / 2^11 + 1) / 2^53, where the sum may be 2^53
    const V u = scaled<V>(a) + 0x1p-53;
    const V r = sqrt(-2 * log_of(u));
    V c, s;
    cos_sin_of_turn(scaled<V>(b), c, s);
    first = r * c;
    second = r * s;
  }
};

// `count` blocks from number `index` on, as Kind makes them.
template <class Kind>
struct Blocks {
  static constexpr int most = 64;

  template <int Bytes>
  static void run(std::uint64_t index, std::uint64_t seed, std::uint64_t stream, int count, double* out) {
    for (int i = 0; i < count; i += most) {
      part<Bytes / 8>(index + static_cast<std::uint64_t>(i), seed, stream, std::min(most, count - i),
                      out + 2 * i);
    }
  }

  // In one loop after the other: their steps wait for each other, but not their rounds.
  template <int N>
  XGRAD_SIMD static void part(std::uint64_t index, std::uint64_t seed, std::uint64_t stream, int count,
                              double* out) {
    using V = simd::Pack<double, N>;
    using W = simd::Bits<double, N>;
    double a[most], b[most];
    for (int i = 0; i < count; i += N) {
      std::uint64_t lower[N], upper[N];
      for (int k = 0; k < N; ++k) {  // positions, of which a block has two, wrap around
        const std::uint64_t number = (index + static_cast<std::uint64_t>(i + k)) << 1 >> 1;
        lower[k] = low(number);
        upper[k] = high(number);
      }
      W c[4] = {words<N>(lower), words<N>(upper), low(stream), high(stream)};
      philox(c, seed);
      V::from_bits(c[0] | c[1] << 32).store(a + i);
      V::from_bits(c[2] | c[3] << 32).store(b + i);
    }
    for (int i = 0; i < count; i += N) {
      const W first = V::load(a + i).bits(), second = V::load(b + i).bits();
      V u, v;
      Kind::make(first, second, u, v);
      u.store(a + i);
      v.store(b + i);
    }
    for (int i = 0; i < count; ++i) out[2 * i] = a[i], out[2 * i + 1] = b[i];
  }

  template <int N>
  XGRAD_SIMD static simd::Bits<double, N> words(const std::uint64_t (&from)[N]) {
    return simd::Pack<double, N>::load(reinterpret_cast<const double*>(from)).bits();
  }

  // philox4x32 of counters side by side, each word in 64 bits.
  template <class W>
  XGRAD_SIMD static void philox(W (&c)[4], std::uint64_t seed) {
    const W lower(0xFFFFFFFF);
    std::uint32_t k0 = low(seed), k1 = high(seed);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const W p(c[0].v * W(0xD2511F53).v), q(c[2].v * W(0xCD9E8D57).v);
      c[0] = W((q >> 32).v ^ c[1].v ^ W(k0).v);
      c[1] = q & lower;
      c[2] = W((p >> 32).v ^ c[3].v ^ W(k1).v);
      c[3] = p & lower;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
  }
};

}  // namespace xgrad::detail
