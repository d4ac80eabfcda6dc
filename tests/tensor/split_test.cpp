// What is split between threads has the bits of one thread, whatever their number.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <vector>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/reduce.hpp>
#include <xgrad/tensor/rowwise.hpp>
#include <xgrad/tensor/strided.hpp>

#include "support.hpp"
#include "threads_scope.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

Tensor random_normal(const Shape& shape, DType dtype, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& v : values) v = normal(random);
  return before_guard_page(Tensor(shape, values).astype(dtype));
}

void check_same(const std::function<std::vector<Tensor>()>& f) {
  const std::vector<Tensor> expected = [&] {
    const Threads one(1);
    return f();
  }();
  for (int threads : {2, 3, 5}) {
    const Threads several(threads);
    const std::vector<Tensor> found = f();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      INFO("result " << i << " with " << threads << " threads");
      CHECK(same_bits(found[i], expected[i]));
    }
  }
}

}  // namespace

TEST_CASE("split: what is normalised along an axis", "[simd][threads]") {
  on_each_simd_level([&] {
    for (DType dtype : {float32, float64}) {
      for (const Shape& s : {Shape{20011, 10, 1}, Shape{331, 700, 1}, Shape{3, 90001, 1}, Shape{1, 11, 20003},
                             Shape{7, 100, 331}, Shape{900, 37, 5}, Shape{1, 5003, 30}}) {
        INFO(to_string(s) << ' ' << name(dtype));
        const Tensor x = random_normal(s, dtype, 1), g = random_normal(s, dtype, 2);
        std::vector<std::int64_t> classes;
        for (std::int64_t i = 0; i < s[0] * s[2]; ++i) classes.push_back(i * 7 % s[1]);
        const Tensor labels(Shape{s[0], s[2]}, classes), weights = random_normal({s[0], s[2]}, dtype, 3);
        check_same([&] {
          const Tensor y = kernel::softmax(x, 1), l = kernel::log_softmax(x, 1);
          const kernel::CrossEntropy loss = kernel::softmax_cross_entropy(x, labels, 1);
          return std::vector<Tensor>{y,
                                     l,
                                     kernel::logsumexp(x, 1),
                                     kernel::softmax_backward(y, g, 1),
                                     kernel::log_softmax_backward(l, g, 1),
                                     loss.loss,
                                     loss.top,
                                     loss.scale,
                                     kernel::softmax_cross_entropy_backward(x, labels, loss, weights, 1)};
        });
      }
      for (const Shape& s : {Shape{5003, 30}, Shape{300, 1001}, Shape{70000, 3}}) {
        INFO(to_string(s) << ' ' << name(dtype));
        const Tensor x = random_normal(s, dtype, 4), g = random_normal(s, dtype, 5),
                     gamma = random_normal({s[1]}, dtype, 6), beta = random_normal({s[1]}, dtype, 7);
        check_same([&] {
          const kernel::LayerNorm n = kernel::layer_norm(x, gamma, beta, 1e-5);
          const kernel::LayerNormGradients d = kernel::layer_norm_backward(x, gamma, n, g);
          return std::vector<Tensor>{n.y, n.mean, n.rstd, d.dx, d.dgamma, d.dbeta};
        });
      }
    }
  });
}

TEST_CASE("split: down the columns of a tall matrix", "[threads]") {
  const Tensor x = random_normal({90001, 24}, float32, 12), g = random_normal({90001, 24}, float32, 13);
  const auto f = [&] {
    const Tensor y = kernel::softmax(x, 0);
    return std::vector<Tensor>{y, kernel::logsumexp(x, 0), kernel::softmax_backward(y, g, 0)};
  };
  const std::vector<Tensor> expected = [&] {
    const Threads one(1);
    return f();
  }();
  const Threads three(3);
  const std::vector<Tensor> found = f();
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(same_bits(found[i], expected[i]));
}

