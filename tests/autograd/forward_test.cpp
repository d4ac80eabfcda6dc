// jvp and hvp.
#include <pthread.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <xgrad/autograd/compile.hpp>
#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/hooks.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

Variable real(double x) { return Variable(scalar(x, float64)); }
const Tensor a = tensor({{0.5, -1, 2}, {1.5, 0.25, -0.75}}, float64);
const Tensor x = tensor({0.3, -1.2, 0.8}, float64), t = tensor({1, -2, 0.5}, float64);

bool close(const Variable& u, const Variable& v) { return allclose(u.value(), v.value(), 1e-13, 1e-14); }

}  // namespace

TEST_CASE("jvp gives a value and its tangent", "[forward]") {
  const auto [y, dy] = jvp([](const Variable& v) { return sin(v); })(x, t);
  CHECK(close(y, sin(x)));
  CHECK(close(dy, cos(x) * t));
  CHECK(dy.is_constant());
  CHECK(Tape::recording() == nullptr);
  // The shape of the value does not matter.
  CHECK(close(jvp([](const Variable& v) { return matmul(a, v); })(x, t).tangent, matmul(a, t)));
  CHECK(close(jvp([](const Variable& v) { return outer(v, v * v); })(x, t).tangent,
              outer(t, square(x)) + outer(x, 2 * x * t)));
  CHECK(jvp([](const Variable& v) { return v * v; })(3.0, 2.0).tangent.item() == 12);
  CHECK(jvp([](const Variable& v) { return v * v; })(real(3), 2).tangent.dtype() == float64);
}

TEST_CASE("Of several arguments the tangents add up", "[forward]") {
  const auto f = [](const Variable& u, const Variable& v) { return u * exp(v); };
  const auto [y, dy] = jvp(f)(real(2), real(0.5), real(3), real(-1));
  CHECK(y.item() == Approx(2 * std::exp(0.5)).epsilon(1e-14));
  CHECK(dy.item() == Approx((3 - 2) * std::exp(0.5)).epsilon(1e-14));
  // The same value twice: two arguments.
  CHECK(jvp(f)(real(1), real(1), 0.0, 1.0).tangent.item() == Approx(std::exp(1)));
  // Broadcasting: a tangent has its argument's shape.
  CHECK(close(jvp([](const Variable& m, const Variable& v) { return m * v; })(a, x, zeros({2, 3}, float64), t)
                  .tangent,
              a * t));
}

TEST_CASE("What does not move has tangent 0", "[forward]") {
  CHECK(
      equal(jvp([](const Variable&) { return Variable(ones({2})); })(1.0, 1.0).tangent.value(), zeros({2})));
  CHECK(jvp([](const Variable& v) { return stop_gradient(v) * v; })(3.0, 1.0).tangent.item() == 3);
  CHECK(equal(
      jvp([](const Variable& u, const Variable&) { return u; })(x, ones({4}), zeros({3}, float64), ones({4}))
          .tangent.value(),
      zeros({3}, float64)));
  // Branches that do not lead to the result, and those that do not come from the argument.
  const Parameter w("w", tensor({1, 2, 3}, float64));
  CHECK(close(jvp([&](const Variable& v) {
                exp(v);
                return sum(w * w) * v;
              })(x, t)
                  .tangent,
              14 * Variable(t)));
}

TEST_CASE("A function of several results is walked once", "[forward]") {
  const auto f = [](const Variable& v) {
    const Variable e = exp(v);
    return std::array<Variable, 3>{e, sum(e * v), Variable(1.0)};
  };
  const auto [y, dy] = jvp(f)(x, t);
  CHECK(close(y[1], sum(exp(x) * x)));
  CHECK(close(dy[0], exp(x) * t));
  CHECK(close(dy[1], sum(exp(x) * (x + 1) * t)));
  CHECK(dy[2].item() == 0);
}

