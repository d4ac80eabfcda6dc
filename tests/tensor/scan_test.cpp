// Running sums, products and their like against plain loops.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <xgrad/tensor/scan.hpp>

#include "factors.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

constexpr double Inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

using Numbers = std::vector<double>;
using Real = long double;

bool same(const Numbers& a, const Numbers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

const std::vector<Shape> shapes{{1},       {2},       {7},        {16},       {17},         {40},
                                {500},     {3, 5},    {40, 3},    {9, 17},    {130, 2},     {3, 200},
                                {40, 150}, {2, 3, 4}, {2, 17, 1}, {2, 1, 19}, {3, 33, 140}, {0},
                                {0, 3},    {3, 0},    {2, 0, 3},  {2, 1100},  {1024}};

// The lines of x along the axis, each as the places of its elements in row-major order.
std::vector<std::vector<std::size_t>> lines_of(const Shape& shape, int axis) {
  std::int64_t inner = 1, outer = 1;
  for (int a = 0; a < shape.rank(); ++a) {
    if (a != axis) (a < axis ? outer : inner) *= shape[a];
  }
  std::vector<std::vector<std::size_t>> lines;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t c = 0; c < inner; ++c) {
      lines.emplace_back();
      for (std::int64_t i = 0; i < shape[axis]; ++i) {
        lines.back().push_back(static_cast<std::size_t>((o * shape[axis] + i) * inner + c));
      }
    }
  }
  return lines;
}

// f of each line, element by element.
template <class F>
Numbers along(const Tensor& x, int axis, const F& f) {
  const auto values = x.to_vector<double>();
  Numbers result(values.size());
  for (const auto& places : lines_of(x.shape(), axis)) {
    std::vector<Real> line;
    for (std::size_t place : places) line.push_back(values[place]);
    const std::vector<Real> out = f(line);
    for (std::size_t i = 0; i < places.size(); ++i) result[places[i]] = static_cast<double>(out[i]);
  }
  return result;
}

template <class Step>
std::vector<Real> folded(const std::vector<Real>& line, kernel::ScanOrder order, Real first,
                         const Step& step) {
  std::vector<Real> out(line.size());
  Real state = first;
  for (std::size_t k = 0; k < line.size(); ++k) {
    const std::size_t i = order.reverse ? line.size() - 1 - k : k;
    if (order.exclusive) out[i] = state;
    state = step(state, line[i]);
    if (!order.exclusive) out[i] = state;
  }
  return out;
}

constexpr kernel::ScanOrder orders[] = {
    {}, {.reverse = true}, {.exclusive = true}, {.reverse = true, .exclusive = true}};

}  // namespace

TEST_CASE("scan: sums and products along every axis", "[simd]") {
  std::mt19937 random(3);
  on_each_simd_level([&] {
    for (const Shape& shape : shapes) {
      for (int axis = 0; axis < shape.rank(); ++axis) {
        for (DType dtype : {float32, float64, int64}) {
          for (kernel::ScanOrder order : orders) {
            INFO(to_string(shape) << ", axis " << axis << ", " << name(dtype) << ", reverse " << order.reverse
                                  << ", exclusive " << order.exclusive);
            const Tensor x = random_whole(shape, dtype, random), p = factors(shape, dtype, random);
            const Tensor s = kernel::cumsum(before_guard_page(x), axis, order);
            REQUIRE(s.shape() == shape);
            CHECK(s.dtype() == dtype);
            CHECK(s.to_vector<double>() ==
                  along(x, axis, [&](const auto& line) { return folded(line, order, 0, std::plus<>()); }));
            CHECK(kernel::cumprod(before_guard_page(p), axis, order).to_vector<double>() ==
                  along(p, axis,
                        [&](const auto& line) { return folded(line, order, 1, std::multiplies<>()); }));
          }
        }
      }
    }
  });
}

