// Operations of a user's own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <stdexcept>
#include <xgrad/autograd/checkpoint.hpp>
#include <xgrad/autograd/compile.hpp>
#include <xgrad/autograd/custom.hpp>
#include <xgrad/autograd/draw.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/jacobian.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

// A loop over numbers, as a user would write it.
Tensor cubed(const Tensor& x) {
  std::vector<double> values = x.to_vector<double>();
  for (double& value : values) value = value * value * value;
  return Tensor(x.shape(), values).astype(x.dtype());
}
Tensor times(const Tensor& a, double factor) {
  std::vector<double> values = a.to_vector<double>();
  for (double& value : values) value *= factor;
  return Tensor(a.shape(), values).astype(a.dtype());
}

const auto cube = custom([](const Tensor& x) { return cubed(x); },
                         [](const Variable& g, const Variable& x) { return 3 * g * x * x; }, "cube");
// Its pullback computes on numbers.
const auto triple = custom([](const Tensor& x) { return times(x, 3); },
                           [](const Variable& g) { return times(g.value(), 3); }, "triple");
const auto scaled_exp = custom([](const Variable& x, const Variable& c) { return c * exp(x); },
                               [](const Variable& g, const Variable& y, const Variable&, const Variable& c) {
                                 return std::array{g * y, g * y / c};
                               },
                               "scaled_exp",
                               [](const std::array<Variable, 2>& t, const Variable& y, const Variable&,
                                  const Variable& c) { return t[0] * y + t[1] * y / c; });
const Tensor x = tensor({0.5, -1.5, 2}, float64);

}  // namespace

TEST_CASE("A custom operation computes and is differentiated", "[custom]") {
  CHECK(equal(cube(x).value(), tensor({0.125, -3.375, 8}, float64)));
  CHECK(cube(2.0).item() == 8);
  const Parameter w("w", 2.0);
  CHECK(cube(w).item() == 8);
  CHECK(grad(cube)(2.0).item() == 12);
  CHECK(grad(grad(cube))(2.0).item() == 12);
  CHECK(grad(grad(grad(cube)))(2.0).item() == 6);
  CHECK(jvp(cube)(2.0, 10.0).tangent.item() == 120);
  CHECK(grad(triple)(2.0).item() == 3);
  CHECK(hessian([](const Variable& v) { return sum(cube(v)); })(x).shape() == Shape{3, 3});
}

TEST_CASE("Custom operations of several inputs", "[custom]") {
  const Tensor c = tensor({{2}, {-3}}, float64);
  const auto composed = [](const Variable& v, const Variable& k) { return k * exp(v); };
  const auto [dx, dc] =
      grad<0, 1>([&](const Variable& v, const Variable& k) { return sum(scaled_exp(v, k)); })(x, c);
  const auto [ex, ec] =
      grad<0, 1>([&](const Variable& v, const Variable& k) { return sum(composed(v, k)); })(x, c);
  CHECK(allclose(dx.value(), ex.value(), 1e-14));  // what was broadcast is summed
  CHECK(allclose(dc.value(), ec.value(), 1e-14));
  CHECK(allclose(jvp(scaled_exp)(x, c, x, c).tangent.value(), jvp(composed)(x, c, x, c).tangent.value(),
                 1e-14));
  const auto squared = [](const auto& f) {
    return [f](const Variable& v, const Variable& k) { return sum(square(f(v, k))); };
  };
  const auto blocks = hessian<0, 1>(squared(scaled_exp))(x, c),
             expected = hessian<0, 1>(squared(composed))(x, c);
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) CHECK(allclose(blocks[i][j].value(), expected[i][j].value(), 1e-12));
  }
  // A number takes the tensor's dtype; labels have no gradient.
  CHECK(scaled_exp(x, 2).dtype() == float64);
  const auto pick = custom([](const Variable& v, const Variable& i) { return take(v, i); },
                           [](const Variable& g, const Variable& v, const Variable& i) {
                             return Variables{index_add(zeros(v.shape(), v.dtype()), i, g), Variable(0.0)};
                           },
                           "pick_rows");
  CHECK(equal(grad([&](const Variable& v) {
                return sum(pick(v, tensor({1, 1}, int64)));
              })(x)
                  .value(),
              tensor({0, 2, 0}, float64)));
}

