// Reductions against plain loops: shapes, sets of axes, NaN and infinities.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <utility>
#include <vector>
#include <xgrad/tensor/reduce.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

constexpr double Inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

// The set's axes to size 1.
Shape kept(const Shape& shape, kernel::AxisSet axes) {
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (axes >> axis & 1) sizes[axis] = 1;
  }
  return Shape(std::span<const std::int64_t>(sizes));
}

// Combines each element into its place of the result, one at a time.
template <class F>
std::vector<long double> plainly(const Tensor& x, const Shape& shape, long double first, F combine) {
  std::vector<long double> result(static_cast<std::size_t>(shape.size()), first);
  const auto values = x.to_vector<double>();
  std::size_t i = 0;
  for_each_index(x.shape(), [&](const std::vector<std::int64_t>& index) {
    auto& r = result[static_cast<std::size_t>(place_of(index, shape))];
    r = combine(r, static_cast<long double>(values[i++]));
  });
  return result;
}

bool matches(const Tensor& t, const std::vector<long double>& expected, double tolerance) {
  const auto values = t.to_vector<double>();
  if (values.size() != expected.size()) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto e = static_cast<double>(expected[i]);
    if (values[i] != e && std::abs(values[i] - e) > tolerance) return false;
  }
  return true;
}

Shape random_shape(std::mt19937& random, bool zeros) {
  constexpr std::int64_t likely[] = {1, 2, 3, 5, 8, 13, 16, 17, 31, 70};
  std::vector<std::int64_t> sizes(random() % 5);
  std::int64_t elements = 1;
  for (auto& size : sizes) {
    size = zeros && random() % 8 == 0 ? 0 : likely[random() % std::size(likely)];
    if (elements * size > 200000) size = 2;
    elements *= size;
  }
  return Shape(std::span<const std::int64_t>(sizes));
}

}  // namespace

TEST_CASE("sum: random shapes, every set of axes", "[simd]") {
  std::mt19937 random(1);
  on_each_simd_level([&] {
    for (int k = 0; k < 60; ++k) {
      const Shape shape = random_shape(random, true);
      for (kernel::AxisSet axes = 0; axes < 1u << shape.rank(); ++axes) {
        INFO(to_string(shape) << ", axes " << axes);
        for (DType dtype : {float32, float64, int64}) {
          const Tensor x = random_whole(shape, dtype, random);  // whole numbers: every order is exact
          const Tensor s = kernel::sum(x, axes);
          CHECK(s.dtype() == dtype);
          CHECK(s.shape() == kept(shape, axes));
          CHECK(matches(s, plainly(x, s.shape(), 0, std::plus<>()), 0));
        }
      }
    }
  });
}

TEST_CASE("max: random shapes, every set of axes", "[simd]") {
  std::mt19937 random(2);
  on_each_simd_level([&] {
    for (int k = 0; k < 60; ++k) {
      const Shape shape = random_shape(random, false);
      for (kernel::AxisSet axes = 0; axes < 1u << shape.rank(); ++axes) {
        INFO(to_string(shape) << ", axes " << axes);
        for (DType dtype : {float32, float64, int64}) {
          const Tensor x = random_whole(shape, dtype, random), m = kernel::max(x, axes);
          CHECK(m.shape() == kept(shape, axes));
          CHECK(matches(m, plainly(x, m.shape(), -Inf, [](auto a, auto b) { return std::max(a, b); }), 0));
        }
      }
    }
  });
}

TEST_CASE("sum: every length, along rows and columns", "[simd]") {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  on_each_simd_level([&] {
    for (std::int64_t n = 0; n <= 300; n += n < 70 ? 1 : 23) {
      for (std::int64_t other : {1, 2, 3, 15, 16, 17, 33}) {
        INFO(n << " elements, " << other << " sums");
        std::vector<double> values(static_cast<std::size_t>(n * other));
        for (double& v : values) v = normal(random);
        const Tensor rows({other, n}, values), columns({n, other}, values);
        CHECK(matches(kernel::sum(rows, 2), plainly(rows, {other, 1}, 0, std::plus<>()), 1e-12));
        CHECK(matches(kernel::sum(columns, 1), plainly(columns, {1, other}, 0, std::plus<>()), 1e-12));
      }
    }
  });
}

