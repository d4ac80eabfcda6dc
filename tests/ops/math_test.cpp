// The elementary functions, steps and divisions where they bend: zeros, infinities, branch points, signs.
#include <compiled.hpp>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/tensor/xtensor.hpp>

#include "checks.hpp"

using namespace checks;

namespace {

using Op = Variable (*)(Operand);
using Op2 = Variable (*)(Operand, Operand);

bool near(double got, double truth, DType dtype) {
  if (same(got, truth)) return got != 0 || std::signbit(got) == std::signbit(truth);
  return (dtype == float64 ? ulps<double>(got, truth) : ulps<float>(static_cast<float>(got), truth)) <= 4;
}

constexpr double euler = 0.57721566490153286061, pi = 3.14159265358979323846;

Variable trigamma(Operand x) { return polygamma(1, std::move(x)); }
Variable polygamma_2(Operand x) { return polygamma(2, std::move(x)); }

}  // namespace

TEST_CASE("math: special values and slopes", "[ops][simd]") {
  struct Case {
    const char* name;
    Op f;
    double x, y, slope;
  };
  const Case table[] = {
      // clang-format off
      // name       f           x      y      slope
      {"exp2",      exp2,      -Inf,   0,     0},
      {"exp2",      exp2,       Inf,   Inf,   Inf},
      {"exp2",      exp2,       10,    1024,  1024 * std::log(2.0)},
      {"exp2",      exp2,      -149,   0x1p-149, 0x1p-149 * std::log(2.0)},
      {"log2",      log2,       0,    -Inf,   Inf},
      {"log2",      log2,       0x1p-140, -140, 0x1p140 / std::log(2.0)},
      {"log2",      log2,      -1,     NaN,  -1 / std::log(2.0)},
      {"log2",      log2,       Inf,   Inf,   0},
      {"log10",     log10,      1000,  3,     1e-3 / std::log(10.0)},
      {"log10",     log10,      0,    -Inf,   Inf},
      {"rsqrt",     rsqrt,      0,     Inf,  -Inf},
      {"rsqrt",     rsqrt,     -1,     NaN,   NaN},
      {"rsqrt",     rsqrt,      Inf,   0,    -0.0},
      {"cbrt",      cbrt,       0,     0,     Inf},
      {"cbrt",      cbrt,      -0.0,  -0.0,   Inf},
      {"cbrt",      cbrt,      -8,    -2,     1 / 12.0},
      {"cbrt",      cbrt,      -Inf,  -Inf,   0},
      {"reciprocal", reciprocal, 0,    Inf,  -Inf},
      {"reciprocal", reciprocal, -Inf, -0.0, -0.0},
      {"sin",       sin,        0,     0,     1},
      {"sin",       sin,       -0.0,  -0.0,   1},
      {"sin",       sin,        Inf,   NaN,   NaN},
      {"sin",       sin,        0x1p100, std::sin(0x1p100), std::cos(0x1p100)},
      {"cos",       cos,        0,     1,    -0.0},
      {"cos",       cos,       -Inf,   NaN,   NaN},
      {"tan",       tan,       -0.0,  -0.0,   1},
      {"tan",       tan,        Inf,   NaN,   NaN},
      {"asin",      asin,       1,     pi / 2, Inf},
      {"asin",      asin,      -1,    -pi / 2, Inf},
      {"asin",      asin,       2,     NaN,   NaN},
      {"acos",      acos,       1,     0,    -Inf},
      {"acos",      acos,      -1,     pi,   -Inf},
      {"acos",      acos,      -Inf,   NaN,   NaN},
      {"atan",      atan,       Inf,   pi / 2, 0},
      {"atan",      atan,      -Inf,  -pi / 2, 0},
      {"atan",      atan,      -0.0,  -0.0,   1},
      {"sinh",      sinh,      -Inf,  -Inf,   Inf},
      {"sinh",      sinh,      -0.0,  -0.0,   1},
      {"cosh",      cosh,      -Inf,   Inf,  -Inf},
      {"cosh",      cosh,       0,     1,     0},
      {"asinh",     asinh,     -Inf,  -Inf,   0},
      {"asinh",     asinh,      1e30,  std::asinh(1e30), 1e-30},
      {"asinh",     asinh,     -0.0,  -0.0,   1},
      {"acosh",     acosh,      1,     0,     Inf},
      {"acosh",     acosh,      0.5,   NaN,   NaN},
      {"acosh",     acosh,      Inf,   Inf,   0},
      {"acosh",     acosh,      1e30,  std::acosh(1e30), 1e-30},
      {"atanh",     atanh,      1,     Inf,   Inf},
      {"atanh",     atanh,     -1,    -Inf,   Inf},
      {"atanh",     atanh,      2,     NaN,  -1 / 3.0},
      {"atanh",     atanh,     -0.0,  -0.0,   1},
      {"lgamma",    lgamma,     1,     0,    -euler},
      {"lgamma",    lgamma,     0,     Inf,  -Inf},
      {"lgamma",    lgamma,    -3,     Inf,   NaN},
      {"lgamma",    lgamma,     Inf,   Inf,   Inf},
      {"digamma",   digamma,    1,    -euler, pi * pi / 6},
      {"digamma",   digamma,    0.5,  -euler - 2 * std::log(2.0), pi * pi / 2},
      {"digamma",   digamma,   -0.0,   Inf,   Inf},
      {"digamma",   digamma,    0,    -Inf,   Inf},
      {"digamma",   digamma,   -3,     NaN,   Inf},
      {"digamma",   digamma,    Inf,   Inf,   0},
      {"digamma",   digamma,   -Inf,   NaN,   NaN},
      {"trigamma",  trigamma,   1,     pi * pi / 6, -2 * 1.20205690315959428540},
      {"trigamma",  trigamma,   0,     Inf,  -Inf},
      {"polygamma", polygamma_2, 1,   -2 * 1.20205690315959428540, pi * pi * pi * pi / 15},
      {"polygamma", polygamma_2, -0.5, 16 - 14 * 1.20205690315959428540, pi * pi * pi * pi + 96},
      {"polygamma", polygamma_2, -3, -Inf,    Inf},
      {"polygamma", polygamma_2, Inf, 0,      0},
      {"sign",      sign,       0,     0,     0},
      {"sign",      sign,      -0.0,  -0.0,   0},
      {"sign",      sign,      -Inf,  -1,     0},
      {"floor",     floor,     -0.5,  -1,     0},
      {"floor",     floor,     -0.0,  -0.0,   0},
      {"floor",     floor,      Inf,   Inf,   0},
      {"ceil",      ceil,      -0.5,  -0.0,   0},
      {"ceil",      ceil,       2.25,  3,     0},
      {"round",     round,      2.5,   2,     0},
      {"round",     round,      3.5,   4,     0},
      {"round",     round,     -0.5,  -0.0,   0},
      {"trunc",     trunc,     -1.75, -1,     0},
      {"softsign",  softsign,   Inf,   1,     0},
      {"softsign",  softsign,  -Inf,  -1,     0},
      {"softsign",  softsign,   0,     0,     1},
      {"silu",      silu,       Inf,   Inf,   1},
      {"silu",      silu,      -Inf,  -0.0,   0},
      {"silu",      silu,       0,     0,     0.5},
      {"silu",      silu,      -87,   -87 * std::exp(-87.0), -86 * std::exp(-87.0)},
      {"mish",      mish,       Inf,   Inf,   1},
      {"mish",      mish,      -Inf,  -0.0,   0},
      {"mish",      mish,       0,     0,     0.6},
      {"logsigmoid", logsigmoid, -Inf, -Inf,  1},
      {"logsigmoid", logsigmoid, Inf, -0.0,   0},
      {"logsigmoid", logsigmoid, 80,  -std::exp(-80.0), std::exp(-80.0)},
      {"hard_sigmoid", hard_sigmoid, 3, 1,    0},
      {"hard_sigmoid", hard_sigmoid, -3, 0,   0},
      {"hard_sigmoid", hard_sigmoid, 0, 0.5,  1 / 6.0},
      {"relu6",     relu6,      0,     0,     0},
      {"relu6",     relu6,      6,     6,     0},
      {"relu6",     relu6,      Inf,   6,     0},
      {"selu",      selu,      -Inf,  -1.7580993408473768599, 0},
      {"selu",      selu,       0,     0,     1.7580993408473768599},
      // clang-format on
  };
  for (const Case& c : table) {
    for (DType dtype : {float32, float64}) {
      const Result result = run([&](const Variables& x) { return c.f(x[0]); }, {scalar(c.x, dtype)});
      const double y = result.value.item(), g = result.gradients[0].item();
      INFO(c.name << " at " << c.x << " in " << name(dtype) << ": " << y << " and slope " << g << ", not "
                  << c.y << " and " << c.slope);
      CHECK(near(y, c.y, dtype));
      CHECK((near(g, c.slope, dtype) || (g == 0 && c.slope == 0)));
    }
  }
}

