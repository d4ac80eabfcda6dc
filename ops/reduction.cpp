#include <bit>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/moving.hpp>
#include <xgrad/ops/reduction_plan.hpp>
#include <xgrad/ops/scans.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/count.hpp>
#include <xgrad/tensor/scan.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::Plan, detail::structural;

detail::Plan::Plan(const Call& call, const Operand& x, const Axes& asked, bool keepdims) {
  const Shape& shape = x.shape();
  if (asked.all()) {
    axes = shape.rank() == 0 ? 0 : ~kernel::AxisSet{0} >> (64 - shape.rank());
  }
  for (int axis : asked.list()) {
    const kernel::AxisSet bit = kernel::AxisSet{1} << call.axis(axis, x);
    if ((axes & bit) != 0) call.fail<ShapeError>("axis " + std::to_string(axis) + " is named twice");
    axes |= bit;
  }
  std::int64_t with[64], without[64];
  std::size_t rank = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const bool reduced = (axes >> axis & 1) != 0;
    with[axis] = reduced ? 1 : shape[axis];
    if (reduced) {
      count *= shape[axis];
    } else {
      without[rank++] = shape[axis];
    }
  }
  kept = Shape(std::span<const std::int64_t>(with, static_cast<std::size_t>(shape.rank())));
  result = keepdims ? kept : Shape(std::span<const std::int64_t>(without, rank));
}

const Variable& detail::floating_operand(const Call& call, Operand& x) {
  const DType dtype = call.common_dtype({&x});
  return x.as(is_floating(dtype) ? dtype : float32);
}
const Variable& detail::number_operand(const Call& call, Operand& x) {
  const DType dtype = call.common_dtype({&x});
  return x.as(is_floating(dtype) ? dtype : int64);
}

namespace {

// A sum, divided by a number unless that is 1, and its way back.
struct Summing {
  Shape kept, from;
  double divisor;

  Variable pull(const Variable& g) const { return detail::broadcast_to(narrow(g), from); }
  Variable narrow(const Variable& g) const { return reshape(divisor == 1 ? g : g / divisor, kept); }
  Variable push(const Variable& t, const Shape& to) const {
    const Variable total = reshape(detail::sum_to(t, kept), to);
    return divisor == 1 ? total : total / divisor;
  }
};

Variable total(const Variable& x, const Plan& plan) {
  return reshape(detail::sum_to(x, plan.kept), plan.result);
}

}  // namespace

Variable sum(Operand x, Axes axes, bool keepdims) {
  const Call call("sum", x);
  const Variable& v = detail::number_operand(call, x);
  const Plan plan(call, x, axes, keepdims);
  return detail::moved(call, kernel::sum(v.value(), plan.axes).reshape(plan.result), v, [&] {
    return Summing{plan.kept, v.shape(), 1};
  });
}

Variable mean(Operand x, Axes axes, bool keepdims) {
  const Call call("mean", x);
  const Variable& v = detail::floating_operand(call, x);
  const Plan plan(call, x, axes, keepdims);
  const auto n = static_cast<double>(plan.count);
  Tensor value = [&] {
    const Tape::Pause pause;
    return (Variable(kernel::sum(v.value(), plan.axes).reshape(plan.result)) / n).value();
  }();
  return detail::moved(call, std::move(value), v, [&] { return Summing{plan.kept, v.shape(), n}; });
}

namespace {

// For each element, the product of the others along the axes. These are made one axis, behind all others where they
// are no neighbours, along which both ends are multiplied up.
Variable product_of_others(const Variable& x, kernel::AxisSet axes) {
  const int first = axes == 0 ? 0 : std::countr_zero(axes);
  const kernel::AxisSet run = axes >> first;
  const bool apart = (run & (run + 1)) != 0;
  std::vector<int> order, back(static_cast<std::size_t>(x.rank()));
  std::int64_t outer = 1, n = 1, inner = 1;
  for (bool reduced : {false, true}) {
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (((axes >> axis & 1) != 0) != reduced) continue;
      back[static_cast<std::size_t>(axis)] = static_cast<int>(order.size());
      order.push_back(axis);
      (reduced ? n : apart || axis < first ? outer : inner) *= x.shape()[axis];
    }
  }
  const Variable neighbours = apart ? transpose(x, order) : x;
  const Variable lines = reshape(neighbours, {outer, n, inner});
  const Variable others =
      Tape::recording() == nullptr
          ? Variable(kernel::product_of_others(lines.value(), 1))
          : cumprod(lines, 1, {.exclusive = true}) * cumprod(lines, 1, {.reverse = true, .exclusive = true});
  const Variable whole = reshape(others, neighbours.shape());
  return apart ? transpose(whole, back) : whole;
}

}  // namespace