TEST_CASE("gradcheck checks a custom operation", "[custom]") {
  const auto check = [](const auto& f, int order) {
    return gradcheck([&](const Variables& v) { return f(v[0]); }, {x}, {.order = order});
  };
  CHECK(check(cube, 2).passed);
  const auto wrong = custom([](const Tensor& v) { return cubed(v); },
                            [](const Variable& g, const Variable& v) { return 2 * g * v * v; }, "wrong");
  const GradReport report = check(wrong, 1);
  CHECK(!report.passed);
  CHECK_THAT(to_string(report), Catch::Contains("at fault: wrong (at custom_test.cpp:"));
  CHECK(check(triple, 1).passed);
}

TEST_CASE("Listings, diagrams and errors name a custom operation", "[custom]") {
  Tape tape;
  const Variable v = tape.watch(x, "x");
  const Variable y = cube(v);
  CHECK_THAT(to_text(tape), Catch::Contains("1: cube(x)      (3,) float64    custom_test.cpp:"));
  CHECK_THAT(to_dot(y), Catch::Contains("cube"));
  CHECK_THAT(complaint<DTypeError>([&] { scaled_exp(x, ones({3})); }),
             Catch::StartsWith("scaled_exp: dtypes differ") && Catch::Contains("custom_test.cpp:"));
  CHECK_THAT(complaint<ShapeError>([&] { scaled_exp(v, ones({4}, float64)); }),
             Catch::Contains("custom_test.cpp:"));
  CHECK(tape.size() == 2);
}

TEST_CASE("What a custom pullback does wrong is an error", "[custom]") {
  const auto pulled = [](const auto& operation) {
    Tape tape;
    const Variable v = tape.watch(x);
    return complaint<GraphError>([&] { tape.backward(sum(operation(v))); });
  };
  const auto value = [](const Tensor& v) { return cubed(v); };
  CHECK_THAT(pulled(custom(
                 value, [](const Variable&) { return zeros({7}, float64); }, "shape")),
             Catch::Contains("shape (at custom_test.cpp:") && Catch::Contains("pulled back (7,) float64"));
  CHECK_THAT(pulled(custom(
                 value, [](const Variable&) { return zeros({3}); }, "dtype")),
             Catch::Contains("pulled back (3,) float32"));
  CHECK_THAT(pulled(custom(
                 value,
                 [](const Variable& g) {
                   return Variables{g, g};
                 },
                 "count")),
             Catch::StartsWith("count: the pullback gives 2 contributions for 1 input (at custom_test.cpp:"));
}

TEST_CASE("A pullback on numbers has no second derivative, and says so", "[custom]") {
  const std::string expected =
      "triple: the pullback is to be differentiated again, and what it gives does not depend on its "
      "argument; write "
      "it with operations on Variables, not on value()";
  CHECK_THAT(complaint<GraphError>([] { grad(grad([](const Variable& v) { return triple(v) * v; }))(2.0); }),
             Catch::StartsWith(expected));
  CHECK_THAT(complaint<GraphError>([] { jvp(triple)(x, x); }), Catch::StartsWith(expected));
  // A push makes forward mode work.
  const auto pushed = custom([](const Tensor& v) { return times(v, 3); },
                             [](const Variable& g) { return times(g.value(), 3); }, "triple",
                             [](const Variable& t) { return times(t.value(), 3); });
  CHECK(jvp(pushed)(2.0, 5.0).tangent.item() == 15);
  CHECK_THAT(
      complaint<GraphError>([&] { grad([&](const Variable& v) { return jvp(pushed)(v, v).tangent; })(2.0); }),
      Catch::StartsWith("triple: the push is to be differentiated again"));
  // No gradient at all is one.
  const auto step =
      custom([](const Variable& v) { return where(v > 0, 1.0, 0.0); },
             [](const Variable&, const Variable& v) { return zeros(v.shape(), v.dtype()); }, "step");
  CHECK(grad(grad([&](const Variable& v) { return step(v) * v * v; }))(3.0).item() == 2);
}

