// batch_norm against the composed formula, its running statistics, and where it must refuse.
#include <compiled.hpp>
#include <threads_scope.hpp>
#include <xgrad/ops/ops.hpp>

#include "fuse_checks.hpp"
#include "push.hpp"

using namespace fuse_checks;

namespace {

Variable per_channel(const Variable& v, int rank) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(rank), 1);
  sizes[1] = v.size();
  return reshape(v, detail::shape_of(sizes));
}

Axes all_but_channels(int rank) {
  std::vector<int> axes{0};
  for (int axis = 2; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

// x, gamma, beta, running mean, running variance.
std::vector<Tensor> inputs(const Shape& shape) {
  const Shape row{shape[1]};
  return {numbers(shape, 1), numbers(row, 2), numbers(row, 3), numbers(row, 4), numbers(row, 5, 0.5, 2)};
}

Variable trained(const Variables& x) { return batch_norm(x[0], x[1], x[2], x[3], x[4], {.eps = 1e-3}).y; }
Variable trained_by_parts(const Variables& x) {
  const int rank = x[0].rank();
  const Axes axes = all_but_channels(rank);
  const Variable d = x[0] - mean(x[0], axes, true);
  const Variable z = d / sqrt(mean(square(d), axes, true) + 1e-3);
  return per_channel(x[1], rank) * z + per_channel(x[2], rank);
}
Variable evaluated(const Variables& x) {
  return batch_norm(x[0], x[1], x[2], x[3], x[4], {.training = false, .eps = 1e-3}).y;
}
Variable evaluated_by_parts(const Variables& x) {
  const int rank = x[0].rank();
  const Variable m = stop_gradient(x[3]), v = stop_gradient(x[4]);
  const Variable z = (x[0] - per_channel(m, rank)) / sqrt(per_channel(v, rank) + 1e-3);
  return per_channel(x[1], rank) * z + per_channel(x[2], rank);
}

template <class F>
std::string text(F call) {
  const std::string whole = message<Error>(call);
  return whole.substr(0, whole.rfind(" (at batch_norm_test.cpp:"));
}

}  // namespace

TEST_CASE("batch_norm: the composed formula's values and gradients", "[ops][simd]") {
  const std::vector<Shape> shapes{{7, 1},       {40, 5},        {5, 300},        {2, 3, 4},
                                  {1, 2, 7, 5}, {3, 17, 9, 11}, {2, 2, 2, 3, 4}, {64, 8, 20, 20}};
  for (DType dtype : {float32, float64}) {
    for (const Shape& shape : shapes) {
      INFO(to_string(shape) << " " << name(dtype));
      check_same(trained, trained_by_parts, as(dtype, inputs(shape)), 7, 200);
      check_same(evaluated, evaluated_by_parts, as(dtype, inputs(shape)), 7, 200);
    }
  }
}

TEST_CASE("batch_norm: each choice of tracked inputs", "[ops]") {
  for (unsigned tracked = 1; tracked < 8; ++tracked) {
    INFO(tracked);
    check_same(trained, trained_by_parts, inputs({4, 3, 2}), tracked, 100);
    check_same(evaluated, evaluated_by_parts, inputs({4, 3, 2}), tracked, 100);
  }
}

TEST_CASE("batch_norm: closed forms and the running statistics", "[ops]") {
  const Tensor x = tensor({{1, -5}, {3, 7}}, float64), one = ones({2}, float64), none = zeros({2}, float64);
  const auto [y, m, v] = batch_norm(x, one, none, none, one, {.momentum = 0.25});
  const double a = 1 / std::sqrt(1 + 1e-5), b = 6 / std::sqrt(36 + 1e-5);
  CHECK(allclose(y.value(), tensor({{-a, -b}, {a, b}}, float64), 1e-14, 0));
  CHECK(doubles(m) == Doubles{0.5, 0.25});
  CHECK(doubles(v) ==
        Doubles{0.75 + 0.25 * 2, 0.75 + 0.25 * 72});  // unbiased: 2 / (2 - 1) times the variance
  CHECK(m.is_constant());
  const BatchNormalized same = batch_norm(x, one, none, m, v, {.training = false, .eps = 1});
  CHECK(doubles(same.mean) == doubles(m));
  CHECK(doubles(same.variance) == doubles(v));
  CHECK(
      allclose(same.y.value(),
               tensor({{0.5 / 1.5, -5.25 / std::sqrt(19.75)}, {2.5 / 1.5, 6.75 / std::sqrt(19.75)}}, float64),
               1e-14, 0));
  // momentum 1 forgets, 0 keeps.
  CHECK(doubles(batch_norm(x, one, none, m, v, {.momentum = 1}).mean) == Doubles{2, 1});
  CHECK(doubles(batch_norm(x, one, none, m, v, {.momentum = 0}).mean) == doubles(m));
}

TEST_CASE("batch_norm: statistics in cells", "[ops]") {
  const Parameter mean("mean", zeros({3})), variance("variance", ones({3})), gamma("gamma", ones({3})),
      beta("beta", zeros({3}));
  Tape tape;
  const Variable x = tape.watch(numbers({6, 3}, 1).astype(float32));
  const auto [y, m, v] = batch_norm(x, gamma, beta, mean, variance);
  CHECK(tape.size() == 4);  // x, gamma, beta and one node: the statistics are no leaves
  CHECK(std::string(tape.node(3).op) == "batch_norm");
  Parameter cell = mean;
  cell.set(m.value());
  CHECK(doubles(mean.value()) == doubles(m));
  const Gradients g = tape.backward(sum(y));
  CHECK(doubles(g[beta]) == Doubles(3, 6));
  CHECK(g.find(mean) == nullptr);
}

TEST_CASE("batch_norm: large offsets do not cancel", "[ops][simd]") {
  const Tensor x = tensor({{1e6 + 1}, {1e6 + 2}, {1e6 + 3}, {1e6 + 4}});
  const Doubles y = doubles(batch_norm(x, ones({1}), zeros({1}), zeros({1}), ones({1})).y);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(y[i] == Approx((static_cast<double>(i) - 1.5) / std::sqrt(1.25 + 1e-5)).epsilon(1e-6));
  }
}

