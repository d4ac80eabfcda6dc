// map against plain loops: sizes, broadcasting, masks, in place, and nothing touched outside.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>
#include <xgrad/tensor/map.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

template <Number T>
T where(bool m, T a, T b) {
  return m ? a : b;
}

// The formulas: templates, so that the plain loop runs the very same ones on numbers.
constexpr auto combine2 = [](auto a, auto b) { return a * 3 - b; };
constexpr auto combine3 = [](auto a, auto b, auto c) { return a * b - c; };
constexpr auto less = [](auto a, auto b) { return a < b; };
constexpr auto choose = [](auto m, auto a, auto b) { return where(m, a, b); };

// f over the indices of the result, one at a time.
template <class Out, class... Ts, class F>
Tensor plainly(const F& f, const Shape& shape, const std::same_as<Tensor> auto&... in) {
  Tensor result(shape, dtype_of<Out>);
  auto* out = detail::mutable_data<Out>(result);
  for_each_index(shape, [&](const std::vector<std::int64_t>& index) {
    *out++ = f(in.template data<Ts>()[place_of(index, in.shape())]...);
  });
  return result;
}

// `shape` with the axes of `ones` set to 1 and the first `dropped` axes left out.
Shape shrunk(const Shape& shape, unsigned ones, int dropped) {
  std::vector<std::int64_t> sizes;
  for (int axis = dropped; axis < shape.rank(); ++axis) sizes.push_back(ones >> axis & 1 ? 1 : shape[axis]);
  return Shape(std::span<const std::int64_t>(sizes));
}

Shape random_shape(std::mt19937& random) {
  constexpr std::int64_t likely[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33};
  std::vector<std::int64_t> sizes(random() % 5);
  for (auto& size : sizes) size = random() % 40 == 0 ? 0 : likely[random() % std::size(likely)];
  return Shape(std::span<const std::int64_t>(sizes));
}

Shape random_source(const Shape& shape, std::mt19937& random) {
  const unsigned ones = random() % 3 == 0 ? 0 : random() % 16;
  const int dropped =
      random() % 2 == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(shape.rank() + 1));
  return shrunk(shape, ones, dropped);
}

const std::vector<std::int64_t> tails = [] {
  std::vector<std::int64_t> sizes;
  for (std::int64_t n = 0; n <= 40; ++n) sizes.push_back(n);
  sizes.push_back(1000);
  return sizes;
}();

}  // namespace

TEMPLATE_TEST_CASE("map: every size, from memory that ends where the tensors end", "[simd]", float, double,
                   std::int64_t) {
  using T = TestType;
  std::mt19937 random(1);
  on_each_simd_level([&] {
    for (std::int64_t n : tails) {
      INFO("size " << n);
      const Shape shape{n};
      const Tensor a = before_guard_page(random_whole(shape, dtype_of<T>, random));
      const Tensor b = before_guard_page(random_whole(shape, dtype_of<T>, random));
      const Tensor one = before_guard_page(random_whole({1}, dtype_of<T>, random));
      const Tensor m = before_guard_page(random_whole(shape, bool_, random));
      CHECK(equal(kernel::map<T, T>(combine2, shape, a, b), plainly<T, T, T>(combine2, shape, a, b)));
      CHECK(equal(kernel::map<T, T>(combine2, shape, a, one), plainly<T, T, T>(combine2, shape, a, one)));
      CHECK(equal(kernel::map<T, T>(combine2, shape, one, b), plainly<T, T, T>(combine2, shape, one, b)));
      CHECK(equal(kernel::map<T, T, T>(combine3, shape, a, one, b),
                  plainly<T, T, T, T>(combine3, shape, a, one, b)));
      CHECK(equal(kernel::map<T, T>(less, shape, a, b), plainly<bool, T, T>(less, shape, a, b)));
      CHECK(equal(kernel::map<bool, T, T>(choose, shape, m, a, one),
                  plainly<T, bool, T, T>(choose, shape, m, a, one)));
    }
  });
}

TEST_CASE("map: masks in, masks out", "[simd]") {
  const auto both = [](auto a, auto b) { return a & !b; };
  std::mt19937 random(2);
  on_each_simd_level([&] {
    for (std::int64_t n : tails) {
      INFO("size " << n);
      const Shape shape{n};
      const Tensor a = before_guard_page(random_whole(shape, bool_, random));
      const Tensor b = before_guard_page(random_whole(shape, bool_, random));
      const Tensor result = kernel::map<bool, bool>(both, shape, a, b);
      CHECK(result.dtype() == bool_);
      CHECK(
          same_bits(result, plainly<bool, bool, bool>([](bool x, bool y) { return x && !y; }, shape, a, b)));
      const Tensor no = scalar(0, bool_);
      CHECK(same_bits(kernel::map<bool, bool>(both, shape, a, no), a));
    }
  });
}