TEST_CASE("math: two operands at zeros and infinities", "[ops][simd]") {
  struct Case {
    const char* name;
    Op2 f;
    double a, b, y, da, db;
  };
  const Case table[] = {
      // clang-format off
      // name       f           a      b      y          da     db
      {"atan2",     atan2,      0,     0,     0,         NaN,   NaN},
      {"atan2",     atan2,     -0.0,  -0.0,  -pi,        NaN,   NaN},
      {"atan2",     atan2,      0,    -2,     pi,       -0.5,   0},
      {"atan2",     atan2,     -3,     0,    -pi / 2,    0,     1 / 3.0},
      {"atan2",     atan2,      Inf,  -Inf,   3 * pi / 4, 0,    0},
      {"atan2",     atan2,      1,    -Inf,   pi,        0,     0},
      {"atan2",     atan2,      1e30,  1e30,  pi / 4,    5e-31, -5e-31},
      {"atan2",     atan2,      1,     NaN,   NaN,       NaN,   NaN},
      {"hypot",     hypot,      0,    -0.0,   0,         0,     0},
      {"hypot",     hypot,     -3,     4,     5,        -0.6,   0.8},
      {"hypot",     hypot,     -Inf,   1,     Inf,      -1,     0},
      {"hypot",     hypot,      Inf,   NaN,   NaN,       1,     NaN},
      {"hypot",     hypot,      3e38,  0,     3e38,      1,     0},
      {"fmod",      fmod,      -7,     3,    -1,         1,     2},
      {"fmod",      fmod,       7,    -3,     1,         1,     2},
      {"fmod",      fmod,       5,     Inf,   5,         1,     0},
      {"fmod",      fmod,       5,     0,     NaN,       1,     NaN},
      {"remainder", remainder, -7,     3,     2,         1,     3},
      {"remainder", remainder,  7,    -3,    -2,         1,     3},
      {"remainder", remainder, -7,    -3,    -1,         1,    -2},
      {"remainder", remainder, -6,     3,     0,         1,     2},
      {"remainder", remainder,  6,    -3,    -0.0,       1,     2},
      {"remainder", remainder,  5,     Inf,   5,         1,     0},
      {"remainder", remainder, -5,     Inf,   Inf,       1,     1},
      {"remainder", remainder, -1e-30, 1,     1,         1,     1},
      {"remainder", remainder,  Inf,   3,     NaN,       1,     NaN},
      {"copysign",  copysign,   3,    -0.0,  -3,        -1,     0},
      {"copysign",  copysign,  -3,     Inf,   3,        -1,     0},
      {"copysign",  copysign,   0,    -1,    -0.0,       0,     0},
      {"xlogy",     xlogy,      0,     0,     0,        -Inf,   0},
      {"xlogy",     xlogy,      0,    -1,     0,         NaN,   0},
      {"xlogy",     xlogy,      0,     Inf,   0,         Inf,   0},
      {"xlogy",     xlogy,      0,     NaN,   NaN,       NaN,   NaN},
      {"xlogy",     xlogy,      2,     0,    -Inf,      -Inf,   Inf},
      {"xlog1py",   xlog1py,    0,    -1,     0,        -Inf,   0},
      {"xlog1py",   xlog1py,    2,     1e-30, 2e-30,     1e-30, 2},
      {"logaddexp", logaddexp,  Inf,   Inf,   Inf,       0.5,   0.5},
      {"logaddexp", logaddexp, -Inf,  -Inf,  -Inf,       0.5,   0.5},
      {"logaddexp", logaddexp, -Inf,   3,     3,         0,     1},
      {"logaddexp", logaddexp,  1e38,  1e38,  1e38,      0.5,   0.5},
      {"prelu",     prelu,      0,     0.25,  0,         0.25,  0},
      {"prelu",     prelu,     -Inf,   0.25, -Inf,       0.25, -Inf},
      // clang-format on
  };
  for (const Case& c : table) {
    for (DType dtype : {float32, float64}) {
      const Result result =
          run([&](const Variables& x) { return c.f(x[0], x[1]); }, {scalar(c.a, dtype), scalar(c.b, dtype)});
      const double y = result.value.item(), da = result.gradients[0].item(), db = result.gradients[1].item();
      INFO(c.name << "(" << c.a << ", " << c.b << ") in " << name(dtype) << ": " << y << ", " << da << ", "
                  << db);
      CHECK(near(y, c.y, dtype));
      CHECK((near(da, c.da, dtype) || (da == 0 && c.da == 0)));
      CHECK((near(db, c.db, dtype) || (db == 0 && c.db == 0)));
    }
  }
}

