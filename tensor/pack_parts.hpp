// What the functions of packs are put together from: numbers of twice the precision, halves of numbers, signs
// and powers of two, and functions of one number applied lane by lane.
//
// The compiler may contract a * b + c. What is called exact here stays exact then.
#pragma once

#include <xgrad/tensor/pack_math.hpp>

namespace xgrad::simd::detail {

/// high + low, where low is below the last digit of high.
template <class P>
struct Twofold {
  P high, low;
};
/// a + b, exactly. A product may be given for a or b only if it is exact.
template <class T, int N>
XGRAD_SIMD Twofold<Pack<T, N>> two_sum(Pack<T, N> a, Pack<T, N> b) {
  Pack<T, N> sum = a + b, part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}
/// The same where |a| >= |b|.
template <class T, int N>
XGRAD_SIMD Twofold<Pack<T, N>> fast_two_sum(Pack<T, N> a, Pack<T, N> b) {
  Pack<T, N> sum = a + b;
  return {sum, b - (sum - a)};
}

/// x with so few digits that its product with another such number is exact.
template <class T, int N>
XGRAD_SIMD Pack<T, N> half_of_digits(Pack<T, N> x) {
  constexpr auto rest = (typename Format<T>::Word(1) << (Format<T>::fraction / 2 + 1)) - 1;
  return Pack<T, N>::from_bits(x.bits() & ~rest);
}

/// Where bit `bit` of a word is set.
template <class T, int N>
XGRAD_SIMD Mask<T, N> bit_is_set(Bits<T, N> word, int bit) {
  using P = Pack<T, N>;
  constexpr int top = 8 * sizeof(T) - 1;
  return P::from_bits(((word << (top - bit)) & P::sign_bit) | Format<T>::bits(T(1))) < 0;
}
/// 1 or -1, by the sign of x: of -0 and of NaN, too.
template <class T, int N>
XGRAD_SIMD Pack<T, N> sign_of(Pack<T, N> x) {
  using P = Pack<T, N>;
  return P::from_bits((x.bits() & P::sign_bit) | Format<T>::bits(T(1)));
}

/// 2^n, n a constant.
template <class T>
constexpr T two_to(int n) {
  T result = 1;
  for (int i = 0; i < n; ++i) result *= 2;
  for (int i = 0; i > n; --i) result /= 2;
  return result;
}

template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T not_a_number = std::numeric_limits<T>::quiet_NaN();

/// e^x = 2^n (1 + r + tail), |r| <= ln2 / 2, to more digits than exponential() of pack_math.hpp: the tail holds r's own
/// rounding, too. n: the low bits of shifted, less those of Format::magic.
template <class P>
struct SplitExponential {
  P r, tail, shifted;

  XGRAD_SIMD explicit SplitExponential(P x) {
    using T = typename P::Value;
    shifted = x * 1.442695040888963407 + Format<T>::magic;
    P n = shifted - Format<T>::magic;
    P hi = x - n * Facts<T>::ln2_hi, lo = n * Facts<T>::ln2_lo;
    r = hi - lo;
    tail = r * r * polynomial(r, Facts<T>::exp_tail) + ((hi - r) - lo);
  }
};

/// 2^(n + shift), n the low bits of `shifted` less those of Format::magic: for normal numbers.
template <class T, int N>
XGRAD_SIMD Pack<T, N> power_of_two(Pack<T, N> shifted, int shift) {
  using F = Format<T>;
  return Pack<T, N>::from_bits((shifted.bits() + (F::bias + typename F::Word(shift) - F::bits(F::magic)))
                               << F::fraction);
}

/// f of every lane, one after the other.
template <class T, int N, class F>
XGRAD_SIMD Pack<T, N> lane_by_lane(const F& f, Pack<T, N> a) {
  T x[N];
  a.store(x);
  for (int i = 0; i < N; ++i) x[i] = f(x[i]);
  return Pack<T, N>::load(x);
}
template <class T, int N, class F>
XGRAD_SIMD Pack<T, N> lane_by_lane(const F& f, Pack<T, N> a, Pack<T, N> b) {
  T x[N], y[N];
  a.store(x);
  b.store(y);
  for (int i = 0; i < N; ++i) x[i] = f(x[i], y[i]);
  return Pack<T, N>::load(x);
}

}  // namespace xgrad::simd::detail