TEST_CASE("map: all broadcast patterns of two inputs over four axes", "[simd]") {
  std::mt19937 random(3);
  on_each_simd_level([&] {
    for (const Shape& shape : {Shape{2, 3, 2, 5}, Shape{3, 2, 2, 19}, Shape{3, 2, 2, 51}}) {
      for (unsigned pattern = 0; pattern < 256; ++pattern) {
        const Shape sa = shrunk(shape, pattern & 15, 0), sb = shrunk(shape, pattern >> 4, 0);
        const Tensor a = random_whole(sa, float32, random), b = random_whole(sb, float32, random);
        const Tensor result = kernel::map<float, float>(combine2, shape, a, b);
        if (!equal(result, plainly<float, float, float>(combine2, shape, a, b))) {
          FAIL(to_string(sa) << " and " << to_string(sb) << " to " << to_string(shape));
        }
      }
    }
  });
}

TEST_CASE("map: short rows are joined, the last piece is shorter", "[simd]") {
  std::mt19937 random(8);
  const std::pair<Shape, Shape> rows[] = {{{700, 3}, {3}},
                                          {{700, 3}, {700, 1}},
                                          {{2500, 2}, {2}},
                                          {{41, 79}, {41, 1}},
                                          {{41, 80}, {41, 1}},
                                          {{50, 300}, {300}},
                                          {{9, 1}, {1, 17}},
                                          {{40, 1, 7, 1}, {3, 1, 11}},
                                          {{5, 40, 3, 5}, {40, 1, 1}},
                                          {{3, 70000}, {3, 1}},
                                          {{6, 1, 5, 1, 4, 1}, {5, 1, 3, 1, 2}}};
  on_each_simd_level([&] {
    for (const auto& [sa, sb] : rows) {
      const Shape shape = *broadcast(sa, sb);
      INFO(to_string(sa) << " and " << to_string(sb));
      const auto check = [&]<class T>(T) {
        const Tensor a = before_guard_page(random_whole(sa, dtype_of<T>, random)),
                     b = before_guard_page(random_whole(sb, dtype_of<T>, random)),
                     m = before_guard_page(random_whole(sb, bool_, random));
        CHECK(equal(kernel::map<T, T>(combine2, shape, a, b), plainly<T, T, T>(combine2, shape, a, b)));
        CHECK(equal(kernel::map<bool, T, T>(choose, shape, m, a, b),
                    plainly<T, bool, T, T>(choose, shape, m, a, b)));
      };
      check(float{});
      check(double{});
    }
  });
}

TEST_CASE("map: random shapes, two and three inputs", "[simd]") {
  std::mt19937 random(4);
  on_each_simd_level([&] {
    for (int k = 0; k < 300; ++k) {
      const Shape shape = random_shape(random);
      const Shape sa = random_source(shape, random), sb = random_source(shape, random),
                  sm = random_source(shape, random);
      INFO(to_string(sm) << ", " << to_string(sa) << " and " << to_string(sb) << " to " << to_string(shape));
      const Tensor m = random_whole(sm, bool_, random);
      const Tensor a = random_whole(sa, float64, random), b = random_whole(sb, float64, random),
                   c = random_whole(sm, float64, random);
      const Tensor i = random_whole(sa, int64, random), j = random_whole(sb, int64, random);
      const bool same = equal(kernel::map<double, double, double>(combine3, shape, a, b, c),
                              plainly<double, double, double, double>(combine3, shape, a, b, c)) &&
                        equal(kernel::map<bool, double, double>(choose, shape, m, a, b),
                              plainly<double, bool, double, double>(choose, shape, m, a, b)) &&
                        equal(kernel::map<std::int64_t, std::int64_t>(less, shape, i, j),
                              plainly<bool, std::int64_t, std::int64_t>(less, shape, i, j));
      CHECK(same);
    }
  });
}

