// Factors and solutions against what defines them, in both types; what is singular, not finite or empty.
#include <cmath>
#include <limits>
#include <xgrad/tensor/batched.hpp>
#include <xgrad/tensor/decompositions.hpp>
#include <xgrad/tensor/gemm.hpp>
#include <xgrad/tensor/strided.hpp>

#include "support.hpp"

namespace {

using namespace xgrad;

Tensor random_normal(const Shape& shape, DType dtype, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& x : values) x = normal(random);
  return Tensor(shape, values).astype(dtype);
}

double tolerance(DType dtype) { return dtype == float32 ? 1e-4 : 1e-12; }

Tensor times(const Tensor& a, const Tensor& b, bool ta = false, bool tb = false) {
  return kernel::matmul_batched(a, b, ta, tb);
}

void check_close(const Tensor& a, const Tensor& b) {
  INFO(a << "\n" << b);
  REQUIRE(a.shape() == b.shape());
  CHECK(allclose(a, b, tolerance(a.dtype()), tolerance(a.dtype())));
}

void check_info(const Tensor& info, const std::vector<std::int64_t>& expected) {
  CHECK(info.to_vector<std::int64_t>() == expected);
}

bool all_nan(const Tensor& x) {
  for (double v : x.to_vector<double>()) {
    if (!std::isnan(v)) return false;
  }
  return true;
}

// The identity, for each of `count` matrices.
Tensor identities(std::int64_t count, std::int64_t n, DType dtype) {
  return kernel::broadcast_to(eye(n, dtype), {count, n, n});
}

}  // namespace

TEMPLATE_TEST_CASE("lapack: solutions by LU", "[tensor]", float, double) {
  const DType dtype = dtype_of<TestType>;
  for (std::int64_t n : {1, 2, 3, 7, 40}) {
    for (std::int64_t k : {1, 2, 5}) {
      for (bool transposed : {false, true}) {
        const Tensor a = random_normal({3, n, n}, dtype), b = random_normal({3, n, k}, dtype, 2);
        const kernel::Lu lu = kernel::lu(a);
        check_info(lu.info, {0, 0, 0});
        check_close(times(a, kernel::lu_solve(lu, b, transposed), transposed), b);
        // One matrix for many right sides, and the other way round.
        const Tensor one = random_normal({n, n}, dtype, 3), side = random_normal({n, k}, dtype, 4);
        check_close(times(one, kernel::lu_solve(kernel::lu(one), b, transposed), transposed), b);
        check_close(times(a, kernel::lu_solve(lu, side, transposed), transposed),
                    kernel::broadcast_to(side, {3, n, k}));
      }
    }
    const Tensor a = random_normal({3, n, n}, dtype);
    const kernel::Solution inverse = kernel::inverse(a);
    check_info(inverse.info, {0, 0, 0});
    check_close(times(a, inverse.value), identities(3, n, dtype));
  }
}

TEMPLATE_TEST_CASE("lapack: determinants", "[tensor]", float, double) {
  const DType dtype = dtype_of<TestType>;
  const Tensor a(Shape{5, 2, 2},
                 std::vector<double>{1, 2, 3, 4, 0, 1, 1, 0, 2, 4, 1, 2, 0, 0, 0, 0, -3, 0, 0, -2});
  const kernel::Lu lu = kernel::lu(a.astype(dtype));
  check_info(lu.info, {0, 0, 2, 1, 0});
  check_close(kernel::lu_determinant(lu), tensor({-2, -1, 0, 0, 6}, dtype));
  const kernel::SignAndLog parts = kernel::lu_sign_and_log(lu);
  check_close(parts.sign, tensor({-1, -1, 0, 0, 1}, dtype));
  const double inf = std::numeric_limits<double>::infinity();
  check_close(parts.log, tensor({std::log(2.0), 0, -inf, -inf, std::log(6.0)}, dtype));
}

TEMPLATE_TEST_CASE("lapack: triangular solutions read one part", "[tensor]", float, double) {
  const DType dtype = dtype_of<TestType>;
  for (bool lower : {false, true}) {
    for (bool transposed : {false, true}) {
      for (bool unit : {false, true}) {
        const std::int64_t n = 5;
        const Tensor full = random_normal({2, n, n}, dtype), b = random_normal({2, n, 3}, dtype, 2);
        std::vector<double> values = full.to_vector<double>(), used = values;
        for (std::size_t i = 0; i < values.size(); ++i) {
          const std::size_t row = i / 5 % 5, column = i % 5;
          if (row == column) used[i] = values[i] = unit ? 1 : values[i] + 3;
          if (row != column && lower != (column < row)) {
            used[i] = 0;
            values[i] = std::numeric_limits<double>::quiet_NaN();
          }
          if (row == column && unit) values[i] = 0;
        }
        const kernel::Solution x = kernel::triangular_solve(Tensor(full.shape(), values).astype(dtype), b,
                                                            {lower, transposed, unit});
        check_info(x.info, {0, 0});
        check_close(times(Tensor(full.shape(), used).astype(dtype), x.value, transposed), b);
      }
    }
  }
  const kernel::Solution singular =
      kernel::triangular_solve(tensor({{1, 0}, {2, 0}}, dtype), ones({2, 1}, dtype), {});
  check_info(singular.info, {2});
}

