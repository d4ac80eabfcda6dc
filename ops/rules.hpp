// The table of elementwise mathematics: for each operation its value and, for each input, its partial
// derivative. Written once; simd::Packs, dual numbers and Variables are computed by it.
//
// A value is a function of the inputs. A partial is a function of what `of` names: X or A, B (the inputs) and
// Y (the result); `same` is the partial 1, `negated` the partial -1. No branches on values: `where` chooses.
// Where NaN must pass through a choice, the last branch is taken for NaN alone.
#pragma once

#include <cstddef>
#include <tuple>
#include <xgrad/tensor/pack_math.hpp>

namespace xgrad {
class Variable;
namespace detail {
/// The partial of gelu; for packs it stands in pack_math.hpp.
Variable gelu_slope(const Variable& x);
}  // namespace detail
}  // namespace xgrad

namespace xgrad::detail {

enum class Kept : std::size_t { a, b, y };
inline constexpr Kept A = Kept::a, X = Kept::a, B = Kept::b, Y = Kept::y;

/// A partial derivative as a function of the values named by K.
template <class F, Kept... K>
struct Partial {
  F f;
};
template <Kept... K, class F>
constexpr Partial<F, K...> of(F f) {
  return {f};
}
/// The partial 1: the cotangent passes as it is; and -1.
struct Same {};
struct Negated {};
inline constexpr Same same{};
inline constexpr Negated negated{};

template <class F, class... P>
struct Rule {
  const char* op;
  F value;
  std::tuple<P...> partials;
};
template <class F, class... P>
constexpr Rule<F, P...> rule(const char* op, F value, P... partials) {
  return {op, value, {partials...}};
}

// clang-format off

//                                  name        value                                     partials
inline constexpr auto add_rule    = rule("add",      [](auto a, auto b) { return a + b; }, same, same);
inline constexpr auto sub_rule    = rule("sub",      [](auto a, auto b) { return a - b; }, same, negated);
inline constexpr auto mul_rule    = rule("mul",      [](auto a, auto b) { return a * b; }, of<B>([](auto b) { return b; }),
                                                                                           of<A>([](auto a) { return a; }));
inline constexpr auto div_rule    = rule("div",      [](auto a, auto b) { return a / b; }, of<B>([](auto b) { return 1 / b; }),
                                                                                           of<B, Y>([](auto b, auto y) { return -y / b; }));
inline constexpr auto neg_rule    = rule("neg",      [](auto x) { return -x; },            negated);
inline constexpr auto square_rule = rule("square",   [](auto x) { return x * x; },         of<X>([](auto x) { return 2 * x; }));
inline constexpr auto abs_rule    = rule("abs",      [](auto x) { return abs(x); },
    of<X>([](auto x) { return where(x > 0, 1, where(x < 0, -1, where(x == 0, 0, x))); }));
inline constexpr auto maximum_rule = rule("maximum", [](auto a, auto b) { return maximum(a, b); },
    of<A, B>([](auto a, auto b) { return where(a > b, 1, where(a < b, 0, where(a == b, 0.5, a + b))); }),
    of<A, B>([](auto a, auto b) { return where(a < b, 1, where(a > b, 0, where(a == b, 0.5, a + b))); }));
inline constexpr auto minimum_rule = rule("minimum", [](auto a, auto b) { return minimum(a, b); },
    of<A, B>([](auto a, auto b) { return where(a < b, 1, where(a > b, 0, where(a == b, 0.5, a + b))); }),
    of<A, B>([](auto a, auto b) { return where(a > b, 1, where(a < b, 0, where(a == b, 0.5, a + b))); }));

inline constexpr auto exp_rule    = rule("exp",      [](auto x) { return exp(x); },        of<Y>([](auto y) { return y; }));
inline constexpr auto expm1_rule  = rule("expm1",    [](auto x) { return expm1(x); },      of<Y>([](auto y) { return y + 1; }));
inline constexpr auto log_rule    = rule("log",      [](auto x) { return log(x); },        of<X>([](auto x) { return 1 / x; }));
inline constexpr auto log1p_rule  = rule("log1p",    [](auto x) { return log1p(x); },      of<X>([](auto x) { return 1 / (1 + x); }));
inline constexpr auto sqrt_rule   = rule("sqrt",     [](auto x) { return sqrt(x); },       of<Y>([](auto y) { return 0.5 / y; }));

inline constexpr auto erf_rule    = rule("erf",      [](auto x) { return erf(x); },        of<X>([](auto x) { return 1.12837916709551257390 * exp(-(x * x)); }));
inline constexpr auto erfc_rule   = rule("erfc",     [](auto x) { return erfc(x); },       of<X>([](auto x) { return -1.12837916709551257390 * exp(-(x * x)); }));

inline constexpr auto sigmoid_rule  = rule("sigmoid",  [](auto x) { return sigmoid(x); },  of<Y>([](auto y) { return y * (1 - y); }));
inline constexpr auto tanh_rule     = rule("tanh",     [](auto x) { return tanh(x); },     of<Y>([](auto y) { return 1 - y * y; }));
inline constexpr auto softplus_rule = rule("softplus", [](auto x) { return softplus(x); }, of<Y>([](auto y) { return -expm1(-y); }));
inline constexpr auto relu_rule     = rule("relu",     [](auto x) { return maximum(x, 0); },
    of<X>([](auto x) { return where(x > 0, 1, where(x <= 0, 0, x)); }));

// The derivatives of gelu at infinity are those far out: 0 * inf is NaN. The tanh form is x sigmoid(2 v), as (1 + tanh(v)) / 2 =
// sigmoid(2 v), which does not cancel; 2 v = x (1.59577 + 0.0713548 x^2).
inline constexpr auto gelu_rule       = rule("gelu",       [](auto x) { return gelu(x); },        of<X>([](auto x) { return gelu_slope(x); }));
inline constexpr auto gelu_slope_rule = rule("gelu_slope", [](auto x) { return gelu_slope(x); },
    of<X>([](auto x) { auto s = minimum(maximum(x, -50), 50); return 0.39894228040143267794 * (2 - s * s) * exp(-0.5 * (s * s)); }));
inline constexpr auto gelu_tanh_rule  = rule("gelu",
    [](auto x) { return maximum(x, -50) * sigmoid(x * (1.59576912160573071176 + 0.07135481627260024878 * (x * x))); },
    of<X>([](auto x) {
      auto s = minimum(maximum(x, -50), 50), square = s * s;
      auto y = sigmoid(s * (1.59576912160573071176 + 0.07135481627260024878 * square));
      return y * (1 + s * (1 - y) * (1.59576912160573071176 + 0.21406444881780074633 * square));
    }));

// With numbers of their own.
constexpr auto leaky_relu_rule(double slope) {
  return rule("leaky_relu", [slope](auto x) { return where(x > 0, x, slope * x); },
              of<X>([slope](auto x) { return where(x > 0, 1, where(x <= 0, slope, x)); }));
}
constexpr auto clip_rule(double low, double high) {
  return rule("clip", [=](auto x) { return minimum(maximum(x, low), high); },
              of<X>([=](auto x) { return where(x < low, 0, where(x > high, 0, where(x == x, 1, x))); }));
}

// x^e. The exponents 0, 1, 2, -1 and 0.5 need no pow. Unlike sqrt, pow gives 0 at -0 and inf at -inf.
inline constexpr auto power_0_rule  = rule("pow", [](auto x) { return decltype(x)(1); }, of<>([] { return 0; }));
inline constexpr auto power_1_rule  = rule("pow", [](auto x) { return x; },              same);
inline constexpr auto power_2_rule  = rule("pow", [](auto x) { return x * x; },          of<X>([](auto x) { return 2 * x; }));
inline constexpr auto inverse_rule  = rule("pow", [](auto x) { return 1 / x; },          of<Y>([](auto y) { return -y * y; }));
inline constexpr auto root_rule     = rule("pow",
    [](auto x) { return where(x == -__builtin_inf(), __builtin_inf(), sqrt(x + 0)); },   of<Y>([](auto y) { return 0.5 / y; }));
constexpr auto power_rule(double e) {
  return rule("pow", [e](auto x) { return pow(x, e); },  of<X>([e](auto x) { return e * pow(x, e - 1); }));
}
inline constexpr auto pow_rule = rule("pow", [](auto a, auto b) { return pow(a, b); },
    of<A, B>([](auto a, auto b) { return where(b == 0, 0, b * pow(a, b - 1)); }),
    of<A, B, Y>([](auto a, auto b, auto y) { return where(a == 0, where(b >= 0, 0, y * log(a)), y * log(a)); }));

// clang-format on

/// Calls f with the rule for x^e.
template <class F>
auto with_power_rule(double e, const F& f) {
  if (e == 0) return f(power_0_rule);
  if (e == 1) return f(power_1_rule);
  if (e == 2) return f(power_2_rule);
  if (e == -1) return f(inverse_rule);
  if (e == 0.5) return f(root_rule);
  return f(power_rule(e));
}

}  // namespace xgrad::detail