TEST_CASE("scan: recurrences and the products of the others", "[simd]") {
  std::mt19937 random(4);
  on_each_simd_level([&] {
    for (const Shape& shape : shapes) {
      for (int axis = 0; axis < shape.rank(); ++axis) {
        for (DType dtype : {float32, float64}) {
          INFO(to_string(shape) << ", axis " << axis << ", " << name(dtype));
          const Tensor x = factors(shape, dtype, random);
          CHECK(kernel::product_of_others(before_guard_page(x), axis).to_vector<double>() ==
                along(x, axis, [&](const auto& line) {
                  auto before = folded(line, {.exclusive = true}, 1, std::multiplies<>());
                  const auto behind =
                      folded(line, {.reverse = true, .exclusive = true}, 1, std::multiplies<>());
                  for (std::size_t i = 0; i < line.size(); ++i) before[i] *= behind[i];
                  return before;
                }));
          // Factors -1, 0 and 1, so that every number is whole.
          const Tensor a = random_whole(shape, dtype, random), b = random_whole(shape, dtype, random);
          Numbers signs = a.to_vector<double>();
          for (double& v : signs) v = v > 3 ? 1 : v < -3 ? -1 : 0;
          const Tensor factor = Tensor(shape, signs).astype(dtype);
          const auto second = b.to_vector<double>();
          for (bool reverse : {false, true}) {
            for (bool previous : {false, true}) {
              Numbers expected(second.size());
              for (const auto& places : lines_of(shape, axis)) {
                double state = 0, before = 0;
                for (std::size_t k = 0; k < places.size(); ++k) {
                  const std::size_t at = places[reverse ? places.size() - 1 - k : k];
                  state = (previous ? before : signs[at]) * state + second[at];
                  before = signs[at];
                  expected[at] = state;
                }
              }
              INFO("reverse " << reverse << ", previous " << previous);
              CHECK(
                  kernel::recurrence(before_guard_page(factor), before_guard_page(b), axis, reverse, previous)
                      .to_vector<double>() == expected);
            }
          }
        }
      }
    }
  });
}

TEST_CASE("scan: logarithms of sums", "[simd]") {
  std::mt19937 random(5);
  on_each_simd_level([&] {
    for (const Shape& shape : {Shape{40}, Shape{5, 7}, Shape{20, 33}, Shape{2, 40, 3}}) {
      for (int axis = 0; axis < shape.rank(); ++axis) {
        for (bool reverse : {false, true}) {
          for (DType dtype : {float32, float64}) {
            INFO(to_string(shape) << ", axis " << axis << ", reverse " << reverse);
            const Tensor x = random_whole(shape, dtype, random);
            const auto expected = along(x, axis, [&](std::vector<Real> line) {
              for (Real& v : line) v = std::exp(v);
              auto sums = folded(line, {.reverse = reverse}, 0, std::plus<>());
              for (Real& v : sums) v = std::log(v);
              return sums;
            });
            const double tolerance = dtype == float32 ? 4e-6 : 1e-14;
            CHECK(allclose(kernel::logcumsumexp(x, axis, reverse).astype(float64), Tensor(shape, expected),
                           tolerance, tolerance));
          }
        }
      }
    }
    const auto of = [](const Numbers& v) {
      const Tensor x(Shape{static_cast<std::int64_t>(v.size())}, v);
      return kernel::logcumsumexp(x, 0, false).to_vector<double>();
    };
    CHECK(same(of({-Inf, -Inf, 5, -Inf}), {-Inf, -Inf, 5, 5}));
    CHECK(same(of({1, Inf, 3, Inf, -Inf}), {1, Inf, Inf, Inf, Inf}));
    CHECK(same(of({1, NaN, Inf}), {1, NaN, NaN}));
    CHECK(of({1000, 1000})[1] == Approx(1000 + std::log(2.0)));
    CHECK(of({-1000, 1000})[1] == 1000);
  });
}

TEST_CASE("scan: infinities and NaN", "[simd]") {
  on_each_simd_level([&] {
    for (std::int64_t copies : {1, 20}) {  // a row, and columns
      const auto run = [&](const Numbers& v, auto f) {
        Numbers wide;
        for (double x : v) wide.insert(wide.end(), static_cast<std::size_t>(copies), x);
        const Tensor x(Shape{static_cast<std::int64_t>(v.size()), copies}, wide);
        const Numbers y = f(x).template to_vector<double>();
        Numbers first;
        for (std::size_t i = 0; i < y.size(); i += static_cast<std::size_t>(copies)) first.push_back(y[i]);
        return first;
      };
      const auto sums = [](const Tensor& x) { return kernel::cumsum(x, 0, {}); };
      const auto products = [](const Tensor& x) { return kernel::cumprod(x, 0, {}); };
      const auto others = [](const Tensor& x) { return kernel::product_of_others(x, 0); };
      CHECK(same(run({1, Inf, 2, -3}, sums), {1, Inf, Inf, Inf}));
      CHECK(same(run({-Inf, 2, Inf, 2}, sums), {-Inf, -Inf, NaN, NaN}));
      CHECK(same(run({1, NaN, 2}, sums), {1, NaN, NaN}));
      CHECK(same(run({1e308, 1e308, 1}, sums), {1e308, Inf, Inf}));
      CHECK(same(run({2, 0, NaN}, products), {2, 0, NaN}));
      CHECK(same(run({2, 0, 3}, others), {0, 6, 0}));
      CHECK(same(run({0, 0, 3}, others), {0, 0, 0}));
      CHECK(same(run({2, NaN, 3}, others), {NaN, 6, NaN}));
    }
  });
}

