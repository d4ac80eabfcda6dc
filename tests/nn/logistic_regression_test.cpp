#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <vector>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

Tensor random(const Shape& shape, std::uint64_t stream, double low = -1, double high = 1) {
  Generator generator(3, stream);
  return uniform(shape, generator, low, high, float64);
}

}  // namespace

TEST_CASE("Logistic regression begins at 0", "[logistic_regression]") {
  const LogisticRegression model(4);
  CHECK(model.w.name() == "w");
  CHECK(model.b.name() == "b");
  CHECK(equal(model.w.value(), zeros({4, 1})));
  CHECK(equal(model.b.value(), zeros({})));
  REQUIRE(model.parameters().size() == 2);
  CHECK(model.parameters()[0].same_as(model.w));
  CHECK(model.parameters()[1].same_as(model.b));
  CHECK(equal(model(ones({4, 3})).value(), full({1, 3}, 0.5)));
  CHECK(LogisticRegression(4, float64).w.dtype() == float64);
  CHECK(LogisticRegression(4, float64).b.dtype() == float64);
}

TEST_CASE("Logistic regression has the gradient of the notes", "[logistic_regression]") {
  // dZ = A - Y, dw = X dZ^T / m, db = sum(dZ) / m
  constexpr std::int64_t n = 7, m = 30;
  LogisticRegression model(n, float64);
  model.w.set(random({n, 1}, 1));
  model.b.set(scalar(0.3, float64));
  const Tensor X = random({n, m}, 2), Y = (Variable(random({1, m}, 3)) > 0).value().astype(float64);

  std::vector<double> dw(n, 0.0);
  double db = 0, J = 0;
  for (std::int64_t i = 0; i < m; ++i) {
    double z = 0.3;
    for (std::int64_t k = 0; k < n; ++k) z += model.w.value().at({k, 0}) * X.at({k, i});
    const double a = 1 / (1 + std::exp(-z)), y = Y.at({0, i}), dz = a - y;
    J += -(y * std::log(a) + (1 - y) * std::log(1 - a)) / m;
    for (std::int64_t k = 0; k < n; ++k) dw[static_cast<std::size_t>(k)] += X.at({k, i}) * dz / m;
    db += dz / m;
  }

  Tape tape;
  const Variable A = model(X);
  CHECK(A.shape() == Shape{1, m});
  const Variable cost = mean(binary_cross_entropy(A, Y));
  CHECK(cost.item() == Approx(J).epsilon(1e-14));
  const Gradients grad = tape.backward(cost);
  CHECK(grad[model.w].shape() == Shape{n, 1});
  for (std::int64_t k = 0; k < n; ++k)
    CHECK(grad[model.w].value().at({k, 0}) == Approx(dw[static_cast<std::size_t>(k)]).epsilon(1e-12));
  CHECK(grad[model.b].item() == Approx(db).epsilon(1e-12));
}

TEST_CASE("Logistic regression passes the gradient check", "[logistic_regression]") {
  LogisticRegression model(5);
  model.w.set(random({5, 1}, 1).astype(float32));
  const Tensor X = random({5, 8}, 2), Y = random({1, 8}, 3, 0, 1);
  const GradReport report =
      gradcheck([&] { return mean(binary_cross_entropy(model(X), Y)); }, model.parameters(), {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
  CHECK(report.relative_difference < 1e-7);
}

TEST_CASE("Logistic regression learns", "[logistic_regression]") {
  LogisticRegression model(2);
  const Tensor X = random({2, 200}, 4).astype(float32);
  const Tensor Y = (slice(X, 0, {0, 1}) + 0.5 * slice(X, 0, {1, 2}) > 0.1).value().astype(float32);
  Sgd sgd(model.parameters(), {.learning_rate = 2});
  for (int step = 0; step < 300; ++step) {
    Tape tape;
    sgd.step(tape.backward(mean(binary_cross_entropy(model(X), Y))));
  }
  CHECK(binary_accuracy(model(X).value(), Y) > 0.97);
}

TEST_CASE("Logistic regression's errors", "[logistic_regression]") {
  CHECK(complaint<ShapeError>([] { LogisticRegression(0); }) ==
        "LogisticRegression: n_x is 0, but an example has features");
  CHECK_THROWS_AS(LogisticRegression(-1), ShapeError);
  const LogisticRegression model(3);
  CHECK_THAT(complaint<ShapeError>([&] {
               model(ones({4, 2}));
             }),
             Catch::Contains("w (3, 1)") || Catch::Contains("(4, 2)"));
  CHECK_THROWS_AS(model(ones({3, 2}, float64)), DTypeError);
}
