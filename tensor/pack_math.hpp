// exp, expm1, log, log1p, tanh, sigmoid, softplus, erf, erfc, gelu and pow of packs of float and of double.
//
// 1. At most 2 ulp from the true value everywhere (erfc: 4, gelu: 5), with and without FMA: denormal arguments
//    and results included. Nothing is flushed to zero; expm1, log1p, tanh and erf keep the sign of zero.
// 2. C's special cases: exp(-inf) = 0, log(0) = log1p(-1) = -inf, log(<0) = NaN, NaN in gives NaN out.
// 3. float is never computed in double.
// 4. No branches. No conversion between double and int64, which AVX2 lacks: integers enter and leave a
//    number's fraction by adding 1.5 * 2^(digits - 1) or by setting its exponent.
// 5. The compiler may contract a * b + c. Products that feed an error term are therefore exact (a power of
//    two, or a short constant times a small integer) or too small for their own rounding to matter.
// 6. Packs of 32 and 64 bytes are for code compiled for AVX2 and AVX-512: GCC is told which instructions to use.
#pragma once

#include <bit>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>
#include <xgrad/tensor/pack.hpp>
#include <xgrad/tensor/pack_native.hpp>

namespace xgrad::simd {

namespace detail {

// The facts that differ between the two types. The polynomials minimise the largest relative error:
//   exp_tail(r)  = (e^r - 1 - r) / r^2              for |r| <= ln2 / 2
//   tanh_tail(z) = (tanh(x) / x - 1) / z, z = x^2, for |x| <= 0.3
//   log_tail     of float: (log(1 + f) - f + f^2 / 2) / f^3 for sqrt(1/2) - 1 <= f <= 0.5; of double:
//                (log((1+s)/(1-s)) - 2 s) / (s z), z = s^2, for |s| <= 0.2
//   erf_tail(z)  = erf(x) / x - 1,          z = x^2, for |x| <= 0.75
//   erfcx(t)     = (x + c) e^(x^2) erfc(x), t = (x - c) / (x + c), c = erfcx_center, for x >= 0
// From erfc_high on erfc(x) is 0, and gelu(-x) from gelu_high on.
// ln2_hi has few enough digits that its product with any exponent is exact.
template <class T>
struct Facts;

template <>
struct Facts<float> {
  static constexpr double ln2_hi = 0.693145751953125, ln2_lo = 1.4286068203094172321e-6;
  static constexpr double exp_low = -105, exp_high = 89, expm1_low = -18, tanh_high = 10;
  static constexpr double exp_tail[] = {0.50000000620872698, 0.16666542793871678, 0.041666281398650355,
                                        0.0083666106006015477, 0.0013946497003877009};
  static constexpr double tanh_tail[] = {-0.33333060286473415, 0.13314789079293476, -0.050360890869537156};
  static constexpr double log_tail[] = {0.33333472665887548,  -0.25001106426545938, 0.19991308300921326,
                                        -0.16607185401004537, 0.14389397464700859,  -0.13483564170676124,
                                        0.1169884568771359,   -0.055725865730305184};
  static constexpr double erfc_high = 10.5, gelu_high = 15, erfcx_center = 3;
  static constexpr double erf_tail[] = {0.12837916549754877695,  -0.3761261876269929835,
                                        0.11283376625847538808,  -0.026834625996251727322,
                                        0.005114346770332026617, -0.00067495128136950292556};
  static constexpr double erfcx[] = {1.074006908196152486,       -0.8833944938460227774,
                                     0.59022826043772568538,     -0.3104658017291638325,
                                     0.11952967573946692601,     -0.026841072359264729043,
                                     -0.0012298734195588359131,  0.0030815341547210236135,
                                     -0.00047680837899653603396, -0.00032199552133878550801};
};

template <>
struct Facts<double> {
  static constexpr double ln2_hi = 0.693147180559890330187, ln2_lo = 5.497923018708371174712e-14;
  static constexpr double exp_low = -746, exp_high = 710, expm1_low = -38, tanh_high = 20;
  static constexpr double exp_tail[] = {
      0.50000000000000000086,    0.16666666666666676596,   0.041666666666666507358,
      0.0083333333333216077787,  0.0013888888888962901138, 0.00019841269886206946595,
      0.00002480158717183934658, 2.7557244105253595923e-6, 2.7557402945316557141e-7,
      2.5109081015600779698e-8,  2.087532655239125699e-9};
  static constexpr double tanh_tail[] = {-0.33333333333326759,  0.13333333331458214,    -0.053968252164512252,
                                         0.021869406200974936,  -0.0088612203539584784, 0.0035648715767857063,
                                         -0.0012620366326426098};
  static constexpr double log_tail[] = {0.66666666666672325, 0.39999999996299296, 0.28571429381538782,
                                        0.2222213890580465,  0.18186362406908824, 0.15249704614123183,
                                        0.15374152113329648};
  static constexpr double erfc_high = 27.3, gelu_high = 38.7, erfcx_center = 4;
  static constexpr double erf_tail[] = {
      0.12837916709551257301,    -0.37612638903183714945,     0.11283791670952481203,
      -0.026866170644402561844,  0.0052239776151230680658,    -0.00085483261691343402621,
      0.00012055288778725110028, -0.000014924176670830249259, 1.6430388685244875304e-6,
      -1.5937603737984862998e-7, 1.1463770584434206494e-8};
  static constexpr double erfcx[] = {
      1.095995661000491,          -0.976548729080882,          0.7732087022652369,
      -0.5408538313132251,        0.3308515878780246,          -0.17401093724029074,
      0.07638151490912398,        -0.026370053334612804406,    0.0061120556570549560551,
      -0.00028095891584215653549, -0.00045505269067933874366,  0.00017681308591025868929,
      -3.6351424518042114744e-6,  -0.000018861779331444864293, 4.6943144099755879685e-6,
      1.4260743195245339944e-6,   -8.4598605384678632359e-7,   -7.7943330581358357552e-8,
      1.2392732812815266106e-7,   2.5762471638414311016e-9,    -1.5395230914810418775e-8,
      -3.6949597253519191757e-10, 1.022212716913655416e-9};
};

template <class T>
struct Format {
  using Word = UnsignedOf<T>;
  static constexpr int fraction = std::numeric_limits<T>::digits - 1;
  static constexpr Word bias = std::numeric_limits<T>::max_exponent - 1;
  static constexpr T whole = T(Word(1) << fraction);  // 2^fraction: its last digit counts ones
  static constexpr T magic = whole + whole / 2;       // the same, with room for negative integers
  static constexpr Word bits(T x) { return std::bit_cast<Word>(x); }
};

template <class P, std::size_t Count, std::size_t... I>
XGRAD_SIMD P horner(P x, const double (&c)[Count], std::index_sequence<I...>) {
  P y = c[Count - 1];
  ((y = y * x + c[Count - 2 - I]), ...);
  return y;
}

// c[0] + c[1] x + c[2] x^2 + ...
template <class P, std::size_t Count>
XGRAD_SIMD P polynomial(P x, const double (&c)[Count]) {
  return horner(x, c, std::make_index_sequence<Count - 1>{});
}

// At most, and at least, `limit`; NaN stays.
template <class T, int N>
XGRAD_SIMD Pack<T, N> at_most(Pack<T, N> x, double limit) {
  return lower_of(Pack<T, N>(limit), x);
}
template <class T, int N>
XGRAD_SIMD Pack<T, N> at_least(Pack<T, N> x, double limit) {
  return higher_of(Pack<T, N>(limit), x);
}

// e^x = 2^n (1 + rise). The low bits of shifted are n + offset.
template <class P>
struct Exponential {
  P rise, shifted, n;
};

template <int offset, class T, int N>
XGRAD_SIMD Exponential<Pack<T, N>> exponential(Pack<T, N> x) {
  using P = Pack<T, N>;
  constexpr T magic = Format<T>::magic + offset;
  P shifted = x * 1.442695040888963407 + magic;
  P n = shifted - magic;
  P r = (x - n * Facts<T>::ln2_hi) - n * Facts<T>::ln2_lo;  // |r| <= ln2 / 2
  return {r * r * polynomial(r, Facts<T>::exp_tail) + r, shifted, n};
}

// 2^(m - bias), where m are the low bits of `shifted`: for normal numbers.
template <class T, int N>
XGRAD_SIMD Pack<T, N> power_of_two(Pack<T, N> shifted) {
  return Pack<T, N>::from_bits(shifted.bits() << Format<T>::fraction);
}

constexpr double back_64 = 1 / 18446744073709551616.0;  // 2^-64

// e^x for exp_low <= x <= exp_high, or NaN.
template <class T, int N>
XGRAD_SIMD Pack<T, N> exp_inside(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = Format<T>;
  auto e = exponential<2 * int(F::bias)>(x);
  if constexpr (has_exponent_instructions<T, N>) {
    return scale(1 + e.rise, e.n);
  } else {
    // 2^n as two factors: n spans more than the exponents of one number.
    auto both = e.shifted.bits(), first = both >> 1;
    return (1 + e.rise) * P::from_bits(first << F::fraction) * P::from_bits((both - first) << F::fraction);
  }
}

// e^x for x <= 0.
template <class T, int N>
XGRAD_SIMD Pack<T, N> exp_of_negative(Pack<T, N> x) {
  x = at_least(x, Facts<T>::exp_low);
  if constexpr (has_exponent_instructions<T, N>) {
    return exp_inside(x);
  } else {
    // Through 2^(n + 64), which is normal, so that a denormal result is rounded once.
    auto e = exponential<int(Format<T>::bias) + 64>(x);
    return (1 + e.rise) * power_of_two(e.shifted) * back_64;
  }
}

// e^(-x^2 / divisor) = (1 + rise) * scale / 2^64, and ratio = e^(u^2) erfc(u), u = x / sqrt(divisor). The divisor
// is 1 or 2, and 0 <= x <= erfc_high or gelu_high: scale is normal.
template <class P>
struct Gaussian {
  P rise, scale, ratio;
};

template <int divisor, class T, int N>
XGRAD_SIMD Gaussian<Pack<T, N>> gaussian(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = Format<T>;
  constexpr double factor = 1.0 / divisor;
  // x^2 = high^2 + (x - high) (x + high), where high has half of the digits and an exact square: rounding x^2
  // itself would cost e^(-x^2) as many digits as x^2 has before the point.
  constexpr auto digits = (typename F::Word(1) << (F::fraction / 2 + 1)) - 1;
  P high = P::from_bits(x.bits() & ~digits);
  constexpr T magic = F::magic + T(F::bias + 64);
  P shifted = magic - x * x * (factor * 1.442695040888963407);
  P n = shifted - magic;
  P hi = high * (high * -factor) - n * Facts<T>::ln2_hi;
  P lo = (x - high) * ((x + high) * factor) + n * Facts<T>::ln2_lo;
  P r = hi - lo;
  P rest = (hi - r) - lo;
  P rise = r + (r * r * polynomial(r, Facts<T>::exp_tail) + rest);

  P u = divisor == 1 ? x : x * 0.70710678118654752440;
  P inverse = 1 / (u + Facts<T>::erfcx_center);
  P t = (u + u) * inverse - 1;  // which has the smaller error near 0, where the slope is large
  P ratio = polynomial(t, Facts<T>::erfcx) * inverse;
  return {rise, power_of_two(shifted), ratio};
}

// erfc(x) for x >= 0.
template <class T, int N>
XGRAD_SIMD Pack<T, N> erfc_of_positive(Pack<T, N> x) {
  auto e = gaussian<1>(at_most(x, Facts<T>::erfc_high));
  return (e.ratio + e.ratio * e.rise) * e.scale * back_64;
}

// erf(x) for |x| <= 0.75.
template <class T, int N>
XGRAD_SIMD Pack<T, N> erf_near_zero(Pack<T, N> x) {
  return x + x * polynomial(x * x, Facts<T>::erf_tail);
}

// x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), for normal x > 0. The exponent is k plus the bias.
template <class T, int N>
struct Logarithm {
  Pack<T, N> f;
  Bits<T, N> exponent = 0;

