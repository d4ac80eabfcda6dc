// Permutations, windows and joins against index arithmetic; adjoints against inner products.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <random>
#include <span>
#include <utility>
#include <vector>
#include <xgrad/tensor/strided.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xgrad::test;
using kernel::Picked;

namespace {

constexpr DType all_dtypes[] = {float32, float64, int64, bool_};  // elements of 4, 8, 8 and 1 bytes

// Each element of `out` has the bytes of the element of `source` at place_in_source(index).
template <class F>
void check_moved(const Tensor& out, F place_in_source, const Tensor& source) {
  const std::size_t size = size_of(out.dtype());
  const auto *o = static_cast<const char*>(out.raw()), *s = static_cast<const char*>(source.raw());
  std::int64_t place = 0, wrong = 0;
  for_each_index(out.shape(), [&](const std::vector<std::int64_t>& index) {
    const auto from = static_cast<std::size_t>(place_in_source(index));
    wrong += std::memcmp(o + static_cast<std::size_t>(place++) * size, s + from * size, size) != 0;
  });
  CHECK(wrong == 0);
}

// 0, 1, 2, ... in the dtype; bool: a pattern.
Tensor counting(const Shape& shape, DType dtype) {
  Tensor result(shape, dtype);
  detail::visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    auto* p = detail::mutable_data<T>(result);
    for (std::int64_t i = 0; i < result.size(); ++i) {
      p[i] = static_cast<T>(std::is_same_v<T, bool> ? i % 3 == 0 || i % 7 == 0 : i);
    }
  });
  return result;
}

void check_permute(const Tensor& x, std::span<const int> order) {
  const Tensor y = kernel::permute(x, order);
  REQUIRE(y.rank() == x.rank());
  for (int axis = 0; axis < x.rank(); ++axis) {
    CHECK(y.shape()[axis] == x.shape()[order[static_cast<std::size_t>(axis)]]);
  }
  std::vector<std::int64_t> source(order.size());
  check_moved(
      y,
      [&](const std::vector<std::int64_t>& index) {
        for (std::size_t a = 0; a < index.size(); ++a) source[static_cast<std::size_t>(order[a])] = index[a];
        return place_of(source, x.shape());
      },
      x);
}

double dot(const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

}  // namespace

TEST_CASE("permute: all orders of four axes") {
  for (const Shape& shape : {Shape{2, 3, 4, 5}, Shape{1, 3, 1, 40}, Shape{3, 33, 2, 35}, Shape{2, 0, 3, 4}}) {
    for (DType dtype : all_dtypes) {
      const Tensor x = before_guard_page(counting(shape, dtype));
      std::array<int, 4> order = {0, 1, 2, 3};
      do {
        INFO(to_string(shape) << ' ' << name(dtype) << ", order " << order[0] << order[1] << order[2]
                              << order[3]);
        check_permute(x, order);
      } while (std::next_permutation(order.begin(), order.end()));
    }
  }
}

TEST_CASE("permute: transposes of large matrices") {
  constexpr int swap[] = {1, 0};
  for (DType dtype : all_dtypes) {
    for (const Shape& shape :
         {Shape{1000, 777}, Shape{1, 5000}, Shape{5000, 1}, Shape{31, 65}, Shape{33, 1000}}) {
      INFO(to_string(shape) << ' ' << name(dtype));
      const Tensor x = counting(shape, dtype);
      check_permute(x, swap);
      CHECK(same_bits(kernel::permute(kernel::permute(x, swap), swap), x));
    }
  }
}

TEST_CASE("permute: every size of a transpose, alone and in batches", "[simd]") {
  constexpr int swap[] = {0, 2, 1};
  on_each_simd_level([&] {
    for (std::int64_t rows = 1; rows <= 70; rows += rows < 18 ? 1 : 13) {
      for (std::int64_t columns = 1; columns <= 150; columns += columns < 18 ? 1 : 33) {
        for (DType dtype : {float32, float64, bool_}) {
          INFO(rows << " x " << columns << ' ' << name(dtype));
          for (std::int64_t batch : {1, 3}) {
            check_permute(before_guard_page(counting({batch, rows, columns}, dtype)), swap);
          }
        }
      }
    }
  });
}

TEST_CASE("scatter: a transpose leaves what lies between alone", "[simd]") {
  // An (n, m) array into every m-th place of rows that are two longer than n.
  on_each_simd_level([&] {
    for (std::int64_t n : {1, 3, 5, 16, 17, 40}) {
      for (std::int64_t m : {1, 2, 3, 4, 8, 16, 33}) {
        INFO(n << " x " << m);
        const Tensor x = counting({n, m}, float32);
        Tensor target = before_guard_page(full({m, n + 2}, -1));
        const std::int64_t strides[] = {1, n + 2};
        kernel::scatter(detail::mutable_data<float>(target), x.raw(), 4, x.shape(), strides);
        std::int64_t wrong = 0;
        for (std::int64_t q = 0; q < m; ++q) {
          for (std::int64_t p = 0; p < n + 2; ++p) {
            const float expected = p < n ? x.data<float>()[p * m + q] : -1;
            wrong += target.data<float>()[q * (n + 2) + p] != expected;
          }
        }
        CHECK(wrong == 0);
      }
    }
  });
}

