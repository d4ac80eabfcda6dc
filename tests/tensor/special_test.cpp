// How exact the elementary functions of packs are over their whole range, on every instruction set.
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/pack_special.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

// Zeros, denormal and large numbers of both signs, infinities and NaN by their bits; between 0 and 10; around 1; around
// multiples of pi/2, the nearest of which to a number leave the fewest digits; up to `limit`.
template <class T>
std::vector<T> whole_range(double limit) {
  using L = std::numeric_limits<T>;
  std::vector<T> points{0,    L::denorm_min(), L::min(), L::min() / 3,  L::epsilon(),  T(0.5),
                        T(1), T(1.5),          L::max(), L::infinity(), L::quiet_NaN()};
  std::mt19937_64 random(11);
  for (std::uint64_t high = 0; high < 2048; ++high) {
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t bits = high << 53 | random() >> 11;
      if constexpr (sizeof(T) == 8) {
        points.push_back(std::bit_cast<double>(bits));
      } else {
        points.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits >> 32)));
      }
    }
  }
  for (int i = 0; i < 10000; ++i) {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    const int exponent = static_cast<int>(random() % 40);
    for (double x : {u, 10 * u, limit * u, 1 + std::ldexp(u - 0.5, -exponent)})
      points.push_back(static_cast<T>(x));
  }
  for (int i = 0; i < 3000; ++i) {
    for (int n : {i, i * 997 % 1000000}) {
      const T x = static_cast<T>(n * 1.57079632679489661923L);
      points.insert(points.end(), {x, std::nextafter(x, T(0)), std::nextafter(x, L::infinity())});
    }
  }
  for (std::size_t i = 0, n = points.size(); i < n; ++i) points.push_back(-points[i]);
  return points;
}

// In units of the last place of the truth; those of a denormal number are all the same. A zero of the wrong sign is
// infinitely far.
template <class T>
double distance(T y, long double truth) {
  using L = std::numeric_limits<T>;
  if (std::isnan(truth) || std::isnan(y)) return std::isnan(truth) && std::isnan(y) ? 0 : 1e9;
  const T rounded = static_cast<T>(truth);
  if (y == 0 && rounded == 0) return std::signbit(y) == std::signbit(rounded) ? 0 : 1e9;
  if (std::isinf(y) || std::isinf(rounded)) return y == rounded ? 0 : 1e9;
  const int exponent = std::max(truth == 0 ? L::min_exponent : std::ilogb(truth), L::min_exponent - 1);
  return static_cast<double>(std::abs(y - truth) / std::ldexp(1.0L, exponent - (L::digits - 1)));
}

template <class T, class F>
void compare(const char* what, const std::vector<long double>& exact, double limit, F compute) {
  on_each_simd_level([&] {
    const std::vector<T> y = compute();
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (const double d = distance(y[i], exact[i]); d > worst) worst = d, at = i;
    }
    INFO(what << " at point " << at << ": " << y[at] << ", not " << static_cast<double>(exact[at]));
    CHECK(worst <= limit);
  });
}

template <class T, class F, class Truth>
void sweep(const char* what, F f, Truth truth, double range, double limit = 2) {
  const std::vector<T> points = whole_range<T>(range);
  std::vector<long double> exact;
  for (T x : points) exact.push_back(truth(static_cast<long double>(x)));
  const Tensor x(Shape{static_cast<std::int64_t>(points.size())}, points);
  compare<T>(what, exact, limit, [&] { return kernel::map<T>(f, x.shape(), x).template to_vector<T>(); });
}

// Of two numbers: all pairs of special ones, of any size, of equal size, and near each other.
template <class T, class F, class Truth>
void sweep_pairs(const char* what, F f, Truth truth, double limit = 2) {
  using L = std::numeric_limits<T>;
  const std::vector<T> special{0,
                               -T(0),
                               1,
                               -1,
                               T(0.5),
                               400,
                               -400,
                               T(1e-30),
                               L::infinity(),
                               -L::infinity(),
                               L::quiet_NaN(),
                               L::denorm_min(),
                               -L::denorm_min(),
                               L::min(),
                               L::max(),
                               -L::max(),
                               L::epsilon()};
  std::vector<T> a, b;
  for (T p : special) {
    for (T q : special) a.push_back(p), b.push_back(q);
  }
  std::mt19937_64 random(5);
  const auto any = [&]() -> T {
    if constexpr (sizeof(T) == 8) {
      return std::bit_cast<double>(random());
    } else {
      return std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    }
  };
  const auto uniform = [&] { return static_cast<T>(static_cast<double>(random() >> 11) * 0x1p-50 - 4); };
  for (int i = 0; i < 10000; ++i) {
    const T p = any(), q = uniform();
    a.insert(a.end(), {any(), p, uniform(), q});
    b.insert(b.end(),
             {any(), p * uniform(), uniform(), q + std::ldexp(uniform(), -static_cast<int>(random() % 50))});
  }
  std::vector<long double> exact;
  for (std::size_t i = 0; i < a.size(); ++i) exact.push_back(truth(a[i], b[i]));
  const Shape shape{static_cast<std::int64_t>(a.size())};
  const Tensor x(shape, a), y(shape, b);
  compare<T>(what, exact, limit, [&] { return kernel::map<T, T>(f, shape, x, y).template to_vector<T>(); });
}

