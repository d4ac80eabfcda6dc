// Activations and elementary functions at the ends of their ranges.
#include <cstring>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>

#include "checks.hpp"

using namespace checks;

namespace {

using Op = Variable (*)(Operand);

struct Case {
  const char* name;
  Op f;
  double x, y, slope;
};

void check(const Case& c, DType dtype) {
  INFO(c.name << " at " << c.x << " in " << name(dtype));
  const Result result = run([&](const Variables& x) { return c.f(x[0]); }, {scalar(c.x, dtype)});
  const auto near = [&](double got, double truth) {
    if (dtype == float64) return same(got, truth) || ulps<double>(got, truth) <= 4;
    return same(got, truth) || ulps<float>(static_cast<float>(got), truth) <= 4;
  };
  const double y = result.value.item(), g = result.gradients[0].item();
  INFO("gives " << y << " and slope " << g << ", not " << c.y << " and " << c.slope);
  CHECK(near(y, c.y));
  CHECK(near(g, c.slope));
}

Variable leaky(Operand x) { return leaky_relu(std::move(x)); }
Variable gelu_exact(Operand x) { return gelu(std::move(x)); }
Variable gelu_tanh(Operand x) { return gelu(std::move(x), true); }

}  // namespace

TEST_CASE("activation: the ends of the range", "[ops][simd]") {
  const Case table[] = {
      // clang-format off
      // name       f           x          y      slope
      {"sigmoid",   sigmoid,    Inf,       1,     0},
      {"sigmoid",   sigmoid,    -Inf,      0,     0},
      {"sigmoid",   sigmoid,    1e38,      1,     0},
      {"sigmoid",   sigmoid,    -1e38,     0,     0},
      {"sigmoid",   sigmoid,    0,         0.5,   0.25},
      {"tanh",      tanh,       Inf,       1,     0},
      {"tanh",      tanh,       -Inf,     -1,     0},
      {"tanh",      tanh,       400,       1,     0},
      {"tanh",      tanh,       0,         0,     1},
      {"relu",      relu,       0,         0,     0},
      {"relu",      relu,       -0.0,      0,     0},
      {"relu",      relu,       Inf,       Inf,   1},
      {"relu",      relu,       -Inf,      0,     0},
      {"relu",      relu,       NaN,       NaN,   NaN},
      {"leaky",     leaky,      0,         0,     0.01},
      {"leaky",     leaky,      Inf,       Inf,   1},
      {"leaky",     leaky,      -Inf,     -Inf,   0.01},
      {"leaky",     leaky,      NaN,       NaN,   NaN},
      {"softplus",  softplus,   100,       100,   1},
      {"softplus",  softplus,   1e38,      1e38,  1},
      {"softplus",  softplus,   -1e38,     0,     0},
      {"softplus",  softplus,   Inf,       Inf,   1},
      {"softplus",  softplus,   -Inf,      0,     0},
      {"softplus",  softplus,   0, std::log(2.0), 0.5},
      {"erf",       erf,        Inf,       1,     0},
      {"erf",       erf,        -Inf,     -1,     0},
      {"erf",       erf,        1e38,      1,     0},
      {"erf",       erf,        0,         0,     2 / std::sqrt(std::acos(-1.0))},
      {"erf",       erf,        NaN,       NaN,   NaN},
      {"erfc",      erfc,       Inf,       0,     0},
      {"erfc",      erfc,       -Inf,      2,     0},
      {"erfc",      erfc,       1e38,      0,     0},
      {"erfc",      erfc,       0,         1,    -2 / std::sqrt(std::acos(-1.0))},
      {"erfc",      erfc,       NaN,       NaN,   NaN},
      {"gelu",      gelu_exact, Inf,       Inf,   1},
      {"gelu",      gelu_exact, -Inf,      0,     0},
      {"gelu",      gelu_exact, 1e38,      1e38,  1},
      {"gelu",      gelu_exact, -1e38,     0,     0},
      {"gelu",      gelu_exact, 0,         0,     0.5},
      {"gelu",      gelu_exact, 40,        40,    1},
      {"gelu",      gelu_exact, NaN,       NaN,   NaN},
      {"gelu tanh", gelu_tanh,  Inf,       Inf,   1},
      {"gelu tanh", gelu_tanh,  -Inf,      0,     0},
      {"gelu tanh", gelu_tanh,  1e38,      1e38,  1},
      {"gelu tanh", gelu_tanh,  -1e38,     0,     0},
      {"gelu tanh", gelu_tanh,  0,         0,     0.5},
      {"gelu tanh", gelu_tanh,  NaN,       NaN,   NaN},
      {"identity",  identity,   Inf,       Inf,   1},
      {"log",       log,        0,        -Inf,   Inf},
      {"log",       log,       -1,         NaN,  -1},
      {"log",       log,        Inf,       Inf,   0},
      {"log",       log,        1,         0,     1},
      {"log1p",     log1p,     -1,        -Inf,   Inf},
      {"log1p",     log1p,     -1e38,      NaN,  -1e-38},
      {"log1p",     log1p,      0,         0,     1},
      {"log1p",     log1p,      Inf,       Inf,   0},
      {"sqrt",      sqrt,       0,         0,     Inf},
      {"sqrt",      sqrt,      -1,         NaN,   NaN},
      {"sqrt",      sqrt,       Inf,       Inf,   0},
      {"sqrt",      sqrt,       4,         2,     0.25},
      {"exp",       exp,        -Inf,      0,     0},
      {"exp",       exp,        Inf,       Inf,   Inf},
      {"exp",       exp,        0,         1,     1},
      {"expm1",     expm1,      -Inf,     -1,     0},
      {"expm1",     expm1,      Inf,       Inf,   Inf},
      {"expm1",     expm1,      0,         0,     1},
      // clang-format on
  };
  for (const Case& c : table) {
    check(c, float32);
    check(c, float64);
  }
}

