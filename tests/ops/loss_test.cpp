// Losses: their caps, infinities and what they refuse.
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/reduction.hpp>

#include "checks.hpp"

using namespace checks;

namespace {

const auto bce = [](const Variables& x) { return binary_cross_entropy(x[0], x[1]); };
const auto with_logits = [](const Variables& x) { return binary_cross_entropy_with_logits(x[0], x[1]); };

}  // namespace

TEST_CASE("binary_cross_entropy: the logarithms are capped", "[ops][simd]") {
  const double tiny = std::numeric_limits<float>::denorm_min();
  for (DType dtype : {float32, float64}) {
    INFO(name(dtype));
    const Result wrong = run(bce, {tensor({0, 1}, dtype), tensor({1, 0}, dtype)});
    CHECK(doubles(wrong.value) == Doubles{100, 100});
    CHECK(wrong.gradients[0].at({0}) == Approx(-1e12));
    CHECK(wrong.gradients[0].at({1}) == Approx(1e12));
    CHECK(doubles(wrong.gradients[1]) == Doubles{100, -100});
    const Result right = run(bce, {tensor({0, 1}, dtype), tensor({0, 1}, dtype)});
    CHECK(doubles(right.value) == Doubles{0, 0});
    CHECK(doubles(right.gradients[0]) == Doubles{0, 0});
    CHECK(binary_cross_entropy(tensor({tiny}, dtype), ones({1}, dtype)).item() == 100);
    CHECK(binary_cross_entropy(tensor({0.5}, dtype), ones({1}, dtype)).item() == Approx(std::log(2.0)));
    CHECK(binary_cross_entropy(tensor({0.25}, dtype), tensor({0.5}, dtype)).item() ==
          Approx(-0.5 * (std::log(0.25) + std::log(0.75))));
  }
}

TEST_CASE("binary_cross_entropy: names the first probability outside [0, 1]", "[ops]") {
  const auto text = [](const Tensor& a) {
    return message([&] { binary_cross_entropy(a, zeros(a.shape(), a.dtype())); });
  };
  for (double bad : {NaN, 1.1, -0.1, Inf, -Inf}) {
    CHECK(text(tensor({{0.5, 0.5, 0.5}, {0.5, bad, bad}})).find("at (1, 1) of (2, 3)") != std::string::npos);
    CHECK(text(tensor({{bad, 0.5}, {0.5, bad}}, float64)).find("at (0, 0) of (2, 2)") != std::string::npos);
    CHECK(text(tensor({0.5, 0.5, bad})).find("at (2) of (3,)") != std::string::npos);
    CHECK(text(scalar(bad)).find("at () of ()") != std::string::npos);
  }
  CHECK(text(tensor({1.1})).find("1.1") != std::string::npos);
  CHECK(text(tensor({0.0, -0.0, 1.0})) == "nothing was thrown");
  CHECK(binary_cross_entropy(zeros({0, 2}), zeros({0, 2})).shape() == Shape{0, 2});
}

TEST_CASE("binary_cross_entropy_with_logits: large and infinite logits", "[ops][simd]") {
  for (DType dtype : {float32, float64}) {
    INFO(name(dtype));
    const Result result = run(with_logits, {tensor({1e4, 1e4, -1e4, -1e4, Inf, -Inf, Inf, -Inf, 0}, dtype),
                                            tensor({1, 0, 1, 0, 1, 0, 0, 1, 1}, dtype)});
    const Doubles y = doubles(result.value);
    CHECK(Doubles(y.begin(), y.end() - 1) == Doubles{0, 1e4, 1e4, 0, 0, 0, Inf, Inf});
    CHECK(y.back() == Approx(std::log(2.0)));
    CHECK(doubles(result.gradients[0]) == Doubles{0, 1, -1, 0, 0, 0, 1, -1, -0.5});
    CHECK(doubles(result.gradients[1]) == Doubles{-1e4, -1e4, 1e4, 1e4, -Inf, Inf, -Inf, Inf, 0});
  }
}

TEST_CASE("binary_cross_entropy_with_logits: is the loss of the sigmoid", "[ops][simd]") {
  const Tensor z = linspace(-8, 8, 33, float64), y = linspace(0, 1, 33, float64);
  CHECK(allclose(binary_cross_entropy_with_logits(z, y).value(), binary_cross_entropy(sigmoid(z), y).value(),
                 1e-12));
  const Result direct = run(with_logits, {z, y}),
               composed =
                   run([](const Variables&x) { return binary_cross_entropy(sigmoid(x[0]), x[1]); }, {z, y});
  CHECK(allclose(direct.gradients[0], composed.gradients[0], 1e-10, 1e-12));
  CHECK(allclose(direct.gradients[1], composed.gradients[1], 1e-10, 1e-12));
}

