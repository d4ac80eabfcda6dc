#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <gradient_of.hpp>
#include <limits>
#include <vector>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/sgd.hpp>
#include <xgrad/ops/ops.hpp>

using namespace xgrad;

TEST_CASE("Sgd follows its formulas", "[sgd]") {
  struct Row {
    double momentum, weight_decay;
  };
  const Row row = GENERATE(values<Row>({{0, 0}, {0.9, 0}, {0, 0.1}, {0.9, 0.1}}));
  const DType dtype = GENERATE(float32, float64);
  CAPTURE(row.momentum, row.weight_decay, name(dtype));
  constexpr double rate = 0.05;
  Parameter w("w", tensor({1, -2, 0.5}, dtype));
  Sgd sgd({w}, {.learning_rate = rate, .momentum = row.momentum, .weight_decay = row.weight_decay});
  std::vector<double> p{1, -2, 0.5}, v(3, 0.0);
  for (int step = 0; step < 5; ++step) {
    std::vector<double> g(3);
    for (std::size_t i = 0; i < 3; ++i) {
      g[i] = std::sin(step + static_cast<double>(i));
      const double decayed = g[i] + row.weight_decay * p[i];
      v[i] = step == 0 ? decayed : row.momentum * v[i] + decayed;
      p[i] -= rate * v[i];
    }
    sgd.step(of(w, Tensor({3}, g).astype(dtype)));
    const auto actual = w.value().to_vector<double>();
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(actual[i] == Approx(p[i]).epsilon(dtype == float32 ? 1e-6 : 1e-14));
  }
}

TEST_CASE("The options may change between steps", "[sgd]") {
  Parameter w("w", scalar(1, float64));
  Sgd sgd({w}, {.learning_rate = 0.5});
  sgd.step(of(w, scalar(1, float64)));
  CHECK(w.value().item() == 0.5);
  sgd.options.learning_rate = 0.25;
  sgd.step(of(w, scalar(1, float64)));
  CHECK(w.value().item() == 0.25);
  sgd.options.learning_rate = 0;
  sgd.step(of(w, scalar(1, float64)));
  CHECK(w.value().item() == 0.25);
}

TEST_CASE("Parameters without a gradient stay", "[sgd]") {
  Parameter w("w", 1.0), unused("unused", 1.0);
  Sgd sgd({unused, w}, {.learning_rate = 1, .momentum = 0.5, .weight_decay = 0.5});
  sgd.step(of(w, scalar(1)));
  CHECK(unused.value().item() == 1);
  CHECK(unused.version() == 0);
  CHECK(w.value().item() == -0.5);
}

TEST_CASE("A step after the tape writes in place", "[sgd]") {
  Parameter w("w", ones({1000}));
  Sgd sgd({w}, {.learning_rate = 0.5, .momentum = 0.9});
  const void* memory = w.value().raw();
  for (int step = 0; step < 3; ++step) {
    Tape tape;
    sgd.step(tape.backward(sum(w * 2)));
  }
  CHECK(w.value().raw() == memory);
}

TEST_CASE("What somebody holds is not changed by a step", "[sgd]") {
  Parameter w("w", tensor({1, 2}));
  Sgd sgd({w}, {.learning_rate = 1, .momentum = 0.5});
  const Tensor held = w.value();
  const Gradients grad = of(w, tensor({3, 4}));
  sgd.step(grad);
  sgd.step(grad);
  CHECK(equal(held, tensor({1, 2})));
  CHECK(equal(grad[w].value(), tensor({3, 4})));
}

TEST_CASE("A copy of an Sgd has velocities of its own", "[sgd]") {
  Parameter w("w", scalar(0, float64));
  Sgd sgd({w}, {.learning_rate = 1, .momentum = 0.5});
  sgd.step(of(w, scalar(8, float64)));  // v = 8
  Sgd copy = sgd;
  sgd.step(of(w, scalar(0, float64)));  // v = 4
  CHECK(w.value().item() == -12);
  copy.step(of(w, scalar(0, float64)));  // its own v: 8 to 4
  CHECK(w.value().item() == -16);
}

TEST_CASE("Sgd's errors change nothing", "[sgd]") {
  CHECK(complaint<Error>([] { Sgd({}); }) == "Sgd: there are no parameters");
  Parameter v("v", tensor({1, 2})), w("w", tensor({3, 4})), other("other", 1.0);
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(Sgd({w}, {.learning_rate = bad}), Error);
    CHECK_THROWS_AS(Sgd({w}, {.momentum = bad}), Error);
    CHECK_THROWS_AS(Sgd({w}, {.weight_decay = bad}), Error);
  }
  CHECK(complaint<Error>([&] { Sgd({w}, {.momentum = -1}); }) ==
        "Sgd: momentum is -1.000000; it must be finite and not negative");

  const double momentum = GENERATE(0, 0.9);
  Sgd sgd({v, w}, {.learning_rate = 1, .momentum = momentum});
  CHECK(complaint<GraphError>([&] { sgd.step(of(other, scalar(1))); }) ==
        "Sgd: no parameter has a gradient; was the cost computed from this model?");
  CHECK_THROWS_AS(sgd.step(Gradients()), GraphError);
  Gradients grad = of(v, ones({2}));
  grad += of(w, ones({2, 1}));
  CHECK(complaint<ShapeError>([&] { sgd.step(grad); }) ==
        "Sgd: the gradient of w has another shape: (2, 1) for (2,)");
  grad = of(v, ones({2}));
  grad += of(w, ones({2}, float64));
  CHECK(complaint<DTypeError>([&] { sgd.step(grad); }) ==
        "Sgd: the gradient of w has another dtype: float64 for float32");
  grad = of(v, ones({2}));
  sgd.options.learning_rate = -1;
  CHECK_THROWS_AS(sgd.step(grad), Error);
  CHECK(v.version() == 0);
  CHECK(w.version() == 0);
  sgd.options.learning_rate = 1;
  sgd.step(grad);  // the failed steps left no velocity behind
  CHECK(equal(v.value(), tensor({0, 1})));
}

TEST_CASE("A velocity follows its parameter to another precision", "[sgd]") {
  Parameter w("w", scalar(0));
  Sgd sgd({w}, {.learning_rate = 1, .momentum = 0.5});
  sgd.step(of(w, scalar(8)));
  w.cast(float64);
  sgd.step(of(w, scalar(0, float64)));
  CHECK(w.value().item() == -12);
}