TEST_CASE("split: sums, maxima and their places", "[simd][threads]") {
  on_each_simd_level([&] {
    for (DType dtype : {float32, float64, int64}) {
      for (const Shape& s : {Shape{1, 131072, 1}, Shape{1, 1000003, 1}, Shape{3, 262147, 1},
                             Shape{1, 491520, 1}, Shape{900, 333, 1}, Shape{20011, 9, 1}, Shape{7, 300, 331},
                             Shape{120, 400, 9}, Shape{1, 90, 3001}}) {
        INFO(to_string(s) << ' ' << name(dtype));
        Tensor x = random_normal(s, float64, 8);
        if (dtype == int64) x = kernel::map<double>([](auto v) { return v * 1e9; }, s, x);
        x = x.astype(dtype);
        check_same([&] {
          return std::vector<Tensor>{kernel::sum(x, 2), kernel::max(x, 2), kernel::min(x, 2),
                                     kernel::argmax(x, 1)};
        });
      }
    }
  });
}

TEST_CASE("split: a NaN at the end of a long row reaches its sum and its maximum", "[threads]") {
  const Threads three(3);
  for (std::int64_t n : {std::int64_t{1} << 18, (std::int64_t{1} << 18) + 5}) {
    Tensor x = ones({n}, float32);
    CHECK(kernel::sum(x, 1).item() == static_cast<double>(n));
    detail::mutable_data<float>(x)[n - 1] = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(kernel::sum(x, 1).item()));
    CHECK(std::isnan(kernel::max(x, 1).item()));
    CHECK(kernel::argmax(x, 0).item() == static_cast<double>(n - 1));
  }
}

TEST_CASE("split: elements that only move", "[threads]") {
  std::mt19937 random(9);
  for (DType dtype : {float32, float64, bool_}) {
    const Tensor x = before_guard_page(random_whole({301, 700}, dtype, random)),
                 cube = before_guard_page(random_whole({40, 63, 90}, dtype, random)),
                 row = random_whole({1, 1, 700}, dtype, random),
                 column = random_whole({301, 1}, dtype, random),
                 short_rows = random_whole({90001, 3}, dtype, random),
                 number = random_whole({}, dtype, random);
    constexpr int swapped[] = {1, 0}, rotated[] = {2, 0, 1}, inner[] = {0, 2, 1}, outer[] = {1, 0, 2};
    check_same([&] {
      const Tensor parts[] = {x, x};
      return std::vector<Tensor>{
          kernel::permute(x, swapped),
          kernel::permute(short_rows, swapped),
          kernel::permute(kernel::permute(short_rows, swapped), swapped),
          kernel::permute(cube, rotated),
          kernel::permute(cube, inner),
          kernel::permute(cube, outer),
          kernel::broadcast_to(row, {3, 201, 700}),
          kernel::broadcast_to(column, {301, 999}),
          kernel::broadcast_to(column, {2, 301, 300}),
          kernel::broadcast_to(number, {100003}),
          kernel::concat(parts, 1),
          kernel::slice(x, std::vector<kernel::Picked>{{300, -1, 301}, {1, 2, 340}}),
          kernel::unslice(x, {301, 1400}, std::vector<kernel::Picked>{{0, 1, 301}, {1, 2, 700}})};
    });
  }
}

TEST_CASE("split: broadcasts whose parts begin amid an axis", "[threads]") {
  for (const Shape& s : {Shape{7, 11, 1, 1}, Shape{1, 11, 29, 1}, Shape{7, 1, 29, 1}, Shape{7, 1, 1, 60}}) {
    INFO(to_string(s));
    const Tensor x = random_normal({7, 11, 29, 60}, float32, 10), y = random_normal(s, float32, 11);
    check_same([&] {
      return std::vector<Tensor>{
          kernel::map<float, float>([](auto a, auto b) { return a * b + 1; }, x.shape(), x, y)};
    });
  }
}
