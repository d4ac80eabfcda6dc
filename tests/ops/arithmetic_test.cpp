// Operators with every kind of operand, kinks and ties, and the tables of special values.
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/tensor/xtensor.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xoperation.hpp>
#include <xtensor/xview.hpp>

#include "checks.hpp"

using namespace checks;

namespace {

// f on each pair of kinds of operands, and the values it must give.
template <class A, class B>
void check_operators(const A& a, const B& b, const Doubles& x, const Doubles& y) {
  const auto check = [&](const Variable& result, double (*f)(double, double)) {
    Doubles expected;
    for (std::size_t i = 0; i < x.size(); ++i) expected.push_back(f(x[i], y[i]));
    CHECK(doubles(result) == expected);
  };
  static_assert(std::is_same_v<decltype(a + b), Variable>);
  static_assert(std::is_same_v<decltype(a == b), Variable>);
  check(a + b, [](double p, double q) { return p + q; });
  check(a - b, [](double p, double q) { return p - q; });
  check(a * b, [](double p, double q) { return p * q; });
  check(a / b, [](double p, double q) { return p / q; });
  check(a < b, [](double p, double q) { return double(p < q); });
  check(a <= b, [](double p, double q) { return double(p <= q); });
  check(a > b, [](double p, double q) { return double(p > q); });
  check(a >= b, [](double p, double q) { return double(p >= q); });
  check(a == b, [](double p, double q) { return double(p == q); });
  check(a != b, [](double p, double q) { return double(p != q); });
  check(pow(a, b), [](double p, double q) { return std::pow(p, q); });
  check(maximum(a, b), [](double p, double q) { return std::max(p, q); });
  check(minimum(a, b), [](double p, double q) { return std::min(p, q); });
}

const Doubles left{1, 4, 8}, right{2, 4, 0.5};

}  // namespace

TEST_CASE("arithmetic: operators between our own types and numbers", "[ops]") {
  const Tensor ta = tensor({1, 4, 8}, float64), tb = tensor({2, 4, 0.5}, float64);
  const Variable va(ta), vb(tb);
  const Parameter pa("a", ta), pb("b", tb);
  check_operators(va, vb, left, right);
  check_operators(va, pb, left, right);
  check_operators(va, tb, left, right);
  check_operators(pa, vb, left, right);
  check_operators(pa, pb, left, right);
  check_operators(pa, tb, left, right);
  check_operators(ta, vb, left, right);
  check_operators(ta, pb, left, right);
  check_operators(ta, tb, left, right);
  const Doubles two(3, 2);
  check_operators(va, 2.0, left, two);
  check_operators(pa, 2, left, two);
  check_operators(ta, 2.0f, left, two);
  check_operators(2.0, vb, two, right);
  check_operators(2, pb, two, right);
  check_operators(2.0f, tb, two, right);
  CHECK(doubles(-va) == Doubles{-1, -4, -8});
  CHECK(doubles(-pa) == Doubles{-1, -4, -8});
  CHECK(doubles(-ta) == Doubles{-1, -4, -8});
}

TEST_CASE("arithmetic: operators with xtensor's arrays and lazy expressions", "[ops]") {
  const Tensor ta = tensor({1, 4, 8}, float64), tb = tensor({2, 4, 0.5}, float64);
  const Variable va(ta), vb(tb);
  const Parameter pa("a", ta), pb("b", tb);
  const xt::xarray<double> xa{1, 4, 8}, xb{2, 4, 0.5};
  const auto check = [&](const auto& a, const auto& b) {
    check_operators(va, b, left, right);
    check_operators(pa, b, left, right);
    check_operators(ta, b, left, right);
    check_operators(a, vb, left, right);
    check_operators(a, pb, left, right);
    check_operators(a, tb, left, right);
  };
  check(xa, xb);
  const auto lazy_a = xa + 0.0;
  const auto lazy_b = xb * 1.0;
  check(lazy_a, lazy_b);
  const auto view_a = xt::view(xa, xt::all());
  const auto view_b = xt::view(xb, xt::range(0, 3));
  check(view_a, view_b);
  const xt::xtensor<double, 1> fixed_a = xa, fixed_b = xb;
  check(fixed_a, fixed_b);
}

