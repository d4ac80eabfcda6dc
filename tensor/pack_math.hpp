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
#pragma once

#include <bit>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>
#include <xgrad/tensor/pack.hpp>

namespace xgrad::simd {

namespace detail {

// The facts that differ between the two types. The polynomials minimise the largest relative error:
//   exp_tail(r)  = (e^r - 1 - r) / r^2              for |r| <= ln2 / 2
//   tanh_tail(z) = (tanh(x) / x - 1) / z, z = x^2   for |x| <= 0.625
//   log_tail(z)  = (log((1+s)/(1-s)) - 2 s) / (s z), z = s^2, for |s| <= 0.1716 (FreeBSD's msun)
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
  static constexpr double exp_tail[] = {0.5000000081286678985,    0.16666666756941234332,
                                        0.041666239004285687919,  0.0083332858365857293286,
                                        0.0013948700483075302506, 0.00019907704432777769624};
  static constexpr double tanh_tail[] = {-0.33333292551003485843, 0.13331541957820544026,
                                         -0.053738624250153035868, 0.020615996190054658887,
                                         -0.0056647753810093370411};
  static constexpr double log_tail[] = {0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841};
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
  static constexpr double tanh_tail[] = {
      -0.33333333333333113213,    0.13333333333287599975,     -0.053968253939909445306,
      0.021869487718115000252,    -0.0088632222984371259091,  0.0035919960705823824256,
      -0.001454979876595231417,   0.00058634766872999854438,  -0.00022856585476227894574,
      0.000077089604590092230822, -0.000016023110342064548307};
  static constexpr double log_tail[] = {
      6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
      1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01};
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

// e^x = 2^n (1 + r + tail), |r| <= ln2 / 2; the tail holds r's own rounding too. n: the low bits of shifted.
template <class P>
struct Exponential {
  P r, tail, shifted;
};

template <class T, int N>
XGRAD_SIMD Exponential<Pack<T, N>> exponential(Pack<T, N> x) {
  using P = Pack<T, N>;
  P shifted = x * 1.442695040888963407 + Format<T>::magic;
  P n = shifted - Format<T>::magic;
  P hi = x - n * Facts<T>::ln2_hi;
  P lo = n * Facts<T>::ln2_lo;
  P r = hi - lo;
  P rest = (hi - r) - lo;
  return {r, r * r * polynomial(r, Facts<T>::exp_tail) + rest, shifted};
}

// 2^(n + shift), for results that are normal numbers.
template <class T, int N>
XGRAD_SIMD Pack<T, N> power_of_two(Pack<T, N> shifted, int shift) {
  using F = Format<T>;
  return Pack<T, N>::from_bits((shifted.bits() + (F::bias + typename F::Word(shift) - F::bits(F::magic)))
                               << F::fraction);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> at_most(Pack<T, N> x, double limit) {
  return where(x > limit, limit, x);
}
template <class T, int N>
XGRAD_SIMD Pack<T, N> at_least(Pack<T, N> x, double limit) {
  return where(x < limit, limit, x);
}

constexpr double back_64 = 1 / 18446744073709551616.0;  // 2^-64

// e^x for x <= 0.
template <class T, int N>
XGRAD_SIMD Pack<T, N> exp_of_negative(Pack<T, N> x) {
  auto e = exponential(at_least(x, Facts<T>::exp_low));
  // Through 2^(n + 64), which is normal, so that a denormal result is rounded once.
  return (1 + (e.r + e.tail)) * power_of_two(e.shifted, 64) * back_64;
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
  P shifted = F::magic - x * x * (factor * 1.442695040888963407);
  P n = shifted - F::magic;
  P hi = high * (high * -factor) - n * Facts<T>::ln2_hi;
  P lo = (x - high) * ((x + high) * factor) + n * Facts<T>::ln2_lo;
  P r = hi - lo;
  P rest = (hi - r) - lo;
  P rise = r + (r * r * polynomial(r, Facts<T>::exp_tail) + rest);

  P u = divisor == 1 ? x : x * 0.70710678118654752440;
  P inverse = 1 / (u + Facts<T>::erfcx_center);
  P t = (u + u) * inverse - 1;  // which has the smaller error near 0, where the slope is large
  P ratio = polynomial(t, Facts<T>::erfcx) * inverse;
  return {rise, power_of_two(shifted, 64), ratio};
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

// k ln2 + log(1 + f) + low, s = f / (2 + f): log(1 + f) = f - (f^2/2 - s (f^2/2 + z log_tail(z))), z = s^2.
template <class T, int N>
XGRAD_SIMD Pack<T, N> log_sum(Pack<T, N> k, Pack<T, N> f, Pack<T, N> s, Pack<T, N> low) {
  auto z = s * s;
  auto half = 0.5 * f * f;
  auto tail = s * (half + z * polynomial(z, Facts<T>::log_tail)) + low;
  return k * Facts<T>::ln2_hi - ((half - tail) - f);
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
  auto direct = k == 0;
  P f = where(direct, x, l.f);
  P s = f / (2 + f);
  // log(u + missed) = log(u) + missed / u, 1 / u = 2^-k (1-s)/(1+s), (1-s)/(1+s) = 1 - 2s + 2s^2 - ...
  P twice = P::from_bits((2 * F::bias + 1 - l.exponent) << F::fraction);  // 2^(1-k)
  P low = missed * twice * (0.5 - s * (1 - s)) + k * Facts<T>::ln2_lo;
  return log_sum(k, f, s, where(direct, 0, low));
}

}  // namespace detail

template <class T, int N>
XGRAD_SIMD Pack<T, N> exp(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = detail::Format<T>;
  x = detail::at_least(detail::at_most(x, detail::Facts<T>::exp_high), detail::Facts<T>::exp_low);
  auto e = detail::exponential(x);
  // 2^n as two factors: n spans more than the exponents of one number.
  auto both = e.shifted.bits() + (2 * F::bias - F::bits(F::magic));
  auto first = both >> 1;
  return (1 + (e.r + e.tail)) * P::from_bits(first << F::fraction) *
         P::from_bits((both - first) << F::fraction);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> expm1(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = detail::Facts<T>;
  auto e = detail::exponential(detail::at_least(detail::at_most(x, F::exp_high), F::expm1_low));
  // 2^n (e^r - 1) + (2^n - 1), all halved as 2^n may be one too large. hi + lo is 2^(n-1) r + (2^(n-1) -
  // 1/2).
  P scale = detail::power_of_two(e.shifted, -1);
  P ones = scale - 0.5;
  P linear = scale * e.r;
  P hi = ones + linear;
  P lo = linear - (hi - ones);
  P half = hi + (lo + scale * e.tail);
  constexpr T tiny = std::numeric_limits<T>::epsilon() / 4;
  return where(abs(x) < tiny, x, half + half);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> log(Pack<T, N> x) {
  using P = Pack<T, N>;
  using F = detail::Format<T>;
  constexpr T inf = std::numeric_limits<T>::infinity();
  constexpr T up = T(18446744073709551616.0);  // 2^64 makes a denormal number normal
  auto small = x < std::numeric_limits<T>::min();
  detail::Logarithm<T, N> l(where(small, x * up, x));
  P k = l.biased() - where(small, F::whole + T(F::bias + 64), F::whole + T(F::bias));
  P y = detail::log_sum(k, l.f, l.f / (2 + l.f), k * detail::Facts<T>::ln2_lo);
  y = where(x < inf, y, x);
  return where(x > 0, y, where(x == 0, -inf, where(x < 0, std::numeric_limits<T>::quiet_NaN(), x)));
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> log1p(Pack<T, N> x) {
  using P = Pack<T, N>;
  constexpr T inf = std::numeric_limits<T>::infinity();
  P y = where(x < inf, detail::log1p_inside(x), x);
  y = where(x <= -1, where(x == -1, -inf, std::numeric_limits<T>::quiet_NaN()), y);
  return P::from_bits(y.bits() | (x.bits() & P::sign_bit));
}

// x + x^3 tanh_tail(x^2) near zero, 1 - 2 / (e^(2|x|) + 1) elsewhere: there the quotient's error counts less.
template <class T, int N>
XGRAD_SIMD Pack<T, N> tanh(Pack<T, N> x) {
  using P = Pack<T, N>;
  P size = detail::at_most(abs(x), detail::Facts<T>::tanh_high);
  auto e = detail::exponential(size + size);
  P power = (1 + (e.r + e.tail)) * detail::power_of_two(e.shifted, 0);
  P far = 1 - 2 / (power + 1);
  P z = x * x;
  P near = size + size * (z * detail::polynomial(z, detail::Facts<T>::tanh_tail));
  return copysign(where(size < 0.625, near, far), x);
}

// 1 / (1 + e^-x) = e^x / (1 + e^x), whichever does not overflow: exact in the far negative tail as well.
template <class T, int N>
XGRAD_SIMD Pack<T, N> sigmoid(Pack<T, N> x) {
  using P = Pack<T, N>;
  P e = detail::exp_of_negative(-abs(x));
  P sum = 1 + e;
  P missed = e - (sum - 1);  // sum + missed = 1 + e, exactly
  P quotient = where(x >= 0, 1, e) / sum;
  return quotient - quotient * missed;
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