TEST_CASE("activation: float32's tails and denormal numbers", "[ops][simd]") {
  const double tiny = std::numeric_limits<float>::denorm_min();
  const Case table[] = {
      // clang-format off
      // name       f         x        y                slope
      {"sigmoid",   sigmoid,  -100,    std::exp(-100.), std::exp(-100.)},  // 3.72e-44
      {"sigmoid",   sigmoid,  -80,     std::exp(-80.),  std::exp(-80.)},
      {"sigmoid",   sigmoid,  tiny,    0.5,             0.25},
      {"tanh",      tanh,     tiny,    tiny,            1},
      {"erf",       erf,      tiny,    tiny,            2 / std::sqrt(std::acos(-1.0))},
      {"erfc",      erfc,     10,      std::erfc(10.),  -2 / std::sqrt(std::acos(-1.0)) * std::exp(-100.)},
      {"gelu",      gelu_exact, tiny,  0,               0.5},
      {"gelu",      gelu_exact, -13,   -6.5 * std::erfc(13 * std::sqrt(0.5)), -1.0337304440113356e-36},
      {"softplus",  softplus, -100,    std::exp(-100.), std::exp(-100.)},
      {"log1p",     log1p,    tiny,    tiny,            1},
      {"log1p",     log1p,    1e-20,   1e-20,           1},
      {"expm1",     expm1,    tiny,    tiny,            1},
      {"expm1",     expm1,    1e-20,   1e-20,           1},
      {"sqrt",      sqrt,     tiny,    std::sqrt(tiny), 0.5 / std::sqrt(tiny)},
      {"exp",       exp,      -100,    std::exp(-100.), std::exp(-100.)},
      {"log",       log,      tiny,    std::log(tiny),  Inf},
      // clang-format on
  };
  for (const Case& c : table) check(c, float32);
  CHECK(sigmoid(scalar(-100)).item() == Approx(3.72e-44).epsilon(0.03));
  CHECK(sigmoid(scalar(-100)).item() > 0);
  for (Op f : {Op(tanh), Op(log1p), Op(expm1), Op(sqrt), Op(erf)})
    CHECK(std::signbit(f(scalar(-0.0)).item()));
}

TEST_CASE("activation: sigmoid is accurate in its negative tail", "[ops][simd]") {
  for (double x = -700; x < -20; x += 13.7) {
    const Result result = run([](const Variables& v) { return sigmoid(v[0]); }, {scalar(x, float64)});
    CHECK(ulps<double>(result.value.item(), std::exp(static_cast<long double>(x)) /
                                                (1 + std::exp(static_cast<long double>(x)))) <= 2);
    CHECK(result.gradients[0].item() == Approx(result.value.item()).epsilon(1e-8));
  }
}

