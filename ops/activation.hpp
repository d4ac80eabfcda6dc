// Activation functions, element by element (course notes, week 3). g is the cotangent of the result y.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// 1 / (1 + e^-x), with full relative accuracy on the negative tail. Gradient: g y (1 - y).
Variable sigmoid(Operand x);
/// (e^x - e^-x) / (e^x + e^-x). Gradient: g (1 - y^2).
Variable tanh(Operand x);
/// max(0, x). Gradient: g where x > 0, 0 elsewhere (at 0, too).
Variable relu(Operand x);
/// x where x > 0, slope x elsewhere. Gradient: g or slope g (at 0: slope g).
Variable leaky_relu(Operand x, double slope = 0.01);
/// x Phi(x), Phi the normal distribution function: x erfc(-x / sqrt 2) / 2. Gradient: g (Phi(x) + x phi(x)). Or the
/// older approximation x (1 + tanh(v)) / 2, v = sqrt(2/pi) (x + 0.044715 x^3), with the gradient of that. Both are 0
/// with gradient 0 at -inf.
Variable gelu(Operand x, bool tanh_approximation = false);
/// x itself: for an output layer that gives logits.
Variable identity(Operand x);
/// log(1 + e^x), as max(x, 0) + log1p(e^-|x|). Gradient: g sigmoid(x).
Variable softplus(Operand x);

}  // namespace xgrad
