// sin, cos, tan, asin, acos, atan and atan2 of packs of float and of double.
//
// 1. At most 2 ulp from the true value everywhere, with and without FMA; zeros keep their sign, and nothing is
//    flushed to zero.
// 2. C's special cases: sin(inf) = NaN, asin(x) = acos(x) = NaN for |x| > 1, atan(inf) = pi/2, and atan2's table
//    of zeros and infinities. NaN in gives NaN out.
// 3. sin, cos and tan subtract the multiple of pi/2 in pieces (Cody and Waite) up to |x| = 12000 (float) and 1.6e6
//    (double): no number up to there comes so close to a multiple that digits are missing. Beyond, which is rare,
//    the lanes are reduced one by one, in integers (Payne and Hanek): glibc's cos errs there by up to 8 ulp.
// 4. asin, acos and atan follow FreeBSD's msun, with polynomials in place of its quotients.
#pragma once

#include <iterator>
#include <xgrad/tensor/pack_parts.hpp>

namespace xgrad::simd {

namespace detail {

// half_pi: pieces of pi/2 of so few digits that their products with n are exact, and what is left of it. The
// polynomials minimise the largest relative error:
//   sin_tail(z)  = (sin(x) / x - 1) / z,        z = x^2, for |x| <= pi/4
//   cos_tail(z)  = (cos(x) - 1 + z/2) / z^2,    z = x^2, for |x| <= pi/4
//   asin_tail(z) = (asin(x) / x - 1) / z,       z = x^2, for |x| <= 1/2
//   atan_tail(z) = (atan(x) / x - 1) / z,       z = x^2, for |x| <= 7/16
// The ..._low are what float or double miss of these angles: atan(1/2), pi/4, atan(3/2), pi/2.
template <class T>
struct Angles;

template <>
struct Angles<float> {
  static constexpr double far = 12000, tiny = 1.220703125e-4;
  static constexpr double half_pi[] = {1.5703125, 4.837512969970703125e-4, 7.549533620476722717e-8,
                                       2.563282919254561421e-12};
  static constexpr double half_pi_rest = 6.1232339957367658861e-17;
  static constexpr double atan_half_low = 5.01215865527675623e-9, quarter_pi_low = -2.18556950009312142e-8,
                          atan_3_2_low = -2.51314245941236644e-8, half_pi_low = -4.37113900018624283e-8;
  static constexpr double sin_tail[] = {-0.1666666664, 0.0083333292552, -0.00019839296244, 2.7179683781e-6};
  static constexpr double cos_tail[] = {0.041666645422, -0.0013887303283, 2.4431645604e-5};
  static constexpr double asin_tail[] = {0.16666659991,  0.075005041859, 0.044516955029,
                                         0.031807719442, 0.014438600175, 0.037516459164};
  static constexpr double atan_tail[] = {-0.33333303378, 0.19997734126, -0.14229511226, 0.10490309679,
                                         -0.058179113153};
};

template <>
struct Angles<double> {
  static constexpr double far = 1.6e6, tiny = 7.450580596923828125e-9;
  static constexpr double half_pi[] = {1.57079632673412561417, 6.077100506303965976596e-11,
                                       2.022266248711166455796e-21};
  static constexpr double half_pi_rest = 8.478427660368899643959e-32;
  static constexpr double atan_half_low = 2.26987774529616866e-17, quarter_pi_low = 3.06161699786838294e-17,
                          atan_3_2_low = 1.39033110312309973e-17, half_pi_low = 6.12323399573676589e-17;
  static constexpr double sin_tail[] = {-0.16666666666666629839,   0.0083333333333218872233,
                                        -0.0001984126982939719127, 2.7557313552372086102e-6,
                                        -2.5050736623236181606e-8, 1.5895566237678028408e-10};
  static constexpr double cos_tail[] = {0.041666666666666591064,    -0.0013888888888872725575,
                                        0.000024801587288639660889, -2.7557314116544885876e-7,
                                        2.0875692117960837019e-9,   -1.1358075181249462014e-11};
  static constexpr double asin_tail[] = {
      0.1666666666666676046,   0.074999999999707965414,  0.044642857174614318037, 0.030381942707690646966,
      0.022372214989711793729, 0.017351611984763333057,  0.01398082081385075714,  0.011398910549309252858,
      0.0107802600914270336,   0.0037063869615678369081, 0.021707489325901024217, -0.020999110352569070994,
      0.032628647691708953037};
  static constexpr double atan_tail[] = {
      -0.33333333333332918218,  0.1999999999987310991,   -0.1428571427220836709,   0.11111110392586860453,
      -0.090908868095070707933, 0.076918711549963852368, -0.066610227571594333527, 0.058332480233473129137,
      -0.049756012922031519802, 0.03650301075069730425,  -0.016258252631897939261};
};

/// What Angle holds, of one number, however large: by as many digits of 2/pi as it takes (Payne and Hanek).
struct FarAngle {
  double high, low;
  int quadrant;
};
FarAngle far_angle(double x);

/// x = n pi/2 + high + low, |high| <= pi/4; the quadrant is n, of which two bits count.
template <class T, int N>
struct Angle {
  Pack<T, N> high, low;
  Bits<T, N> quadrant = 0;

