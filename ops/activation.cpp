#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/math.hpp>

namespace xgrad {

using detail::unary;

Variable sigmoid(Operand x) { return unary(detail::sigmoid_rule, x); }
Variable tanh(Operand x) { return unary(detail::tanh_rule, x); }
Variable softplus(Operand x) { return unary(detail::softplus_rule, x); }
Variable relu(Operand x) { return unary(detail::relu_rule, x); }
Variable leaky_relu(Operand x, double slope) { return unary(detail::leaky_relu_rule(slope), x, {slope}); }
Variable gelu(Operand x, bool tanh_approximation) {
  return tanh_approximation ? unary(detail::gelu_tanh_rule, x) : unary(detail::gelu_rule, x);
}
Variable detail::gelu_slope(const Variable& x) {
  Operand operand(x);
  return unary(gelu_slope_rule, operand);
}
Variable identity(Operand x) { return x.variable(); }

}  // namespace xgrad