TEST_CASE("sum: wide matrices cross the tiles of the column kernel", "[simd]") {
  std::mt19937 random(4);
  on_each_simd_level([&] {
    for (std::int64_t columns : {1023, 1024, 1025, 2047, 2049, 3000}) {
      for (std::int64_t rows : {1, 7, 8, 9, 127, 128, 129, 257}) {
        INFO(rows << " x " << columns);
        const Tensor x = before_guard_page(random_whole({rows, columns}, float32, random));
        CHECK(matches(kernel::sum(x, 1), plainly(x, {1, columns}, 0, std::plus<>()), 0));
      }
    }
  });
}

TEST_CASE("sum: infinities, NaN, and integers that wrap", "[simd]") {
  on_each_simd_level([&] {
    CHECK(kernel::sum(tensor({1, Inf, 2}), 1).item() == Inf);
    CHECK(kernel::sum(tensor({1, -Inf, 2}), 1).item() == -Inf);
    CHECK(std::isnan(kernel::sum(tensor({Inf, -Inf}), 1).item()));
    for (std::int64_t n : {1, 5, 16, 17, 64, 70, 1100, 5000}) {
      Tensor x = ones({n});
      detail::mutable_data<float>(x)[n - 1] = std::numeric_limits<float>::quiet_NaN();
      CHECK(std::isnan(kernel::sum(x, 1).item()));
      CHECK(std::isnan(kernel::sum(x.reshape({n, 1}), 1).item()));
    }
    const std::int64_t big = (std::int64_t{1} << 60) + 1;
    CHECK(kernel::sum(Tensor({3}, std::vector<std::int64_t>(3, big)), 1).item<std::int64_t>() == 3 * big);
  });
}

TEST_CASE("sum: over no elements 0, over no axes the tensor itself") {
  CHECK(equal(kernel::sum(zeros({0, 3}), 1), zeros({1, 3})));
  CHECK(equal(kernel::sum(zeros({3, 0}), 2), zeros({3, 1})));
  CHECK(equal(kernel::sum(zeros({0, 3}, int64), 3), zeros({1, 1}, int64)));
  CHECK(kernel::sum(zeros({0, 3}), 2).shape() == Shape{0, 1});
  CHECK(kernel::sum(zeros({2, 0, 3}), 0).shape() == Shape{2, 0, 3});
  CHECK(kernel::sum(scalar(4), 0).item() == 4);
}

TEMPLATE_TEST_CASE("max: a NaN anywhere makes the result NaN", "[simd]", float, double) {
  using T = TestType;
  on_each_simd_level([&] {
    for (std::int64_t n = 1; n <= 70; ++n) {
      for (std::int64_t place = 0; place < n; ++place) {
        std::vector<T> values(static_cast<std::size_t>(n), T(1));
        values[static_cast<std::size_t>(place)] = std::numeric_limits<T>::quiet_NaN();
        values[static_cast<std::size_t>((place + 1) % n)] += T(1);  // keeps a NaN that stands alone
        const Tensor x({n}, values);
        const bool nan =
            std::isnan(kernel::max(x, 1).item()) && std::isnan(kernel::max(x.reshape({n, 1}), 1).item());
        if (!nan) FAIL("a NaN at " << place << " of " << n << " is lost");
        if (kernel::argmax(x, 0).item() != place) FAIL("argmax: a NaN at " << place << " of " << n);
      }
    }
  });
}