template <class T, class F, class Truth>
void sweep_positive(const char* what, F f, Truth truth, double limit) {
  sweep<T>(
      what, [f](auto x) { return f(abs(x)); }, [truth](long double x) { return truth(std::abs(x)); }, 20,
      limit);
}

// By the recurrences up to where the asymptotic series are exact.
long double digamma_truth(long double x) {
  if (x == 0) return -HUGE_VALL;
  long double sum = 0;
  for (; x < 40; x += 1) sum -= 1 / x;
  const long double i = 1 / x, q = i * i;
  return sum + std::log(x) - i / 2 -
         q * (1 / 12.0L - q * (1 / 120.0L - q * (1 / 252.0L - q * (1 / 240.0L - q / 132))));
}
long double trigamma_truth(long double x) {
  long double sum = 0;
  for (; x < 40; x += 1) sum += 1 / (x * x);
  const long double i = 1 / x, q = i * i;
  return sum + i + q / 2 +
         i * q * (1 / 6.0L - q * (1 / 30.0L - q * (1 / 42.0L - q * (1 / 30.0L - q * 5 / 66))));
}

// clang-format off

template <class T>
void sweep_trigonometric() {
  for (double range : {12500.0, 1.7e6}) {
    sweep<T>("sin", [](auto x) { return sin(x); }, [](long double x) { return std::sin(x); }, range);
    sweep<T>("cos", [](auto x) { return cos(x); }, [](long double x) { return std::cos(x); }, range);
    sweep<T>("tan", [](auto x) { return tan(x); }, [](long double x) { return std::tan(x); }, range);
  }
  sweep<T>("asin", [](auto x) { return asin(x); }, [](long double x) { return std::asin(x); }, 1);
  sweep<T>("acos", [](auto x) { return acos(x); }, [](long double x) { return std::acos(x); }, 1);
  sweep<T>("atan", [](auto x) { return atan(x); }, [](long double x) { return std::atan(x); }, 4);
  sweep_pairs<T>("atan2", [](auto y, auto x) { return atan2(y, x); }, [](long double y, long double x) { return std::atan2(y, x); });
}

template <class T>
void sweep_hyperbolic() {
  const double high = sizeof(T) == 4 ? 90 : 711;
  sweep<T>("sinh",  [](auto x) { return sinh(x); },  [](long double x) { return std::sinh(x); },  high);
  sweep<T>("cosh",  [](auto x) { return cosh(x); },  [](long double x) { return std::cosh(x); },  high);
  sweep<T>("asinh", [](auto x) { return asinh(x); }, [](long double x) { return std::asinh(x); }, 1e4);
  sweep<T>("acosh", [](auto x) { return acosh(x); }, [](long double x) { return std::acosh(x); }, 1e4);
  sweep<T>("atanh", [](auto x) { return atanh(x); }, [](long double x) { return std::atanh(x); }, 1);
}

template <class T>
void sweep_powers() {
  const double high = sizeof(T) == 4 ? 150 : 1080;
  sweep<T>("exp2",  [](auto x) { return exp2(x); },  [](long double x) { return std::exp2(x); },  high);
  sweep<T>("log2",  [](auto x) { return log2(x); },  [](long double x) { return std::log2(x); },  1e3);
  sweep<T>("log10", [](auto x) { return log10(x); }, [](long double x) { return std::log10(x); }, 1e3);
  sweep<T>("rsqrt", [](auto x) { return rsqrt(x); }, [](long double x) { return 1 / std::sqrt(x); }, 1e3);
  sweep<T>("cbrt",  [](auto x) { return cbrt(x); },  [](long double x) { return std::cbrt(x); },  1e3);
  sweep<T>("floor", [](auto x) { return floor(x); }, [](long double x) { return std::floor(x); }, 1e3, 0);
  sweep<T>("ceil",  [](auto x) { return ceil(x); },  [](long double x) { return std::ceil(x); },  1e3, 0);
  sweep<T>("trunc", [](auto x) { return trunc(x); }, [](long double x) { return std::trunc(x); }, 1e3, 0);
  sweep<T>("round", [](auto x) { return round(x); }, [](long double x) { return std::nearbyint(x); }, 1e3, 0);
  sweep_pairs<T>("hypot", [](auto a, auto b) { return hypot(a, b); },
                 [](long double a, long double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::hypot(a, b); });
  sweep_pairs<T>("fmod", [](auto a, auto b) { return fmod(a, b); }, [](long double a, long double b) { return std::fmod(a, b); }, 0);
}

