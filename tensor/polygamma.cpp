#include <cmath>
#include <limits>
#include <xgrad/tensor/pack_gamma.hpp>

namespace xgrad::simd::detail {

// (-1)^(n+1) n! zeta(n + 1, x), zeta(s, x) = 1 / x^s + 1 / (x + 1)^s + ...: the first terms as they are, the
// rest by the formula of Euler and Maclaurin.
double polygamma(int n, double x) {
  if (!(x >= 0)) return std::numeric_limits<double>::quiet_NaN();
  // The Bernoulli numbers B2, B4, ... divided by the factorials of 2, 4, ...
  static constexpr double ratios[] = {1.0 / 12,          -1.0 / 720,
                                      1.0 / 30240,       -1.0 / 1209600,
                                      1.0 / 47900160,    -691.0 / 1307674368000,
                                      1.0 / 74724249600, -3617.0 / 10670622842880000};
  if (x == std::numeric_limits<double>::infinity()) return 0;
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
  return (n % 2 == 0 ? -1 : 1) * std::tgamma(s) * sum;
}

}  // namespace xgrad::simd::detail
