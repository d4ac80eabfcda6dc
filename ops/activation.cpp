#include <cmath>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/shaping.hpp>

namespace xgrad {

using detail::binary, detail::unary;

namespace {

void require_number(const char* op, const Operand& x, const char* what, double value) {
  if (std::isfinite(value) && value != 0) return;
  detail::Call(op, x).fail<Error>(std::string(what) +
                                  " is not a number other than 0: " + std::to_string(value));
}

}  // namespace

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
Variable softplus(Operand x, double beta) {
  require_number("softplus", x, "beta", beta);
  return unary(detail::softplus_beta_rule(beta), x, {beta});
}
Variable logsigmoid(Operand x) { return unary(detail::logsigmoid_rule, x); }
Variable softsign(Operand x) { return unary(detail::softsign_rule, x); }
Variable silu(Operand x) { return unary(detail::silu_rule, x); }
Variable mish(Operand x) { return unary(detail::mish_rule, x); }
Variable elu(Operand x, double alpha) { return unary(detail::elu_rule(alpha), x, {alpha}); }
Variable selu(Operand x) { return unary(detail::selu_rule, x); }
Variable celu(Operand x, double alpha) {
  require_number("celu", x, "alpha", alpha);
  return unary(detail::celu_rule(alpha), x, {alpha});
}
Variable hardtanh(Operand x, double low, double high) {
  if (!(low <= high)) {
    detail::Call("hardtanh", x)
        .fail<Error>("the bounds are reversed or NaN: " + std::to_string(low) + " and " +
                     std::to_string(high));
  }
  return unary(detail::hardtanh_rule("hardtanh", low, high), x, {low, high});
}
Variable relu6(Operand x) { return unary(detail::hardtanh_rule("relu6", 0, 6), x); }
Variable hard_sigmoid(Operand x) { return unary(detail::hard_sigmoid_rule, x); }
Variable prelu(Operand x, Operand alpha) { return binary(detail::prelu_rule, x, alpha); }

Variable glu(Operand x, int axis) {
  const detail::Call call("glu", x);
  const int at = call.axis(axis, x);
  const std::int64_t size = x.shape()[at];
  if (size % 2 != 0) {
    call.fail<ShapeError>("axis " + std::to_string(axis) + " of " + x.describe() +
                          " cannot be halved: " + std::to_string(size) + " is odd");
  }
  const detail::At at_call(call.where);
  const Variable& v = x.variable();
  return slice(v, at, {.stop = size / 2}) * sigmoid(slice(v, at, {.start = size / 2}));
}

Variable identity(Operand x) { return x.variable(); }

}  // namespace xgrad
