// Matrix products against a double loop, and the special values a BLAS may get wrong.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <threads_scope.hpp>
#include <vector>
#include <xgrad/tensor/gemm.hpp>
#include <xgrad/tensor/threads.hpp>

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

// Shapes on both sides of every limit of the dispatch, and their neighbours.
constexpr std::int64_t boundaries[][3] = {
    // m, n, k
    {20, 209, 300},  {20, 300, 209},  {1, 300, 900},   {2, 700, 800},  {3, 333, 1111}, {48, 64, 400},
    {49, 64, 400},   {48, 63, 400},   {40, 257, 100},  {41, 257, 100}, {40, 400, 64},  {40, 400, 63},
    {7, 256, 64},    {8, 256, 64},    {8, 255, 64},    {8, 256, 63},   {24, 321, 257}, {512, 8, 256},
    {512, 7, 257},   {511, 8, 256},   {512, 40, 64},   {512, 41, 64},  {530, 17, 257}, {530, 9, 255},
    {128, 24, 400},  {128, 25, 400},  {127, 24, 400},  {300, 23, 64},  {300, 23, 63},  {700, 2, 800},
    {130, 10, 1025}, {256, 100, 100}, {100, 256, 100}, {97, 101, 103}, {900, 1, 300},  {5, 900, 1},
};

Tensor random_normal(const Shape& shape, DType dtype, std::mt19937& random) {
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& v : values) v = normal(random);
  return Tensor(shape, values).astype(dtype);
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
  const std::int64_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33};
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

TEMPLATE_TEST_CASE(
    "matmul: shapes around every limit of the dispatch, on each instruction set and 1 to 3 threads", "",
    float, double) {
  using T = TestType;
  std::mt19937 random(3);
  for (const auto& [m, n, k] : boundaries) {
    for (int flags = 0; flags < 4; ++flags) {
      const bool ta = flags & 1, tb = flags & 2;
      // Whole numbers up to 9: every order of summation is exact.
      const Tensor a = before_guard_page(random_whole(ta ? Shape{k, m} : Shape{m, k}, dtype_of<T>, random));
      const Tensor b = before_guard_page(random_whole(tb ? Shape{n, k} : Shape{k, n}, dtype_of<T>, random));
      const Tensor row = random_whole({n}, dtype_of<T>, random), right = plainly<T>(a, b, ta, tb);
      on_each_simd_level([&, m = m, n = n, k = k] {
        for (int threads : {1, 2, 3}) {
          const Threads scope(threads);
          INFO(m << " x " << k << " x " << n << ", flags " << ta << tb << ", " << threads << " threads");
          poison_pool(m * n, dtype_of<T>);
          CHECK(equal(kernel::matmul(a, b, ta, tb), right));
          const Tensor c = kernel::matmul_add(a, b, row, ta, tb);
          bool added = true;
          for (std::int64_t i = 0; i < m * n; ++i)
            added = added && c.data<T>()[i] == right.data<T>()[i] + row.data<T>()[i % n];
          CHECK(added);
        }
      });
    }
  }
}

TEMPLATE_TEST_CASE("matmul: the same bits again and elsewhere in memory, close ones on more threads", "",
                   float, double) {
  using T = TestType;
  std::mt19937 random(4);
  for (const auto& [m, n, k] : boundaries) {
    for (int flags = 0; flags < 4; ++flags) {
      const bool ta = flags & 1, tb = flags & 2;
      INFO(m << " x " << k << " x " << n << ", flags " << ta << tb);
      const Tensor a = random_normal(ta ? Shape{k, m} : Shape{m, k}, dtype_of<T>, random),
                   b = random_normal(tb ? Shape{n, k} : Shape{k, n}, dtype_of<T>, random);
      const Tensor exact = plainly<double>(a.astype(float64), b.astype(float64), ta, tb);
      const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
      for (int threads : {1, 2}) {
        const Threads scope(threads);
        const Tensor c = kernel::matmul(a, b, ta, tb);
        CHECK(allclose(c.astype(float64), exact, tolerance, tolerance * std::sqrt(static_cast<double>(k))));
        CHECK(same_bits(c, kernel::matmul(a, b, ta, tb)));
        CHECK(same_bits(c, kernel::matmul(before_guard_page(a), before_guard_page(b), ta, tb)));
      }
    }
  }
}

