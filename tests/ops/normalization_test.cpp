// layer_norm against the composed formula, in closed form, and where it must refuse.
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/simd.hpp>

#include "fuse_checks.hpp"

using namespace fuse_checks;

namespace {

Variable normalized(const Variables& x) { return layer_norm(x[0], x[1], x[2], 1e-3); }
Variable by_parts(const Variables& x) {
  const Variable d = x[0] - mean(x[0], -1, true);
  return x[1] * (d / sqrt(mean(square(d), -1, true) + 1e-3)) + x[2];
}

std::vector<Tensor> inputs(const Shape& shape) {
  const std::int64_t n = shape[shape.rank() - 1];
  return {numbers(shape, 1), numbers({n}, 2), numbers({n}, 3)};
}

}  // namespace

TEST_CASE("layer_norm: the composed formula's values and gradients", "[ops][simd]") {
  std::vector<Shape> shapes{{2, 3, 4}, {1, 1, 7}, {130, 33}, {3, 1000}, {70000, 2}};
  for (std::int64_t n = 2; n <= 35; ++n) shapes.push_back({3, n});
  for (DType dtype : {float32, float64}) {
    for (const Shape& shape : shapes) {
      INFO(to_string(shape) << " " << name(dtype));
      // A row of two equal numbers divides rounding errors by sqrt(eps).
      check_same(normalized, by_parts, as(dtype, inputs(shape)), ~0u,
                 shape[shape.rank() - 1] == 2 ? 2000 : 100);
    }
  }
}

TEST_CASE("layer_norm: each choice of tracked inputs", "[ops]") {
  for (unsigned tracked = 1; tracked < 8; ++tracked) {
    INFO(tracked);
    check_same(normalized, by_parts, inputs({3, 5}), tracked, 50);
  }
}

TEST_CASE("layer_norm: closed forms", "[ops][simd]") {
  const Tensor x = tensor({{1, 3}, {-5, 7}}, float64), one = ones({2}, float64), none = zeros({2}, float64);
  const double a = 1 / std::sqrt(1 + 1e-5), b = 6 / std::sqrt(36 + 1e-5);
  CHECK(allclose(layer_norm(x, one, none).value(), tensor({{-a, a}, {-b, b}}, float64), 1e-15, 0));
  CHECK(allclose(layer_norm(x, tensor({2, 3}, float64), tensor({10, 20}, float64)).value(),
                 tensor({{10 - 2 * a, 20 + 3 * a}, {10 - 2 * b, 20 + 3 * b}}, float64), 1e-15, 0));
  // A constant row has no deviation: z = 0, and a shift of the row changes nothing.
  const Result flat = run(normalized, {full({2, 3}, 4.0, float64), ones({3}, float64), ones({3}, float64)});
  CHECK(doubles(flat.value) == Doubles(6, 1));
  CHECK(doubles(flat.gradients[0]) == Doubles(6, 0));
  CHECK(doubles(flat.gradients[1]) == Doubles(3, 0));
  CHECK(doubles(flat.gradients[2]) == Doubles(3, 2));
  // One column: always beta.
  const Result single =
      run(normalized, {tensor({{3}, {-8}}, float64), full({1}, 5.0, float64), full({1}, 7.0, float64)});
  CHECK(doubles(single.value) == Doubles{7, 7});
  CHECK(doubles(single.gradients[0]) == Doubles{0, 0});
}

TEST_CASE("layer_norm: large offsets do not cancel", "[ops][simd]") {
  const Tensor x = tensor({1e6 + 1, 1e6 + 2, 1e6 + 3, 1e6 + 4});
  const Doubles y = doubles(layer_norm(x, ones({4}), zeros({4})));
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(y[i] == Approx((static_cast<double>(i) - 1.5) / std::sqrt(1.25 + 1e-5)).epsilon(1e-6));
  }
}

