#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/math.hpp>

namespace xgrad {

using detail::of, detail::unary, detail::X, detail::Y;

// clang-format off

// name                                value                                     partial
Variable sigmoid(Operand x)  { return unary("sigmoid", x,  [](auto x) { return sigmoid(x); },  of<Y>([](auto y) { return y * (1 - y); })); }
Variable tanh(Operand x)     { return unary("tanh", x,     [](auto x) { return tanh(x); },     of<Y>([](auto y) { return 1 - y * y; })); }
Variable softplus(Operand x) { return unary("softplus", x, [](auto x) { return softplus(x); }, of<Y>([](auto y) { return -expm1(-y); })); }

// The last choices below are taken for NaN alone, and pass it on.
Variable relu(Operand x) {
  return unary("relu", x, [](auto x) { return maximum(x, 0); },
               of<X>([](auto x) { return where(x > 0, 1, where(x <= 0, 0, x)); }));
}
Variable leaky_relu(Operand x, double slope) {
  return unary("leaky_relu", x, [slope](auto x) { return where(x > 0, x, slope * x); },
               of<X>([slope](auto x) { return where(x > 0, 1, where(x <= 0, slope, x)); }), {slope});
}

// clang-format on

Variable identity(Operand x) { return x.variable(); }

}  // namespace xgrad