template <class T>
void sweep_special() {
  sweep_positive<T>("lgamma", [](auto x) { return lgamma(x); }, [](long double x) { return std::lgamma(x); }, 4);
  // Next to its zero the truth above has too few digits for double.
  sweep_positive<T>("digamma", [](auto x) { return where(abs(x - 1.4616) < 0.01, 0, digamma(x)); },
                    [](long double x) { return std::abs(static_cast<T>(x) - T(1.4616)) < T(0.01) ? 0 : digamma_truth(x); }, 4);
  sweep_positive<T>("trigamma", [](auto x) { return trigamma(x); }, trigamma_truth, 6);
  sweep<T>("silu", [](auto x) { return silu(x); }, [](long double x) { return x == -HUGE_VALL ? -0.0L : x / (1 + std::exp(-x)); }, 700, 4);
  sweep<T>("mish", [](auto x) { return mish(x); }, [](long double x) {
    if (x < -12000) return -0.0L;
    const long double e = std::exp(x);
    return x > 100 ? x : x * (e * (e + 2)) / (e * (e + 2) + 2);
  }, 700, 4);
}

// clang-format on

}  // namespace

TEST_CASE("special functions: trigonometric ones over the whole range") {
  sweep_trigonometric<float>();
  sweep_trigonometric<double>();
}

TEST_CASE("special functions: hyperbolic ones over the whole range") {
  sweep_hyperbolic<float>();
  sweep_hyperbolic<double>();
}

TEST_CASE("special functions: powers, logarithms and steps over the whole range") {
  sweep_powers<float>();
  sweep_powers<double>();
}

TEST_CASE("special functions: gamma, silu and mish over the whole range") {
  sweep_special<float>();
  sweep_special<double>();
}

TEST_CASE("special functions: the angle that is nearest to a multiple of pi/2", "[simd]") {
  // Of all numbers of 64 bits (Ng, Argument reduction for huge arguments, 1992); long double's functions fail there.
  const Tensor x = scalar(6381956970095103 * 0x1p797, float64);
  on_each_simd_level([&] {
    CHECK(kernel::map<double>([](auto v) { return cos(v); }, x.shape(), x).item() ==
          -4.68716592425462761112e-19);
    CHECK(kernel::map<double>([](auto v) { return sin(v); }, x.shape(), x).item() == 1);
  });
}

TEST_CASE("special functions: exact where the result is", "[simd]") {
  std::vector<double> whole, powers;
  for (int n = -1074; n < 1024; ++n) whole.push_back(n), powers.push_back(std::ldexp(1.0, n));
  const Tensor x(Shape{2098}, whole), y(Shape{2098}, powers);
  on_each_simd_level([&] {
    CHECK(kernel::map<double>([](auto v) { return exp2(v); }, x.shape(), x).to_vector<double>() == powers);
    CHECK(kernel::map<double>([](auto v) { return log2(v); }, y.shape(), y).to_vector<double>() == whole);
  });
}

TEST_CASE("special functions: digamma next to its zero, and left of 0", "[simd]") {
  // By mpmath.
  const std::vector<double> x{
      1.4616321449683622, 1.4616321449683625, 1.46163, 1.4617, -0.5, -1.5731, -0.504, -7.25},
      y{-9.24126552172942752e-17, 1.2245374622004069e-16, -2.07562838872245724e-6, 6.56593922936764955e-5,
        0.0364899739785765206,    0.00396018999073811604, 7.42071604705396851e-4,  5.18997721495628789};
  const Tensor points(Shape{8}, x);
  on_each_simd_level([&] {
    const auto got =
        kernel::map<double>([](auto v) { return digamma(v); }, points.shape(), points).to_vector<double>();
    for (std::size_t i = 0; i < y.size(); ++i)
      CHECK(got[i] == Approx(y[i]).epsilon(1e-14).margin(x[i] < 0 ? 4e-15 : 0));
  });
}