TEST_CASE("map: eight inputs") {
  const auto f = [](auto a, auto b, auto c, auto d, auto e, auto g, auto h, auto i) {
    return a + b * 2 + c * 3 + d * 4 + e * 5 + g * 6 + h * 7 + i * 8;
  };
  const Tensor t = tensor({{1, 2, 3}, {4, 5, 6}}), row = tensor({1, 0, -1}), column = tensor({{1}, {2}}),
               one = scalar(1);
  const Tensor result = kernel::map<float, float, float, float, float, float, float, float>(
      f, {2, 3}, t, row, column, one, t, row, column, one);
  CHECK(equal(result, tensor({{36, 34, 32}, {64, 62, 60}})));
}

TEMPLATE_TEST_CASE("map in place: every size, f applied once to each element", "[simd]", float,
                   std::int64_t) {
  using T = TestType;
  std::mt19937 random(5);
  on_each_simd_level([&] {
    for (std::int64_t n : tails) {
      INFO("size " << n);
      const Shape shape{n};
      const Tensor a = random_whole(shape, dtype_of<T>, random);
      for (const Shape& other : {shape, Shape{1}, Shape{}}) {
        const Tensor b = before_guard_page(random_whole(other, dtype_of<T>, random));
        Tensor target = before_guard_page(a);
        const void* memory = target.raw();
        kernel::map_over<T, T>(combine2, target, target, b);
        CHECK(target.raw() == memory);
        CHECK(equal(target, plainly<T, T, T>(combine2, shape, a, b)));
      }
      Tensor target = before_guard_page(a);
      kernel::map_over<T>([](auto x) { return x + 1; }, target, target);
      CHECK(equal(target, plainly<T, T>([](T x) { return static_cast<T>(x + 1); }, shape, a)));
    }
  });
}

TEST_CASE("map in place: broadcast second input", "[simd]") {
  std::mt19937 random(6);
  on_each_simd_level([&] {
    for (std::int64_t columns : {1, 2, 3, 7, 16, 17, 40}) {
      for (const Shape& other : {Shape{3, 1}, Shape{1, columns}, Shape{columns}, Shape{1, 1}, Shape{}}) {
        INFO(columns << " columns, " << to_string(other));
        const Tensor a = random_whole({3, columns}, float64, random),
                     b = random_whole(other, float64, random);
        Tensor target = before_guard_page(a);
        kernel::map_over<double, double>(combine2, target, target, b);
        CHECK(equal(target, plainly<double, double, double>(combine2, a.shape(), a, b)));
      }
    }
  });
}

TEST_CASE("map: an element's bits do not depend on where it stands", "[simd]") {
  // A formula with roundings to get wrong: products to contract, a function of many steps.
  const auto f = [](auto x, auto y) { return exp(x * y + x) / (y * y + 1) - x * 0.3; };
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-3, 3);
  on_each_simd_level([&] {
    std::vector<float> x(16), y(16);
    for (auto& v : x) v = uniform(random);
    for (auto& v : y) v = uniform(random);
    std::vector<float> alone;
    for (std::size_t k = 0; k < 16; ++k) {
      alone.push_back(kernel::map<float, float>(f, {}, scalar(x[k]), scalar(y[k])).item<float>());
    }
    for (std::int64_t n = 1; n <= 70; ++n) {
      std::vector<float> xs, ys, expected;
      for (std::int64_t i = 0; i < n; ++i) {
        const auto k = static_cast<std::size_t>(i * 7 + n) % 16;
        xs.push_back(x[k]), ys.push_back(y[k]), expected.push_back(alone[k]);
      }
      INFO("size " << n);
      CHECK(same_bits(kernel::map<float, float>(f, {n}, Tensor({n}, xs), Tensor({n}, ys)),
                      Tensor({n}, expected)));
      Tensor target = Tensor({n}, xs);
      kernel::map_over<float, float>(f, target, target, Tensor({n}, ys));
      CHECK(same_bits(target, Tensor({n}, expected)));
    }
  });
}

TEST_CASE("map: NaN and infinities pass through", "[simd]") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  on_each_simd_level([&] {
    for (std::int64_t n = 1; n <= 40; ++n) {
      const Tensor bad = full({n}, nan), large = full({n}, inf), zero = zeros({n});
      const auto product = [](auto a, auto b) { return a * b; };
      for (const Tensor& t : {kernel::map<float, float>(product, {n}, bad, zero),
                              kernel::map<float, float>(product, {n}, large, zero)}) {
        for (float v : t.to_vector<float>()) CHECK(std::isnan(v));
      }
      CHECK(equal(kernel::map<float, float>(product, {n}, large, large), large));
    }
  });
}
