// The table of elementwise mathematics: for each operation its value and, for each input, its partial
// derivative. Written once; simd::Packs, dual numbers and Variables are computed by it.
//
// A value is a function of the inputs. A partial is a function of what `of` names: X or A, B (the inputs) and
// Y (the result); `same` is the partial 1, `negated` the partial -1. No branches on values: `where` chooses.
// Where NaN must pass through a choice, the last branch is taken for NaN alone.
#pragma once

#include <cstddef>
#include <tuple>
#include <xgrad/tensor/pack_special.hpp>

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

// Steps: flat wherever they have a derivative.
inline constexpr auto flat = of<X>([](auto x) { return where(x == x, 0, x); });
inline constexpr auto sign_rule   = rule("sign",     [](auto x) { return where(x > 0, 1, where(x < 0, -1, x)); }, flat);
inline constexpr auto floor_rule  = rule("floor",    [](auto x) { return floor(x); },      flat);
inline constexpr auto ceil_rule   = rule("ceil",     [](auto x) { return ceil(x); },       flat);
inline constexpr auto round_rule  = rule("round",    [](auto x) { return round(x); },      flat);
inline constexpr auto trunc_rule  = rule("trunc",    [](auto x) { return trunc(x); },      flat);

// a - n b, n a whole number that is found again from the result. (remainder is b itself where a - n b rounds to it.)
inline constexpr auto fmod_rule      = rule("fmod",      [](auto a, auto b) { return fmod(a, b); }, same,
    of<A, B, Y>([](auto a, auto b, auto y) { return -round((a - y) / b); }));
inline constexpr auto remainder_rule = rule("remainder", [](auto a, auto b) { return remainder(a, b); }, same,
    of<A, B, Y>([](auto a, auto b, auto y) { return where(y == b, 1, -round((a - y) / b)); }));
inline constexpr auto copysign_rule  = rule("copysign",  [](auto a, auto b) { return copysign(a, b); },
    of<A, B>([](auto a, auto b) { return where(a > 0, copysign(1, b), where(a < 0, -copysign(1, b), where(a == 0, 0, a))); }),
    of<>([] { return 0; }));
inline constexpr auto squared_difference_rule = rule("squared_difference", [](auto a, auto b) { return (a - b) * (a - b); },
    of<A, B>([](auto a, auto b) { return 2 * (a - b); }), of<A, B>([](auto a, auto b) { return 2 * (b - a); }));

inline constexpr auto exp_rule    = rule("exp",      [](auto x) { return exp(x); },        of<Y>([](auto y) { return y; }));
inline constexpr auto expm1_rule  = rule("expm1",    [](auto x) { return expm1(x); },      of<Y>([](auto y) { return y + 1; }));
inline constexpr auto log_rule    = rule("log",      [](auto x) { return log(x); },        of<X>([](auto x) { return 1 / x; }));
inline constexpr auto log1p_rule  = rule("log1p",    [](auto x) { return log1p(x); },      of<X>([](auto x) { return 1 / (1 + x); }));
inline constexpr auto sqrt_rule   = rule("sqrt",     [](auto x) { return sqrt(x); },       of<Y>([](auto y) { return 0.5 / y; }));

inline constexpr auto exp2_rule   = rule("exp2",     [](auto x) { return exp2(x); },       of<Y>([](auto y) { return 0.69314718055994530942 * y; }));
inline constexpr auto log2_rule   = rule("log2",     [](auto x) { return log2(x); },       of<X>([](auto x) { return 1.44269504088896340736 / x; }));
inline constexpr auto log10_rule  = rule("log10",    [](auto x) { return log10(x); },      of<X>([](auto x) { return 0.43429448190325182765 / x; }));
inline constexpr auto rsqrt_rule  = rule("rsqrt",    [](auto x) { return 1 / sqrt(x); },   of<Y>([](auto y) { return -0.5 * (y * y * y); }));
inline constexpr auto cbrt_rule   = rule("cbrt",     [](auto x) { return cbrt(x); },       of<Y>([](auto y) { return 1 / (3 * (y * y)); }));
inline constexpr auto reciprocal_rule = rule("reciprocal", [](auto x) { return 1 / x; },   of<Y>([](auto y) { return -(y * y); }));