TEST_CASE("scan: the same bits on every instruction set", "[simd]") {
  std::mt19937 random(6);
  std::normal_distribution<double> normal;
  for (const Shape& shape : {Shape{1000}, Shape{9, 5}, Shape{50, 40}, Shape{40, 200}}) {
    Numbers a, b;
    for (std::int64_t i = 0; i < shape.size(); ++i) a.push_back(normal(random)), b.push_back(normal(random));
    for (DType dtype : {float32, float64}) {
      const Tensor x = Tensor(shape, a).astype(dtype), y = Tensor(shape, b).astype(dtype);
      for (int axis = 0; axis < shape.rank(); ++axis) {
        std::vector<Tensor> first;
        on_each_simd_level([&] {
          const std::vector<Tensor> now{kernel::cumsum(x, axis, {}), kernel::cumprod(x, axis, {}),
                                        kernel::recurrence(x, y, axis, true, true),
                                        kernel::product_of_others(x, axis)};
          if (first.empty()) first = now;
          for (std::size_t i = 0; i < now.size(); ++i) CHECK(same_bits(now[i], first[i]));
        });
      }
    }
  }
}

TEST_CASE("scan: the error of a running sum does not grow with its length", "[simd]") {
  const std::int64_t n = 4'000'000;
  const Tensor y = kernel::cumsum(full({n}, 0.1), 0, {});
  const auto values = y.to_vector<float>();
  for (std::int64_t i : {std::int64_t{9}, std::int64_t{999}, n / 2, n - 1}) {
    const double truth = static_cast<double>(0.1f) * static_cast<double>(i + 1);
    INFO("after " << i + 1);
    CHECK(std::abs(values[static_cast<std::size_t>(i)] - truth) <= 0x1p-24 * 1.01 * truth);
  }
  // In the other direction, and down columns.
  CHECK(kernel::cumsum(full({n}, 0.1), 0, {.reverse = true}).at({0}) == y.at({n - 1}));
  CHECK(kernel::cumsum(full({n / 10, 10}, 0.1), 0, {}).at({n / 10 - 1, 3}) == y.at({n / 10 - 1}));
}

TEST_CASE("scan: places of running extrema") {
  const auto of = [](const Numbers& v, bool largest) {
    return kernel::running_argmax(Tensor(Shape{static_cast<std::int64_t>(v.size())}, v), 0, largest)
        .to_vector<double>();
  };
  CHECK(of({1, 3, 3, 2, 4}, true) == Numbers{0, 1, 1, 1, 4});
  CHECK(of({1, 3, 1, 0, 0}, false) == Numbers{0, 0, 0, 3, 3});
  CHECK(of({1, NaN, 5, NaN}, true) == Numbers{0, 1, 1, 1});
  CHECK(of({-Inf, -Inf}, true) == Numbers{0, 0});
  std::mt19937 random(8);
  for (const Shape& shape : shapes) {
    for (int axis = 0; axis < shape.rank(); ++axis) {
      for (DType dtype : {float32, int64, bool_}) {
        const Tensor x = random_whole(shape, dtype, random);
        INFO(to_string(shape) << ", axis " << axis);
        CHECK(kernel::running_argmax(x, axis, true).to_vector<double>() ==
              along(x, axis, [](const auto& line) {
                std::vector<Real> places(line.size());
                std::size_t best = 0;
                for (std::size_t i = 0; i < line.size(); ++i) {
                  if (line[i] > line[best]) best = i;
                  places[i] = static_cast<Real>(best);
                }
                return places;
              }));
      }
    }
  }
}
