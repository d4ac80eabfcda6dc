#include <limits>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/gathering.hpp>
#include <xgrad/ops/joining.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction_plan.hpp>
#include <xgrad/ops/scans.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/around.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::structural;

namespace {

// y[i] = x[i - 1] in the order of the scan, `edge` at its beginning.
Variable delayed(const Variable& x, int axis, bool reverse, double edge = 0) {
  const std::int64_t n = x.shape()[axis];
  if (n == 0) return x;
  const Variable part = slice(x, axis, reverse ? Range{1, n} : Range{0, n - 1});
  const Variable first(full(kernel::detail::resized(x.shape(), axis, 1), edge, x.dtype()));
  return reverse ? concat({part, first}, axis) : concat({first, part}, axis);
}

// s[i] = a[i] s[i - 1] + b[i], or with a[i - 1]: see kernel::recurrence. The cotangent of b is the same recurrence from
// the other end with the other factors, so all derivatives are recurrences again.
Variable recurrence(const Call& call, const Variable& a, const Variable& b, int axis, bool reverse,
                    bool previous) {
  const auto adjoint = [=](const Variable& g) { return recurrence(call, a, g, axis, !reverse, !previous); };
  const auto forward = [=](const Variable& t) { return recurrence(call, a, t, axis, reverse, previous); };
  const auto pull_factor = [=](const Variable& g, const Variable& s) {
    const Variable h = adjoint(g);
    return previous ? delayed(h, axis, !reverse) * s : h * delayed(s, axis, reverse);
  };
  const auto push_factor = [=](const Variable& t, const Variable& s) {
    return forward(previous ? delayed(t * s, axis, reverse) : t * delayed(s, axis, reverse));
  };
  return structural<2>(Call("recurrence", call.where),
                       kernel::recurrence(a.value(), b.value(), axis, reverse, previous), {&a, &b},
                       linear(pull_factor, push_factor), linear(adjoint, forward));
}

}  // namespace

Variable cumsum(Operand x, int axis, ScanOrder order) {
  const Call call("cumsum", x);
  axis = call.axis(axis, x);
  const Variable& v = detail::number_operand(call, x);
  const auto along = [axis](ScanOrder o) {
    return [axis, o](const Variable& g) { return cumsum(g, axis, o); };
  };
  return structural<1>(call, kernel::cumsum(v.value(), axis, order), {&v},
                       linear(along({!order.reverse, order.exclusive}), along(order)));
}

Variable cumprod(Operand x, int axis, ScanOrder order) {
  const Call call("cumprod", x);
  axis = call.axis(axis, x);
  const Variable v = detail::number_operand(call, x);
  // y[i] = x[i] y[i - 1], or x[i - 1] y[i - 1]: a recurrence whose factors are x.
  const bool reverse = order.reverse, exclusive = order.exclusive;
  const auto before = [=] { return cumprod(v, axis, {reverse, true}); };
  const auto pull = [=](const Variable& g, const Variable& y) {
    const Variable h = recurrence(call, v, g, axis, !reverse, !exclusive);
    return exclusive ? delayed(h, axis, !reverse) * y : h * before();
  };
  const auto push = [=](const Variable& t, const Variable& y) {
    const Variable change = exclusive ? delayed(t * y, axis, reverse) : t * before();
    return recurrence(call, v, change, axis, reverse, exclusive);
  };
  return structural<1>(call, kernel::cumprod(v.value(), axis, order), {&v}, linear(pull, push));
}

Variable logcumsumexp(Operand x, int axis, bool reverse) {
  const Call call("logcumsumexp", x);
  axis = call.axis(axis, x);
  const Variable v = detail::floating_operand(call, x);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  // exp(x[j] - y[i]) = exp(x[j] - y[j]) exp(y[j] - y[j + 1]) ... exp(y[i - 1] - y[i]): no factor is above 1.
  struct Shares {
    Variable own, decay;
  };
  const auto shares = [=](const Variable& y) -> Shares {
    const Variable finite = where(y == -infinity, 0, y), before = delayed(y, axis, reverse, -infinity);
    const Variable nothing = before == -infinity;
    return {exp(v - finite), where(nothing, 0, exp(where(nothing, 0, before) - where(nothing, 0, y)))};
  };
  const auto pull = [=](const Variable& g, const Variable& y) {
    const auto [own, decay] = shares(y);
    return own * recurrence(call, decay, g, axis, !reverse, true);
  };
  const auto push = [=](const Variable& t, const Variable& y) {
    const auto [own, decay] = shares(y);
    return recurrence(call, decay, own * t, axis, reverse, false);
  };
  return structural<1>(call, kernel::logcumsumexp(v.value(), axis, reverse), {&v}, linear(pull, push));
}

namespace {

Variable running(const char* op, Operand& x, int axis, bool largest) {
  const Call call(op, x);
  axis = call.axis(axis, x);
  const Variable& v = detail::number_operand(call, x);
  return detail::taken_along(call, v, kernel::running_argmax(v.value(), axis, largest), axis);
}

}  // namespace

Variable cummax(Operand x, int axis) { return running("cummax", x, axis, true); }
Variable cummin(Operand x, int axis) { return running("cummin", x, axis, false); }

}  // namespace xgrad
