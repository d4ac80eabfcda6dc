// The skinny kernel itself, on every instruction set: all sizes of tiles and their rests, strides, adding.
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>
#include <xgrad/tensor/skinny.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

template <class T>
void check(std::int64_t m, std::int64_t n, std::int64_t k, std::mt19937& random) {
  for (int flags = 0; flags < 16; ++flags) {
    const bool a_columns = flags & 1, packs_a = flags & 2, c_columns = flags & 4, adds = flags & 8;
    const bool b_columns = !packs_a && m % 2 == 0;
    const Tensor a = before_guard_page(random_whole({m, k}, dtype_of<T>, random));
    const Tensor b = before_guard_page(random_whole({k, n}, dtype_of<T>, random));
    const T before = adds ? T(3) : std::numeric_limits<T>::quiet_NaN();
    std::vector<T> c(static_cast<std::size_t>(m * n + 2), before);
    c.front() = c.back() = T(7);
    kernel::SkinnyProduct<T> s{};
    s.m = m, s.n = n, s.k = k;
    s.a = a.data<T>(), s.a_row = a_columns ? 1 : k, s.a_column = a_columns ? m : 1;
    s.b = b.data<T>(), s.b_row = b_columns ? 1 : n, s.b_column = b_columns ? k : 1;
    s.c = c.data() + 1, s.c_row = c_columns ? 1 : n, s.c_column = c_columns ? m : 1;
    s.adds = adds, s.packs_a = packs_a;
    kernel::skinny(s);
    bool right = c.front() == T(7) && c.back() == T(7);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        T total = adds ? T(3) : T(0);
        for (std::int64_t p = 0; p < k; ++p)
          total += s.a[i * s.a_row + p * s.a_column] * s.b[p * s.b_row + j * s.b_column];
        right = right && s.c[i * s.c_row + j * s.c_column] == total;
      }
    }
    if (!right) FAIL(m << " x " << k << " x " << n << ", flags " << flags << ", " << name(simd_level()));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("skinny: all sizes, strides and both ways to start", "", float, double) {
  std::mt19937 random(1);
  on_each_simd_level([&] {
    for (std::int64_t n = kernel::skinny_lanes<TestType>; n < 100; ++n)
      check<TestType>(1 + n % 27, n, 1 + n % 5, random);
    for (std::int64_t m : {1, 2, 5, 12, 13, 25, 48}) {
      for (std::int64_t n : {16, 33, 107}) {
        for (std::int64_t k : {3, 4, 7, 130}) check<TestType>(m, n, k, random);
      }
    }
    check<TestType>(3, 700, 300, random);
    check<TestType>(20, 209, 520, random);
  });
}

TEMPLATE_TEST_CASE("skinny: a small factor of every number of columns", "", float, double) {
  std::mt19937 random(2);
  on_each_simd_level([&] {
    for (std::int64_t n = 1; n <= 50; ++n) {
      kernel::SkinnyProduct<TestType> s{};
      const std::int64_t m = 37, k = 9;
      const Tensor a = before_guard_page(random_whole({m, k}, dtype_of<TestType>, random));
      const Tensor b = before_guard_page(random_whole({k, n}, dtype_of<TestType>, random));
      Tensor c = full({m, n}, std::numeric_limits<double>::quiet_NaN(), dtype_of<TestType>);
      s = {m,
           n,
           k,
           a.data<TestType>(),
           k,
           1,
           b.data<TestType>(),
           n,
           1,
           detail::mutable_data<TestType>(c),
           n,
           1,
           false,
           false};
      kernel::skinny(s);
      bool right = true;
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          TestType total = 0;
          for (std::int64_t p = 0; p < k; ++p) total += s.a[i * k + p] * s.b[p * n + j];
          right = right && s.c[i * n + j] == total;
        }
      }
      INFO(n << " columns");
      CHECK(right);
    }
  });
}
