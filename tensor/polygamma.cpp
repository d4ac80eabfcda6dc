#include <cmath>
#include <limits>
#include <xgrad/tensor/pack_gamma.hpp>

namespace xgrad::simd::detail {

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

// zeta(s, x) = 1 / x^s + 1 / (x + 1)^s + ... for x >= 0 and s = n + 1: the first terms as they are, the rest by the
// formula of Euler and Maclaurin.
double zeta(int n, double x) {
  // The Bernoulli numbers B2, B4, ... divided by the factorials of 2, 4, ...
  static constexpr double ratios[] = {1.0 / 12,          -1.0 / 720,
                                      1.0 / 30240,       -1.0 / 1209600,
                                      1.0 / 47900160,    -691.0 / 1307674368000,
                                      1.0 / 74724249600, -3617.0 / 10670622842880000};
  const double s = n + 1;
  double sum = 0;
  for (int i = 0; i < 20 + n && x < 1e9; ++i, x += 1) sum += std::pow(x, -s);
  double power = std::pow(x, -s);
  sum += power / 2;
  sum += power * x / (s - 1);
  double factor = s;
  power /= x;
  for (int k = 0; k < 8; ++k) {
    sum += ratios[k] * factor * power;
    factor *= (s + 2 * k + 1) * (s + 2 * k + 2);
    power /= x * x;
  }
  return sum;
}

}  // namespace

// (-1)^(n+1) n! zeta(n + 1, x)
double polygamma(int n, double x) {
  if (std::isnan(x) || x == -inf) return std::numeric_limits<double>::quiet_NaN();
  if (x == inf) return 0;
  const double sign = n % 2 == 0 ? -1 : 1, factorial = std::tgamma(n + 1.0);
  if (x >= 0) return sign * factorial * zeta(n, x);
  // The terms left of 0 are, up to their sign, those of f, f + 1, ... -x, where f is what x lacks of a whole number.
  const double f = std::ceil(x) - x;
  if (f == 0) return sign * inf;
  const double left = zeta(n, f) - zeta(n, 1 - x);
  return sign * factorial * (zeta(n, 1 - f) + sign * left);
}

}  // namespace xgrad::simd::detail