TEST_CASE("batch_norm: forward mode", "[ops]") {
  const std::vector<Tensor> all = inputs({3, 2, 4});
  for (bool training : {true, false}) {
    const auto f = [&](const Variables& v) {
      return batch_norm(v[0], v[1], v[2], all[3], all[4], {.training = training, .eps = 0.1}).y;
    };
    check_push(f, {all[0], all[1], all[2]});
  }
  check_push([](const Variables& v) { return rms_norm(v[0], v[1], 0.1); },
             {numbers({2, 3, 4}, 1), numbers({4}, 2)});
}

TEST_CASE("batch_norm: NaN stays in its channel", "[ops][simd]") {
  Doubles values = doubles(numbers({3, 2, 5}, 4));
  values[5] = NaN;
  const Result r = run(trained, {Tensor(Shape{3, 2, 5}, values), ones({2}, float64), zeros({2}, float64),
                                 zeros({2}, float64), ones({2}, float64)});
  const Doubles y = doubles(r.value), g = doubles(r.gradients[0]);
  for (std::size_t i = 0; i < y.size(); ++i) {
    CHECK(std::isnan(y[i]) == (i / 5 % 2 == 1));
    CHECK(std::isnan(g[i]) == (i / 5 % 2 == 1));
  }
}

TEST_CASE("batch_norm: replayed by compile", "[ops]") {
  const std::vector<Tensor> all = as(float32, inputs({5, 3}));
  for (bool training : {true, false}) {
    const auto step = [&](const Variable& x) {
      Tape inner;
      const Variable leaf = inner.watch(x.value()), gamma = inner.watch(all[1]);
      const auto [y, m, v] = batch_norm(leaf, gamma, all[2], all[3], all[4], {.training = training});
      const Gradients g = inner.backward(sum(square(y)));
      return std::tuple(y, m, v, g[leaf], g[gamma]);
    };
    auto compiled = compile(step);
    for (std::uint64_t seed : {1, 2, 3})
      test::check_call(step, compiled, numbers({5, 3}, seed).astype(float32));
    CHECK(compiled.report().replays == 2);
  }
}

TEST_CASE("batch_norm: no elements, integers", "[ops]") {
  const Tensor row = ones({3});
  const Tensor none = zeros({0, 3, 2});
  CHECK(batch_norm(none, row, row, row, row, {.training = false}).y.shape() == none.shape());
  const Tensor no_channels = zeros({2, 0});
  CHECK(batch_norm(no_channels, zeros({0}), zeros({0}), zeros({0}), zeros({0})).y.shape() == Shape{2, 0});
  CHECK(batch_norm(ones({2, 3}, int64), row, row, row, row).y.dtype() == float32);
}

