// lgamma and its derivatives of packs of float and of double.
//
// 1. lgamma is libm's, lane by lane. It and digamma are within 4 ulp for x > 0, next to digamma's zero, too; trigamma
//    within 6; polygamma, in double and lane by lane, within 16. Left of 0 lgamma is within 6 ulp, trigamma within 8, and
//    digamma is a difference of two terms, within 4 ulp of the larger one.
// 2. digamma(+-0) = -+inf, and NaN at negative integers, as in SciPy; trigamma is infinite there, as is
//    polygamma, with the sign that it has to the right. NaN in gives NaN out.
#pragma once

#include <math.h>  // lgamma_r, which, unlike std::lgamma, writes to no global variable

#include <xgrad/tensor/pack_power.hpp>
#include <xgrad/tensor/pack_trigonometric.hpp>

namespace xgrad::simd {

namespace detail {

/// The n-th derivative of digamma at one number, n >= 2.
double polygamma(int n, double x);

// The positive zero of digamma in two parts, and digamma(x) / (x - zero) as a polynomial of x - 3/2 on [1, 2]. The
// others are asymptotic series in 1 / x^2, for x >= 10:
//   digamma(x)  = log x - 1 / (2 x) - digamma_tail / x^2
//   trigamma(x) = 1 / x + 1 / (2 x^2) + trigamma_tail / x^3
template <class T>
struct Gamma;

template <>
struct Gamma<float> {
  static constexpr double zero = 1.46163213253021240234375, zero_low = 1.2438149938918909542e-8;
  static constexpr double near_zero[] = {0.95105587542,  -0.42362741937,  0.24054265772,  -0.14840515919,
                                         0.094980731089, -0.061914105858, 0.040894534168, -0.027089594901,
                                         0.016910755545, -0.011145301024, 0.01123032794,  -0.0076252822848};
  static constexpr double digamma_tail[] = {1 / 12., -1 / 120., 1 / 252.};
  static constexpr double trigamma_tail[] = {1 / 6., -1 / 30., 1 / 42., -1 / 30.};
};

template <>
struct Gamma<double> {
  static constexpr double zero = 1.461632144968362245762705, zero_low = 9.5499954299656977152e-17;
  static constexpr double near_zero[] = {
      0.95105587603183287945,     -0.42362742128146060191,    0.24054248424078723575,
      -0.1484049230538802899,     0.094988724452849749337,    -0.061922133275542532641,
      0.040760833943391998318,    -0.02697579665763136161,    0.017907248235556002972,
      -0.011908220153049637105,   0.0079270233276822624373,   -0.0052799366374243708277,
      0.0035180887028621295924,   -0.00234549982345100581,    0.0015635034144349497081,
      -0.001036432087663459133,   0.00069028206057970483008,  -0.00048603439012400921855,
      0.00032588101491278181614,  -0.00014465685170254548686, 0.000093294624096743912243,
      -0.00017833299568976204368, 0.00012117367752274544377};
  static constexpr double digamma_tail[] = {1 / 12.,  -1 / 120.,     1 / 252., -1 / 240.,
                                            1 / 132., -691 / 32760., 1 / 12.,  -3617 / 8160.};
  static constexpr double trigamma_tail[] = {1 / 6.,  -1 / 30.,     1 / 42., -1 / 30.,
                                             5 / 66., -691 / 2730., 7 / 6.,  -3617 / 510.};
};

// sin(pi x) and cos(pi x), whose quotient is infinite or 0 exactly where it should be, up to one common sign.
template <class T, int N>
XGRAD_SIMD Twofold<Pack<T, N>> half_turns(Pack<T, N> x) {
  Pack<T, N> f = x - round(x), size = abs(f);
  constexpr double pi = 3.14159265358979323846;
  auto steep = size > 0.25;
  Angle<T, N> a(where(steep, 0.5 - size, size) * pi);
  auto s = a.sine().high, c = a.cosine().high;
  return {copysign(where(steep, c, s), f), where(steep, s, c)};
}

// For x > 0.
template <class T, int N>
XGRAD_SIMD Pack<T, N> digamma_of_positive(Pack<T, N> x) {
  using P = Pack<T, N>;
  using G = Gamma<T>;
  // digamma(x) = digamma(x + 1) - 1 / x, to between 1 and 2 or from 10 on.
  auto low = x < 1;
  P sum = where(low, -1 / x, 0);
  x = where(low, x + 1, x);
  for (int i = 0; i < 8; ++i) {
    auto step = (x > 2) & (x < 10);
    P less = x - 1;
    x = where(step, less, x);
    sum = where(step, sum + 1 / less, sum);
  }
  P near = ((x - G::zero) - G::zero_low) * polynomial(x - 1.5, G::near_zero);
  P inverse = 1 / x, square = inverse * inverse;
  P far = log(x) - (0.5 * inverse + square * polynomial(square, G::digamma_tail));
  return where(x < 10, near + sum, far);
}

// For x > 0.
template <class T, int N>
XGRAD_SIMD Pack<T, N> trigamma_of_positive(Pack<T, N> x) {
  using P = Pack<T, N>;
  P sum = 0;
  for (int i = 0; i < 10; ++i) {  // trigamma(x) = trigamma(x + 1) + 1 / x^2
    auto step = x < 10;
    P inverse = 1 / x;
    sum = where(step, sum + inverse * inverse, sum);
    x = where(step, x + 1, x);
  }
  P inverse = 1 / x, square = inverse * inverse;
  return sum + (inverse + (0.5 * square + inverse * square * polynomial(square, Gamma<T>::trigamma_tail)));
}

}  // namespace detail

/// log |Gamma(x)|
template <class T, int N>
XGRAD_SIMD Pack<T, N> lgamma(Pack<T, N> x) {
  return detail::lane_by_lane(
      [](T v) {
        int sign;
        return sizeof(T) == 4 ? ::lgammaf_r(v, &sign) : ::lgamma_r(v, &sign);
      },
      x);
}

// Left of 0: digamma(1 - x) - pi / tan(pi x).
template <class T, int N>
XGRAD_SIMD Pack<T, N> digamma(Pack<T, N> x) {
  using P = Pack<T, N>;
  auto left = x < 0;
  P y = detail::digamma_of_positive(where(left, 1 - x, x));
  auto turns = detail::half_turns(x);
  P reflected = y - 3.14159265358979323846 * turns.low / turns.high;
  return where(left, where(turns.high == 0, detail::not_a_number<T>, reflected), y);
}

// Left of 0: (pi / sin(pi x))^2 - trigamma(1 - x).
template <class T, int N>
XGRAD_SIMD Pack<T, N> trigamma(Pack<T, N> x) {
  using P = Pack<T, N>;
  auto left = x < 0;
  P y = detail::trigamma_of_positive(where(left, 1 - x, x));
  P root = 3.14159265358979323846 / detail::half_turns(x).high;
  return where(left, root * root - y, y);
}

/// The n-th derivative of digamma.
template <class T, int N>
XGRAD_SIMD Pack<T, N> polygamma(int n, Pack<T, N> x) {
  if (n == 0) return digamma(x);
  if (n == 1) return trigamma(x);
  return detail::lane_by_lane([n](T v) { return static_cast<T>(detail::polygamma(n, v)); }, x);
}

}  // namespace xgrad::simd
