// The functions of op_table.hpp's exact dual numbers beyond exp, log, tanh and erf.
#pragma once

namespace op_table {

constexpr Dual::Real pi = 3.14159265358979323846264338327950288L,
                     ln2 = 0.693147180559945309417232121458176568L;

/// polygamma(n, x), the n-th derivative of digamma. Right of 0 by the series for large x, to which recurrences lead;
/// left of it by reflection, up to n = 4.
inline Dual::Real polygamma(int n, Dual::Real x) {
  using Real = Dual::Real;
  constexpr Real inf = std::numeric_limits<Real>::infinity(), nan = std::numeric_limits<Real>::quiet_NaN();
  if (x < 0 || std::isnan(x)) {
    const Real f = x - std::nearbyint(x), s = std::sin(pi * f), c = std::cos(pi * f);
    if (n > 4 || !std::isfinite(x)) return nan;
    if (f == 0) return n == 0 ? nan : n % 2 == 0 ? -inf : inf;
    const Real cotangents[] = {c / s, -1 / (s * s), 2 * c / std::pow(s, 3.0L),
                               -(2 + 4 * c * c) / std::pow(s, 4.0L),
                               (16 + 8 * c * c) * c / std::pow(s, 5.0L)};  // and derivatives
    return (n % 2 == 0 ? 1 : -1) * polygamma(n, 1 - x) - std::pow(pi, Real(n + 1)) * cotangents[n];
  }
  if (n == 0 && x == 0) return std::signbit(x) ? inf : -inf;
  if (x == inf) return n == 0 ? inf : 0;
  const Real power = n == 0 ? 1 : n + 1;
  Real sum = 0;
  for (int i = 0; i < 40 && x < 1e9L; ++i, x += 1) sum += n == 0 ? -1 / x : std::pow(x, -power);
  const Real square = 1 / (x * x);
  Real factor = n == 0 ? 1 : power, term = n == 0 ? square : std::pow(x, -power - 1), tail = 0;
  const Real bernoulli[] = {1 / 12.0L, -1 / 720.0L, 1 / 30240.0L, -1 / 1209600.0L, 1 / 47900160.0L};
  for (int k = 0; k < 5; ++k) {
    tail += bernoulli[k] * factor * term;
    factor *= n == 0 ? Real((2 * k + 2) * (2 * k + 3)) : (power + 2 * k + 1) * (power + 2 * k + 2);
    term *= square;
  }
  if (n == 0) return sum + std::log(x) - 1 / (2 * x) - tail;
  sum += std::pow(x, -power) / 2 + std::pow(x, 1 - power) / (power - 1) + tail;
  return (n % 2 == 0 ? -1 : 1) * std::tgamma(power) * sum;
}

// clang-format off

inline Dual exp2(Dual a)  { return {std::exp2(a.v), a.d * ln2 * std::exp2(a.v)}; }
inline Dual log2(Dual a)  { return {std::log2(a.v), a.d / (ln2 * a.v)}; }
inline Dual log10(Dual a) { return {std::log10(a.v), a.d / (std::log(10.0L) * a.v)}; }
inline Dual rsqrt(Dual a) { const auto y = 1 / std::sqrt(a.v); return {y, -a.d * y * y * y / 2}; }
inline Dual cbrt(Dual a)  { const auto y = std::cbrt(a.v); return {y, a.d / (3 * y * y)}; }
inline Dual sin(Dual a)   { return {std::sin(a.v), a.d * std::cos(a.v)}; }
inline Dual cos(Dual a)   { return {std::cos(a.v), -a.d * std::sin(a.v)}; }
inline Dual tan(Dual a)   { return {std::tan(a.v), a.d / (std::cos(a.v) * std::cos(a.v))}; }
inline Dual asin(Dual a)  { return {std::asin(a.v), a.d / std::sqrt(1 - a.v * a.v)}; }
inline Dual acos(Dual a)  { return {std::acos(a.v), -a.d / std::sqrt(1 - a.v * a.v)}; }
inline Dual atan(Dual a)  { return {std::atan(a.v), a.d / (1 + a.v * a.v)}; }
inline Dual sinh(Dual a)  { return {std::sinh(a.v), a.d * std::cosh(a.v)}; }
inline Dual cosh(Dual a)  { return {std::cosh(a.v), a.d * std::sinh(a.v)}; }
inline Dual asinh(Dual a) { return {std::asinh(a.v), a.d / std::sqrt(1 + a.v * a.v)}; }
inline Dual acosh(Dual a) { return {std::acosh(a.v), a.d / (std::sqrt(a.v - 1) * std::sqrt(a.v + 1))}; }
inline Dual atanh(Dual a) { return {std::atanh(a.v), a.d / (1 - a.v * a.v)}; }
inline Dual lgamma(Dual a)           { return {std::lgamma(a.v), a.d * polygamma(0, a.v)}; }
inline Dual polygamma(int n, Dual a) { return {polygamma(n, a.v), a.d * polygamma(n + 1, a.v)}; }
inline Dual atan2(Dual y, Dual x) { return {std::atan2(y.v, x.v), (y.d * x.v - x.d * y.v) / (x.v * x.v + y.v * y.v)}; }
inline Dual hypot(Dual a, Dual b) { const auto y = std::hypot(a.v, b.v); return {y, (a.d * a.v + b.d * b.v) / y}; }

/// Wherever it has a derivative, that is 0.
inline Dual flat(Dual::Real y) { return {y, 0}; }
inline Dual fmod(Dual a, Dual b) { return {std::fmod(a.v, b.v), a.d - std::trunc(a.v / b.v) * b.d}; }
inline Dual remainder(Dual a, Dual b) {
  auto r = std::fmod(a.v, b.v);
  if (r != 0 && std::signbit(r) != std::signbit(b.v)) r += b.v;
  return {r, a.d - std::floor(a.v / b.v) * b.d};
}
inline Dual copysign(Dual a, Dual b) { return {std::copysign(a.v, b.v), std::copysign(a.d, a.v) * std::copysign(1.0L, b.v)}; }
inline Dual log_sum(Dual a, Dual b) { return a == b ? Dual(a.v + ln2, (a.d + b.d) / 2) : a > b ? a + log1p(exp(b - a)) : b + log1p(exp(a - b)); }
inline Dual mish_formula(Dual x) {
  if (x < -20000) return 0;
  const Dual e = exp(x > 0 ? -x : x);
  return x > 0 ? x * (1 + 2 * e) / (1 + 2 * e + 2 * e * e) : x * e * (2 + e) / (2 + 2 * e + e * e);
}

// clang-format on

}  // namespace op_table