inline constexpr auto sin_rule    = rule("sin",      [](auto x) { return sin(x); },        of<X>([](auto x) { return cos(x); }));
inline constexpr auto cos_rule    = rule("cos",      [](auto x) { return cos(x); },        of<X>([](auto x) { return -sin(x); }));
inline constexpr auto tan_rule    = rule("tan",      [](auto x) { return tan(x); },        of<Y>([](auto y) { return 1 + y * y; }));
inline constexpr auto asin_rule   = rule("asin",     [](auto x) { return asin(x); },       of<X>([](auto x) { return 1 / sqrt((1 - x) * (1 + x)); }));
inline constexpr auto acos_rule   = rule("acos",     [](auto x) { return acos(x); },       of<X>([](auto x) { return -1 / sqrt((1 - x) * (1 + x)); }));
inline constexpr auto atan_rule   = rule("atan",     [](auto x) { return atan(x); },       of<X>([](auto x) { return 1 / (1 + x * x); }));
inline constexpr auto sinh_rule   = rule("sinh",     [](auto x) { return sinh(x); },       of<X>([](auto x) { return cosh(x); }));
inline constexpr auto cosh_rule   = rule("cosh",     [](auto x) { return cosh(x); },       of<X>([](auto x) { return sinh(x); }));
inline constexpr auto asinh_rule  = rule("asinh",    [](auto x) { return asinh(x); },      of<X>([](auto x) { return 1 / hypot(x, 1); }));
inline constexpr auto acosh_rule  = rule("acosh",    [](auto x) { return acosh(x); },      of<X>([](auto x) { return 1 / (sqrt(x - 1) * sqrt(x + 1)); }));
inline constexpr auto atanh_rule  = rule("atanh",    [](auto x) { return atanh(x); },      of<X>([](auto x) { return 1 / ((1 - x) * (1 + x)); }));

// At infinity atan2 is flat, and a leg's share of an infinite hypotenuse is all or nothing.
inline constexpr auto atan2_rule  = rule("atan2",    [](auto a, auto b) { return atan2(a, b); },
    of<A, B>([](auto a, auto b) { auto h = hypot(a, b); return where(h == __builtin_inf(), 0, b / h / h); }),
    of<A, B>([](auto a, auto b) { auto h = hypot(a, b); return where(h == __builtin_inf(), 0, -a / h / h); }));
inline constexpr auto leg_share   = [](auto a, auto y) { return where(a == __builtin_inf(), 1, where(a == -__builtin_inf(), -1, where(y == 0, 0, a / y))); };
inline constexpr auto hypot_rule  = rule("hypot",    [](auto a, auto b) { return hypot(a, b); }, of<A, Y>(leg_share), of<B, Y>(leg_share));

inline constexpr auto lgamma_rule  = rule("lgamma",  [](auto x) { return lgamma(x); },     of<X>([](auto x) { return digamma(x); }));
inline constexpr auto digamma_rule = rule("digamma", [](auto x) { return digamma(x); },    of<X>([](auto x) { return polygamma(1, x); }));
constexpr auto polygamma_rule(int n) {
  return rule("polygamma", [n](auto x) { return polygamma(n, x); }, of<X>([n](auto x) { return polygamma(n + 1, x); }));
}

// 0 log 0 = 0. Both infinite and equal, the arguments of logaddexp are 0 apart.
inline constexpr auto xlogy_rule   = rule("xlogy",   [](auto a, auto b) { return where((a == 0) & (b == b), 0, a * log(b)); },
    of<B>([](auto b) { return log(b); }),   of<A, B>([](auto a, auto b) { return where((a == 0) & (b == 0), 0, a / b); }));
inline constexpr auto xlog1py_rule = rule("xlog1py", [](auto a, auto b) { return where((a == 0) & (b == b), 0, a * log1p(b)); },
    of<B>([](auto b) { return log1p(b); }), of<A, B>([](auto a, auto b) { return where((a == 0) & (b == -1), 0, a / (1 + b)); }));
inline constexpr auto apart = [](auto a, auto b) { return where((a == b) & (abs(a) == __builtin_inf()), 0, a - b); };
inline constexpr auto logaddexp_rule = rule("logaddexp", [](auto a, auto b) { return maximum(a, b) + log1p(exp(-abs(apart(a, b)))); },
    of<A, B>([](auto a, auto b) { return sigmoid(apart(a, b)); }), of<A, B>([](auto a, auto b) { return sigmoid(apart(b, a)); }));