TEST_CASE("Forward mode nests, and mixes with reverse mode", "[forward]") {
  const auto cube = [](const Variable& v) { return v * v * v; };
  const auto slope = [&](const Variable& v) { return jvp(cube)(v, 1.0).tangent; };
  CHECK(jvp(slope)(2.0, 1.0).tangent.item() == 12);
  CHECK(grad(slope)(2.0).item() == 12);
  CHECK(jvp(grad(cube))(2.0, 1.0).tangent.item() == 12);
  CHECK(grad(grad(slope))(2.0).item() == 6);
  CHECK(jvp(grad(slope))(2.0, 1.0).tangent.item() == 6);
  // Inner and outer are not confused: d/dx (x * d/dy (x + y)) = 1
  CHECK(jvp([](const Variable& u) {
          return u * jvp([u](const Variable& v) { return u + v; })(1.0, 1.0).tangent;
        })(1.0, 1.0)
            .tangent.item() == 1);
  // The tangent itself is differentiated: d/dt (f'(x) t) = f'(x)
  CHECK(grad([&](const Variable& s) { return jvp(cube)(2.0, s).tangent; })(5.0).item() == 12);
}

TEST_CASE("Inside a tape that records, a tangent can be differentiated", "[forward]") {
  const Parameter w("w", tensor({0.5, -1, 2}, float64));
  Tape tape;
  const auto [y, dy] = jvp([&](const Variable& v) { return sum(tanh(w * v)); })(x, t);
  const Gradients all = tape.backward(dy);
  // d/dw sum((1 - tanh^2(w v)) w t) = (1 - y^2) t - 2 y (1 - y^2) v w t
  const Tape::Pause pause;
  const Variable h = tanh(w.value() * Variable(x)), s = 1 - h * h;
  CHECK(close(all[w], s * t - 2 * h * s * x * w.value() * t));
  CHECK(all.size() == 1);
  CHECK(Tape::recording() == nullptr);
}

TEST_CASE("hvp is the Hessian times a vector", "[forward]") {
  const Tensor m = tensor({{2, 1, 0}, {3, -1, 4}, {0.5, 2, 1}}, float64);
  const auto quadratic = [&](const Variable& v) { return sum(v * matmul(m, v)); };
  CHECK(close(hvp(quadratic)(x, t), matmul(m, t) + matmul(m, t, {.a = true})));
  // Of several arguments: f = u v^2, H (a, b) = (2 v b, 2 v a + 2 u b)
  const auto [hu, hv] = hvp([](const Variable& u, const Variable& v) { return u * v * v; })(
      real(3), real(5), real(1), real(10));
  CHECK(hu.item() == 100);
  CHECK(hv.item() == 70);
  // Differentiable again: d/dx of 6 x v
  CHECK(grad([](const Variable& u) { return hvp([](const Variable& v) { return v * v * v; })(u, 2.0); })(3.0)
            .item() == 12);
  const auto fused = [](const Variable& v) { return fuse_sum([](auto p) { return exp(p) * p; }, v); };
  CHECK(close(hvp(fused)(x, t), exp(x) * (Variable(x) + 2) * t));
}

TEST_CASE("Forward mode runs no reverse pass", "[forward]") {
  int passes = 0;
  const auto seen = [&](const Variable& v) { return on_gradient(v, [&](const Variable&) { ++passes; }); };
  jvp([&](const Variable& v) {
    const Variable h = seen(softplus(seen(v) * 2)), m = matmul(a, h);
    return seen(fuse([](auto p) { return p * p; }, seen(concat({m, slice(h, 0, {0, 2})}))));
  })(x, t);
  CHECK(passes == 0);
}

TEST_CASE("fuse has a forward mode of its own", "[forward]") {
  const Tensor b = tensor({{1}, {2}}, float64), tb = tensor({{0.5}, {-3}}, float64);
  const auto compare = [&](const auto& fused, const auto& composed) {
    const auto [y, dy] = jvp(fused)(a, x, b, a, t, tb);
    const auto [z, dz] = jvp(composed)(a, x, b, a, t, tb);
    CHECK(close(y, z));
    CHECK(close(dy, dz));
    Tape tape;  // recorded
    const Variable u = tape.watch(x);
    const Variable recorded = jvp(fused)(a, u, b, a, t, tb).tangent;
    CHECK(close(recorded, dz));
    CHECK(close(tape.backward(sum(recorded * recorded), {.retain = true})[u],
                tape.backward(sum(square(jvp(composed)(a, u, b, a, t, tb).tangent)))[u]));
  };
  const auto f = [](auto p, auto q, auto r) { return p * exp(q) / r + q * q; };
  const auto on_variables = [&](const Variable& p, const Variable& q, const Variable& r) {
    return f(p, q, r);
  };
  compare([&](const Variable& p, const Variable& q, const Variable& r) { return fuse(f, p, q, r); },
          on_variables);
  compare(
      [&](const Variable& p, const Variable& q, const Variable& r) { return fuse_sum(f, p, q, r); },
      [&](const Variable& p, const Variable& q, const Variable& r) { return sum(on_variables(p, q, r)); });
  compare(
      [&](const Variable& p, const Variable& q, const Variable& r) { return fuse_mean(f, p, q, r); },
      [&](const Variable& p, const Variable& q, const Variable& r) { return mean(on_variables(p, q, r)); });
}

