// exp2, log2, log10, rsqrt, cbrt, hypot, ceil, trunc, fmod and remainder of packs of float and of double.
// (sqrt, floor and round stand in pack.hpp, exp, log and pow in pack_math.hpp.)
//
// 1. At most 2 ulp from the true value everywhere, with and without FMA; nothing is flushed to zero. exp2 and log2
//    are exact at powers of two; ceil, trunc, fmod and remainder always.
// 2. C's special cases, but that NaN in gives NaN out of hypot as well, of whose arguments one is infinite.
// 3. fmod is libm's, lane by lane. Here and in remainder integers may be meant, too; x fmod 0 is 0 for them.
#pragma once

#include <xgrad/tensor/pack_parts.hpp>

namespace xgrad::simd {

namespace detail {

// exp2_tail(f) = (2^f - 1) / f for |f| <= 1/2, with the smallest relative error of 2^f. 1/ln2, 1/ln10 and log10(2)
// come in two parts: the products of the first one with half of a number's digits, or with k, are exact.
template <class T>
struct Powers;

// Of log_tail: log(1 + f) = f - (f^2/2 - s (f^2/2 + z log_tail(z))), s = f / (2 + f), z = s^2.
template <>
struct Powers<float> {
  static constexpr double log_tail[] = {0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841};
  static constexpr double exp2_tail[] = {0.69314720293,   0.24022647904,   0.05550332286,
                                         0.0096184381171, 0.0013398951874, 0.00015353295572};
  static constexpr double log2_e_hi = 1.4423828125, log2_e_lo = 3.1222838896340735992e-4;
  static constexpr double log10_e_hi = 0.4342041015625, log10_e_lo = 9.0380340751827651129e-5;
  static constexpr double log10_2_hi = 0.301025390625, log10_2_lo = 4.6050389811952137389e-6;
};

template <>
struct Powers<double> {
  static constexpr const auto& log_tail = Facts<double>::log_tail;
  static constexpr double exp2_tail[] = {
      0.69314718055994532592,     0.24022650695910131626,   0.055504108664820074369,
      0.0096181291075939534968,   0.0013333558146776254277, 0.00015403530457343205887,
      0.000015252733492034662134, 1.3215435157989857984e-6, 1.0178199833436398475e-7,
      7.0738060003699454202e-9,   4.4347599982237312311e-10};
  static constexpr double log2_e_hi = 1.44269502162933349609375, log2_e_lo = 1.9259629911266174681e-8;
  static constexpr double log10_e_hi = 0.43429447710514068603515625, log10_e_lo = 4.7981111415916726689e-9;
  static constexpr double log10_2_hi = 0.301029995663611771306023, log10_2_lo = 3.6942390771589305366e-13;
};

// log(x) = k ln2 + high + low for positive numbers, high with half of the digits.
template <class T, int N>
struct SplitLogarithm {
  Pack<T, N> k, high, low;

