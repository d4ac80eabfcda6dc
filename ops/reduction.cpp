#include <bit>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/reduce.hpp>
#include <xgrad/tensor/rowwise.hpp>

namespace xgrad {

using detail::Call, detail::structural;

namespace {

// A reduction's axes, resolved against its operand.
struct Plan {
  kernel::AxisSet axes = 0;
  std::int64_t count = 1;  // elements that become one
  Shape kept, result;      // the shape with the axes at size 1, and as asked for

  Plan(const Call& call, const Operand& x, const Axes& asked, bool keepdims) {
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
};

// Floating operands stay, integers too where `numbers`; the rest is converted.
const Variable& converted(const Call& call, Operand& x, bool numbers) {
  const DType dtype = call.common_dtype({&x});
  return x.as(is_floating(dtype) ? dtype : numbers ? int64 : float32);
}

}  // namespace

Variable sum(Operand x, Axes axes, bool keepdims) {
  const Call call("sum", x);
  const Variable& v = converted(call, x, true);
  const Plan plan(call, x, axes, keepdims);
  return structural<1>(call, kernel::sum(v.value(), plan.axes).reshape(plan.result), {&v},
                       [kept = plan.kept, full = v.shape()](const Variable& g) {
                         return detail::broadcast_to(reshape(g, kept), full);
                       });
}

Variable mean(Operand x, Axes axes, bool keepdims) {
  const Call call("mean", x);
  const Variable& v = converted(call, x, false);
  const Plan plan(call, x, axes, keepdims);
  const auto n = static_cast<double>(plan.count);
  Tensor value = [&] {
    const Tape::Pause pause;
    return (Variable(kernel::sum(v.value(), plan.axes).reshape(plan.result)) / n).value();
  }();
  return structural<1>(call, std::move(value), {&v},
                       [n, kept = plan.kept, full = v.shape()](const Variable& g) {
                         return detail::broadcast_to(reshape(g / n, kept), full);
                       });
}

namespace {

// The maximum or the minimum.
Variable extremum(const Call& call, Operand& x, const Axes& axes, bool keepdims, bool largest) {
  const Variable v = converted(call, x, true);
  const Plan plan(call, x, axes, keepdims);
  if (plan.count == 0) {
    call.fail<ShapeError>(std::string("the ") + (largest ? "maximum" : "minimum") +
                          " of no elements: " + x.describe());
  }
  const Tensor value = largest ? kernel::max(v.value(), plan.axes) : kernel::min(v.value(), plan.axes);
  return structural<1>(
      call, value.reshape(plan.result), {&v}, [v, plan](const Variable& g, const Variable& y) {
        const Variable top = reshape(y, plan.kept);
        const Variable ties = detail::sum_to(where(v == top, 1, where(v != top, 0, v)), plan.kept);
        // The last choice is taken for NaN alone, and passes it on.
        const Variable elsewhere = where(v < top, 0, where(v > top, 0, v * top));
        return where(v == top, reshape(g, plan.kept) / ties, elsewhere);
      });
}

}  // namespace

Variable max(Operand x, Axes axes, bool keepdims) {
  return extremum(Call("max", x), x, axes, keepdims, true);
}

Variable min(Operand x, Axes axes, bool keepdims) {
  return extremum(Call("min", x), x, axes, keepdims, false);
}

Variable logsumexp(Operand x, Axes axes, bool keepdims) {
  const Call call("logsumexp", x);
  const Variable v = converted(call, x, false);
  const Plan plan(call, x, axes, keepdims);
  Tensor value = [&] {
    const Tape::Pause pause;
    if (plan.count == 0) return full(plan.result, -std::numeric_limits<double>::infinity(), v.dtype());
    if (std::has_single_bit(plan.axes) && v.size() > 0) {
      return kernel::logsumexp(v.value(), std::countr_zero(plan.axes)).reshape(plan.result);
    }
    const Variable top(kernel::max(v.value(), plan.axes));
    const Variable shift = where(abs(top) < std::numeric_limits<double>::infinity(), top, 0);
    const Variable total(kernel::sum(exp(v - shift).value(), plan.axes));
    return (log(total) + shift).value().reshape(plan.result);
  }();
  return structural<1>(
      call, std::move(value), {&v}, [v, kept = plan.kept](const Variable& g, const Variable& y) {
        const Variable whole = reshape(y, kept);
        // -inf - -inf is NaN: where all x are -inf, the share of each is e^-inf.
        const Variable finite = where(whole == -std::numeric_limits<double>::infinity(), 0, whole);
        return reshape(g, kept) * exp(v - finite);
      });
}

namespace {

// What is normalised along one axis: one pass forward, one back; by public operations where the gradient is
// recorded.
template <class Forward, class Backward, class Graph>
Variable normalized(const char* op, Operand& x, int axis, const Forward& forward, const Backward& backward,
                    const Graph& graph) {
  const Call call(op, x);
  const Variable& v = converted(call, x, false);
  axis = call.axis(axis, x);
  Tensor value = v.size() == 0 ? v.value() : forward(v.value(), axis);
  return structural<1>(call, std::move(value), {&v}, [=](const Variable& g, const Variable& y) {
    if (Tape::recording() != nullptr || y.size() == 0) return graph(g, y, axis);
    return Variable(backward(y.value(), g.value(), axis));
  });
}

}  // namespace

Variable softmax(Operand x, int axis) {
  return normalized(
      "softmax", x, axis, kernel::softmax, kernel::softmax_backward,
      [](const Variable& g, const Variable& y, int k) { return y * (g - sum(g * y, k, true)); });
}

Variable log_softmax(Operand x, int axis) {
  return normalized("log_softmax", x, axis, kernel::log_softmax, kernel::log_softmax_backward,
                    [](const Variable& g, const Variable& y, int k) { return g - exp(y) * sum(g, k, true); });
}

}  // namespace xgrad
