#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

Variable real(double x) { return Variable(scalar(x, float64)); }

const auto cube = [](const Variable& x) { return x * x * x; };

}  // namespace

TEST_CASE("grad gives the gradient of a function", "[functional]") {
  const auto slope = grad(cube);
  CHECK(slope(2.0).item() == 12);
  CHECK(slope(2).item() == 12);
  CHECK(slope(real(2)).dtype() == float64);
  CHECK(slope(2.0).is_constant());
  CHECK(equal(grad([](const Variable& x) { return sum(x * x); })(tensor({1, 2})).value(), tensor({2, 4})));
  const Parameter w("w", 2.0);
  CHECK(slope(w).item() == 12);
  CHECK(Tape::recording() == nullptr);
}

TEST_CASE("A number takes the dtype of the arguments beside it", "[functional]") {
  const auto f = [](const Variable& x, const Variable& y) { return sum(x * y * y); };
  const Tensor x = tensor({1, 2, 3}, float64);
  const auto [dx, dy] = grad<0, 1>(f)(x, 0.1);
  CHECK(dx.dtype() == float64);
  CHECK(dy.dtype() == float64);
  CHECK(dy.item() == Approx(1.2).epsilon(1e-15));  // not that of the float32 next to 0.1
  CHECK(grad<1>(f)(2, x).dtype() == float64);
  CHECK(grad(f)(2, ones({2})).dtype() == float32);
  CHECK(grad(f)(tensor({1, 2}), 3).dtype() == float32);
  CHECK(value_and_grad(f)(Parameter("w", x), 2).value.item() == 24);
  // Integers and truths say nothing.
  CHECK(grad([](const Variable& v, const Variable& i) { return v * sum(i); })(2.0, ones({2}, int64)).item() ==
        2);
  CHECK(grad([](const Variable& v, const Variable& c) { return where(c, v * v, v); })(3.0, true).item() == 6);
}

TEST_CASE("Nested grads give higher derivatives", "[functional]") {
  CHECK(grad(grad(cube))(2.0).item() == 12);
  CHECK(grad(grad(grad(cube)))(2.0).item() == 6);
  CHECK(grad(grad(grad(grad(cube))))(2.0).item() == 0);
  const auto f = [](const Variable& x) { return exp(x * x); };
  const double e = std::exp(0.25);
  CHECK(grad(f)(real(0.5)).item() == Approx(e).epsilon(1e-14));
  CHECK(grad(grad(f))(real(0.5)).item() == Approx(3 * e).epsilon(1e-14));
  CHECK(grad(grad(grad(f)))(real(0.5)).item() == Approx(7 * e).epsilon(1e-14));
}

TEST_CASE("value_and_grad gives both", "[functional]") {
  const auto [value, slope] = value_and_grad(cube)(2.0);
  CHECK(value.item() == 8);
  CHECK(slope.item() == 12);
  CHECK(value.is_constant());
}

TEST_CASE("Of several arguments the asked ones are differentiated", "[functional]") {
  const auto f = [](const Variable& x, const Variable& y, const Variable& z) { return x * y * y + z; };
  CHECK(grad(f)(2.0, 3.0, 4.0).item() == 9);
  CHECK(grad<1>(f)(2.0, 3.0, 4.0).item() == 12);
  const std::array<Variable, 3> all = grad<0, 1, 2>(f)(2.0, 3.0, 4.0);
  CHECK(all[0].item() == 9);
  CHECK(all[1].item() == 12);
  CHECK(all[2].item() == 1);
  const auto [value, some] = value_and_grad<2, 0>(f)(2.0, 3.0, 4.0);
  CHECK(value.item() == 22);
  CHECK(some[0].item() == 1);
  CHECK(some[1].item() == 9);
  // d/dx d/dy
  CHECK(
      grad<0>([&](const Variable& x, const Variable& y) { return grad<1>(f)(x, y, 0.0); })(2.0, 3.0).item() ==
      6);
}

TEST_CASE("The same value as two arguments is two arguments", "[functional]") {
  const auto f = [](const Variable& x, const Variable& y) { return x * y * y; };
  const auto twice = [&](const Variable& x) {
    const auto [dx, dy] = grad<0, 1>(f)(x, x);
    return dx * 100 + dy;  // 100 x x + 2 x x
  };
  CHECK(twice(3.0).item() == 918);
  CHECK(grad(twice)(3.0).item() == 612);
}

TEST_CASE("What a function does not depend on has gradient 0", "[functional]") {
  const auto first = [](const Variable& x, const Variable&) { return sum(x); };
  const auto [dx, dy] = grad<0, 1>(first)(ones({2}), ones({3, 4}, float64));
  CHECK(equal(dx.value(), ones({2})));
  CHECK(equal(dy.value(), zeros({3, 4}, float64)));
  CHECK(grad([](const Variable&) { return Variable(1.0); })(2.0).item() == 0);
  CHECK(equal(grad([](const Variable& x) { return sum(stop_gradient(x)); })(ones({2})).value(), zeros({2})));
  CHECK(grad(grad([](const Variable& x) { return 3 * x; }))(2.0).item() == 0);
}

