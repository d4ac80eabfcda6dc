// How exact sums are where plain loops fail, and that they are the same every time; how exact erf and its
// relatives are over their whole range.
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/reduce.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xgrad::test;

TEST_CASE("sum: float32 stays accurate where a running sum stops", "[simd]") {
  // A running sum of ones stays at 2^24 = 16777216; one of 0.1f is 9 % off after 10^7.
  constexpr std::int64_t many = std::int64_t{1} << 26;
  const Tensor one = ones({many});
  CHECK(kernel::sum(one, 1).item() == many);
  CHECK(kernel::sum(one.reshape({1 << 20, 64}), 1).at({0, 63}) == 1 << 20);
  CHECK(kernel::sum(one.reshape({many / 2, 2}), 1).at({0, 1}) == many / 2);
  constexpr std::int64_t n = 10000000;
  const Tensor tenth = full({n}, 0.1f);
  const auto close = [](const Tensor& sums, double exact) {
    for (double s : sums.to_vector<double>()) {
      if (std::abs(s - exact) > 1e-6 * exact) return false;
    }
    return true;
  };
  const double exact = static_cast<double>(n) * 0.1f;
  on_each_simd_level([&] {
    CHECK(close(kernel::sum(tenth, 1), exact));
    CHECK(close(kernel::sum(tenth.reshape({1, n}), 2), exact));
    CHECK(close(kernel::sum(tenth.reshape({n, 1}), 1), exact));
    CHECK(close(kernel::sum(tenth.reshape({n / 2, 2}), 1), exact / 2));
    CHECK(close(kernel::sum(tenth.reshape({2, n / 2}), 2), exact / 2));
    CHECK(close(kernel::sum(tenth.reshape({n / 20, 20}), 1), exact / 20));
    CHECK(close(kernel::sum(tenth.reshape({n / 1000, 1000}), 3), exact));
  });
}

TEST_CASE("sum: the same bits every time") {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> values(100000);
  for (float& v : values) v = normal(random);
  for (const Shape& shape : {Shape{100000}, Shape{100, 1000}, Shape{10, 100, 100}}) {
    for (kernel::AxisSet axes = 1; axes < 1u << shape.rank(); ++axes) {
      const Tensor first = kernel::sum(Tensor(shape, values), axes);
      CHECK(same_bits(first, kernel::sum(before_guard_page(Tensor(shape, values)), axes)));
    }
  }
}

namespace {

// Zeros, denormal and large numbers of both signs, infinities and NaN by their bits; then where erf bends.
template <class T>
std::vector<T> whole_range() {
  using L = std::numeric_limits<T>;
  std::vector<T> points{0,       L::denorm_min(), L::min(),      L::epsilon(),
                        T(0.75), L::max(),        L::infinity(), L::quiet_NaN()};
  std::mt19937_64 random(11);
  for (std::uint64_t high = 0; high < 2048; ++high) {
    for (int i = 0; i < 10; ++i) {
      const std::uint64_t bits = high << 53 | random() >> 11;
      if constexpr (sizeof(T) == 8) {
        points.push_back(std::bit_cast<double>(bits));
      } else {
        points.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits >> 32)));
      }
    }
  }
  for (double limit : {1.5, 6.0, sizeof(T) == 4 ? 15.0 : 39.0}) {
    for (int i = 0; i < 40000; ++i) {
      points.push_back(static_cast<T>(limit * static_cast<double>(random() >> 11) * 0x1p-53));
    }
  }
  for (std::size_t i = 0, n = points.size(); i < n; ++i) points.push_back(-points[i]);
  return points;
}

// In units of the last place of the truth; those of a denormal number are all the same.
template <class T>
double distance(T y, long double truth) {
  using L = std::numeric_limits<T>;
  if (std::isnan(truth) || std::isnan(y)) return std::isnan(truth) && std::isnan(y) ? 0 : 1e9;
  if (std::isinf(truth) || std::isinf(y)) return y == truth ? 0 : 1e9;
  const int exponent = std::max(truth == 0 ? L::min_exponent : std::ilogb(truth), L::min_exponent - 1);
  return static_cast<double>(std::abs(y - truth) / std::ldexp(1.0L, exponent - (L::digits - 1)));
}

template <class T, class F, class Truth>
void sweep(const char* what, F f, Truth truth, double limit) {
  const std::vector<T> points = whole_range<T>();
  std::vector<long double> exact(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) exact[i] = truth(static_cast<long double>(points[i]));
  const Tensor x(Shape{static_cast<std::int64_t>(points.size())}, points);
  on_each_simd_level([&] {
    const std::vector<T> y = kernel::map<T>(f, x.shape(), x).template to_vector<T>();
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (const double d = distance(y[i], exact[i]); d > worst) worst = d, at = i;
    }
    INFO(what << "(" << points[at] << ") = " << y[at] << ", not " << static_cast<double>(exact[at]));
    CHECK(worst <= limit);
  });
}

constexpr long double root_half = 0.70710678118654752440084436210485L,
                      root_tau = 2.50662827463100050241576528481105L;

template <class T>
void sweep_all() {
  sweep<T>(
      "erf", [](auto x) { return erf(x); }, [](long double x) { return std::erf(x); }, 2);
  sweep<T>(
      "erfc", [](auto x) { return erfc(x); }, [](long double x) { return std::erfc(x); }, 4);
  sweep<T>(
      "gelu", [](auto x) { return gelu(x); },
      [](long double x) { return std::isinf(x) && x < 0 ? 0 : x / 2 * std::erfc(-x * root_half); }, 5);
  // Away from its zero at -0.7518: there, as everywhere, it is accurate to an ulp of 1/4.
  sweep<T>(
      "gelu_slope", [](auto x) { return where(abs(x + 0.75) < 0.25, 0, gelu_slope(x)); },
      [](long double x) -> long double {
        if (std::abs(static_cast<T>(x) + T(0.75)) < T(0.25)) return 0;
        if (std::isinf(x)) return x > 0;
        return std::erfc(-x * root_half) / 2 + x * std::exp(-x * x / 2) / root_tau;
      },
      8);
}

}  // namespace

TEST_CASE("erf, erfc, gelu and its slope are accurate over the whole range") {
  sweep_all<float>();
  sweep_all<double>();
}

TEST_CASE("erf and erfc: signs and ends", "[simd]") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor x = tensor({0.0, -0.0, inf, -inf, 1e-310, -30, 30}, float64);
  on_each_simd_level([&] {
    const auto of = [&](auto f) {
      const Tensor result = kernel::map<double>(f, x.shape(), x);
      return result.to_vector<double>();
    };
    const std::vector<double> y = of([](auto v) { return erf(v); }), z = of([](auto v) { return erfc(v); });
    CHECK(y == std::vector<double>{0, 0, 1, -1, std::erf(1e-310), -1, 1});
    CHECK_FALSE(std::signbit(y[0]));
    CHECK(std::signbit(y[1]));
    CHECK(z == std::vector<double>{1, 1, 0, 2, 1, 2, 0});
  });
}
