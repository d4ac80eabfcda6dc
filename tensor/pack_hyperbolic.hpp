// sinh, cosh, asinh, acosh and atanh of packs of float and of double. (tanh stands in pack_math.hpp.)
//
// 1. At most 2 ulp from the true value everywhere, with and without FMA; zeros keep their sign, nothing is flushed
//    to zero, and sinh and cosh overflow only where the result does.
// 2. C's special cases: acosh(x) = NaN below 1, atanh(+-1) = +-inf, NaN beyond. NaN in gives NaN out.
#pragma once

#include <xgrad/tensor/pack_parts.hpp>

namespace xgrad::simd {

namespace detail {

// The polynomials minimise the largest relative error:
//   sinh_tail(z)  = (sinh(x) / x - 1) / z,               z = x^2, for |x| <= 1
//   asinh_tail(z) = (asinh(x) / x - 1) / z,              z = x^2, for |x| <= 1/2
//   atanh_tail(z) = (atanh(x) / x - 1) / z,              z = x^2, for |x| <= 1/2
//   acosh_tail(t) = (acosh(1 + t) / sqrt(2 t) - 1) / t,           for 0 <= t <= 1/2
// From sinh_high on sinh and cosh are infinite.
template <class T>
struct Hyperbolas;

template <>
struct Hyperbolas<float> {
  static constexpr double sinh_high = 90;
  static constexpr double sinh_tail[] = {0.16666666498, 0.0083333500573, 0.0001983615991, 2.8169506664e-6};
  static constexpr double asinh_tail[] = {-0.16666643581, 0.074986521446, -0.044384516789, 0.028169122679,
                                          -0.013237522725};
  static constexpr double atanh_tail[] = {0.33333300074, 0.20002518151,  0.1422276426,
                                          0.11823714327, 0.051358757567, 0.17669055755};
  static constexpr double acosh_tail[] = {-0.083333217905, 0.018746630362, -0.0055480645986, 0.0017605701675,
                                          -0.00041367258515};
};

template <>
struct Hyperbolas<double> {
  static constexpr double sinh_high = 711;
  static constexpr double sinh_tail[] = {
      0.16666666666666667383,   0.0083333333333331477592, 0.00019841269841431862897, 2.7557319157074524305e-6,
      2.5052123136354983321e-8, 1.605725979381533858e-10, 7.758748134107012444e-13};
  static constexpr double asinh_tail[] = {
      -0.16666666666666610237,  0.074999999999844181672,   -0.044642857127832258776,
      0.03038194371641892555,   -0.022372138358842244571,  0.017352386965062803516,
      -0.013960232369584323853, 0.011512984891526262407,   -0.0095341460769922847481,
      0.0074656087061354689371, -0.0047475243386680468315, 0.0017180903343312998001};
  static constexpr double atanh_tail[] = {
      0.3333333333333328281,   0.20000000000018125845,  0.14285714283438849304,    0.11111111255269327169,
      0.09090903686884132357,  0.07692438454486111997,  0.066645161187635060516,   0.059071306015915017214,
      0.050601817679703778055, 0.059454467803112688097, -0.0049485977030502616335, 0.17405800526207768914,
      -0.19493636591241507638, 0.24042217108143434613};
  static constexpr double acosh_tail[] = {
      -0.083333333333333051183,   0.018749999999961045418,    -0.005580357140979032347,
      0.0018988714822761828469,   -0.00069912932371382014285, 0.00027113104632910630493,
      -0.00010906431538737753009, 0.00004497259723252446249,  -0.000018621379056625556076,
      7.2906335020854187922e-6,   -2.3181271184902571748e-6,  4.1945564803010246868e-7};
};

// e^size / 4, for 0 <= size.
template <class T, int N>
XGRAD_SIMD Pack<T, N> quarter_exp(Pack<T, N> size) {
  SplitExponential<Pack<T, N>> e(at_most(size, Hyperbolas<T>::sinh_high));
  return (1 + (e.r + e.tail)) * power_of_two(e.shifted, -2);
}

// x + x^3 tail(x^2)
template <class T, int N, std::size_t Count>
XGRAD_SIMD Pack<T, N> odd_series(Pack<T, N> x, const double (&tail)[Count]) {
  Pack<T, N> z = x * x;
  return x + x * (z * polynomial(z, tail));
}

// log(x + sqrt(x^2 + one)), one = 1 or -1, for finite x > 1/2 or 3/2. The logarithm is not much larger than 1, so
// its argument is needed to more digits than one number has.
template <class T, int N>
XGRAD_SIMD Pack<T, N> area(Pack<T, N> x, T one) {
  using P = Pack<T, N>;
  using F = Format<T>;
  auto large = x > two_to<T>(F::fraction / 2 + 4);  // there sqrt(x^2 + one) = x
  P high = half_of_digits(x), square = x * x + one;
  P missed = ((high * high - square) + one) + (x - high) * (x + high);
  P root = sqrt(square), half = half_of_digits(root);
  P root_missed = (((square - half * half) - (root - half) * (root + half)) + missed) / (2 * root);
  auto sum = two_sum(root, x);
  P argument = where(large, x, sum.high), low = where(large, 0, sum.low + root_missed);
  Logarithm<T, N> l(argument);
  P k = l.biased() - (F::whole + T(F::bias)), s = l.f / (2 + l.f);
  // log(u + low) = log(u) + low / u, 1 / u = 2^-k (1-s)/(1+s), and (1-s)/(1+s) = 1 - 2s + 2s^2 - ...
  P twice = P::from_bits((2 * F::bias + 1 - l.exponent) << F::fraction);  // 2^(1-k)
  k += where(large, 1, 0);
  return log_sum(k, l.f, low * twice * (0.5 - s * (1 - s)) + k * Facts<T>::ln2_lo);
}

}  // namespace detail

template <class T, int N>
XGRAD_SIMD Pack<T, N> sinh(Pack<T, N> x) {
  Pack<T, N> size = abs(x), e = detail::quarter_exp(size);
  auto near = detail::odd_series(size, detail::Hyperbolas<T>::sinh_tail);
  return copysign(where(size < 1, near, 2 * (e - 0.0625 / e)), x);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> cosh(Pack<T, N> x) {
  Pack<T, N> e = detail::quarter_exp(abs(x));
  return 2 * (e + 0.0625 / e);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> asinh(Pack<T, N> x) {
  Pack<T, N> size = abs(x);
  auto near = detail::odd_series(size, detail::Hyperbolas<T>::asinh_tail);
  auto y = where(size < 0.5, near, detail::area(size, T(1)));
  return copysign(where(size < detail::infinity<T>, y, size), x);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> acosh(Pack<T, N> x) {
  Pack<T, N> t = x - 1, root = sqrt(t + t);
  auto near = root + root * (t * detail::polynomial(t, detail::Hyperbolas<T>::acosh_tail));
  auto y = where(x < 1.5, near, detail::area(x, T(-1)));
  return where(x < detail::infinity<T>, y, x);
}

// log((1 + x) / (1 - x)) / 2, of which 1 - x is exact from 1/2 on.
template <class T, int N>
XGRAD_SIMD Pack<T, N> atanh(Pack<T, N> x) {
  Pack<T, N> size = abs(x);
  auto near = detail::odd_series(size, detail::Hyperbolas<T>::atanh_tail);
  return copysign(where(size < 0.5, near, 0.5 * log1p((size + size) / (1 - size))), x);
}

}  // namespace xgrad::simd
