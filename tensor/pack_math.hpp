// exp, expm1, log, log1p, tanh, sigmoid, softplus and pow of packs of float and of double.
//
// 1. At most 2 ulp from the true value everywhere, with and without FMA: denormal arguments and results
//    included. Nothing is flushed to zero; expm1, log1p and tanh keep the sign of zero.
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

// e^x for x <= 0.
template <class T, int N>
XGRAD_SIMD Pack<T, N> exp_of_negative(Pack<T, N> x) {
  auto e = exponential(at_least(x, Facts<T>::exp_low));
  // Through 2^(n + 64), which is normal, so that a denormal result is rounded once.
  constexpr double back = 1 / 18446744073709551616.0;
  return (1 + (e.r + e.tail)) * power_of_two(e.shifted, 64) * back;
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