TEST_CASE("Custom rules may differentiate on tapes of their own", "[custom]") {
  // y = dz/dx of z = x^4, and its slope, by tapes inside
  const auto slope = [](const Variable& v) {
    return grad([](const Variable& u) { return sum(u * u * u * u); })(v);
  };
  const auto derivative = custom(slope, [&](const Variable& g, const Variable& v) {
    return grad([&](const Variable& u) { return sum(stop_gradient(g) * slope(u)); })(v);
  });
  Tape tape;
  const Variable v = tape.watch(scalar(2));
  CHECK(derivative(v).item() == 32);
  CHECK(tape.backward(derivative(v))[v].item() == 48);
}

TEST_CASE("A function that throws leaves the tape as it was", "[custom]") {
  Tape tape;
  const Variable v = tape.watch(x);
  const auto refuse = custom([](const Tensor&) -> Tensor { throw std::domain_error("no"); },
                             [](const Variable& g) { return g; }, "refuse");
  CHECK_THROWS_AS(refuse(v), std::domain_error);
  CHECK(tape.size() == 1);
  CHECK(Tape::recording() == &tape);
  const auto late = custom([](const Tensor& a) { return a; },
                           [](const Variable&) -> Variable { throw std::domain_error("no"); }, "late");
  const Variable y = sum(late(v) * v);
  const std::size_t size = tape.size();
  CHECK_THROWS_AS(tape.backward(y, {.create_graph = true}), std::domain_error);
  CHECK(tape.size() == size);
  CHECK(Tape::recording() == &tape);
}

TEST_CASE("Custom operations in checkpoints, hooks' company and scopes", "[custom]") {
  const auto plain = [](const Variable& v) { return sum(v * v * v * v); };
  const auto mixed = [](const Variable& v) {
    return checkpoint([](const Variable& u) { return sum(cube(u) * u); }, v);
  };
  CHECK(allclose(hessian(mixed)(x).value(), hessian(plain)(x).value(), 1e-13));
  CHECK(allclose(jvp(mixed)(x, x).tangent.value(), jvp(plain)(x, x).tangent.value(), 1e-13));
  Tape tape;
  const Variable v = tape.watch(x);
  const Scope scope("layer1");
  CHECK_THAT(complaint<GraphError>([&] {
               tape.backward(sum(custom([](const Tensor& a) { return a; },
                                        [](const Variable& g) {
                                          return Variables{g, g};
                                        },
                                        "two")(v)));
             }),
             Catch::Contains("custom_test.cpp:"));
}

TEST_CASE("NaN passes through a custom operation", "[custom]") {
  CHECK(std::isnan(grad(cube)(std::nan("")).item()));
  // ... and is no contribution of 0, where the pullback computes on numbers.
  CHECK_THROWS_AS(grad(grad([](const Variable& v) { return triple(v) * v; }))(std::nan("")), GraphError);
}

TEST_CASE("A compiled function may hold custom operations", "[custom]") {
  const auto replays = [](const auto& operation) {
    auto compiled = compile(
        [&](const Variable& v) { return grad([&](const Variable& u) { return sum(operation(u)); })(v); });
    for (double value : {1.0, 2.0, 3.0}) {
      const Tensor at = full({2}, value, float64);
      CHECK(equal(compiled(at).value(),
                  grad([&](const Variable& u) { return sum(operation(u)); })(at).value()));
    }
    return compiled.report().replays;
  };
  CHECK(replays(custom(
            [](const Variable& v) { return exp(v) * v; },
            [](const Variable& g, const Variable& y, const Variable& v) { return g * (y + exp(v)); })) == 2);
  CHECK(replays(cube) == 0);  // it reads numbers
  const auto by_pointer = custom(
      [](const Tensor& v) {
        Tensor y(v.shape(), v.dtype());
        std::transform(v.data<double>(), v.data<double>() + v.size(), detail::mutable_data<double>(y),
                       [](double value) { return value * value; });
        return y;
      },
      [](const Variable& g, const Variable& v) { return 2 * g * v; }, "by_pointer");
  CHECK(replays(by_pointer) == 0);
}