  XGRAD_SIMD explicit Logarithm(Pack<T, N> x) {
    using F = Format<T>;
    constexpr auto root = F::bits(T(0.70710678118654752440));
    constexpr auto digits = (typename F::Word(1) << F::fraction) - 1;
    auto b = x.bits() + (F::bits(T(1)) - root);
    exponent = b >> F::fraction;
    f = Pack<T, N>::from_bits((b & digits) + root) - 1;
  }

  XGRAD_SIMD Pack<T, N> biased() const {
    using F = Format<T>;
    return Pack<T, N>::from_bits(exponent | F::bits(F::whole));
  }
};

// k ln2_hi + log(1 + f) + low: f - f^2/2 + f^3 log_tail(f), which for float is cheaper than a division; for
// double f - (f^2/2 - s (f^2/2 + z log_tail(z))), s = f / (2 + f), z = s^2.
template <class T, int N>
XGRAD_SIMD Pack<T, N> log_sum(Pack<T, N> k, Pack<T, N> f, Pack<T, N> low) {
  if constexpr (sizeof(T) == 4) {
    auto tail = f * f * (f * polynomial(f, Facts<T>::log_tail) - 0.5) + low;
    return k * Facts<T>::ln2_hi + (f + tail);
  } else {
    auto s = f / (2 + f), z = s * s;
    auto half = 0.5 * f * f;
    auto tail = s * (half + z * polynomial(z, Facts<T>::log_tail)) + low;
    return k * Facts<T>::ln2_hi - ((half - tail) - f);
  }
}

// log(1 + x) for finite x > -1; the sign of zero is lost.
template <class T, int N>
XGRAD_SIMD Pack<T, N> log1p_inside(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = Format<T>;
  P u = 1 + x;
  P b = u - 1;
  P missed = (1 - (u - b)) + (x - b);  // u + missed = 1 + x, exactly
  Logarithm<T, N> l(u);
  P k = l.biased() - (F::whole + T(F::bias));
  // log(u + missed) = log(u) + missed / u. Of 1 / u = 2^-k / (1 + f) two digits are enough.
  P twice = P::from_bits((2 * F::bias + 1 - l.exponent) << F::fraction);  // 2^(1-k)
  P low = missed * twice * (0.5 - l.f * (0.5436174990924976 - 0.49168766917365675 * l.f));
  return log_sum(k, l.f, k * Facts<T>::ln2_lo + low);
}

}  // namespace detail

template <class T, int N>
XGRAD_SIMD Pack<T, N> exp(Pack<T, N> x) {
  using F = detail::Facts<T>;
  return detail::exp_inside(detail::at_least(detail::at_most(x, F::exp_high), F::exp_low));
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> expm1(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = detail::Facts<T>;
  constexpr int offset = int(detail::Format<T>::bias) - 1;
  auto e = detail::exponential<offset>(detail::at_least(detail::at_most(x, F::exp_high), F::expm1_low));
  // 2^n rise + (2^n - 1), all halved as 2^n may be one too large.
  P scale = detail::power_of_two(e.shifted);
  P half = scale * e.rise + (scale - 0.5);
  constexpr T tiny = std::numeric_limits<T>::epsilon() / 4;
  return where(abs(x) < tiny, x, half + half);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> log(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = detail::Format<T>;
  if constexpr (detail::has_exponent_instructions<T, N>) {
    P m = detail::fraction_of(x);
    P k = detail::exponent_of(x) - detail::exponent_of(m);
    return detail::log_sum(k, m - 1, k * detail::Facts<T>::ln2_lo);
  } else {
    constexpr T inf = std::numeric_limits<T>::infinity();
    constexpr T up = T(18446744073709551616.0);  // 2^64 makes a denormal number normal
    auto small = x < std::numeric_limits<T>::min();
    detail::Logarithm<T, N> l(where(small, x * up, x));
    P k = l.biased() - where(small, F::whole + T(F::bias + 64), F::whole + T(F::bias));
    P y = where(x < inf, detail::log_sum(k, l.f, k * detail::Facts<T>::ln2_lo), x);
    return where(x > 0, y, where(x == 0, -inf, std::numeric_limits<T>::quiet_NaN()));
  }
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> log1p(Pack<T, N> x) {
  using P = Pack<T, N>;
  constexpr T inf = std::numeric_limits<T>::infinity();
  P y = where(x < inf, detail::log1p_inside(x), x);
  y = where(x > -1, y, where(x == -1, -inf, std::numeric_limits<T>::quiet_NaN()));
  return P::from_bits(y.bits() | (x.bits() & P::sign_bit));
}

// x + x^3 tanh_tail(x^2) near zero; elsewhere E / (E + 2), E = e^(2|x|) - 1.
template <class T, int N>
XGRAD_SIMD Pack<T, N> tanh(Pack<T, N> x) {
  using P = Pack<T, N>;
  P size = detail::at_most(abs(x), detail::Facts<T>::tanh_high);
  auto e = detail::exponential<int(detail::Format<T>::bias)>(size + size);
  P scale = detail::power_of_two(e.shifted);
  P less = scale * e.rise + (scale - 1);
  P z = x * x;
  P near = size + size * (z * detail::polynomial(z, detail::Facts<T>::tanh_tail));
  return copysign(where(size < 0.3, near, less / (less + 2)), x);
}

// 1 / (1 + e^-x), times 2^-64 above and below, so that the exponential does not overflow.
template <class T, int N>
XGRAD_SIMD Pack<T, N> sigmoid(Pack<T, N> x) {
  using P = Pack<T, N>;
  x = detail::at_least(detail::at_most(-x, -detail::Facts<T>::exp_low), -40);
  auto e = detail::exponential<int(detail::Format<T>::bias) - 64>(x);
  P scale = detail::power_of_two(e.shifted);
  P sum = scale + detail::back_64;
  P missed = detail::back_64 - (sum - scale);
  return detail::back_64 / ((scale * e.rise + missed) + sum);
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|)
template <class T, int N>
XGRAD_SIMD Pack<T, N> softplus(Pack<T, N> x) {
  return maximum(x, 0) + detail::log1p_inside(detail::exp_of_negative(-abs(x)));
}

// x + x erf_tail(x^2) near zero, 1 - erfc(|x|) elsewhere: there the error of erfc counts less.
template <class T, int N>
XGRAD_SIMD Pack<T, N> erf(Pack<T, N> x) {
  Pack<T, N> size = abs(x);
  return copysign(where(size < 0.75, detail::erf_near_zero(size), 1 - detail::erfc_of_positive(size)), x);
}

// 1 - erf(x), accurate in the positive tail as well.
template <class T, int N>
XGRAD_SIMD Pack<T, N> erfc(Pack<T, N> x) {
  Pack<T, N> size = abs(x), tail = detail::erfc_of_positive(size);
  return where(size < 0.75, 1 - detail::erf_near_zero(x), where(x < 0, 2 - tail, tail));
}

// x Phi(x) = max(x, 0) - |x| Phi(-|x|), Phi(-x) = erfc(x / sqrt 2) / 2: the normal distribution function.
template <class T, int N>
XGRAD_SIMD Pack<T, N> gelu(Pack<T, N> x) {
  using P = Pack<T, N>;
  P size = detail::at_most(abs(x), detail::Facts<T>::gelu_high);
  auto e = detail::gaussian<2>(size);
  return where(x > 0, x, 0) - 0.5 * size * (e.ratio + e.ratio * e.rise) * e.scale * detail::back_64;
}

// The derivative of gelu: Phi(x) + x phi(x), phi(x) = e^(-x^2 / 2) / sqrt(2 pi). At -x: 1 minus that at x.
template <class T, int N>
XGRAD_SIMD Pack<T, N> gelu_slope(Pack<T, N> x) {
  using P = Pack<T, N>;
  P size = detail::at_most(abs(x), detail::Facts<T>::gelu_high);
  auto e = detail::gaussian<2>(size);
  P sum = 0.5 * e.ratio - size * 0.39894228040143267794;
  P below = (sum + sum * e.rise) * e.scale * detail::back_64;
  return where(x > 0, 1 - below, below);
}

// C's pow, lane by lane: its accuracy and all its special cases.
template <class T, int N>
XGRAD_SIMD Pack<T, N> pow(Pack<T, N> a, Pack<T, N> b) {
  T base[N], exponent[N];
  a.store(base);
  b.store(exponent);
  for (int i = 0; i < N; ++i) {
    if constexpr (sizeof(T) == 4) {
      base[i] = __builtin_powf(base[i], exponent[i]);
    } else {
      base[i] = __builtin_pow(base[i], exponent[i]);
    }
  }
  return Pack<T, N>::load(base);
}

template <class T, int N, class A>
requires std::is_arithmetic_v<A> XGRAD_SIMD Pack<T, N> pow(Pack<T, N> a, A b) {
  return pow(a, Pack<T, N>(b));
}

template <class T, int N, class A>
requires std::is_arithmetic_v<A> XGRAD_SIMD Pack<T, N> pow(A a, Pack<T, N> b) {
  return pow(Pack<T, N>(a), b);
}

}  // namespace xgrad::simd
