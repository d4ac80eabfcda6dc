#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

Tensor random(const Shape& shape, std::uint64_t stream) {
  Generator generator(3, stream);
  return normal(shape, generator, 0, 1, float64);
}

}  // namespace

TEST_CASE("Linear is x W^T + b", "[linear]") {
  const bool bias = GENERATE(true, false);
  const Linear layer(3, 2, {.bias = bias, .dtype = float64});
  auto parameters = layer.parameters();
  REQUIRE(parameters.size() == (bias ? 2 : 1));
  CHECK(parameters[0].name() == "weight");
  CHECK(parameters[0].shape() == Shape{2, 3});
  const Tensor x = random({5, 3}, 1), W = parameters[0].value();
  Tensor b = zeros({2}, float64);
  if (bias) {
    CHECK(parameters[1].name() == "bias");
    CHECK(equal(parameters[1].value(), b));
    b = random({2}, 2);
    parameters[1].set(b);
  }
  const Tensor y = layer(x).value();
  REQUIRE(y.shape() == Shape{5, 2});
  for (std::int64_t i = 0; i < 5; ++i) {
    const Variable one = layer(slice(x, {{i, i + 1}}));
    const Variable single = layer(reshape(slice(x, {{i, i + 1}}), {3}));
    REQUIRE(single.shape() == Shape{2});
    CHECK(one.shape() == Shape{1, 2});
    for (std::int64_t j = 0; j < 2; ++j) {
      double expected = b.at({j});
      for (std::int64_t k = 0; k < 3; ++k) expected += x.at({i, k}) * W.at({j, k});
      CHECK(y.at({i, j}) == Approx(expected).epsilon(1e-14));
      CHECK(single.value().at({j}) == Approx(expected).epsilon(1e-14));
      CHECK(one.value().at({0, j}) == Approx(expected).epsilon(1e-14));
    }
  }
}

TEST_CASE("Linear passes the gradient check", "[linear]") {
  const Shape shape = GENERATE(Shape{4, 3}, Shape{3});
  const Linear layer(3, 2);
  const Tensor x = random(shape, 1);
  const GradReport report = gradcheck([&] { return square(layer(x)); }, layer.parameters(), {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
  // and to its input
  Linear fixed(3, 2, {.dtype = float64});
  CHECK(gradcheck([&](const Variables& v) { return tanh(fixed(v[0])); }, {x}).passed);
}

TEST_CASE("Linear takes its options", "[linear]") {
  const Linear a(4, 3, {.seed = 5}), b(4, 3, {.seed = 5}), c(4, 3, {.seed = 6});
  CHECK(equal(a.parameters()[0].value(), b.parameters()[0].value()));
  CHECK_FALSE(equal(a.parameters()[0].value(), c.parameters()[0].value()));
  Generator stream(5);
  CHECK(equal(a.parameters()[0].value(), he_init({3, 4}, stream, float32)));
  CHECK(equal(Linear(4, 3, {.init = zeros_init}).parameters()[0].value(), zeros({3, 4})));
  CHECK(Linear(4, 3, {.dtype = float64}).parameters()[1].dtype() == float64);
}

TEST_CASE("Linear's errors", "[linear]") {
  CHECK(complaint<ShapeError>([] { Linear(0, 2); }) == "Linear: sizes are at least 1, not 0 and 2");
  CHECK_THROWS_AS(Linear(2, -1), ShapeError);
  const Linear layer(3, 2);
  CHECK_THROWS_AS(layer(ones({5, 4})), ShapeError);
  CHECK_THROWS_AS(layer(ones({4})), ShapeError);
  CHECK(layer(ones({2, 5, 3})).shape() == Shape{2, 5, 2});
  CHECK_THROWS_AS(layer(1.0), ShapeError);
  CHECK_THROWS_AS(layer(ones({5, 3}, float64)), DTypeError);
}