TEST_CASE("batch_norm: what it refuses", "[ops]") {
  const Tensor x = zeros({2, 3}), row = ones({3});
  CHECK(text([&] { batch_norm(zeros({3}), row, row, row, row); }) ==
        "batch_norm: x is (N, C, ...), not (3,)");
  CHECK(text([&] { batch_norm(x, ones({2}), row, row, row); }) ==
        "batch_norm: gamma (2,) is not (3,), one number for each channel of (2, 3)");
  CHECK(text([&] { batch_norm(x, row, row, row, 1.0); }) ==
        "batch_norm: the running variance 1 is not (3,), one number for each channel of (2, 3)");
  CHECK(text([&] {
          batch_norm(zeros({1, 3}), row, row, row, row);
        }) ==
        "batch_norm: a channel of (1, 3) has 1 element; a variance needs two; use {.training = false} to "
        "normalise by the running statistics");
  CHECK(text([&] { batch_norm(x, row, row, row, row, {.eps = 0}); }) ==
        "batch_norm: eps is 0.000000; it must be positive and finite");
  CHECK(text([&] { batch_norm(x, row, row, row, row, {.momentum = 1.5}); }) ==
        "batch_norm: momentum is 1.500000; it must be within [0, 1]");
  CHECK(text([&] { batch_norm(x, row, row, row.astype(float64), row); }) ==
        "batch_norm: dtypes differ: (2, 3) is float32, (3,) is float64; convert one with astype(float64)");
}

TEST_CASE("rms_norm: the composed formula's values and gradients", "[ops][simd]") {
  const auto normed = [](const Variables& x) { return rms_norm(x[0], x[1], 1e-3); };
  const auto by_parts = [](const Variables& x) {
    return x[1] * (x[0] / sqrt(mean(square(x[0]), -1, true) + 1e-3));
  };
  for (DType dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{5}, {2, 3, 4}, {1, 1}, {33, 70}, {3, 0}, {0, 4}}) {
      INFO(to_string(shape) << " " << name(dtype));
      const std::int64_t n = shape[shape.rank() - 1];
      for (unsigned tracked : {1u, 2u, 3u})
        check_same(normed, by_parts, as(dtype, {numbers(shape, 1), numbers({n}, 2)}), tracked, 100);
    }
  }
  const Tensor x = tensor({3, 4}, float64);
  CHECK(allclose(rms_norm(x, ones({2}, float64)).value(),
                 tensor({3 / std::sqrt(12.5 + 1e-5), 4 / std::sqrt(12.5 + 1e-5)}, float64), 1e-15, 0));
  CHECK(text([&] { rms_norm(2.0, x); }) == "rms_norm: a number has no axis: 2 with gamma (2,)");
  CHECK(text([&] { rms_norm(x, ones({3}, float64)); }) ==
        "rms_norm: gamma (3,) is not (2,), one number for each column of (2,)");
}

TEST_CASE("group_norm: the composed formula's values and gradients", "[ops][simd]") {
  for (std::int64_t groups : {1, 2, 6}) {
    const auto grouped = [groups](const Variables& x) { return group_norm(x[0], groups, x[1], x[2], 1e-3); };
    const auto by_parts = [groups](const Variables& x) {
      const Variable v = reshape(x[0], {x[0].shape()[0], groups, 6 / groups, 5});
      const Variable d = v - mean(v, {2, 3}, true);
      const Variable z = d / sqrt(mean(square(d), {2, 3}, true) + 1e-3);
      return per_channel(x[1], 3) * reshape(z, x[0].shape()) + per_channel(x[2], 3);
    };
    check_same(grouped, by_parts, {numbers({4, 6, 5}, 1), numbers({6}, 2), numbers({6}, 3)}, 7, 100);
  }
  const Tensor row = ones({6});
  CHECK(group_norm(zeros({0, 6, 5}), 2, row, row).shape() == Shape{0, 6, 5});
  CHECK(text([&] {
          group_norm(zeros({2, 6}), 4, row, row);
        }) == "group_norm: the channels of (2, 6) do not fall into 4 groups");
  CHECK(text([&] { group_norm(row, 1, row, row); }) == "group_norm: x is (N, C, ...), not (6,)");
  CHECK(text([&] {
          group_norm(zeros({2, 6}), 2, row, ones({2}));
        }) == "group_norm: beta (2,) is not (6,), one number for each channel of (2, 6)");
}