TEST_CASE("arithmetic: temporaries of xtensor, and their gradients", "[ops]") {
  Tape tape;
  const Variable x = tape.watch(tensor({1, 2, 3}, float64));
  const xt::xarray<double> a{3, 2, 1};
  const Variable y = (x * (a + 1.0)) + xt::xarray<double>{1, 1, 1} - xt::ones<double>({3});
  CHECK(doubles(y) == Doubles{4, 6, 6});
  CHECK(doubles(tape.backward(sum(y))[x]) == Doubles{4, 3, 2});
  xt::xarray<double> b{1, 2, 4};
  const Variable z = std::move(b) / x;  // an rvalue is moved in
  CHECK(doubles(z) == Doubles{1, 1, 4.0 / 3});
  // Integers of xtensor are int64, and meet a floating tensor in its dtype.
  const xt::xarray<int> counts{1, 2, 3};
  CHECK((x + counts).dtype() == float64);
  CHECK((counts * Variable(tensor({1, 2, 3}))).dtype() == float32);
  CHECK_THROWS_AS(Variable(tensor({1, 2, 3})) + a, DTypeError);
  // Functions that take an operand take an expression as well.
  CHECK(doubles(xgrad::square(a + 1.0)) == Doubles{16, 9, 4});
}

// What a user's program may say beside `using namespace xgrad`.
TEST_CASE("arithmetic: xtensor and plain C++ are as before under using namespace xgrad", "[ops]") {
  using namespace xgrad;
  const xt::xarray<double> a{1, 2, 3}, b{4, 5, 6};
  const auto lazy = a + b;
  static_assert(!std::is_same_v<std::decay_t<decltype(lazy)>, Variable>);
  static_assert(!std::is_same_v<decltype(a * 2.0), Variable>);
  static_assert(!std::is_same_v<decltype(2.0 - a), Variable>);
  static_assert(!std::is_same_v<decltype(exp(a)), Variable>);
  static_assert(!std::is_same_v<decltype(pow(a, 2.0)), Variable>);
  static_assert(!std::is_same_v<decltype(abs(-a)), Variable>);
  static_assert(!std::is_same_v<decltype(a < b), Variable>);
  static_assert(!std::is_same_v<decltype(maximum(a, b)), Variable>);
  CHECK((a == b) == false);
  CHECK(xt::sum(lazy * 2.0 / a - exp(log(b)))() == Approx(10 + 7 + 6 - 15));
  CHECK(sum(a)() == 6);
  CHECK(exp(1.0) == Approx(2.718281828459045));
  CHECK(std::abs(-2) + std::max(1, 2) == 4);
  static_assert(std::is_same_v<decltype(1 + 2.0), double>);
  static_assert(std::is_same_v<decltype(sqrt(2.0)), double>);
  static_assert(std::is_same_v<decltype(pow(2.0, 3.0)), double>);
  static_assert(std::is_same_v<decltype(tanh(2.0)), double>);
  CHECK(std::string("a") + "b" == "ab");
  CHECK(std::vector<int>{1, 2} == std::vector<int>{1, 2});
  CHECK(std::vector<int>{1, 2} < std::vector<int>{1, 3});
  CHECK(Shape{1, 2} == Shape{1, 2});
  CHECK(Shape{1, 2} != Shape{2, 1});
  CHECK(float32 != float64);
}

TEST_CASE("arithmetic: kinks and ties", "[ops]") {
  CHECK(slope([](const Variable& x) { return abs(x); }, 0) == 0);
  CHECK(slope([](const Variable& x) { return abs(x); }, -0.0) == 0);
  CHECK(slope([](const Variable& x) { return clip(x, -1, 1); }, 1) == 1);
  CHECK(slope([](const Variable& x) { return clip(x, -1, 1); }, -1) == 1);
  CHECK(slope([](const Variable& x) { return clip(x, -1, 1); }, 1.0000001) == 0);
  CHECK(slope([](const Variable& x) { return clip(x, 2, 2); }, 2) == 1);
  for (auto f : {static_cast<Variable (*)(Operand, Operand)>(maximum),
                 static_cast<Variable (*)(Operand, Operand)>(minimum)}) {
    const Result tie = run([&](const Variables& x) { return f(x[0], x[1]); },
                           {tensor({1, 0, Inf}, float64), tensor({1, -0.0, Inf}, float64)});
    CHECK(doubles(tie.gradients[0]) == Doubles{0.5, 0.5, 0.5});
    CHECK(doubles(tie.gradients[1]) == Doubles{0.5, 0.5, 0.5});
    for (bool first : {true, false}) {
      const Tensor nan = tensor({NaN, NaN, NaN}, float64), numbers = tensor({1, Inf, -Inf}, float64);
      const Result result = run([&](const Variables& x) { return f(x[0], x[1]); },
                                first ? std::vector{nan, numbers} : std::vector{numbers, nan});
      CHECK(same(doubles(result.value), {NaN, NaN, NaN}));
      CHECK(same(doubles(result.gradients[0]), {NaN, NaN, NaN}));
      CHECK(same(doubles(result.gradients[1]), {NaN, NaN, NaN}));
    }
  }
  CHECK(slope([](const Variable& x) { return maximum(x, 0); }, 0) == 0.5);
}