TEMPLATE_TEST_CASE("lapack: factors give the matrix back", "[tensor]", float, double) {
  const DType dtype = dtype_of<TestType>;
  for (std::int64_t m : {1, 2, 3, 6, 30}) {
    const Tensor x = random_normal({2, m, m + 2}, dtype), square = times(x, x, false, true);
    const kernel::Solution l = kernel::cholesky(square);
    check_info(l.info, {0, 0});
    check_close(times(l.value, l.value, false, true), square);
    const kernel::Eigen e = kernel::eigh(square);
    check_close(times(square, e.vectors), [&] {
      Tensor scaled(e.vectors.shape(), dtype);
      auto* p = detail::mutable_data<TestType>(scaled);
      const auto v = e.vectors.template to_vector<double>(), w = e.values.template to_vector<double>();
      for (std::size_t i = 0; i < v.size(); ++i) {
        const std::size_t n = static_cast<std::size_t>(m);
        p[i] = static_cast<TestType>(v[i] * w[i / (n * n) * n + i % n]);
      }
      return scaled;
    }());
    check_close(times(e.vectors, e.vectors, true), identities(2, m, dtype));
    for (std::int64_t n : {1, 2, 4, 30}) {
      const std::int64_t k = std::min(m, n);
      const Tensor a = random_normal({2, m, n}, dtype, 5);
      const kernel::Singular s = kernel::svd(a);
      check_close(times(s.u, s.u, true), identities(2, k, dtype));
      check_close(times(s.vh, s.vh, false, true), identities(2, k, dtype));
      Tensor scaled(s.u.shape(), dtype);
      auto* p = detail::mutable_data<TestType>(scaled);
      const auto u = s.u.template to_vector<double>(), w = s.s.template to_vector<double>();
      for (std::int64_t i = 0; i < s.u.size(); ++i) {
        p[i] = static_cast<TestType>(u[static_cast<std::size_t>(i)] *
                                     w[static_cast<std::size_t>(i / (m * k) * k + i % k)]);
      }
      check_close(times(scaled, s.vh), a);
      for (std::int64_t i = 1; i < k; ++i)
        CHECK(w[static_cast<std::size_t>(i)] <= w[static_cast<std::size_t>(i - 1)]);
      const kernel::Orthogonal f = kernel::qr(a);
      check_close(times(f.q, f.q, true), identities(2, k, dtype));
      check_close(times(f.q, f.r), a);
      const auto r = f.r.template to_vector<double>();
      for (std::int64_t i = 0; i < k; ++i) {
        for (std::int64_t j = 0; j < std::min(i, n); ++j) CHECK(r[static_cast<std::size_t>(i * n + j)] == 0);
      }
    }
  }
}

TEMPLATE_TEST_CASE("lapack: a matrix that is not finite gives NaN and leaves its neighbours", "[tensor]",
                   float, double) {
  const DType dtype = dtype_of<TestType>;
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (std::size_t at : {0u, 5u, 15u}) {
      std::vector<double> values = random_normal({2, 4, 4}, float64).to_vector<double>();
      for (std::size_t i = 0; i < 4; ++i) values[i * 5] += 9, values[16 + i * 5] += 9;
      values[at] = bad;
      const Tensor a = Tensor(Shape{2, 4, 4}, values).astype(dtype);
      const auto check = [&](const Tensor& result) {
        const std::int64_t half = result.size() / 2;
        const Tensor pair = result.reshape({2, half});
        const std::vector<kernel::Picked> first{{0, 1, 1}, {0, 1, half}}, second{{1, 1, 1}, {0, 1, half}};
        CHECK(all_nan(kernel::slice(pair, first)));
        for (double v : kernel::slice(pair, second).template to_vector<double>()) CHECK(std::isfinite(v));
      };
      const kernel::Lu lu = kernel::lu(a);
      check_info(lu.info, {0, 0});
      check(kernel::lu_solve(lu, ones({2, 4, 2}, dtype), false));
      check(kernel::lu_determinant(lu));
      check(kernel::lu_sign_and_log(lu).sign);
      check(kernel::lu_sign_and_log(lu).log);
      check(kernel::inverse(a).value);
      const kernel::Eigen e = kernel::eigh(a);
      check(e.values);
      check(e.vectors);
      const kernel::Singular s = kernel::svd(a);
      check(s.u);
      check(s.s);
      check(s.vh);
      check(kernel::qr(a).q);
      const kernel::Solution l = kernel::cholesky(times(a, identities(2, 4, dtype)));
      check_info(l.info, {0, 0});
      CHECK(std::isnan(l.value.at({0, 3, 0})));
      CHECK(l.value.at({0, 0, 3}) == 0);
      CHECK(std::isfinite(l.value.at({1, 3, 0})));
    }
  }
}