TEST_CASE("math: remainders of integers", "[ops][simd]") {
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min(), large = (std::int64_t{1} << 53) + 1;
  const Tensor a(Shape{6}, std::vector<std::int64_t>{7, -7, 7, -7, lowest, large}),
      b(Shape{6}, std::vector<std::int64_t>{3, 3, -3, -3, -1, 10});
  CHECK(remainder(a, b).dtype() == int64);
  CHECK(remainder(a, b).value().to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2, -2, -1, 0, 3});
  CHECK(fmod(a, b).value().to_vector<std::int64_t>() == std::vector<std::int64_t>{1, -1, 1, -1, 0, 3});
  const std::string text = message([&] { remainder(a, tensor({1, 2, 0, 1, 1, 1}, int64)); });
  CHECK(text == "remainder: element 2 of the divisor is the integer 0 (at math_test.cpp:" +
                    std::to_string(__LINE__ - 2) + ")");
  CHECK_THROWS_AS(fmod(a, 0), Error);
  CHECK(std::isnan(fmod(tensor({1}), 0).item()));
}

TEST_CASE("math: a replay checks its own divisors", "[ops]") {
  const auto f = [](const Variable& a, const Variable& b) { return remainder(a, b); };
  auto step = compile(f);
  const Tensor a = tensor({7, -7, 9}, int64);
  for (const Tensor& b : {tensor({3, 3, 4}, int64), tensor({2, 5, -4}, int64), tensor({2, 0, 1}, int64)}) {
    test::check_call(f, step, a, b);
  }
}

