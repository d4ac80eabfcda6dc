// Elementary functions, element by element. Integers are converted to float32. g is the cotangent of the
// result y. Accurate to 2 ulp over the whole range (erfc: 4), denormals included; NaN in gives NaN out and a
// NaN gradient.
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
/// The error function 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x. Gradient: g 2/sqrt(pi) e^(-x^2).
Variable erf(Operand x);
/// 1 - erf(x), accurate down to where it underflows. Gradient: -g 2/sqrt(pi) e^(-x^2).
Variable erfc(Operand x);

}  // namespace xgrad
