#include <bit>
#include <cmath>
#include <limits>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction_plan.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/rowwise.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::Plan, detail::structural;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Variable logsum(const Variable& v, const Plan& plan) {
  if (plan.count == 0) return full(plan.result, -infinity, v.dtype());
  if (std::has_single_bit(plan.axes) && v.size() > 0) {
    return kernel::logsumexp(v.value(), std::countr_zero(plan.axes)).reshape(plan.result);
  }
  const Variable top(kernel::max(v.value(), plan.axes));
  const Variable shift = where(abs(top) < infinity, top, 0);
  return reshape(log(Variable(kernel::sum(exp(v - shift).value(), plan.axes))) + shift, plan.result);
}

// log(sum(exp(x)) / n), or without the division.
Variable log_of_sum(const char* op, Operand& x, const Axes& axes, bool keepdims, bool divided) {
  const Call call(op, x);
  const Variable v = detail::floating_operand(call, x);
  const Plan plan(call, x, axes, keepdims);
  const double log_n = divided ? std::log(static_cast<double>(plan.count)) : 0;
  Tensor value = [&] {
    const Tape::Pause pause;
    const Variable y = logsum(Variable(v.value()), plan);
    return (divided ? y - log_n : y).value();
  }();
  const auto share = [v, kept = plan.kept, log_n](const Variable& y) {
    const Variable whole = log_n == 0 ? reshape(y, kept) : reshape(y, kept) + log_n;
    // -inf - -inf is NaN: where all x are -inf, the share of each is e^-inf.
    return exp(v - where(whole == -infinity, 0, whole));
  };
  return structural<1>(
      call, std::move(value), {&v},
      linear([share, kept = plan.kept](const Variable& g,
                                       const Variable& y) { return reshape(g, kept) * share(y); },
             [share, plan](const Variable& t, const Variable& y) {
               return reshape(detail::sum_to(t * share(y), plan.kept), plan.result);
             }));
}

}  // namespace

Variable logsumexp(Operand x, Axes axes, bool keepdims) {
  return log_of_sum("logsumexp", x, axes, keepdims, false);
}
Variable logmeanexp(Operand x, Axes axes, bool keepdims) {
  return log_of_sum("logmeanexp", x, axes, keepdims, true);
}

namespace {

// y (g - sum(g y)): one pass, or public operations where the gradient is recorded. It is its own transpose.
Variable softmax_slope(const Variable& g, const Variable& y, int axis) {
  if (Tape::recording() != nullptr || y.size() == 0) return y * (g - sum(g * y, axis, true));
  return Variable(kernel::softmax_backward(y.value(), g.value(), axis));
}

Variable log_softmax_slope(const Variable& g, const Variable& y, int axis) {
  if (Tape::recording() != nullptr || y.size() == 0) return g - exp(y) * sum(g, axis, true);
  return Variable(kernel::log_softmax_backward(y.value(), g.value(), axis));
}

Variable recorded_softmax(const Call& call, Tensor value, const Variable& v, int axis) {
  const auto slope = [axis](const Variable& g, const Variable& y) { return softmax_slope(g, y, axis); };
  return structural<1>(call, std::move(value), {&v}, linear(slope, slope));
}

}  // namespace

Variable softmax(Operand x, int axis) {
  const Call call("softmax", x);
  const Variable& v = detail::floating_operand(call, x);
  axis = call.axis(axis, x);
  return recorded_softmax(call, v.size() == 0 ? v.value() : kernel::softmax(v.value(), axis), v, axis);
}

Variable log_softmax(Operand x, int axis) {
  const Call call("log_softmax", x);
  const Variable& v = detail::floating_operand(call, x);
  axis = call.axis(axis, x);
  Tensor value = v.size() == 0 ? v.value() : kernel::log_softmax(v.value(), axis);
  return structural<1>(
      call, std::move(value), {&v},
      linear([axis](const Variable& g, const Variable& y) { return log_softmax_slope(g, y, axis); },
             [axis](const Variable& t, const Variable& y) { return t - sum(exp(y) * t, axis, true); }));
}

Variable masked_softmax(Operand x, Operand mask, int axis) {
  const Call call("masked_softmax", x);
  if (mask.dtype() != bool_) {
    call.fail<DTypeError>("the mask " + mask.describe() + " is " + name(mask.dtype()) + ", not bool",
                          "compare it: x != 0");
  }
  if (!broadcasts_to(mask.shape(), x.shape())) {
    call.fail<ShapeError>("the mask " + mask.describe() + " does not broadcast to " + x.describe());
  }
  const Variable& v = detail::floating_operand(call, x);
  axis = call.axis(axis, x);
  Tensor value = [&] {
    const Tape::Pause pause;
    const Tensor& chosen = mask.variable().value();
    const Variable open = where(chosen, v.value(), -infinity);
    // A row of -inf alone has no softmax, and is not looked at.
    return v.size() == 0 ? v.value() : where(chosen, kernel::softmax(open.value(), axis), 0).value();
  }();
  return recorded_softmax(call, std::move(value), v, axis);
}

}  // namespace xgrad