TEST_CASE("broadcast_to, slice and concat: rows of every length") {
  std::mt19937 random(4);
  for (DType dtype : all_dtypes) {
    for (std::int64_t n = 1; n <= 40; ++n) {
      INFO(n << " elements of " << name(dtype));
      const Tensor column = before_guard_page(counting({37, 1}, dtype)),
                   row = before_guard_page(counting({1, n}, dtype));
      const auto check = [](const Tensor& y, const Tensor& x) {
        check_moved(
            y, [&](const auto& index) { return place_of(index, x.shape()); }, x);
      };
      check(kernel::broadcast_to(column, {37, n}), column);
      check(kernel::broadcast_to(row, {2000, n}), row);
      check(kernel::broadcast_to(row, {3, n}), row);
      const Tensor x = before_guard_page(counting({9, n + 3}, dtype));
      const std::vector<Picked> picked{{8, -1, 9}, {2, 1, n}};
      check_moved(
          kernel::slice(x, picked),
          [&](const auto& index) { return (8 - index[0]) * (n + 3) + 2 + index[1]; }, x);
      const Tensor parts[] = {random_whole({5, n}, dtype, random), random_whole({5, 2}, dtype, random)};
      const Tensor both = kernel::concat(parts, 1);
      CHECK(same_bits(kernel::slice(both, std::vector<Picked>{{0, 1, 5}, {0, 1, n}}), parts[0]));
      CHECK(same_bits(kernel::slice(both, std::vector<Picked>{{0, 1, 5}, {n, 1, 2}}), parts[1]));
    }
  }
}

TEMPLATE_TEST_CASE("gather: an element repeated, up to the end of the memory and no further", "[simd]",
                   std::uint8_t, std::uint32_t, std::uint64_t) {
  using T = TestType;
  constexpr DType dtype = sizeof(T) == 1 ? bool_ : sizeof(T) == 4 ? float32 : float64;
  on_each_simd_level([&] {
    for (std::int64_t step : {1, 3}) {
      for (std::int64_t n = 1; n <= 2100; n += n < 150 ? 1 : 389) {
        INFO("3 times " << n << " elements, " << step << " apart");
        const T from[] = {T(0x7f), T(1), T(2), T(0x81), T(4), T(5), T(6)};
        const Tensor out = before_guard_page(zeros({3, n}, dtype));
        auto* to = static_cast<T*>(const_cast<void*>(out.raw()));
        const std::int64_t strides[] = {step, 0};
        kernel::gather(to, from, sizeof(T), {3, n}, strides);
        std::int64_t wrong = 0;
        for (std::int64_t i = 0; i < 3 * n; ++i) wrong += to[i] != from[i / n * step];
        CHECK(wrong == 0);
      }
    }
  });
}

TEST_CASE("permute: no axes, one axis, eight axes") {
  CHECK(kernel::permute(scalar(3), {}).item() == 3);
  constexpr int one[] = {0}, eight[] = {7, 5, 3, 1, 0, 2, 4, 6};
  CHECK(equal(kernel::permute(arange(0, 5), one), arange(0, 5)));
  check_permute(counting({2, 1, 3, 2, 2, 1, 2, 3}, int64), eight);
}

TEST_CASE("broadcast_to") {
  const std::pair<Shape, Shape> rows[] = {
      {{}, {}},
      {{}, {3}},
      {{1}, {5}},
      {{3}, {2, 3}},
      {{2, 1}, {2, 40}},
      {{1, 3}, {4, 3}},
      {{2, 1, 3}, {2, 5, 3}},
      {{1, 4, 1}, {3, 4, 5}},
      {{3, 1, 1}, {2, 3, 40, 33}},
      {{1, 3}, {0, 3}},
      {{0, 1}, {0, 3}},
      {{2, 3}, {2, 3}},
  };
  for (const auto& [from, to] : rows) {
    INFO(to_string(from) << " to " << to_string(to));
    for (DType dtype : all_dtypes) {
      const Tensor x = before_guard_page(counting(from, dtype)), y = kernel::broadcast_to(x, to);
      CHECK(y.shape() == to);
      CHECK(y.dtype() == dtype);
      check_moved(
          y, [&](const auto& index) { return place_of(index, x.shape()); }, x);
    }
  }
}