TEST_CASE("activation: gelu's slope is accurate in its negative tail", "[ops][simd]") {
  // (Phi(x) + x phi(x)): its second term alone has the error of e^(-x^2 / 2) as it is usually computed.
  for (double x = -37; x < -1.5; x += 0.37) {
    const long double wide = x;
    const long double truth = std::erfc(wide * -std::sqrt(0.5L)) / 2 +
                              wide * std::exp(-wide * wide / 2) / std::sqrt(2 * std::acos(-1.0L));
    INFO(x);
    CHECK(ulps<double>(slope([](const Variable& v) { return gelu(v); }, x), truth) <= 8);
  }
}

TEST_CASE("activation: derivatives of gelu at the ends of the range, to order 3", "[ops]") {
  for (bool by_tanh : {false, true}) {
    for (DType dtype : {float32, float64}) {
      for (double x : {-Inf, -1e30, -60.0, 60.0, 1e30, Inf}) {
        INFO(x << " by tanh: " << by_tanh);
        Tape tape;
        const Variable v = tape.watch(scalar(x, dtype));
        Variable y = gelu(v, by_tanh);
        for (int order = 1; order <= 3; ++order) {
          y = tape.backward(y, {.create_graph = true, .wrt = {v}}).or_zeros(v);
          CHECK(y.item() == (order == 1 && x > 0 ? 1 : 0));
        }
      }
    }
  }
}

TEST_CASE("activation: derivatives of erf and erfc at the ends of the range, to order 3", "[ops]") {
  for (Op f : {Op(erf), Op(erfc)}) {
    for (DType dtype : {float32, float64}) {
      for (double x : {-Inf, -1e30, -60.0, 60.0, 1e30, Inf}) {
        INFO(x);
        Tape tape;
        const Variable v = tape.watch(scalar(x, dtype));
        Variable y = f(v);
        for (int order = 1; order <= 3; ++order) {
          y = tape.backward(y, {.create_graph = true, .wrt = {v}}).or_zeros(v);
          CHECK(y.item() == 0);
        }
      }
    }
  }
}

TEST_CASE("activation: the slope of leaky_relu", "[ops]") {
  const auto at = [](double slope_below) {
    return [slope_below](const Variable& x) { return leaky_relu(x, slope_below); };
  };
  CHECK(slope(at(0.2), -3) == 0.2);
  CHECK(slope(at(0.2), 0) == 0.2);
  CHECK(slope(at(0.2), 3) == 1);
  CHECK(slope(at(0), -3) == 0);
  CHECK(slope(at(-1), -3) == -1);
  CHECK(leaky_relu(scalar(-2, float64), 0.25).item() == -0.5);
}

TEST_CASE("activation: identity adds no node and copies nothing", "[ops]") {
  Tape tape;
  const Variable x = tape.watch(tensor({1, 2, 3}));
  const Variable y = identity(x);
  CHECK(tape.size() == 1);
  CHECK(y.value().shares_storage(x.value()));
  CHECK(y.place().index == x.place().index);
}

TEST_CASE("activation: NaN keeps being NaN wherever it stands in a vector", "[ops][simd]") {
  for (Op f : {Op(sigmoid), Op(tanh), Op(relu), Op(leaky), Op(softplus), Op(exp), Op(expm1), Op(log),
               Op(log1p), Op(sqrt), Op(erf), Op(erfc), Op(gelu_exact), Op(gelu_tanh)}) {
    for (std::size_t at = 0; at < 19; ++at) {
      Doubles values(19, 0.5);
      values[at] = NaN;
      const Result result =
          run([&](const Variables& x) { return f(x[0]); }, {Tensor(Shape{19}, values).astype(float32)});
      for (std::size_t i = 0; i < 19; ++i) {
        CHECK(std::isnan(doubles(result.value)[i]) == (i == at));
        CHECK(std::isnan(doubles(result.gradients[0])[i]) == (i == at));
      }
    }
  }
}