TEST_CASE("math: compiled, as it is", "[ops]") {
  const auto f = [](const Variable& x, const Variable& y) {
    return sum(atan2(sin(x), cosh(y)) * lgamma(exp2(x)) + silu(cbrt(x) - hypot(x, y)));
  };
  auto step = compile(f);
  for (int i = 1; i < 5; ++i) {
    test::check_call(f, step, tensor({0.5 * i, -0.25, 2.0}), tensor({1.0, 0.1 * i, -3.0}));
  }
}

TEST_CASE("math: higher derivatives", "[ops]") {
  const auto fourth = [](auto f, double x) { return grad(grad(grad(grad(f))))(scalar(x, float64)).item(); };
  CHECK(fourth([](Variable x) { return sin(x); }, 0.7) == Approx(std::sin(0.7)));
  CHECK(fourth([](Variable x) { return cosh(x); }, 0.7) == Approx(std::cosh(0.7)));
  CHECK(fourth([](Variable x) { return exp2(x); }, 0.7) ==
        Approx(std::pow(std::log(2.0), 4) * std::exp2(0.7)));
  CHECK(fourth([](Variable x) { return log10(x); }, 0.7) == Approx(-6 / std::pow(0.7, 4) / std::log(10.0)));
  CHECK(fourth([](Variable x) { return lgamma(x); }, 1) == Approx(std::pow(pi, 4) / 15));
  CHECK(fourth([](Variable x) { return atanh(x); }, 0.5) ==
        Approx(24 * 0.5 * (1 + 0.25) / std::pow(0.75, 4)));
  CHECK(fourth([](Variable x) { return logaddexp(x, 0.3); }, 0.3) == Approx(-0.125));
  CHECK(fourth([](Variable x) { return cbrt(x); }, 1) == Approx(-80.0 / 81));
}

TEST_CASE("math: second derivatives stay finite far out", "[ops]") {
  const std::pair<const char*, std::function<Variable(Variable)>> table[] = {
      {"silu", [](Variable x) { return silu(x); }},
      {"mish", [](Variable x) { return mish(x); }},
      {"elu", [](Variable x) { return elu(x); }},
      {"selu", [](Variable x) { return selu(x); }},
      {"celu", [](Variable x) { return celu(x, 2); }},
      {"softsign", [](Variable x) { return softsign(x); }},
      {"logsigmoid", [](Variable x) { return logsigmoid(x); }},
      {"softplus", [](Variable x) { return softplus(x, 3); }},
      {"hardtanh", [](Variable x) { return hardtanh(x); }},
      {"atan", [](Variable x) { return atan(x); }},
      {"sign", [](Variable x) { return sign(x); }}};
  for (const auto& [what, f] : table) {
    for (double x : {-1e30, -1000.0, 1000.0, 1e30}) {
      INFO(what << " at " << x);
      CHECK(std::abs(grad(grad(f))(scalar(x)).item()) < 1e-5);
    }
  }
}