TEST_CASE("layer_norm: no elements", "[ops]") {
  for (const Shape& shape : {Shape{0, 3}, Shape{2, 0}, Shape{0}}) {
    INFO(to_string(shape));
    const std::int64_t n = shape[shape.rank() - 1];
    for (bool create_graph : {false, true}) {
      const Result result =
          run(normalized, {zeros(shape, float64), ones({n}, float64), ones({n}, float64)}, create_graph);
      CHECK(result.value.shape() == shape);
      CHECK(result.gradients[0].shape() == shape);
      CHECK(doubles(result.gradients[1]) == Doubles(static_cast<std::size_t>(n), 0));
      CHECK(doubles(result.gradients[2]) == Doubles(static_cast<std::size_t>(n), 0));
    }
  }
}

TEST_CASE("layer_norm: NaN and infinities stay in their row", "[ops][simd]") {
  for (double bad : {NaN, Inf, -Inf}) {
    for (std::size_t at = 0; at < 19; ++at) {
      Doubles values = doubles(numbers({3, 19}, 4));
      values[19 + at] = bad;
      const Result result =
          run(normalized, {Tensor(Shape{3, 19}, values), ones({19}, float64), zeros({19}, float64)});
      const Doubles y = doubles(result.value), g = doubles(result.gradients[0]);
      for (std::size_t i = 0; i < y.size(); ++i) {
        CHECK(std::isnan(y[i]) == (i / 19 == 1));
        CHECK(std::isnan(g[i]) == (i / 19 == 1));
      }
    }
  }
}

TEST_CASE("layer_norm: one node, integers and numbers", "[ops]") {
  Tape tape;
  const Variable x = tape.watch(ones({2, 3})), gamma = tape.watch(ones({3})), beta = tape.watch(ones({3}));
  const Variable y = layer_norm(x, gamma, beta);
  CHECK(tape.size() == 4);
  CHECK(std::string(tape.node(3).op) == "layer_norm");
  const Tensor whole = tensor({{1, 2, 3}}, int64);
  CHECK(layer_norm(whole, tensor({1, 1, 1}, int64), zeros({3}, bool_)).dtype() == float32);
  CHECK(layer_norm(whole, ones({3}, float64), zeros({3}, int64)).dtype() == float64);
}

TEST_CASE("layer_norm: what it refuses", "[ops]") {
  const Tensor x = zeros({2, 3}), row = ones({3});
  const Parameter scale("scale", ones({2}));
  const auto text = [](auto call, auto error) {
    const std::string whole = message<decltype(error)>(call);
    return whole.substr(0, whole.rfind(" (at normalization_test.cpp:"));
  };
  CHECK(text([&] { layer_norm(x, scale, row); }, ShapeError("")) ==
        "layer_norm: gamma scale (2,) is not (3,), one number for each column of (2, 3)");
  CHECK(text([&] { layer_norm(x, 1.0, row); }, ShapeError("")) ==
        "layer_norm: gamma 1 is not (3,), one number for each column of (2, 3)");
  CHECK(text(
            [&] {
              layer_norm(x, row, ones({1, 3}));
            },
            ShapeError("")) == "layer_norm: beta (1, 3) is not (3,), one number for each column of (2, 3)");
  CHECK(text([&] { layer_norm(2.0, row, row); }, ShapeError("")) == "layer_norm: a number has no axis: 2");
  CHECK(text([&] { layer_norm(x, row.astype(float64), row); }, DTypeError("")) ==
        "layer_norm: dtypes differ: (2, 3) is float32, (3,) is float64; convert one with astype(float64)");
  CHECK(text([&] { layer_norm(x, row, row, 0); }, Error("")) ==
        "layer_norm: eps is 0.000000; it must be positive and finite");
  CHECK(text([&] { layer_norm(x, row, row, NaN); }, Error("")) ==
        "layer_norm: eps is nan; it must be positive and finite");
  Tape tape;
  const Variable watched = tape.watch(x);
  CHECK_THROWS_AS(layer_norm(watched, row, ones({2})), ShapeError);
  CHECK(tape.size() == 1);
}
