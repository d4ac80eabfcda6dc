#include <xgrad/autograd/linear.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction_plan.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/statistics.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/map.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::Plan, detail::structural;

namespace {

// The mean along the plan's axes, which stay. The distances from the first sum are small, and so is the error of
// theirs.
Tensor refined_mean(const Tensor& x, const Plan& plan) {
  const Tape::Pause pause;
  const auto n = static_cast<double>(plan.count);
  const Variable first = Variable(kernel::sum(x, plan.axes)) / n;
  return (first + Variable(kernel::sum((x - first).value(), plan.axes)) / n).value();
}

// x - mean(x): a projection, which is its own transpose.
Variable centred(const Call& call, const Variable& x, const Plan& plan) {
  const Tensor mean = refined_mean(x.value(), plan);
  Tensor value = [&] {
    const Tape::Pause pause;
    return (x.value() - mean).value();
  }();
  const auto again = [call, plan](const Variable& g) { return centred(call, g, plan); };
  return structural<1>(Call("centred", call.where), std::move(value), {&x}, linear(again, again));
}

// The variance, and what both operations need of x for their gradients.
struct Spread {
  Call call;
  Plan plan;
  double freedom;  // what the squares are divided by
  Variable x;
  Tensor mean;

  Spread(const char* op, Operand& operand, const Axes& axes, const SpreadOptions& options)
      : call(op, operand),
        plan(call, operand, axes, options.keepdims),
        freedom(static_cast<double>(plan.count) - options.correction) {
    if (!(freedom > 0)) {
      call.fail<ShapeError>("the correction " + Operand(options.correction).describe() +
                                " leaves nothing of " + std::to_string(plan.count) +
                                (plan.count == 1 ? " element: " : " elements: ") + operand.describe(),
                            options.correction == 1 && plan.count == 1 ? "one element has no spread" : "");
    }
    x = detail::floating_operand(call, operand);
    mean = refined_mean(x.value(), plan);
  }

  Variable variance() const {
    const Tape::Pause pause;
    const Tensor squares = detail::visit_floating(x.dtype(), [&]<class T>(T) {
      const auto square = [](auto v, auto m) { return (v - m) * (v - m); };
      return kernel::map<T, T>(square, x.shape(), x.value(), mean);
    });
    return reshape(Variable(kernel::sum(squares, plan.axes)) / freedom, plan.result);
  }

  // g (x - mean(x)) / freedom, g in the shape of the result.
  Variable pulled(const Variable& g) const {
    const Variable share = reshape(g / freedom, plan.kept);
    if (Tape::recording() != nullptr) return share * centred(call, x, plan);
    return Variable(detail::visit_floating(x.dtype(), [&]<class T>(T) {
      const auto distance = [](auto s, auto v, auto m) { return s * (v - m); };
      return kernel::map<T, T, T>(distance, x.shape(), share.value(), x.value(), mean);
    }));
  }
  Variable pushed(const Variable& t) const {
    const Variable products = t * centred(call, x, plan);
    return reshape(detail::sum_to(products, plan.kept), plan.result) / freedom;
  }
};

}  // namespace

Variable var(Operand x, Axes axes, SpreadOptions options) {
  const Spread spread("var", x, axes, options);
  return structural<1>(spread.call, spread.variance().value(), {&spread.x},
                       linear([spread](const Variable& g) { return spread.pulled(2 * g); },
                              [spread](const Variable& t) { return 2 * spread.pushed(t); }));
}

Variable std(Operand x, Axes axes, SpreadOptions options) {
  const Spread spread("std", x, axes, options);
  Tensor value = [&] {
    const Tape::Pause pause;
    return sqrt(spread.variance()).value();
  }();
  // Of equal elements nothing flows back, instead of 0 / 0.
  const auto over = [](const Variable& a, const Variable& y) {
    return where(y == 0, 0, a) / where(y == 0, 1, y);
  };
  return structural<1>(
      spread.call, std::move(value), {&spread.x},
      linear([spread, over](const Variable& g, const Variable& y) { return spread.pulled(over(g, y)); },
             [spread, over](const Variable& t, const Variable& y) { return over(spread.pushed(t), y); }));
}

}  // namespace xgrad
