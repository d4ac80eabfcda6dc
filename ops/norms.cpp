#include <bit>
#include <cmath>
#include <limits>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/norms.hpp>
#include <xgrad/ops/reduction_plan.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/map.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::Plan, detail::structural;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Variable total(const Variable& x, const Plan& plan) {
  return reshape(detail::sum_to(x, plan.kept), plan.result);
}

// f of x and a number for each line, in one pass.
template <class F>
Variable each(const F& f, const Tensor& x, const Tensor& line) {
  return Variable(detail::visit_floating(
      x.dtype(), [&]<class T>(T) { return kernel::map<T, T>(f, x.shape(), x, line); }));
}

// What all |x| are divided by first: the largest (for p < 0 the smallest), so that no power overflows. 1 in place of 0, of
// infinity and of NaN.
Variable unit_of(const Tensor& x, double p, const Plan& plan) {
  if (plan.count == 0) return full(plan.kept, 1, x.dtype());
  const Variable size = p > 0 ? maximum(kernel::max(x, plan.axes), neg(kernel::min(x, plan.axes)))
                              : Variable(kernel::min(abs(x).value(), plan.axes));
  return where((size > 0) & (size < infinity), size, 1);
}

// The norm for 0 < |p| < inf, the axes kept.
Variable p_norm(const Tensor& x, double p, const Plan& plan) {
  const auto sum = [&](const Variable& terms) { return Variable(kernel::sum(terms.value(), plan.axes)); };
  if (p == 1) return sum(abs(x));
  const kernel::AxisSet all = x.rank() == 0 ? 0 : ~kernel::AxisSet{0} >> (64 - x.rank());
  const int first = plan.axes == 0 ? x.rank() : std::countr_zero(plan.axes);
  if (p == 2 && plan.axes == (all >> first << first)) return Variable(kernel::row_norms(x, first));
  const Variable unit = unit_of(x, p, plan);
  if (p == 2) {
    const auto squared = [](auto v, auto u) { return (v / u) * (v / u); };
    return unit * sqrt(sum(each(squared, x, unit.value())));
  }
  return unit * pow(sum(pow(abs(x / unit), p)), 1 / p);
}

// The slope of the norm y, the axes kept, by each x: 0 where either is.
Variable slope(const Variable& x, const Variable& y, double p) {
  if (p == 1) return sign(x);
  const Variable whole = where(y == 0, 1, y);
  if (p == 2) return where(y == 0, 0, x / whole);
  const Variable zero = (x == 0) | (y == 0);
  return where(zero, 0, sign(x) * pow(where(zero, 1, abs(x) / whole), p - 1));
}

Variable gradient(const Variable& g, const Variable& x, const Variable& y, double p) {
  if (p != 2 || Tape::recording() != nullptr) return g * slope(x, y, p);
  return Variable(detail::visit_floating(x.dtype(), [&]<class T>(T) {
    const auto f = [](auto g, auto x, auto y) { return where(y == 0, 0, g * (x / y)); };
    return kernel::map<T, T, T>(f, x.shape(), g.value(), x.value(), y.value());
  }));
}

Tensor count_of(const Tensor& x, const Plan& plan) {
  const Tape::Pause pause;
  const Variable ones = where(Variable(x) == 0, 0, where(isnan(x), x, 1));
  return kernel::sum(ones.value(), plan.axes).reshape(plan.result);
}

}  // namespace

Variable norm(Operand x, double p, Axes axes, bool keepdims) {
  const Call call("norm", x);
  if (std::isnan(p)) call.fail<Error>("p is NaN");
  const Variable v = detail::floating_operand(call, x);
  const Plan plan(call, x, axes, keepdims);
  if (std::isinf(p)) {
    const detail::At at(call.where);
    return detail::extremum(call, abs(v), plan, p > 0, x.describe());
  }
  if (p == 0) {
    const auto nothing = [shape = v.shape()](const Variable& g) { return Variable(zeros(shape, g.dtype())); };
    const auto never = [shape = plan.result](const Variable& t) { return Variable(zeros(shape, t.dtype())); };
    return structural<1>(call, count_of(v.value(), plan), {&v}, linear(nothing, never));
  }
  Tensor value = [&] {
    const Tape::Pause pause;
    return p_norm(v.value(), p, plan).value().reshape(plan.result);
  }();
  return structural<1>(call, std::move(value), {&v},
                       linear(
                           [v, p, kept = plan.kept](const Variable& g, const Variable& y) {
                             return gradient(reshape(g, kept), v, reshape(y, kept), p);
                           },
                           [v, p, plan](const Variable& t, const Variable& y) {
                             return total(t * slope(v, reshape(y, plan.kept), p), plan);
                           }));
}

Variable sum_squares(Operand x, Axes axes, bool keepdims) {
  const Call call("sum_squares", x);
  const Variable v = detail::number_operand(call, x);
  const Plan plan(call, x, axes, keepdims);
  Tensor value = [&] {
    const Tape::Pause pause;
    return kernel::sum(square(v.value()).value(), plan.axes).reshape(plan.result);
  }();
  return structural<1>(call, std::move(value), {&v},
                       linear([v, kept = plan.kept](const Variable& g) { return reshape(2 * g, kept) * v; },
                              [v, plan](const Variable& t) { return 2 * total(t * v, plan); }));
}

Variable normalize(Operand x, double p, int axis, double eps) {
  const Call call("normalize", x);
  const detail::At at(call.where);
  if (std::isnan(p)) call.fail<Error>("p is NaN");
  if (!(eps > 0) || !std::isfinite(eps)) {
    call.fail<Error>("eps is " + std::to_string(eps) + "; it must be positive and finite");
  }
  axis = call.axis(axis, x);
  if (std::isinf(p) && x.shape()[axis] == 0) call.fail<ShapeError>("the axis is empty: " + x.describe());
  const Variable v = detail::floating_operand(call, x);
  return v / clip(norm(v, p, axis, true), eps, infinity);
}

}  // namespace xgrad