TEST_CASE("arithmetic: pow's table", "[ops][simd]") {
  struct Case {
    double a, b, y, da, db;
  };
  const Case table[] = {
      // clang-format off
      //  a    b     a^b   da     db
      {   0,   0,    1,    0,     0},
      {   0,  -1,  Inf, -Inf,  -Inf},
      {  -2,   2,    4,   -4,   NaN},
      {   0, 0.5,    0,  Inf,     0},
      {   0,   1,    0,    1,     0},
      {   0,   2,    0,    0,     0},
      {   2,   0,    1,    0, std::log(2.0)},
      { NaN,   0,    1,    0,   NaN},
      { NaN,   1,  NaN,    1,   NaN},  // linear: its slope is 1 a^0
      {  -2,   3,   -8,   12,   NaN},
      {  -8, 0.5,  NaN,  NaN,   NaN},
      { Inf,   0,    1,    0,   Inf},
      {   1, Inf,    1,  Inf,     0},
      // clang-format on
  };
  for (const Case& c : table) {
    INFO(c.a << " ^ " << c.b);
    for (DType dtype : {float32, float64}) {
      const Result result =
          run([](const Variables& x) { return pow(x[0], x[1]); }, {scalar(c.a, dtype), scalar(c.b, dtype)});
      const auto near = [&](double got, double truth) {
        return same(got, truth) || (std::isfinite(truth) && got == Approx(truth).epsilon(1e-6));
      };
      CHECK(near(result.value.item(), c.y));
      CHECK(near(result.gradients[0].item(), c.da));
      CHECK(near(result.gradients[1].item(), c.db));
    }
  }
}

TEST_CASE("arithmetic: the mixed derivative of pow where the exponent is 0", "[ops]") {
  const auto along_base = [](const Variable& b) {
    return grad([&](const Variable& a) { return pow(a, b); })(scalar(4, float64));
  };
  CHECK(grad(along_base)(scalar(0, float64)).item() == 0.25);  // a^(b - 1) (1 + b log a)
}

TEST_CASE("arithmetic: constant exponents", "[ops][simd]") {
  struct Case {
    double e, x, y, slope;
  };
  const Case table[] = {
      // clang-format off
      //   e     x     y   slope
      {    0,    0,    1,     0},
      {    0,  NaN,    1,     0},
      {    0,  Inf,    1,     0},
      {    1,    0,    0,     1},
      {    1, -Inf, -Inf,     1},
      {    2,    0,    0,     0},
      {    2,   -3,    9,    -6},
      {   -1,    0,  Inf,  -Inf},
      {   -1,   -2, -0.5, -0.25},
      {  0.5,    0,    0,   Inf},
      {  0.5,    4,    2,  0.25},
      {  0.5,  Inf,  Inf,     0},
      {  0.5, -Inf,  Inf,     0},
      {  0.5,   -1,  NaN,   NaN},
      {    3,   -2,   -8,    12},
      {    3,    0,    0,     0},
      {  1.5,    0,    0,     0},
      // clang-format on
  };
  for (const Case& c : table) {
    INFO(c.x << " ^ " << c.e);
    const Result result = run([&](const Variables& x) { return pow(x[0], c.e); }, {scalar(c.x, float64)});
    CHECK(same(result.value.item(), c.y));
    if (!(c.e == 0.5 && c.x == -Inf)) CHECK(same(std::abs(result.gradients[0].item()), std::abs(c.slope)));
    CHECK((std::isnan(c.slope) || result.gradients[0].item() == c.slope));
  }
  CHECK_FALSE(std::signbit(pow(scalar(-0.0, float64), 0.5).item()));  // as C's pow, unlike sqrt
  // The second derivative goes through the short ways, too.
  for (double e : {2.0, -1.0, 0.5, 3.0, 1.0}) {
    INFO(e);
    const GradReport report = gradcheck([e](const Variables& x) { return pow(x[0], e) * x[0]; },
                                        {tensor({0.5, 1.5, 2.5}, float64)}, {.order = 2});
    INFO(to_string(report));
    CHECK(report.passed);
  }
}