TEST_CASE("Inner and outer derivatives are not confused", "[functional]") {
  // d/dx (x * d/dy (x + y)) = 1
  const auto at = [](const Variable& y) {
    return grad([y](const Variable& x) { return x * grad([x](const Variable& v) { return x + v; })(y); });
  };
  CHECK(at(1.0)(1.0).item() == 1);
  CHECK(grad([](const Variable& x) { return x * grad([x](const Variable& y) { return x + y; })(x); })(1.0)
            .item() == 1);
  // d/dx (x * d/dy (x y y) at y = 3) = d/dx 6 x x
  const auto g =
      grad([](const Variable& x) { return x * grad([x](const Variable& y) { return x * y * y; })(3.0); });
  CHECK(g(2.0).item() == 24);
  CHECK(grad(g)(2.0).item() == 12);
  // The inner point, too, depends on x: d/dx (d/dy (x y y) at y = x x) = d/dx 2 x x x
  CHECK(grad([](const Variable& x) { return grad([x](const Variable& y) { return x * y * y; })(x * x); })(2.0)
            .item() == 24);
  // What the inner function closes over is computed from x: d/dx (d/dy (z y) at y = 1), z = x x x
  CHECK(grad([](const Variable& x) {
          const Variable z = x * x * x;
          return grad([z](const Variable& y) { return z * y; })(1.0);
        })(2.0)
            .item() == 12);
  // The inner function returns what does not depend on its argument.
  CHECK(grad([](const Variable& x) { return x + grad([x](const Variable&) { return x * x; })(1.0); })(2.0)
            .item() == 1);
}

TEST_CASE("Inside a tape that records, results can be differentiated", "[functional]") {
  const Parameter w("w", 3.0);
  Tape tape;
  const Variable x = tape.watch(scalar(2));
  CHECK(tape.backward(grad(cube)(x))[x].item() == 12);

  // f's own parameters and variables count as well: d/dw (d/dx w w x x) = 4 w x
  const Variable slope = grad([&](const Variable& v) { return w * w * v * v; })(5.0);
  CHECK(slope.item() == 90);
  const Gradients all = tape.backward(slope);
  CHECK(all[w].item() == 60);
  CHECK(all.size() == 1);  // the inner argument is no leaf of the user's
  const auto [value, dy] = value_and_grad([&](const Variable& y) { return x * x * y; })(7.0);
  const Gradients grad = tape.backward(value * dy);  // x^4 y
  CHECK(grad[x].item() == 224);
  CHECK(Tape::recording() == &tape);
}

TEST_CASE("A gradient penalty trains", "[functional]") {
  // |df/dx|^2 for f = sum(tanh(W x)), against differences
  Parameter W("W", tensor({{0.3, -0.2}, {0.5, 0.7}}, float64));
  const Tensor x = tensor({0.4, -1.1}, float64);
  const auto penalty = [&] {
    return sum(square(grad([&](const Variable& v) { return sum(tanh(matmul(W, v))); })(x)));
  };
  std::vector<double> analytic;
  {
    Tape tape;
    analytic = tape.backward(penalty())[W].value().to_vector<double>();
  }
  const auto values = W.value().to_vector<double>();
  for (std::size_t i = 0; i < 4; ++i) {
    const auto at = [&](double h) {
      auto moved = values;
      moved[i] += h;
      W.set(Tensor({2, 2}, moved));
      return penalty().item();
    };
    CHECK(analytic[i] == Approx((at(1e-5) - at(-1e-5)) / 2e-5).epsilon(1e-8));
  }
}

TEST_CASE("A paused tape is not recorded on", "[functional]") {
  Tape tape;
  const Variable x = tape.watch(scalar(2));
  const std::size_t size = tape.size();
  const Tape::Pause pause;
  CHECK(grad(cube)(x).item() == 12);
  CHECK(grad(grad(cube))(x).item() == 12);
  CHECK(grad(cube)(x).is_constant());
  CHECK(tape.size() == size);
}

TEST_CASE("What grad cannot do is an error", "[functional]") {
  CHECK_THAT(complaint<GraphError>([] { grad([](const Variable& x) { return x * 2; })(ones({3})); }),
             Catch::StartsWith("backward: the result (3,) has more than one element"));
  CHECK_THROWS_AS(grad(cube)(zeros({}, int64)), DTypeError);
  {
    const Tape tape;
    CHECK_THROWS_AS(grad(cube)(zeros({}, int64)), DTypeError);
  }
  Tape outer;
  const Variable x = outer.watch(scalar(2));
  const Tape inner;
  CHECK_THROWS_AS(grad(cube)(x), GraphError);
}
