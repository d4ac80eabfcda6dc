// Products and counts along sets of axes, against plain loops.
#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <random>
#include <xgrad/tensor/count.hpp>
#include <xgrad/tensor/reduce.hpp>

#include "factors.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

using Numbers = std::vector<double>;
constexpr double Inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

template <class F>
Numbers reduced(const Tensor& x, kernel::AxisSet axes, const Shape& kept, double first, const F& f) {
  Numbers result(static_cast<std::size_t>(kept.size()), first);
  const auto values = x.to_vector<double>();
  std::size_t i = 0;
  for_each_index(x.shape(), [&](std::vector<std::int64_t> index) {
    for (std::size_t a = 0; a < index.size(); ++a) {
      if ((axes >> a & 1) != 0) index[a] = 0;
    }
    double& r = result[static_cast<std::size_t>(place_of(index, kept))];
    r = f(r, values[i++]);
  });
  return result;
}

Shape kept(const Shape& shape, kernel::AxisSet axes) {
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  for (std::size_t a = 0; a < sizes.size(); ++a) {
    if ((axes >> a & 1) != 0) sizes[a] = 1;
  }
  return Shape(std::span<const std::int64_t>(sizes));
}

}  // namespace

TEST_CASE("count: products and counts over every set of axes", "[simd]") {
  std::mt19937 random(9);
  on_each_simd_level([&] {
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{40}, Shape{3000}, Shape{3, 5}, Shape{200, 3},
                               Shape{2, 3, 4}, Shape{5, 1, 70, 2}, Shape{0, 3}, Shape{3, 0, 2}}) {
      for (kernel::AxisSet axes = 0; axes < kernel::AxisSet{1} << shape.rank(); ++axes) {
        for (DType dtype : {float32, float64, int64, bool_}) {
          INFO(to_string(shape) << ", axes " << axes << ", " << name(dtype));
          const Shape to = kept(shape, axes);
          const Tensor x = random_whole(shape, dtype, random), count = kernel::count_nonzero(x, axes);
          CHECK(count.dtype() == int64);
          REQUIRE(count.shape() == to);
          CHECK(count.to_vector<double>() ==
                reduced(x, axes, to, 0, [](double r, double v) { return r + (v != 0); }));
          if (dtype == bool_) continue;
          const Tensor p = factors(shape, dtype, random),
                       product = kernel::product(before_guard_page(p), axes);
          CHECK(product.dtype() == dtype);
          REQUIRE(product.shape() == to);
          CHECK(product.to_vector<double>() == reduced(p, axes, to, 1, std::multiplies<>()));
        }
      }
    }
  });
  CHECK(kernel::count_nonzero(tensor({NaN, 0, -0.0, Inf}, float64), 1).to_vector<double>() == Numbers{2});
  CHECK(kernel::count_nonzero(ones({300'000}, bool_), 1).to_vector<double>() == Numbers{300'000});
}