TEMPLATE_TEST_CASE("matmul: one NaN or infinity reaches its row and column alone, whatever the kernel", "",
                   float, double) {
  using T = TestType;
  for (const auto& [m, n, k] : boundaries) {
    if (k == 1) continue;  // the two would meet
    for (int flags = 0; flags < 4; ++flags) {
      const bool ta = flags & 1, tb = flags & 2;
      for (double bad : {NaN, Inf}) {
        INFO(m << " x " << k << " x " << n << ", flags " << ta << tb << ", value " << bad);
        Tensor a = zeros(ta ? Shape{k, m} : Shape{m, k}, dtype_of<T>);
        Tensor b = zeros(tb ? Shape{n, k} : Shape{k, n}, dtype_of<T>);
        const std::int64_t row = m - 1, column = n - 1, inner = k / 2;
        detail::mutable_data<T>(a)[ta ? inner * m + row : row * k + inner] = static_cast<T>(bad);
        detail::mutable_data<T>(b)[tb ? column * k : column] = static_cast<T>(bad);
        const Tensor c = kernel::matmul(a, b, ta, tb);
        bool right = true;
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < n; ++j)
            right = right && std::isnan(c.data<T>()[i * n + j]) == (i == row || j == column);
        }
        CHECK(right);
      }
    }
  }
}

TEMPLATE_TEST_CASE("matmul_add: a row, a column, a number or a matrix is added", "", float, double,
                   std::int64_t) {
  using T = TestType;
  std::mt19937 random(5);
  for (std::int64_t m : {1, 2, 9, 40}) {
    for (std::int64_t n : {1, 3, 16, 300}) {
      for (std::int64_t k : {0, 1, 5, 100}) {
        const Tensor a = random_whole({m, k}, dtype_of<T>, random),
                     b = random_whole({k, n}, dtype_of<T>, random);
        const Tensor product = plainly<T>(a, b, false, false);
        for (const Shape& shape :
             {Shape{n}, Shape{1, n}, Shape{m, 1}, Shape{m, n}, Shape{}, Shape{1}, Shape{1, 1}}) {
          INFO(m << " x " << k << " x " << n << " + " << shape.size());
          const Tensor c = before_guard_page(random_whole(shape, dtype_of<T>, random));
          poison_pool(m * n, dtype_of<T>);
          const Tensor result = kernel::matmul_add(a, b, c);
          const bool rows = shape.rank() == 2 && shape[0] > 1,
                     columns = shape.rank() > 0 && shape[shape.rank() - 1] > 1;
          bool right = result.shape() == Shape{m, n};
          for (std::int64_t i = 0; i < m; ++i) {
            for (std::int64_t j = 0; j < n; ++j) {
              const T bias = c.data<T>()[(rows ? i * (columns ? n : 1) : 0) + (columns ? j : 0)];
              right = right && result.data<T>()[i * n + j] == product.data<T>()[i * n + j] + bias;
            }
          }
          CHECK(right);
        }
      }
    }
  }
}

TEST_CASE("gemm_into: the bias may be the result, which the product is then added to") {
  std::mt19937 random(6);
  for (const auto& [m, n, k] : boundaries) {
    const Tensor a = random_whole({m, k}, float32, random), b = random_whole({k, n}, float32, random);
    const Tensor once = kernel::matmul(a, b);
    Tensor sum = zeros({m, n}, float32);
    auto* c = detail::mutable_data<float>(sum);
    kernel::Gemm gemm{float32, m, n, k};
    gemm.bias_row = n, gemm.bias_column = 1;
    for (int i = 0; i < 3; ++i) kernel::gemm_into(gemm, a.raw(), b.raw(), c, c);
    bool right = true;
    for (std::int64_t i = 0; i < m * n; ++i) right = right && c[i] == 3 * once.data<float>()[i];
    CHECK(right);
  }
}
