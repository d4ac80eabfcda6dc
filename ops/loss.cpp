#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/rowwise.hpp>

namespace xgrad {

using detail::A, detail::B;
using detail::binary, detail::Call, detail::of;

namespace {

void require_same_shape(const char* op, const Operand& a, const Operand& y) {
  if (a.weak() == Operand::Weak::no && y.weak() == Operand::Weak::no && a.shape() == y.shape()) return;
  Call(op, a).fail<ShapeError>(
      "the prediction " + a.describe() + " and the target " + y.describe() + " differ in shape",
      "reshape one of them");
}

void require_probabilities(const char* op, Operand& a) {
  const Tensor& value = a.variable().value();
  const std::int64_t n = value.size();
  const auto check = [call = Call(op, a), n, dtype = value.dtype(), shape = value.shape()](
                         const void* elements, const auto& described) {
    detail::visit(dtype, [&]<class T>(T) {
      const T* p = static_cast<const T*>(elements);
      std::int64_t bad = 0;
      for (std::int64_t i = 0; i < n; ++i) bad += !(p[i] >= T(0) && p[i] <= T(1));
      if (bad == 0) return;
      std::int64_t i = 0;
      while (p[i] >= T(0) && p[i] <= T(1)) ++i;
      std::string index;
      for (std::int64_t axis = shape.rank() - 1, rest = i; axis >= 0; --axis) {
        const std::int64_t size = shape[static_cast<int>(axis)];
        index = std::to_string(rest % size) + (index.empty() ? "" : ", ") + index;
        rest /= size;
      }
      call.fail<Error>("a probability is outside [0, 1]: " + std::to_string(static_cast<double>(p[i])) +
                           " at (" + index + ") of " + described(),
                       "apply sigmoid, or use binary_cross_entropy_with_logits");
    });
  };
  check(detail::address(value), [&] { return a.describe(); });
  if (detail::capturing != nullptr) {
    const Tensor* in[] = {&value};
    const auto again = [check, name = a.describe(), scope = detail::CapturedScope()](
                           void* const*, const void* const* elements) {
      scope.enter([&] { check(elements[0], [&] { return name; }); });
    };
    detail::capture({}, in, detail::Kernel::of(again));
  }
}

}  // namespace

Variable squared_error(Operand a, Operand y) {
  require_same_shape("squared_error", a, y);
  return binary(
      "squared_error", a, y, [](auto a, auto y) { return (a - y) * (a - y); },
      of<A, B>([](auto a, auto y) { return 2 * (a - y); }),
      of<A, B>([](auto a, auto y) { return 2 * (y - a); }));
}

Variable binary_cross_entropy(Operand a, Operand y) {
  require_same_shape("binary_cross_entropy", a, y);
  require_probabilities("binary_cross_entropy", a);
  return binary(
      "binary_cross_entropy", a, y,
      [](auto a, auto y) { return -(y * maximum(log(a), -100) + (1 - y) * maximum(log1p(-a), -100)); },
      of<A, B>([](auto a, auto y) { return (a - y) / maximum(a * (1 - a), 1e-12); }),
      of<A, B>([](auto a, auto) { return maximum(log1p(-a), -100) - maximum(log(a), -100); }));
}

Variable binary_cross_entropy_with_logits(Operand z, Operand y) {
  require_same_shape("binary_cross_entropy_with_logits", z, y);
  // A term of weight 0 is left out, so that an infinite logit on the right side costs 0 and not 0 * inf.
  return binary(
      "binary_cross_entropy_with_logits", z, y,
      [](auto z, auto y) {
        return where(y == 0, 0, y * softplus(-z)) + where(y == 1, 0, (1 - y) * softplus(z));
      },
      of<A, B>([](auto z, auto y) { return sigmoid(z) - y; }), of<A>([](auto z) { return -z; }));
}

Variable softmax_cross_entropy(Operand logits, Operand labels, int axis) {
  const Call call("softmax_cross_entropy", logits);
  const detail::At at(call.where);
  axis = call.axis(axis, logits);
  const Shape& shape = logits.shape();
  bool fits = labels.rank() + 1 == shape.rank();
  for (int i = 0; fits && i < labels.rank(); ++i) fits = labels.shape()[i] == shape[i < axis ? i : i + 1];
  if (!fits) {
    call.fail<ShapeError>("the labels " + labels.describe() + " are not the logits " + logits.describe() +
                          " without axis " + std::to_string(axis));
  }
  const Tensor& label = detail::require_labels(call, labels, shape[axis]);
  const Variable z = logits.as(is_floating(logits.dtype()) ? logits.dtype() : float32);
  if (label.size() == 0) return Variable(zeros(label.shape(), z.dtype()));
  const kernel::CrossEntropy forward = kernel::softmax_cross_entropy(z.value(), label, axis);
  const auto slope = [=] {
    const Variable hot = one_hot(label, z.shape()[axis], axis), p = softmax(z, axis);
    return where(hot != 0, p - 1, p);
  };
  const auto pull = [=](const Variable& g) {
    if (Tape::recording() != nullptr) {
      std::vector<std::int64_t> kept(z.shape().begin(), z.shape().end());
      kept[static_cast<std::size_t>(axis)] = 1;
      return reshape(g, Shape(std::span<const std::int64_t>(kept))) * slope();
    }
    return Variable(kernel::softmax_cross_entropy_backward(z.value(), label, forward, g.value(), axis));
  };
  const auto push = [=](const Variable& t) { return sum(slope() * t, axis); };
  return detail::structural<1>(call, forward.loss, {&z}, detail::linear(pull, push));
}

Variable entropy_with_logits(Operand logits, int axis) {
  const Call call("entropy_with_logits", logits);
  const detail::At at(call.where);
  axis = call.axis(axis, logits);
  const Variable log_p = log_softmax(std::move(logits), axis), p = exp(log_p);
  return -sum(p * where(p == 0, 0, log_p), axis);  // 0 times -inf is 0 here
}

}  // namespace xgrad
