#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/math.hpp>

namespace xgrad {

using detail::unary;

Variable exp(Operand x) { return unary(detail::exp_rule, x); }
Variable expm1(Operand x) { return unary(detail::expm1_rule, x); }
Variable log(Operand x) { return unary(detail::log_rule, x); }
Variable log1p(Operand x) { return unary(detail::log1p_rule, x); }
Variable sqrt(Operand x) { return unary(detail::sqrt_rule, x); }
Variable erf(Operand x) { return unary(detail::erf_rule, x); }
Variable erfc(Operand x) { return unary(detail::erfc_rule, x); }

}  // namespace xgrad