  XGRAD_SIMD explicit SplitLogarithm(Pack<T, N> x) {
    using P = Pack<T, N>;
    using F = Format<T>;
    auto small = x < std::numeric_limits<T>::min();  // 2^64 makes a denormal number normal
    Logarithm<T, N> l(where(small, x * two_to<T>(64), x));
    k = l.biased() - where(small, F::whole + T(F::bias + 64), F::whole + T(F::bias));
    P s = l.f / (2 + l.f), z = s * s, half = 0.5 * l.f * l.f;
    high = half_of_digits(l.f - half);
    low = ((l.f - high) - half) + s * (half + z * polynomial(z, Powers<T>::log_tail));
  }
};

// y, a logarithm of x, but -inf at 0, NaN below, and infinities and NaN as they are.
template <class T, int N>
XGRAD_SIMD Pack<T, N> logarithm_or_limit(Pack<T, N> x, Pack<T, N> y) {
  y = where(x < infinity<T>, y, x);
  return where(x > 0, y, where(x == 0, -infinity<T>, where(x < 0, not_a_number<T>, x)));
}

}  // namespace detail

template <class T, int N>
XGRAD_SIMD Pack<T, N> exp2(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = detail::Format<T>;
  constexpr int top = std::numeric_limits<T>::max_exponent + 1;
  x = detail::at_least(detail::at_most(x, top), 3 - top - F::fraction - 2);
  P shifted = x + F::magic, f = x - (shifted - F::magic);
  P y = 1 + f * detail::polynomial(f, detail::Powers<T>::exp2_tail);
  // 2^n as two factors, as in exp.
  auto both = shifted.bits() + (2 * F::bias - F::bits(F::magic));
  auto first = both >> 1;
  return y * P::from_bits(first << F::fraction) * P::from_bits((both - first) << F::fraction);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> log2(Pack<T, N> x) {
  using C = detail::Powers<T>;
  detail::SplitLogarithm<T, N> l(x);
  auto sum = detail::fast_two_sum(l.k, l.high * C::log2_e_hi);
  auto rest = (l.low + l.high) * C::log2_e_lo + l.low * C::log2_e_hi;
  return detail::logarithm_or_limit(x, sum.high + (sum.low + rest));
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> log10(Pack<T, N> x) {
  using C = detail::Powers<T>;
  detail::SplitLogarithm<T, N> l(x);
  auto sum = detail::fast_two_sum(l.k * C::log10_2_hi, l.high * C::log10_e_hi);
  auto rest = l.k * C::log10_2_lo + ((l.low + l.high) * C::log10_e_lo + l.low * C::log10_e_hi);
  return detail::logarithm_or_limit(x, sum.high + (sum.low + rest));
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> rsqrt(Pack<T, N> x) {
  return 1 / sqrt(x);
}

// x = 2^(3q) m, 1 <= m < 8: a cubic guess and Halley's iteration, t (t^3 + 2m) / (2t^3 + m), written so that only
// its correction is rounded.
template <class T, int N>
XGRAD_SIMD Pack<T, N> cbrt(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = detail::Format<T>;
  constexpr double guess[] = {0.55282164776526954048, 0.58711814374769769859, -0.16297237153999014521,
                              0.023105570355715997428};
  P size = abs(x);
  auto small = size < std::numeric_limits<T>::min();
  auto bits = where(small, size * detail::two_to<T>(63), size).bits();
  P fraction = P::from_bits((bits & ((typename F::Word(1) << F::fraction) - 1)) | F::bits(T(1)));
  P exponent = P::from_bits((bits >> F::fraction) | F::bits(F::whole)) - (F::whole + T(F::bias));
  P shifted = (exponent - 1) * (T(1) / 3) + F::magic;  // rounded: floor(exponent / 3)
  P rest = exponent - 3 * (shifted - F::magic);
  auto one = rest == 1, two = rest == 2;
  P m = fraction * where(two, 4, where(one, 2, 1));
  P t = detail::polynomial(fraction, guess) *
        where(two, 1.58740105196819947475, where(one, 1.25992104989487316477, 1));
  if constexpr (sizeof(T) == 8) {
    P cube = t * t * t;
    t = t + t * ((m - cube) / (cube + cube + m));
  }
  t = detail::half_of_digits(t);  // its square is exact
  P quotient = m / (t * t);
  t = t + t * ((quotient - t) / (t + t + quotient));
  P y = t * detail::power_of_two(shifted, 0) * where(small, detail::two_to<T>(-21), 1);
  return where((size > 0) & (size < detail::infinity<T>), copysign(y, x), x);
}

/// sqrt(a^2 + b^2) without overflow on the way.
template <class T, int N>
XGRAD_SIMD Pack<T, N> hypot(Pack<T, N> a, Pack<T, N> b) {
  using P = Pack<T, N>;
  constexpr int top = std::numeric_limits<T>::max_exponent;
  P larger = maximum(abs(a), abs(b)), smaller = minimum(abs(a), abs(b));
  auto large = larger > detail::two_to<T>(top / 2 - 4), small = larger < detail::two_to<T>(-top / 4);
  constexpr int down = -top / 2 - 4, up = top / 2 + 30;
  P scale = where(large, detail::two_to<T>(down), where(small, detail::two_to<T>(up), 1));
  P back = where(large, detail::two_to<T>(-down), where(small, detail::two_to<T>(-up), 1));
  P p = larger * scale, q = smaller * scale;
  return where(larger == detail::infinity<T>, larger + smaller, sqrt(p * p + q * q) * back);
}

template <class T, int N, class A>
requires std::is_arithmetic_v<A> XGRAD_SIMD Pack<T, N> hypot(Pack<T, N> a, A b) {
  return hypot(a, Pack<T, N>(b));
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> ceil(Pack<T, N> x) {
  return -floor(-x);
}

/// Towards zero.
template <class T, int N>
XGRAD_SIMD Pack<T, N> trunc(Pack<T, N> x) {
  return copysign(floor(abs(x)), x);
}

/// What is left of a after subtracting b as often as it fits, with the sign of a.
template <class T, int N>
XGRAD_SIMD Pack<T, N> fmod(Pack<T, N> a, Pack<T, N> b) {
  return detail::lane_by_lane(
      [](T x, T y) -> T {
        if constexpr (std::is_integral_v<T>) {
          return y == 0 || y == -1 ? 0 : x % y;  // the processor refuses the smallest number % -1
        } else {
          return sizeof(T) == 4 ? __builtin_fmodf(x, y) : __builtin_fmod(x, y);
        }
      },
      a, b);
}

/// The same with the sign of b.
template <class T, int N>
XGRAD_SIMD Pack<T, N> remainder(Pack<T, N> a, Pack<T, N> b) {
  Pack<T, N> r = fmod(a, b);
  auto other_side = ((r < 0) & (b > 0)) | ((r > 0) & (b < 0));
  if constexpr (std::is_integral_v<T>) {
    return where(other_side, r + b, r);
  } else {
    return where(r == 0, copysign(r, b), where(other_side, r + b, r));
  }
}

}  // namespace xgrad::simd