TEST_CASE("Tangents climb a chain of a million nodes on a stack of 256 KiB", "[forward]") {
  struct Result {
    double tangent = 0, curvature = 0;
    std::string error;
  } result;
  const auto run = [](void* argument) -> void* {
    auto& out = *static_cast<Result*>(argument);
    const auto chain = [](int length) {
      return [length](Variable v) {
        for (int i = 0; i < length; ++i) v = -(v * 1.0);
        return v * v;
      };
    };
    try {
      out.tangent = jvp(chain(500'000))(2.0, 3.0).tangent.item();
      out.curvature = hvp(chain(100'000))(2.0, 3.0).item();
    } catch (const std::exception& error) {
      out.error = error.what();
    }
    return nullptr;
  };
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attributes, run, &result) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  CHECK(result.error.empty());
  CHECK(result.tangent == 12);
  CHECK(result.curvature == 6);
}

TEST_CASE("A leaf used a hundred thousand times adds up its tangents", "[forward]") {
  const auto wide = [](const Variable& v) {
    Variable total = v;
    for (int i = 1; i < 100'000; ++i) total = total + v;
    return total;
  };
  CHECK(jvp(wide)(2.0, 3.0).tangent.item() == 300'000);
}

TEST_CASE("A compiled function may hold forward mode", "[forward]") {
  const auto f = [](const Variable& v) { return sum(tanh(matmul(a, v)) * softmax(slice(v, 0, {0, 2}))); };
  auto tangent = compile([&](const Variable& v) { return jvp(f)(v, t).tangent; });
  auto product = compile([&](const Variable& v) { return hvp(f)(v, t); });
  for (double scale : {1.0, 2.0, -0.5}) {
    const Variable v = scale * Variable(x);
    CHECK(equal(tangent(v).value(), jvp(f)(v, t).tangent.value()));
    CHECK(equal(product(v).value(), hvp(f)(v, t).value()));
  }
  CHECK(tangent.report().replays == 2);
  CHECK(product.report().replays == 2);
}

TEST_CASE("NaN moves and is moved by", "[forward]") {
  const Tensor nan = full({3}, NAN, float64);
  const auto all_nan = [](const Variable& v) {
    for (double value : v.value().to_vector<double>()) CHECK(std::isnan(value));
  };
  all_nan(jvp([](const Variable& v) { return exp(v) * 2; })(nan, t).tangent);
  all_nan(jvp([](const Variable& v) { return relu(v) + clip(v, -1, 1); })(x, nan).tangent);
}

TEST_CASE("What jvp cannot do is an error", "[forward]") {
  const auto f = [](const Variable& v) { return v * v; };
  CHECK(complaint<ShapeError>([&] { jvp(f)(x, ones({2}, float64)); }) ==
        "jvp: the tangent and the argument differ in shape: (2,) and (3,)");
  CHECK(complaint<DTypeError>([&] { hvp([](const Variable& v) { return sum(v); })(x, ones({3})); }) ==
        "hvp: the tangent and the argument differ in dtype: float32 and float64; convert one with "
        "astype(float64)");
  CHECK_THROWS_AS(jvp(f)(zeros({}, int64), zeros({}, int64)), DTypeError);
  CHECK_THROWS_AS(hvp(f)(x, t), GraphError);
  Tape tape;
  const Variable v = tape.watch(x);
  const std::size_t size = tape.size();
  CHECK_THAT(
      complaint<GraphError>([&] {
        jvp([&](const Variable& u) {
          const Variable y = exp(u);
          tape.backward(sum(y));
          return y;
        })(v, t);
      }),
      Catch::StartsWith("forward mode: the tape was walked already and what exp (at forward_test.cpp:"));
  CHECK(tape.size() > size);
  CHECK(Tape::recording() == &tape);
}