  XGRAD_SIMD explicit Angle(Pack<T, N> x) {
    using P = Pack<T, N>;
    using A = Angles<T>;
    P shifted = x * 0.63661977236758134308 + Format<T>::magic;
    P n = shifted - Format<T>::magic;
    quadrant = shifted.bits();
    P near = x - n * A::half_pi[0];  // exact
    Twofold<P> sum{near, P(0)};
    P missed = n * -A::half_pi_rest;
    for (std::size_t i = 1; i < std::size(A::half_pi); ++i) {
      sum = two_sum(sum.high, n * -A::half_pi[i]);
      missed += sum.low;
    }
    high = sum.high + missed;
    low = missed - (high - sum.high);
    auto far = abs(x) > A::far;
    if (any(far)) replace(far, x);
  }

  // Lane by lane where pi/2 has too few pieces.
  XGRAD_SIMD void replace(Mask<T, N> far, Pack<T, N> x) {
    using P = Pack<T, N>;
    T at[N], near[N], missed[N], shifted[N];
    where(far, x, 0).store(at);
    for (int i = 0; i < N; ++i) {
      const FarAngle angle = far_angle(at[i]);
      near[i] = static_cast<T>(angle.high);
      missed[i] = static_cast<T>((angle.high - near[i]) + angle.low);
      shifted[i] = Format<T>::magic + static_cast<T>(angle.quadrant);
    }
    high = where(far, P::load(near), high);
    low = where(far, P::load(missed), low);
    quadrant = where(far, P::load(shifted), P::from_bits(quadrant)).bits();
  }