TEST_CASE("squared_error: values and both gradients", "[ops]") {
  const Result result = run([](const Variables& x) { return squared_error(x[0], x[1]); },
                            {tensor({1, 2}, float64), tensor({3, 2}, float64)});
  CHECK(doubles(result.value) == Doubles{4, 0});
  CHECK(doubles(result.gradients[0]) == Doubles{-4, 0});
  CHECK(doubles(result.gradients[1]) == Doubles{4, 0});
}

TEST_CASE("losses: (N,) against (N, 1) is refused", "[ops]") {
  const Tensor a = full({3}, 0.5), y = full({3, 1}, 0.5);
  CHECK_THROWS_AS(squared_error(a, y), ShapeError);
  CHECK_THROWS_AS(binary_cross_entropy(a, y), ShapeError);
  CHECK_THROWS_AS(binary_cross_entropy_with_logits(a, y), ShapeError);
  CHECK_THROWS_AS(squared_error(a, scalar(1)), ShapeError);
  CHECK_THROWS_AS(squared_error(a, 1), ShapeError);
  CHECK_THROWS_AS(softmax_cross_entropy(full({3, 2}, 0.5), zeros({3, 1}, int64)), ShapeError);
  CHECK_THROWS_AS(softmax_cross_entropy(full({3, 2}, 0.5), zeros({2}, int64)), ShapeError);
  CHECK_THROWS_AS(softmax_cross_entropy(scalar(0.5), zeros({}, int64)), ShapeError);
}

TEST_CASE("softmax_cross_entropy: is -log softmax at the label, along any axis", "[ops]") {
  for (int axis : {0, 1, 2, -1, -2, -3}) {
    const Shape shape{2, 3, 4};
    const int a = axis < 0 ? axis + 3 : axis;
    std::vector<std::int64_t> rest;
    for (int i = 0; i < 3; ++i) {
      if (i != a) rest.push_back(shape[i]);
    }
    const Shape label_shape{std::span<const std::int64_t>(rest)};
    std::vector<std::int64_t> labels(static_cast<std::size_t>(label_shape.size()));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i) % shape[a];
    const Tensor y(label_shape, labels), logits = linspace(-2, 3, 24, float64).reshape(shape);
    const Result result =
        run([&](const Variables& x) { return softmax_cross_entropy(x[0], y, axis); }, {logits});
    const Tensor hot = one_hot(y, shape[a], axis).value().astype(float64),
                 soft = softmax(logits, axis).value();
    CHECK(result.value.shape() == label_shape);
    CHECK(result.value.dtype() == float64);
    CHECK(allclose(result.value.value(), (-sum(hot * log_softmax(logits, axis), axis)).value(), 1e-14));
    CHECK(allclose(result.gradients[0], (soft - hot).value(), 1e-12, 1e-15));
  }
}

TEST_CASE("softmax_cross_entropy: extremes", "[ops][simd]") {
  const Tensor label = tensor({1}, int64);
  const auto loss = [&](const Variables& x) { return softmax_cross_entropy(x[0], label); };
  for (DType dtype : {float32, float64}) {
    const Result wrong = run(loss, {tensor({{1e4, -1e4}}, dtype)});
    CHECK(wrong.value.item() == 20000);
    CHECK(doubles(wrong.gradients[0]) == Doubles{1, -1});
    const Result right = run(loss, {tensor({{-1e4, 1e4}}, dtype)});
    CHECK(right.value.item() == 0);
    CHECK(doubles(right.gradients[0]) == Doubles{0, 0});
    const Result masked = run(loss, {tensor({{-Inf, 0, 0}}, dtype)});
    CHECK(masked.value.item() == Approx(std::log(2.0)));
    CHECK(masked.gradients[0].at({0, 0}) == 0);
    CHECK(masked.gradients[0].at({0, 1}) == Approx(-0.5));
  }
  CHECK(std::isnan(softmax_cross_entropy(tensor({{NaN, 0}}), label).item()));
  CHECK(softmax_cross_entropy(zeros({0, 3}), zeros({0}, int64)).shape() == Shape{0});
}

TEST_CASE("softmax_cross_entropy: labels out of range are named with their row", "[ops]") {
  const auto text = [](const Tensor& labels) {
    return message([&] { softmax_cross_entropy(zeros({4, 3}), labels); });
  };
  CHECK(text(tensor({0, 1, 3, 5}, int64)).find("label 3 of example 2 is not in [0, 3)") != std::string::npos);
  CHECK(text(tensor({0, -1, 3, 2}, int64)).find("label -1 of example 1 is not in [0, 3)") !=
        std::string::npos);
  CHECK(text(tensor({0, 1, 2, 0}, int64)) == "nothing was thrown");
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({4, 3}), zeros({4})), DTypeError);
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({4, 3}), zeros({4}, bool_)), DTypeError);
}