TEST_CASE("max: a NaN stays in its own column", "[simd]") {
  on_each_simd_level([&] {
    for (std::int64_t columns : {1, 3, 16, 17, 40}) {
      for (std::int64_t row : {0, 1, 7, 8, 130}) {
        Tensor x = zeros({140, columns});
        detail::mutable_data<float>(x)[row * columns + columns - 1] = std::numeric_limits<float>::quiet_NaN();
        const auto m = kernel::max(x, 1).to_vector<float>();
        for (std::size_t c = 0; c + 1 < m.size(); ++c) CHECK(m[c] == 0);
        CHECK(std::isnan(m.back()));
      }
    }
  });
}

TEST_CASE("max: the lowest values there are", "[simd]") {
  on_each_simd_level([&] {
    for (std::int64_t n = 1; n <= 70; ++n) {
      CHECK(kernel::max(full({n}, -Inf), 1).item() == -Inf);
      CHECK(kernel::max(full({n, 3}, -Inf, float64), 1).at({0, 2}) == -Inf);
      const std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
      const Tensor x({n}, std::vector<std::int64_t>(static_cast<std::size_t>(n), lowest));
      CHECK(kernel::max(x, 1).item<std::int64_t>() == lowest);
    }
  });
}

TEST_CASE("argmax: the first of equals, the first NaN, the axis dropped") {
  CHECK(kernel::argmax(tensor({1, 3, 2, 3}), 0).item() == 1);
  CHECK(kernel::argmax(tensor({-Inf, -Inf}), 0).item() == 0);
  CHECK(kernel::argmax(tensor({1, NaN, 5, NaN}), 0).item() == 1);
  CHECK(kernel::argmax(tensor({NaN, 7}), 0).item() == 0);
  CHECK(kernel::argmax(tensor({0, 1, 1}, bool_), 0).item() == 1);
  CHECK(kernel::argmax(tensor({3, 9, 9}, int64), 0).dtype() == int64);
  const Tensor x = tensor({{1, 5, 2}, {4, 5, 6}});
  CHECK(equal(kernel::argmax(x, 0), tensor({1, 0, 1}, int64)));
  CHECK(equal(kernel::argmax(x, 1), tensor({1, 2}, int64)));
  CHECK(equal(kernel::argmax(x.reshape({1, 2, 3}), 0), zeros({2, 3}, int64)));
  CHECK(kernel::argmax(zeros({0, 3}), 1).shape() == Shape{0});
}

TEST_CASE("sum_to is the adjoint of broadcasting") {
  const std::pair<Shape, Shape> rows[] = {
      {{2, 3}, {2, 3}},
      {{2, 3}, {3}},
      {{2, 3}, {1}},
      {{2, 3}, {}},
      {{2, 3}, {2, 1}},
      {{2, 3}, {1, 3}},
      {{2, 3}, {1, 1}},
      {{4, 2, 3}, {2, 1}},
      {{4, 2, 3}, {4, 1, 3}},
      {{4, 2, 3}, {1, 2, 1}},
      {{1, 3}, {3}},
      {{1, 1}, {}},
      {{0, 3}, {3}},
      {{0, 3}, {1, 3}},
      {{0, 3}, {0, 1}},
      {{3, 0}, {3, 1}},
      {{}, {}},
      {{2, 3, 4, 5}, {3, 1, 1}},
  };
  std::mt19937 random(6);
  for (const auto& [from, to] : rows) {
    INFO(to_string(from) << " to " << to_string(to));
    for (DType dtype : {float32, int64}) {
      const Tensor x = random_whole(from, dtype, random), s = kernel::sum_to(x, to);
      CHECK(s.shape() == to);
      CHECK(matches(s, plainly(x, to, 0, std::plus<>()), 0));
    }
  }
}

namespace {

std::int64_t plain_argmax(const std::vector<double>& v, std::int64_t first, std::int64_t n,
                          std::int64_t step) {
  std::int64_t best = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = v[static_cast<std::size_t>(first + i * step)],
                 record = v[static_cast<std::size_t>(first + best * step)];
    if (std::isnan(x)) return i;
    if (x > record) best = i;
  }
  return best;
}

}  // namespace