TEST_CASE("lapack: sizes of 0", "[tensor]") {
  for (DType dtype : {float32, float64}) {
    const Tensor none({0, 0}, dtype), batch({0, 3, 3}, dtype);
    CHECK(kernel::lu_determinant(kernel::lu(none)).item() == 1);
    CHECK(kernel::lu_sign_and_log(kernel::lu(none)).sign.item() == 1);
    CHECK(kernel::lu_sign_and_log(kernel::lu(none)).log.item() == 0);
    CHECK(kernel::lu_solve(kernel::lu(none), Tensor({0, 2}, dtype), false).shape() == Shape{0, 2});
    CHECK(kernel::lu_solve(kernel::lu(eye(3, dtype)), Tensor({3, 0}, dtype), true).shape() == Shape{3, 0});
    CHECK(kernel::inverse(batch).value.shape() == Shape{0, 3, 3});
    CHECK(kernel::lu_determinant(kernel::lu(batch)).shape() == Shape{0});
    CHECK(kernel::cholesky(none).value.shape() == Shape{0, 0});
    CHECK(kernel::eigh(none).values.shape() == Shape{0});
    CHECK(kernel::eigh(batch).vectors.shape() == Shape{0, 3, 3});
    CHECK(kernel::svd(Tensor({4, 0}, dtype)).u.shape() == Shape{4, 0});
    CHECK(kernel::svd(Tensor({0, 4}, dtype)).vh.shape() == Shape{0, 4});
    CHECK(kernel::qr(Tensor({4, 0}, dtype)).q.shape() == Shape{4, 0});
    CHECK(kernel::qr(Tensor({0, 4}, dtype)).r.shape() == Shape{0, 4});
    CHECK(kernel::triangular_solve(none, Tensor({0, 2}, dtype), {}).value.shape() == Shape{0, 2});
  }
}

TEMPLATE_TEST_CASE("lapack: nothing is written behind the end", "[tensor]", float, double) {
  const DType dtype = dtype_of<TestType>;
  // The operands end at a page that faults, so that one element read too far is seen.
  for (std::int64_t n : {1, 2, 3, 8, 17}) {
    const Tensor a = test::before_guard_page(random_normal({n, n}, dtype)),
                 b = test::before_guard_page(random_normal({n, 2}, dtype)),
                 wide = test::before_guard_page(random_normal({2, n}, dtype));
    kernel::lu_solve(kernel::lu(a), b, false);
    kernel::inverse(a);
    kernel::eigh(a);
    kernel::cholesky(a);
    kernel::triangular_solve(a, b, {});
    for (const Tensor* x : {&b, &wide}) {
      kernel::svd(*x);
      kernel::qr(*x);
    }
    SUCCEED();
  }
}

TEMPLATE_TEST_CASE("lapack: products without one and two factors", "[tensor]", float, double) {
  const DType dtype = dtype_of<TestType>;
  const Tensor s = tensor({{2, 3, 5, 7}, {2, 0, 5, 7}, {0, 3, 0, 7}}, dtype);
  CHECK(equal(kernel::products_without_one(s),
              tensor({{105, 70, 42, 30}, {0, 70, 0, 0}, {0, 0, 0, 0}}, dtype)));
  const Tensor two = kernel::products_without_two(s);
  CHECK(two.at({0, 0, 0}) == 0);
  CHECK(two.at({0, 0, 1}) == 35);
  CHECK(two.at({0, 1, 0}) == 35);
  CHECK(two.at({0, 0, 3}) == 15);
  CHECK(two.at({0, 2, 3}) == 6);
  CHECK(two.at({1, 1, 2}) == 14);
  CHECK(two.at({2, 0, 2}) == 21);
  CHECK(kernel::products_without_one(ones({3, 1}, dtype)).to_vector<double>() == std::vector<double>(3, 1));
}