TEST_CASE("math: lerp meets its ends", "[ops][simd]") {
  const Tensor a = tensor({1e16, 0.1, -3}, float64), b = tensor({1, 0.7, 5}, float64);
  CHECK(doubles(lerp(a, b, 0)) == doubles(a));
  CHECK(doubles(lerp(a, b, 1)) == doubles(b));
  CHECK(doubles(lerp(a, b, tensor({0, 1, 0.5}, float64))) == Doubles{1e16, 0.7, 1});
  CHECK(lerp(tensor({1, 2}, int64), 3, 0.5).dtype() == float32);
  const std::string text = message<ShapeError>([&] { lerp(a, b, zeros({2}, float64)); });
  CHECK(text.rfind("lerp: shapes do not broadcast: (3,), (3,) and (2,)", 0) == 0);
}

TEST_CASE("math: gradients that are not the slope", "[ops]") {
  const Tensor x = tensor({0.25, 1.5, -2.5}, float64);
  const Result through =
      run([](const Variables& v) { return square(straight_through(round(v[0]), v[0])); }, {x});
  CHECK(doubles(through.value) == Doubles{0, 4, 4});
  CHECK(doubles(through.gradients[0]) == Doubles{0, 4, -4});
  CHECK(doubles(run([](const Variables& v) { return flip_gradient(v[0]) * 3; }, {x}).gradients[0]) ==
        Doubles{-3, -3, -3});
  CHECK(doubles(run([](const Variables& v) { return scale_gradient(v[0], 0.5) * v[0]; }, {x}).gradients[0]) ==
        Doubles{0.375, 2.25, -3.75});
  Tape tape;
  const Variable v = tape.watch(x);
  CHECK(scale_gradient(v, 2).value().shares_storage(x));
  CHECK(message<ShapeError>([&] {
          straight_through(zeros({2}, float64), v);
        }).rfind("straight_through: the value (2,) and the source of the gradient ", 0) == 0);
}

TEST_CASE("math: beside xtensor expressions", "[ops]") {
  const xt::xarray<double> a{3, 1, -2};
  const Variable x = tensor({4, 2, 5}, float64);
  CHECK(doubles(hypot(x, a * 1.0))[0] == 5);
  CHECK(doubles(hypot(a + 0.0, x))[0] == 5);
  CHECK(doubles(remainder(a - 0.0, x)) == Doubles{3, 1, 3});
  CHECK(doubles(fmod(x, a)) == Doubles{1, 0, 1});
  CHECK(doubles(atan2(a, x))[0] == std::atan2(3, 4));
  CHECK(doubles(xgrad::floor(a / 2.0)) == Doubles{1, 0, -1});
}

TEST_CASE("math: errors", "[ops]") {
  const Variable x = tensor({1, 2, 3});
  CHECK(message([&] {
          softplus(x, 0);
        }).rfind("softplus: beta is not a number other than 0: 0.000000 (at math_test.cpp:", 0) == 0);
  CHECK_THROWS_AS(celu(x, NaN), Error);
  CHECK_THROWS_AS(hardtanh(x, 1, -1), Error);
  CHECK_THROWS_AS(polygamma(-1, x), Error);
  CHECK(message<ShapeError>([&] {
          glu(x);
        }).rfind("glu: axis -1 of (3,) cannot be halved: 3 is odd (at math_test", 0) == 0);
  CHECK_THROWS_AS(glu(x, 1), ShapeError);
}

TEST_CASE("math: what is NaN, infinite or neither", "[ops][simd]") {
  const Variable x = tensor({1, NaN, Inf, -Inf, 0, 1e38});
  CHECK(doubles(isnan(x)) == Doubles{0, 1, 0, 0, 0, 0});
  CHECK(doubles(isinf(x)) == Doubles{0, 0, 1, 1, 0, 0});
  CHECK(doubles(isfinite(x)) == Doubles{1, 0, 0, 0, 1, 1});
  CHECK(doubles(isfinite(tensor({1, 2}, int64))) == Doubles{1, 1});
  const Variable p = tensor({0, 0, 1, 1}, bool_), q = tensor({0, 1, 0, 1}, bool_);
  CHECK(doubles(logical_xor(p, q)) == Doubles{0, 1, 1, 0});
}
