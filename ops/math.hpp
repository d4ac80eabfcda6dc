// Elementary functions, element by element. Integers are converted to float32. g is the cotangent of the
// result y. Accurate to 2 ulp over the whole range (erfc and the gamma functions: 4 for x > 0), denormals
// included; NaN in gives NaN out and a NaN gradient. Functions of two operands broadcast, and throw ShapeError
// and DTypeError as those of arithmetic.hpp do.
#pragma once

#include <xgrad/ops/arithmetic.hpp>

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
/// 2^x; exact at whole numbers. Gradient: g y log 2.
Variable exp2(Operand x);
/// The logarithm to the base 2; exact at powers of two. Gradient: g / (x log 2).
Variable log2(Operand x);
/// The logarithm to the base 10. Gradient: g / (x log 10).
Variable log10(Operand x);
/// 1 / sqrt(x); infinite at 0, NaN below. Gradient: -g y^3 / 2.
Variable rsqrt(Operand x);
/// The cube root, of negative numbers, too. Gradient: g / (3 y^2), infinite at 0.
Variable cbrt(Operand x);
/// 1 / x; integers give float32. Gradient: -g y^2.
Variable reciprocal(Operand x);

/// The sine of an angle of any size; NaN at infinity. Gradient: g cos(x).
Variable sin(Operand x);
/// The cosine. Gradient: -g sin(x).
Variable cos(Operand x);
/// The tangent. Gradient: g (1 + y^2).
Variable tan(Operand x);
/// The angle in [-pi/2, pi/2] whose sine is x; NaN for |x| > 1. Gradient: g / sqrt(1 - x^2), infinite at +-1.
Variable asin(Operand x);
/// The angle in [0, pi] whose cosine is x; NaN for |x| > 1. Gradient: -g / sqrt(1 - x^2).
Variable acos(Operand x);
/// The angle in [-pi/2, pi/2] whose tangent is x. Gradient: g / (1 + x^2).
Variable atan(Operand x);
/// (e^x - e^-x) / 2. Gradient: g cosh(x).
Variable sinh(Operand x);
/// (e^x + e^-x) / 2. Gradient: g sinh(x).
Variable cosh(Operand x);
/// log(x + sqrt(x^2 + 1)). Gradient: g / sqrt(x^2 + 1).
Variable asinh(Operand x);
/// log(x + sqrt(x^2 - 1)); NaN below 1. Gradient: g / sqrt(x^2 - 1), infinite at 1.
Variable acosh(Operand x);
/// log((1 + x) / (1 - x)) / 2; infinite at +-1, NaN beyond. Gradient: g / (1 - x^2).
Variable atanh(Operand x);
/// The angle of the point (x, y), in [-pi, pi], with C's table of zeros and infinities. Gradients, h = hypot(x, y):
/// g x / h^2 and -g y / h^2; 0 at infinity, NaN at the origin.
Variable atan2(Operand y, Operand x);
/// sqrt(a^2 + b^2) without overflow on the way. Gradients: g a / y and g b / y, 0 at the origin.
Variable hypot(Operand a, Operand b);

/// log |Gamma(x)|, of which lgamma(n + 1) = log n!; infinite at 0, -1, -2, ... Gradient: g digamma(x).
Variable lgamma(Operand x);
/// The derivative of lgamma; -+inf at +-0, NaN at negative integers. Gradient: g polygamma(1, x).
Variable digamma(Operand x);
/// The n-th derivative of digamma, 0 <= n <= 100; infinite at 0, -1, -2, ... Gradient: g polygamma(n + 1, x). Throws Error
/// for other n.
Variable polygamma(int n, Operand x);
/// x log(y), 0 where x = 0 (unless y is NaN). Gradients: g log(y), -inf at y = 0; g x / y, 0 where both are 0.
Variable xlogy(Operand x, Operand y);
/// x log(1 + y), 0 where x = 0. Gradients: g log(1 + y); g x / (1 + y), 0 where x = 0 and y = -1.
Variable xlog1py(Operand x, Operand y);
/// log(e^a + e^b) without overflow. Gradients: g sigmoid(a - b) and g sigmoid(b - a).
Variable logaddexp(Operand a, Operand b);

/// The error function 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x. Gradient: g 2/sqrt(pi) e^(-x^2).
Variable erf(Operand x);
/// 1 - erf(x), accurate down to where it underflows. Gradient: -g 2/sqrt(pi) e^(-x^2).
Variable erfc(Operand x);

// Beside an xtensor expression, as in arithmetic.hpp.

template <class A, class B>
requires detail::Mixed<A, B> Variable atan2(A&& y, B&& x) {
  return atan2(detail::operand(std::forward<A>(y)), detail::operand(std::forward<B>(x)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable hypot(A&& a, B&& b) {
  return hypot(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}

}  // namespace xgrad