TEST_CASE("slice and unslice: steps of both signs, and adjoint to each other") {
  std::mt19937 random(1);
  for (int k = 0; k < 300; ++k) {
    std::vector<std::int64_t> sizes(1 + random() % 4);
    for (auto& size : sizes) size = 1 + random() % 12;
    const Shape shape{std::span<const std::int64_t>(sizes)};
    std::vector<Picked> picked;
    for (std::int64_t size : sizes) {
      Picked p{static_cast<std::int64_t>(random() % static_cast<unsigned>(size)),
               static_cast<std::int64_t>(random() % 7) - 3, 0};
      if (p.step == 0) p.step = 1;
      const std::int64_t most = p.step > 0 ? (size - 1 - p.first) / p.step + 1 : p.first / -p.step + 1;
      p.count =
          random() % 15 == 0 ? 0 : 1 + static_cast<std::int64_t>(random() % static_cast<unsigned>(most));
      picked.push_back(p);
    }
    INFO(to_string(shape) << ", case " << k);
    const DType dtype = all_dtypes[k % 4];
    const Tensor x = before_guard_page(random_whole(shape, dtype, random));
    const Tensor s = kernel::slice(x, picked);
    std::vector<std::int64_t> source(sizes.size());
    check_moved(
        s,
        [&](const std::vector<std::int64_t>& index) {
          for (std::size_t a = 0; a < index.size(); ++a)
            source[a] = picked[a].first + index[a] * picked[a].step;
          return place_of(source, shape);
        },
        x);
    const Tensor y = random_whole(s.shape(), dtype, random), u = kernel::unslice(y, shape, picked);
    CHECK(u.shape() == shape);
    CHECK(u.dtype() == dtype);
    CHECK(dot(s, y) == dot(x, u));
    CHECK(same_bits(kernel::slice(u, picked), y));
    CHECK(dot(u, u) == dot(y, y));  // zero elsewhere
  }
}

TEST_CASE("slice: none of an axis, all of it backwards, a scalar") {
  const Tensor x = arange(0, 6).reshape({2, 3});
  CHECK(kernel::slice(x, std::vector<Picked>{{0, 1, 2}, {3, 1, 0}}).shape() == Shape{2, 0});
  CHECK(equal(kernel::slice(x, std::vector<Picked>{{1, -1, 2}, {2, -1, 3}}), tensor({{5, 4, 3}, {2, 1, 0}})));
  CHECK(equal(kernel::slice(x, std::vector<Picked>{{0, 1, 2}, {0, 1, 3}}), x));
  CHECK(kernel::slice(scalar(7), {}).item() == 7);
  CHECK(kernel::unslice(scalar(7), {}, {}).item() == 7);
  CHECK(equal(kernel::unslice(zeros({2, 0}), {2, 3}, std::vector<Picked>{{0, 1, 2}, {3, 1, 0}}),
              zeros({2, 3})));
}

TEST_CASE("concat: along each axis, with parts of size 0") {
  for (DType dtype : all_dtypes) {
    for (int axis = 0; axis < 3; ++axis) {
      for (const Shape& base :
           {Shape{2, 3, 4}, Shape{1, 1, 1}, Shape{2, 0, 3}, Shape{0, 2, 2}, Shape{3, 2, 0}}) {
        INFO(to_string(base) << ' ' << name(dtype) << ", axis " << axis);
        std::vector<Tensor> parts;
        std::mt19937 random(2);
        std::int64_t total = 0;
        for (std::int64_t size : {2, 0, 1, 5, 0}) {
          std::vector<std::int64_t> sizes(base.begin(), base.end());
          sizes[static_cast<std::size_t>(axis)] = size;
          total += size;
          parts.push_back(random_whole(Shape{std::span<const std::int64_t>(sizes)}, dtype, random));
        }
        const Tensor joined = kernel::concat(parts, axis);
        CHECK(joined.dtype() == dtype);
        CHECK(joined.shape()[axis] == total);
        std::int64_t first = 0;
        for (const Tensor& part : parts) {  // every part is found where it should be
          std::vector<Picked> window;
          for (std::int64_t size : part.shape()) window.push_back({0, 1, size});
          window[static_cast<std::size_t>(axis)].first = first;
          CHECK(same_bits(kernel::slice(joined, window), part));
          first += part.shape()[axis];
        }
      }
    }
  }
  const Tensor one = arange(0, 3);
  CHECK(equal(kernel::concat(std::span(&one, 1), 0), one));
}

TEMPLATE_TEST_CASE("gather and scatter: elements of 1, 4 and 8 bytes", "", std::uint8_t, std::uint32_t,
                   std::uint64_t) {
  using T = TestType;
  // 3 x 4 places within 40 elements: steps of -11 and 2, from element 30 on.
  std::vector<T> source(40), out(12, T(0)), target(40, T(255));
  std::iota(source.begin(), source.end(), T(1));
  const std::int64_t strides[] = {-11, 2};
  kernel::gather(out.data(), source.data() + 30, sizeof(T), {3, 4}, strides);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 4; ++j) CHECK(out[i * 4 + j] == source[30 - 11 * i + 2 * j]);
  }
  kernel::scatter(target.data() + 30, out.data(), sizeof(T), {3, 4}, strides);
  for (std::size_t p = 0; p < 40; ++p) {
    const bool hit = std::find(out.begin(), out.end(), source[p]) != out.end();
    CHECK(target[p] == (hit ? source[p] : T(255)));
  }
  const std::int64_t still[] = {0, 0};
  kernel::gather(out.data(), source.data() + 5, sizeof(T), {3, 4}, still);
  CHECK(out == std::vector<T>(12, source[5]));
  kernel::gather(nullptr, nullptr, sizeof(T), {0, 4}, strides);  // nothing to do
}
