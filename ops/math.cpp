#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/math.hpp>

namespace xgrad {

using detail::binary, detail::unary;

Variable exp(Operand x) { return unary(detail::exp_rule, x); }
Variable expm1(Operand x) { return unary(detail::expm1_rule, x); }
Variable log(Operand x) { return unary(detail::log_rule, x); }
Variable log1p(Operand x) { return unary(detail::log1p_rule, x); }
Variable sqrt(Operand x) { return unary(detail::sqrt_rule, x); }
Variable exp2(Operand x) { return unary(detail::exp2_rule, x); }
Variable log2(Operand x) { return unary(detail::log2_rule, x); }
Variable log10(Operand x) { return unary(detail::log10_rule, x); }
Variable rsqrt(Operand x) { return unary(detail::rsqrt_rule, x); }
Variable cbrt(Operand x) { return unary(detail::cbrt_rule, x); }
Variable reciprocal(Operand x) { return unary(detail::reciprocal_rule, x); }

Variable sin(Operand x) { return unary(detail::sin_rule, x); }
Variable cos(Operand x) { return unary(detail::cos_rule, x); }
Variable tan(Operand x) { return unary(detail::tan_rule, x); }
Variable asin(Operand x) { return unary(detail::asin_rule, x); }
Variable acos(Operand x) { return unary(detail::acos_rule, x); }
Variable atan(Operand x) { return unary(detail::atan_rule, x); }
Variable sinh(Operand x) { return unary(detail::sinh_rule, x); }
Variable cosh(Operand x) { return unary(detail::cosh_rule, x); }
Variable asinh(Operand x) { return unary(detail::asinh_rule, x); }
Variable acosh(Operand x) { return unary(detail::acosh_rule, x); }
Variable atanh(Operand x) { return unary(detail::atanh_rule, x); }
Variable atan2(Operand y, Operand x) { return binary(detail::atan2_rule, y, x); }
Variable hypot(Operand a, Operand b) { return binary(detail::hypot_rule, a, b); }

Variable lgamma(Operand x) { return unary(detail::lgamma_rule, x); }
Variable digamma(Operand x) { return unary(detail::digamma_rule, x); }
Variable polygamma(int n, Operand x) {
  if (n < 0 || n > 100) {
    detail::Call("polygamma", x).fail<Error>("the order is not in [0, 100]: " + std::to_string(n));
  }
  return unary(detail::polygamma_rule(n), x);
}
Variable xlogy(Operand x, Operand y) { return binary(detail::xlogy_rule, x, y); }
Variable xlog1py(Operand x, Operand y) { return binary(detail::xlog1py_rule, x, y); }
Variable logaddexp(Operand a, Operand b) { return binary(detail::logaddexp_rule, a, b); }

Variable erf(Operand x) { return unary(detail::erf_rule, x); }
Variable erfc(Operand x) { return unary(detail::erfc_rule, x); }

}  // namespace xgrad
