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
  for (Op f : {Op(tanh), Op(log1p), Op(expm1), Op(sqrt)}) CHECK(std::signbit(f(scalar(-0.0)).item()));
}

TEST_CASE("activation: sigmoid is accurate in its negative tail", "[ops][simd]") {
  for (double x = -700; x < -20; x += 13.7) {
    const Result result = run([](const Variables& v) { return sigmoid(v[0]); }, {scalar(x, float64)});
    CHECK(ulps<double>(result.value.item(), std::exp(static_cast<long double>(x)) /
                                                (1 + std::exp(static_cast<long double>(x)))) <= 2);
    CHECK(result.gradients[0].item() == Approx(result.value.item()).epsilon(1e-8));
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
               Op(log1p), Op(sqrt)}) {
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
