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
/// log(1 + e^(beta x)) / beta. Gradient: g sigmoid(beta x). Throws Error if beta is 0 or not finite.
Variable softplus(Operand x, double beta);
/// log(sigmoid(x)) = -softplus(-x). Gradient: g sigmoid(-x).
Variable logsigmoid(Operand x);
/// x / (1 + |x|). Gradient: g / (1 + |x|)^2.
Variable softsign(Operand x);
/// x sigmoid(x), also named swish. Gradient: g sigmoid(x) (1 + x sigmoid(-x)). 0 with gradient 0 at -inf.
Variable silu(Operand x);
/// x tanh(softplus(x)). Gradient: g (t + x (1 - t^2) sigmoid(x)), t = tanh(softplus(x)). 0 with gradient 0 at -inf.
Variable mish(Operand x);
/// x where x > 0, alpha (e^x - 1) elsewhere. Gradient: g or g alpha e^x (at 0: g alpha).
Variable elu(Operand x, double alpha = 1);
/// elu with alpha = 1.67326..., times 1.05070... (Klambauer et al., 2017: it keeps mean 0 and variance 1). Gradient: as elu.
Variable selu(Operand x);
/// x where x > 0, alpha (e^(x / alpha) - 1) elsewhere. Gradient: g or g e^(x / alpha) (at 0: g). Throws Error if alpha is 0
/// or not finite.
Variable celu(Operand x, double alpha = 1);
/// x within [low, high]. Gradient: g strictly inside, 0 elsewhere (at a bound, too, unlike clip). Throws Error if low > high
/// or one is NaN.
Variable hardtanh(Operand x, double low = -1, double high = 1);
/// x within [0, 6]. Gradient: g strictly inside, 0 elsewhere.
Variable relu6(Operand x);
/// (x + 3) / 6 within [0, 1]. Gradient: g / 6 for -3 < x < 3, 0 elsewhere.
Variable hard_sigmoid(Operand x);
/// x where x > 0, alpha x elsewhere; alpha is a tensor to learn, and broadcasts. Gradients: g or g alpha (at 0: g alpha);
/// 0 or g x.
Variable prelu(Operand x, Operand alpha);
/// a sigmoid(b), where a and b are the halves of x along the axis. Gradient: of slice, sigmoid and mul, of which it is made.
/// Throws ShapeError if the axis has an odd size.
Variable glu(Operand x, int axis = -1);

}  // namespace xgrad