Variable prod(Operand x, Axes axes, bool keepdims) {
  const Call call("prod", x);
  const Variable v = detail::number_operand(call, x);
  const Plan plan(call, x, axes, keepdims);
  return structural<1>(
      call, kernel::product(v.value(), plan.axes).reshape(plan.result), {&v},
      linear([v, plan](const Variable& g) { return reshape(g, plan.kept) * product_of_others(v, plan.axes); },
             [v, plan](const Variable& t) { return total(t * product_of_others(v, plan.axes), plan); }));
}

namespace {

// The part that each element has in an extremum: all of it, divided by the number of ties, or none. Which elements
// these are is a constant. Everything is NaN beside NaN, which equals nothing.
struct Extreme {
  Plan plan;
  Variable x;

  Variable shared(const Variable& whole, const Variable& y) const {
    Variable chosen, ties, others;
    {
      const Tape::Pause pause;
      const Variable top = reshape(Variable(y.value()), plan.kept);
      chosen = Variable(x.value()) == top;
      ties = Variable(kernel::count_nonzero(chosen.value(), plan.axes).astype(x.dtype()));
      others = where(top == top, 0, top);
    }
    return where(chosen, whole / ties, others);
  }
  Variable pull(const Variable& g, const Variable& y) const { return shared(reshape(g, plan.kept), y); }
  Variable push(const Variable& t, const Variable& y) const { return total(shared(t, y), plan); }
};

}  // namespace

Variable detail::extremum(const Call& call, const Variable& x, const Plan& plan, bool largest,
                          const std::string& named) {
  if (plan.count == 0) {
    call.fail<ShapeError>(std::string("the ") + (largest ? "maximum" : "minimum") +
                          " of no elements: " + named);
  }
  const Tensor value = largest ? kernel::max(x.value(), plan.axes) : kernel::min(x.value(), plan.axes);
  const Extreme extreme{plan, x};
  return structural<1>(
      call, value.reshape(plan.result), {&x},
      linear([extreme](const Variable& g, const Variable& y) { return extreme.pull(g, y); },
             [extreme](const Variable& t, const Variable& y) { return extreme.push(t, y); }));
}

namespace {

Variable extremum(const char* op, Operand& x, const Axes& axes, bool keepdims, bool largest) {
  const Call call(op, x);
  const Variable& v = detail::number_operand(call, x);
  return detail::extremum(call, v, Plan(call, x, axes, keepdims), largest, x.describe());
}

}  // namespace

Variable max(Operand x, Axes axes, bool keepdims) { return extremum("max", x, axes, keepdims, true); }
Variable min(Operand x, Axes axes, bool keepdims) { return extremum("min", x, axes, keepdims, false); }
Variable amax(Operand x, Axes axes, bool keepdims) { return extremum("amax", x, axes, keepdims, true); }
Variable amin(Operand x, Axes axes, bool keepdims) { return extremum("amin", x, axes, keepdims, false); }

namespace {

// f(how many elements are not 0, how many there are), a constant.
template <class F>
Variable counted(const char* op, Operand& x, const Axes& axes, bool keepdims, const F& f) {
  const Call call(op, x);
  const Plan plan(call, x, axes, keepdims);
  const Variable count(kernel::count_nonzero(x.variable().value(), plan.axes).reshape(plan.result));
  return f(count, plan.count);
}

}  // namespace

Variable any(Operand x, Axes axes, bool keepdims) {
  return counted("any", x, axes, keepdims, [](const Variable& count, std::int64_t) { return count > 0; });
}
Variable all(Operand x, Axes axes, bool keepdims) {
  return counted("all", x, axes, keepdims, [](const Variable& count, std::int64_t n) { return count == n; });
}
Variable count_nonzero(Operand x, Axes axes, bool keepdims) {
  return counted("count_nonzero", x, axes, keepdims,
                 [](const Variable& count, std::int64_t) { return count; });
}

}  // namespace xgrad