TEST_CASE("argmax: every length, rows and columns, many ties, some NaN", "[simd]") {
  std::mt19937 random(7);
  on_each_simd_level([&] {
    for (std::int64_t n = 1; n <= 2100; n += n < 70 ? 1 : n < 1020 ? 97 : n < 1030 ? 1 : 350) {
      for (std::int64_t other : {1, 3, 17, 70}) {
        if (n > 70 && other > 17) continue;
        for (DType dtype : {float32, float64, int64}) {
          Tensor rows = before_guard_page(random_whole({other, n}, dtype, random));
          if (dtype == float32 && random() % 3 == 0) {
            auto* p = detail::mutable_data<float>(rows);
            for (int k = 0; k < 3; ++k)
              p[random() % static_cast<unsigned>(n * other)] = static_cast<float>(NaN);
          }
          if (dtype == float64 && random() % 3 == 0) {
            auto* p = detail::mutable_data<double>(rows);
            for (std::int64_t i = 0; i < n * other; ++i) p[i] = -Inf;
          }
          const auto values = rows.to_vector<double>();
          const auto along = kernel::argmax(rows, 1).to_vector<std::int64_t>(),
                     down = kernel::argmax(rows, 0).to_vector<std::int64_t>();
          std::int64_t wrong = 0;
          for (std::int64_t r = 0; r < other; ++r) {
            wrong += along[static_cast<std::size_t>(r)] != plain_argmax(values, r * n, n, 1);
          }
          for (std::int64_t c = 0; c < n; ++c) {
            wrong += down[static_cast<std::size_t>(c)] != plain_argmax(values, c, other, n);
          }
          if (wrong != 0) FAIL(other << " x " << n << ' ' << name(dtype) << ": " << wrong << " wrong");
        }
      }
    }
  });
}

TEST_CASE("sum and max: a middle axis, narrow and wide, few and many arrays", "[simd]") {
  std::mt19937 random(8);
  on_each_simd_level([&] {
    for (std::int64_t inner : {2, 3, 5, 8, 10, 15, 16, 17, 40, 1030}) {
      for (std::int64_t n : {1, 2, 7, 8, 9, 16, 17, 31, 127, 128, 129, 300, 1100}) {
        if (inner == 1030 && n > 300) continue;
        const Shape shape{3, n, inner};
        INFO(to_string(shape));
        for (DType dtype : {float32, int64}) {
          const Tensor x = before_guard_page(random_whole(shape, dtype, random));
          CHECK(matches(kernel::sum(x, 2), plainly(x, {3, 1, inner}, 0, std::plus<>()), 0));
          CHECK(matches(kernel::max(x, 2),
                        plainly(x, {3, 1, inner}, -Inf, [](auto a, auto b) { return std::max(a, b); }), 0));
        }
      }
    }
  });
}

TEST_CASE("sum: the same bits on every instruction set, and for a row wherever it stands") {
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  for (std::int64_t n : {1, 2, 3, 5, 7, 10, 16, 17, 33, 63, 64, 65, 100, 1000, 1024, 1025, 1040, 5000}) {
    for (std::int64_t other : {1, 3, 16, 37}) {
      std::vector<float> values(static_cast<std::size_t>(n * other));
      for (float& v : values) v = normal(random);
      const Tensor rows({other, n}, values), columns({n, other}, values);
      const SimdLevel best = simd_level();
      const Tensor along = kernel::sum(rows, 2), down = kernel::sum(columns, 1);
      INFO(n << " elements, " << other << " sums");
      on_each_simd_level([&] {
        CHECK(same_bits(kernel::sum(rows, 2), along));
        CHECK(same_bits(kernel::sum(columns, 1), down));
      });
      CHECK(simd_level() == best);
      const std::vector<float> last(values.end() - n, values.end());
      CHECK(kernel::sum(Tensor({n}, last), 1).item<float>() == along.at({other - 1, 0}));
    }
  }
}
