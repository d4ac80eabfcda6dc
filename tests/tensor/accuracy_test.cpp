// How exact sums are where plain loops fail, and that they are the same every time.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>
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
