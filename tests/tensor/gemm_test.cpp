// Matrix products against a double loop, and the special values a BLAS may get wrong.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>
#include <xgrad/tensor/gemm.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

constexpr double Inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

template <class T>
Tensor plainly(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  const std::int64_t m = a.shape()[ta], n = b.shape()[!tb], k = a.shape()[!ta];
  Tensor result = zeros({m, n}, dtype_of<T>);
  auto* c = detail::mutable_data<T>(result);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t p = 0; p < k; ++p) {
        c[i * n + j] += a.data<T>()[ta ? p * m + i : i * k + p] * b.data<T>()[tb ? j * k + p : p * n + j];
      }
    }
  }
  return result;
}

// Leaves blocks full of NaN in the pool, of the class that the result will take.
void poison_pool(std::int64_t elements, DType dtype) {
  std::vector<Tensor> dropped;
  for (int i = 0; i < 3; ++i) dropped.push_back(full({elements}, dtype == int64 ? 1e15 : NaN, dtype));
}

}  // namespace

TEMPLATE_TEST_CASE("matmul: all flags and sizes, on memory that held NaN", "", float, double, std::int64_t) {
  using T = TestType;
  std::mt19937 random(1);
  const std::int64_t sizes[] = {0, 1, 2, 3, 7, 16, 33};
  for (std::int64_t m : sizes) {
    for (std::int64_t n : sizes) {
      for (std::int64_t k : sizes) {
        for (int flags = 0; flags < 4; ++flags) {
          const bool ta = flags & 1, tb = flags & 2;
          // Whole numbers up to 9: every order of summation is exact.
          const Tensor a =
              before_guard_page(random_whole(ta ? Shape{k, m} : Shape{m, k}, dtype_of<T>, random));
          const Tensor b =
              before_guard_page(random_whole(tb ? Shape{n, k} : Shape{k, n}, dtype_of<T>, random));
          poison_pool(m * n, dtype_of<T>);
          const Tensor c = kernel::matmul(a, b, ta, tb);
          if (!equal(c, plainly<T>(a, b, ta, tb))) {
            FAIL("(" << m << ", " << k << ") x (" << k << ", " << n << "), flags " << ta << tb);
          }
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("matmul: an inner size of 0 gives zeros", "", float, double, std::int64_t) {
  for (std::int64_t m : {1, 3, 16}) {
    for (std::int64_t n : {1, 4, 17}) {
      poison_pool(m * n, dtype_of<TestType>);
      CHECK(same_bits(kernel::matmul(zeros({m, 0}, dtype_of<TestType>), zeros({0, n}, dtype_of<TestType>)),
                      zeros({m, n}, dtype_of<TestType>)));
      CHECK(same_bits(
          kernel::matmul(zeros({0, m}, dtype_of<TestType>), zeros({n, 0}, dtype_of<TestType>), true, true),
          zeros({m, n}, dtype_of<TestType>)));
    }
  }
}

TEMPLATE_TEST_CASE("matmul: NaN and infinities reach their rows, also through a factor of 0", "", float,
                   double) {
  using T = TestType;
  constexpr std::int64_t k = 9;
  for (std::int64_t m : {1, 2, 8, 33}) {
    for (std::int64_t n : {1, 2, 8, 33}) {
      for (int flags = 0; flags < 4; ++flags) {
        const bool ta = flags & 1, tb = flags & 2;
        for (double bad : {NaN, Inf, -Inf}) {
          INFO(m << " x " << k << " x " << n << ", flags " << ta << tb << ", value " << bad);
          Tensor a = ones(ta ? Shape{k, m} : Shape{m, k}, dtype_of<T>);
          const Tensor b = ones(tb ? Shape{n, k} : Shape{k, n}, dtype_of<T>),
                       nothing = zeros(b.shape(), dtype_of<T>);
          const std::int64_t row = m / 2, inner = k / 2;
          detail::mutable_data<T>(a)[ta ? inner * m + row : row * k + inner] = static_cast<T>(bad);
          const Tensor c = kernel::matmul(a, b, ta, tb), z = kernel::matmul(a, nothing, ta, tb);
          bool right = true;
          for (std::int64_t i = 0; i < m; ++i) {
            for (std::int64_t j = 0; j < n; ++j) {
              const double product = c.at({i, j}), by_zero = z.at({i, j});
              const bool expected = i != row          ? product == k
                                    : std::isnan(bad) ? std::isnan(product)
                                                      : product == bad;
              right = right && expected && (i == row ? std::isnan(by_zero) : by_zero == 0);
            }
          }
          CHECK(right);
          // The same from the other side: (a b)' = b' a'.
          const Tensor mirrored = kernel::matmul(nothing, a, !tb, !ta);
          right = true;
          for (std::int64_t j = 0; j < n; ++j) right = right && std::isnan(mirrored.at({j, row}));
          CHECK(right);
        }
      }
    }
  }
}

TEST_CASE("matmul: integers wrap and do not pass through double") {
  const std::int64_t big = (std::int64_t{1} << 53) + 1;
  const Tensor a({1, 1}, std::vector<std::int64_t>{big});
  CHECK(kernel::matmul(a, ones({1, 1}, int64)).item<std::int64_t>() == big);
  CHECK(kernel::matmul(a, a).item<std::int64_t>() ==
        static_cast<std::int64_t>(static_cast<std::uint64_t>(big) * static_cast<std::uint64_t>(big)));
}

TEST_CASE("matmul: large products agree with a loop in double") {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  const std::int64_t m = 70, n = 65, k = 3000;
  std::vector<float> x(static_cast<std::size_t>(m * k)), y(static_cast<std::size_t>(k * n));
  for (float& v : x) v = normal(random);
  for (float& v : y) v = normal(random);
  const Tensor a({m, k}, x), b({k, n}, y), c = kernel::matmul(a, b);
  const Tensor exact = plainly<double>(a.astype(float64), b.astype(float64), false, false);
  CHECK(allclose(c, exact, 1e-5, 1e-3));
  CHECK(allclose(kernel::matmul(a.astype(float64), b.astype(float64)), exact, 1e-12, 1e-10));
}
