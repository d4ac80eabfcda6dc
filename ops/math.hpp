// Elementary functions, element by element. Integers are converted to float32. g is the cotangent of the
// result y. Accurate to 2 ulp over the whole range, denormals included; NaN in gives NaN out and a NaN
// gradient.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// e^x. Gradient: g y.
Variable exp(Operand x);
/// e^x - 1 without cancellation near 0. Gradient: g (y + 1).
Variable expm1(Operand x);
/// The natural logarithm; -inf at 0, NaN below. Gradient: g / x.
Variable log(Operand x);
/// log(1 + x) without cancellation near 0. Gradient: g / (1 + x).
Variable log1p(Operand x);
/// The square root; NaN below 0. Gradient: g / (2 y), infinite at 0.
Variable sqrt(Operand x);

}  // namespace xgrad