TEST_CASE("arithmetic: where routes the gradient", "[ops]") {
  const Tensor condition = tensor({1, 0, 1}, bool_);
  const Result routed = run([&](const Variables& x) { return where(condition, x[0], x[1]); },
                            {tensor({1, NaN, Inf}, float64), tensor({NaN, 2, NaN}, float64)});
  CHECK(doubles(routed.value) == Doubles{1, 2, Inf});
  CHECK(doubles(routed.gradients[0]) == Doubles{1, 0, 1});
  CHECK(doubles(routed.gradients[1]) == Doubles{0, 1, 0});
  // 0 * inf: as everywhere, the branch not taken still has its infinite derivative.
  CHECK(std::isnan(slope([](const Variable& x) { return where(x > 0, sqrt(x), 0); }, 0)));
  CHECK(slope([](const Variable& x) { return where(x > 0, sqrt(x), 0); }, 4) == 0.25);
  // All three broadcast, and the gradients are summed back.
  const Result three = run(
      [](const Variables& x) {
        return where(tensor({{1}, {0}}, bool_), x[0], x[1]);
      },
      {tensor({1, 2, 3}, float64), scalar(5, float64)});
  CHECK(three.value.shape() == Shape{2, 3});
  CHECK(doubles(three.value) == Doubles{1, 2, 3, 5, 5, 5});
  CHECK(doubles(three.gradients[0]) == Doubles{1, 1, 1});
  CHECK(doubles(three.gradients[1]) == Doubles{3});
  CHECK(where(condition, tensor({1, 2, 3}, int64), 7).dtype() == int64);
  CHECK(where(condition, tensor({1, 2, 3}, int64), 0.5).dtype() == float32);
  CHECK(where(condition, 1.0, 2).dtype() == float32);
  CHECK(where(true, tensor({1, 2}), 0).shape() == Shape{2});
  CHECK(doubles(where(false, tensor({1, 2}), 0)) == Doubles{0, 0});
}

TEST_CASE("arithmetic: dtypes where kinds meet", "[ops]") {
  const Variable i(tensor({1, 2, 3}, int64)), b(tensor({1, 0, 1}, bool_)), f(tensor({1, 2, 3})),
      d(tensor({1, 2, 3}, float64));
  CHECK((i + 1).dtype() == int64);
  CHECK((i + true).dtype() == int64);
  CHECK((i + 0.5).dtype() == float32);
  CHECK(doubles(i + 0.5) == Doubles{1.5, 2.5, 3.5});
  CHECK((i / 2).dtype() == float32);
  CHECK(doubles(i / 2) == Doubles{0.5, 1, 1.5});
  CHECK((b + 1).dtype() == int64);
  CHECK((b + b).dtype() == int64);
  CHECK(doubles(b + b) == Doubles{2, 0, 2});
  CHECK((b + i).dtype() == int64);
  CHECK((b * f).dtype() == float32);
  CHECK((i * d).dtype() == float64);
  CHECK((2 * d).dtype() == float64);
  CHECK((0.1 * d).dtype() == float64);
  CHECK((0.1f * f).dtype() == float32);
  CHECK(add(1, 2).dtype() == float32);
  CHECK(add(1, 2).item() == 3);
  CHECK(add(true, true).item() == 2);
  CHECK(doubles(-b) == Doubles{-1, 0, -1});
  CHECK(doubles(abs(-i)) == Doubles{1, 2, 3});
  CHECK(doubles(Variable(tensor({1.0, -3.5})) == 1) == Doubles{1, 0});
  const std::int64_t large = (std::int64_t{1} << 53) + 1;  // float64 does not hold it
  CHECK((Variable(Tensor(Shape{1}, std::vector{large})) + 0).item<std::int64_t>() == large);
}

TEST_CASE("arithmetic: comparisons and stop_gradient stop the gradient", "[ops]") {
  Tape tape;
  const Variable x = tape.watch(tensor({1, 2, 3}, float64));
  CHECK((x < 2).is_constant());
  CHECK((x == x).is_constant());
  CHECK(stop_gradient(x).is_constant());
  CHECK(stop_gradient(x).value().shares_storage(x.value()));
  const Variable y = sum(x * stop_gradient(x));
  CHECK(doubles(tape.backward(y)[x]) == Doubles{1, 2, 3});
}

TEST_CASE("arithmetic: the numbers and the condition of a call are on the tape", "[ops]") {
  Tape tape;
  const Variable x = tape.watch(tensor({1, -2, 3}), "x");
  pow(x, 3);
  clip(x, -1, 2);
  leaky_relu(x, 0.25);
  where(x > 0, x, 7);
  const std::string text = to_text(tape);
  INFO(text);
  for (const char* call :
       {"pow(x, 3.0)", "clip(x, -1.0, 2.0)", "leaky_relu(x, 0.25)", "where(const(3,) bool, x, 7.0)"}) {
    CHECK_THAT(text, Catch::Contains(call));
  }
}