// The derivatives of erf at infinity are those far out: 0 * inf is NaN.
inline constexpr auto erf_rule    = rule("erf",      [](auto x) { return erf(x); },
    of<X>([](auto x) { auto s = minimum(maximum(x, -50), 50); return 1.12837916709551257390 * exp(-(s * s)); }));
inline constexpr auto erfc_rule   = rule("erfc",     [](auto x) { return erfc(x); },
    of<X>([](auto x) { auto s = minimum(maximum(x, -50), 50); return -1.12837916709551257390 * exp(-(s * s)); }));

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

// Beyond 800 the slopes of silu and mish are those at infinity, where 0 * inf would be NaN. With c = sigmoid(-x), tanh(log(1 + e^x)) =
// sigmoid(x) (1 + c) / (1 + c^2), and 1 minus its square (2c / (1 + c^2))^2.
inline constexpr auto logsigmoid_rule = rule("logsigmoid", [](auto x) { return -softplus(-x); },  of<Y>([](auto y) { return -expm1(y); }));
inline constexpr auto softsign_rule   = rule("softsign",   [](auto x) { auto s = minimum(maximum(x, -1e30), 1e30); return s / (1 + abs(s)); },
    of<X>([](auto x) { auto r = 1 / (1 + abs(x)); return r * r; }));
inline constexpr auto silu_rule       = rule("silu",       [](auto x) { return silu(x); },
    of<X>([](auto x) { auto v = minimum(maximum(x, -800), 800); return sigmoid(v) * (1 + v * sigmoid(-v)); }));
inline constexpr auto mish_rule       = rule("mish",       [](auto x) { return mish(x); },
    of<X>([](auto x) {
      auto v = minimum(maximum(x, -800), 800), c = sigmoid(-v), d = 1 + c * c, r = 2 * c / d;
      return sigmoid(v) * ((1 + c) / d + v * (r * r));
    }));
inline constexpr auto selu_rule       = rule("selu",       [](auto x) { return where(x > 0, 1.05070098735548049342 * x, 1.75809934084737685994 * expm1(x)); },
    of<X>([](auto x) { return where(x > 0, 1.05070098735548049342, 1.75809934084737685994 * exp(minimum(x, 0))); }));
inline constexpr auto hard_sigmoid_rule = rule("hard_sigmoid", [](auto x) { return minimum(maximum(x + 3, 0), 6) / 6; },
    of<X>([](auto x) { return where(x <= -3, 0, where(x >= 3, 0, where(x == x, 1 / 6.0, x))); }));
inline constexpr auto prelu_rule      = rule("prelu",      [](auto a, auto b) { return where(a > 0, a, b * a); },
    of<A, B>([](auto a, auto b) { return where(a > 0, 1, where(a <= 0, b, a)); }), of<A>([](auto a) { return where(a > 0, 0, a); }));

// With numbers of their own. In the exponents of elu and celu min(x, 0) keeps the branch not taken finite.
constexpr auto softplus_beta_rule(double beta) {
  return rule("softplus", [beta](auto x) { return (beta > 0 ? maximum(x, 0) : minimum(x, 0)) + log1p(exp(-abs(beta * x))) / beta; }, of<Y>([beta](auto y) { return -expm1(-beta * y); }));
}
constexpr auto elu_rule(double alpha) {
  return rule("elu", [alpha](auto x) { return where(x > 0, x, alpha * expm1(x)); },
              of<X>([alpha](auto x) { return where(x > 0, 1, alpha * exp(minimum(x, 0))); }));
}
constexpr auto celu_rule(double alpha) {
  return rule("celu", [alpha](auto x) { return where(x > 0, x, alpha * expm1(x / alpha)); },
              of<X>([alpha](auto x) { return exp(minimum(x, 0) / alpha); }));
}
constexpr auto hardtanh_rule(const char* op, double low, double high) {
  return rule(op, [=](auto x) { return minimum(maximum(x, low), high); },
              of<X>([=](auto x) { return where(x <= low, 0, where(x >= high, 0, where(x == x, 1, x))); }));
}
/// The gradient is multiplied, the value is not.
constexpr auto scaled_partial(double factor) {
  return of<>([factor] { return factor; });
}
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
    // 0 for b = 0 at every a; where the product is 0 itself it stays, for it has a slope along b.
    of<A, B>([](auto a, auto b) { auto p = b * pow(a, b - 1); return where(b == 0, where(p == 0, p, 0), p); }),
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