  // Both as a number of the size of the result, and what is missing in it.
  XGRAD_SIMD Twofold<Pack<T, N>> sine() const {
    Pack<T, N> z = high * high;
    return fast_two_sum(high, z * high * polynomial(z, Angles<T>::sin_tail) + (low - 0.5 * z * low));
  }
  XGRAD_SIMD Twofold<Pack<T, N>> cosine() const {
    Pack<T, N> z = high * high, half = 0.5 * z, near = 1 - half;
    Pack<T, N> rest = ((1 - near) - half) + (z * z * polynomial(z, Angles<T>::cos_tail) - high * low);
    return fast_two_sum(near, rest);
  }
};

// asin(x) / x - 1 for z = x^2 <= 1/4.
template <class T, int N>
XGRAD_SIMD Pack<T, N> asin_rise(Pack<T, N> z) {
  return z * polynomial(z, Angles<T>::asin_tail);
}

// sqrt(w) = high + low, high with half of the digits.
template <class T, int N>
XGRAD_SIMD Twofold<Pack<T, N>> twofold_sqrt(Pack<T, N> w) {
  Pack<T, N> root = sqrt(w), high = half_of_digits(root);
  return {high, (w - high * high) / at_least(root + high, std::numeric_limits<T>::min())};
}

// atan(y / x) for x, y >= 0, of which not both are 0 or infinite. By one quotient t = (y - c x) / (x + c y), of
// which atan(y / x) = atan(c) + atan(t): c = 0, 1/2, 1, 3/2 or infinity, so that |t| <= 7/16.
template <class T, int N>
XGRAD_SIMD Pack<T, N> arctangent(Pack<T, N> y, Pack<T, N> x) {
  using P = Pack<T, N>;
  using A = Angles<T>;
  auto half = y >= 0.4375 * x, one = y >= 0.6875 * x, three = y >= 1.1875 * x, steep = y >= 2.4375 * x;
  P c = where(three, 1.5, where(one, 1, where(half, 0.5, 0)));
  P t = where(steep, -x, y - c * x) / where(steep, y, x + c * y);
  P high = where(steep, 1.57079632679489661923,
                 where(three, 0.98279372324732906799,
                       where(one, 0.78539816339744830962, where(half, 0.46364760900080611621, 0))));
  P low =
      where(steep, A::half_pi_low,
            where(three, A::atan_3_2_low, where(one, A::quarter_pi_low, where(half, A::atan_half_low, 0))));
  P z = t * t;
  return high + (t + (t * (z * polynomial(z, A::atan_tail)) + low));
}

}  // namespace detail

template <class T, int N>
XGRAD_SIMD Pack<T, N> sin(Pack<T, N> x) {
  detail::Angle<T, N> a(x);
  auto y = where(detail::bit_is_set(a.quadrant, 0), a.cosine().high, a.sine().high);
  y = where(detail::bit_is_set(a.quadrant, 1), -y, y);
  return where(abs(x) < detail::Angles<T>::tiny, x, y);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> cos(Pack<T, N> x) {
  detail::Angle<T, N> a(x);
  auto y = where(detail::bit_is_set(a.quadrant, 0), a.sine().high, a.cosine().high);
  return where(detail::bit_is_set(a.quadrant + 1, 1), -y, y);
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> tan(Pack<T, N> x) {
  using P = Pack<T, N>;
  detail::Angle<T, N> a(x);
  auto s = a.sine(), c = a.cosine();
  auto odd = detail::bit_is_set(a.quadrant, 0);  // there it is -cos / sin
  P top = where(odd, -c.high, s.high), bottom = where(odd, s.high, c.high);
  P top_low = where(odd, -c.low, s.low), bottom_low = where(odd, s.low, c.low);
  P quotient = top / bottom;
  P y = quotient + (top_low - quotient * bottom_low) / bottom;
  return where(abs(x) < detail::Angles<T>::tiny, x, y);
}

// pi/2 - 2 asin(sqrt((1 - |x|) / 2)) beyond 1/2.
template <class T, int N>
XGRAD_SIMD Pack<T, N> asin(Pack<T, N> x) {
  using P = Pack<T, N>;
  P size = abs(x);
  auto near = size < 0.5;
  P w = 0.5 * (1 - size);
  P rise = detail::asin_rise(where(near, x * x, w));
  auto root = detail::twofold_sqrt(w);
  constexpr double quarter_pi = 0.78539816339744830962;
  P small = 2 * (root.high + root.low) * rise - (detail::Angles<T>::half_pi_low - 2 * root.low);
  P far = quarter_pi - (small - (quarter_pi - 2 * root.high));
  return copysign(where(near, size + size * rise, far), x);
}

// pi/2 - asin(x), 2 asin(sqrt((1 - x) / 2)) and pi minus that.
template <class T, int N>
XGRAD_SIMD Pack<T, N> acos(Pack<T, N> x) {
  using P = Pack<T, N>;
  constexpr double half_pi = 1.57079632679489661923;
  P size = abs(x);
  auto near = size < 0.5;
  P w = 0.5 * (1 - size);
  P rise = detail::asin_rise(where(near, x * x, w));
  auto root = detail::twofold_sqrt(w);
  P s = root.high + root.low;
  P middle = half_pi - (x - (detail::Angles<T>::half_pi_low - x * rise));
  P right = 2 * (root.high + (s * rise + root.low));
  P left = 2 * half_pi - 2 * (s + (s * rise - detail::Angles<T>::half_pi_low));
  return where(near, middle, where(x < 0, left, right));
}

template <class T, int N>
XGRAD_SIMD Pack<T, N> atan(Pack<T, N> x) {
  return copysign(detail::arctangent(abs(x), Pack<T, N>(1)), x);
}

/// The angle of the point (x, y), between -pi and pi.
template <class T, int N>
XGRAD_SIMD Pack<T, N> atan2(Pack<T, N> y, Pack<T, N> x) {
  using P = Pack<T, N>;
  constexpr T inf = detail::infinity<T>;
  constexpr int top = std::numeric_limits<T>::max_exponent, digits = std::numeric_limits<T>::digits;
  P a = abs(y), b = abs(x), larger = maximum(a, b);
  // Neither may x + c y overflow, nor c x be rounded as a denormal number.
  P scale = where(larger > detail::two_to<T>(top - 4), 0.0625,
                  where(larger < detail::two_to<T>(3 * digits - top), detail::two_to<T>(2 * digits), 1));
  auto endless = larger == inf;
  P up = where(endless, where(a == inf, 1, 0), a * scale);
  P right = where(endless, where(b == inf, 1, 0), where(larger == 0, 1, b * scale));
  P angle = detail::arctangent(up, right);
  constexpr double pi = 3.14159265358979323846;
  P left = pi - (angle - 2 * detail::Angles<T>::half_pi_low);
  return copysign(where(detail::sign_of(x) < 0, left, angle), y);
}

}  // namespace xgrad::simd
