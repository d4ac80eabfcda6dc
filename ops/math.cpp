#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/math.hpp>

namespace xgrad {

using detail::of, detail::unary, detail::X, detail::Y;

// clang-format off

// name                              value                               partial
Variable exp(Operand x)   { return unary("exp", x,   [](auto x) { return exp(x); },   of<Y>([](auto y) { return y; })); }
Variable expm1(Operand x) { return unary("expm1", x, [](auto x) { return expm1(x); }, of<Y>([](auto y) { return y + 1; })); }
Variable log(Operand x)   { return unary("log", x,   [](auto x) { return log(x); },   of<X>([](auto x) { return 1 / x; })); }
Variable log1p(Operand x) { return unary("log1p", x, [](auto x) { return log1p(x); }, of<X>([](auto x) { return 1 / (1 + x); })); }
Variable sqrt(Operand x)  { return unary("sqrt", x,  [](auto x) { return sqrt(x); },  of<Y>([](auto y) { return 0.5 / y; })); }

// clang-format on

}  // namespace xgrad
