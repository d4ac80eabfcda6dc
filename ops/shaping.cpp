#include <algorithm>
#include <numeric>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/strided.hpp>

namespace xgrad {

using detail::Call, detail::structural;

Variable reshape(Operand x, const Shape& shape) {
  const Call call("reshape", x);
  const Variable& v = x.variable();
  if (shape.size() != v.size()) {
    call.fail<ShapeError>("the number of elements differs: " + x.describe() + " to " + to_string(shape));
  }
  if (shape == v.shape()) return v;
  return structural<1>(call, v.value().reshape(shape), {&v},
                       [from = v.shape()](const Variable& g) { return reshape(g, from); });
}

Variable reshape(Operand x, std::initializer_list<std::int64_t> sizes) {
  Shape shape;
  x.variable();
  try {
    shape = detail::infer_shape(std::span(sizes.begin(), sizes.size()), x.shape());
  } catch (const ShapeError& error) {
    Call("reshape", x).fail<ShapeError>(error.what());
  }
  return reshape(std::move(x), shape);
}

Variable transpose(Operand x) {
  std::vector<int> order(static_cast<std::size_t>(x.rank()));
  std::iota(order.rbegin(), order.rend(), 0);
  return transpose(std::move(x), order);
}

Variable transpose(Operand x, const std::vector<int>& order) {
  const Call call("transpose", x);
  const Variable& v = x.variable();
  std::vector<int> axes, inverse(order.size(), -1);
  for (int axis : order) axes.push_back(call.axis(axis, x));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes.size() == static_cast<std::size_t>(v.rank()))
      inverse[static_cast<std::size_t>(axes[i])] = static_cast<int>(i);
  }
  if (axes.size() != static_cast<std::size_t>(v.rank()) ||
      std::count(inverse.begin(), inverse.end(), -1) > 0) {
    std::string list;
    for (int axis : order) list += (list.empty() ? "" : ", ") + std::to_string(axis);
    call.fail<ShapeError>("{" + list + "} is no order of the axes of " + x.describe());
  }
  return structural<1>(call, kernel::permute(v.value(), axes), {&v},
                       [inverse](const Variable& g) { return transpose(g, inverse); });
}

Variable broadcast_to(Operand x, const Shape& shape) {
  const Call call("broadcast_to", x);
  const detail::At at(call.where);
  if (!broadcasts_to(x.shape(), shape)) {
    call.fail<ShapeError>(x.describe() + " does not broadcast to " + to_string(shape));
  }
  return detail::broadcast_to(x.variable(), shape);
}

namespace {

// concat has any number of inputs: each gets its own slice of the cotangent.
struct ConcatPullback final : detail::Pullback {
  int axis;
  std::vector<std::int64_t> starts;
  ConcatPullback(int a, std::vector<std::int64_t> s) : axis(a), starts(std::move(s)) {}
  Variable pull(const Variable& g, std::size_t k) const override {
    return slice(g, axis, {starts[k], starts[k + 1]});
  }
};

std::string list_of(const std::vector<Variable>& parts) {
  std::string text;
  for (const Variable& part : parts) text += (text.empty() ? "" : ", ") + Operand(part).describe();
  return text;
}

// The slice that `picked` names, and its adjoint, are each other's pullbacks.
Variable pick(const Call& call, const Variable& x, const std::vector<kernel::Picked>& picked);

Variable unpick(const Call& call, const Variable& x, const Shape& shape,
                const std::vector<kernel::Picked>& picked) {
  return structural<1>(
      call, kernel::unslice(x.value(), shape, picked), {&x},
      [call, picked](const Variable& g) { return pick(Call("slice", call.where), g, picked); });
}

Variable pick(const Call& call, const Variable& x, const std::vector<kernel::Picked>& picked) {
  return structural<1>(call, kernel::slice(x.value(), picked), {&x},
                       [call, picked, shape = x.shape()](const Variable& g) {
                         return unpick(Call("unslice", call.where), g, shape, picked);
                       });
}

kernel::Picked resolve(const Range& range, std::int64_t size) {
  const bool forward = range.step > 0;
  const auto bound = [&](std::optional<std::int64_t> value, std::int64_t otherwise) {
    if (!value) return otherwise;
    const std::int64_t from_start = *value < 0 ? *value + size : *value;
    return std::clamp<std::int64_t>(from_start, forward ? 0 : -1, forward ? size : size - 1);
  };
  const std::int64_t first = bound(range.start, forward ? 0 : size - 1),
                     stop = bound(range.stop, forward ? size : -1);
  const std::int64_t distance = forward ? stop - first : first - stop,
                     step = forward ? range.step
                                    : -std::max(range.step, -std::numeric_limits<std::int64_t>::max());
  return {first, range.step, distance <= 0 ? 0 : (distance - 1) / step + 1};
}

}  // namespace

Variable concat(const std::vector<Variable>& parts, int axis, std::source_location where) {
  const Call call("concat", where);
  if (parts.empty()) call.fail<ShapeError>("there are no parts");
  axis = call.axis(axis, Operand(parts[0]));
  std::vector<std::int64_t> starts{0};
  std::vector<Tensor> values;
  std::vector<const Variable*> inputs;
  bool any = false;
  for (const Variable& part : parts) {
    bool fits = part.rank() == parts[0].rank();
    for (int i = 0; fits && i < part.rank(); ++i) fits = i == axis || part.shape()[i] == parts[0].shape()[i];
    if (!fits)
      call.fail<ShapeError>("the parts differ beside axis " + std::to_string(axis) + ": " + list_of(parts));
    if (part.dtype() != parts[0].dtype()) {
      call.fail<DTypeError>(std::string("dtypes differ: ") + Operand(parts[0]).describe() + " is " +
                            name(parts[0].dtype()) + ", " + Operand(part).describe() + " is " +
                            name(part.dtype()));
    }
    starts.push_back(starts.back() + part.shape()[axis]);
    values.push_back(part.value());
    inputs.push_back(&part);
    any |= detail::tracked(part, &call);
  }
  Tensor value = kernel::concat(values, axis);
  if (!any) return Variable(std::move(value));
  Variable y(std::move(value), detail::next_place());
  detail::record<ConcatPullback>(call.op, call.where, y, inputs, axis, std::move(starts));
  return y;
}

Variable slice(Operand x, const std::vector<Range>& ranges) {
  const Call call("slice", x);
  const Variable& v = x.variable();
  if (ranges.size() > static_cast<std::size_t>(v.rank())) {
    call.fail<ShapeError>(std::to_string(ranges.size()) + " ranges for " + x.describe());
  }
  const Range whole;
  std::vector<kernel::Picked> picked;
  for (int axis = 0; axis < v.rank(); ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    const Range& range = i < ranges.size() ? ranges[i] : whole;
    if (range.step == 0) call.fail<ShapeError>("the step of axis " + std::to_string(axis) + " is 0");
    picked.push_back(resolve(range, v.shape()[axis]));
  }
  return pick(call, v, picked);
}

Variable slice(Operand x, int axis, Range range) {
  x.variable();
  axis = Call("slice", x).axis(axis, x);
  std::vector<Range> ranges(static_cast<std::size_t>(axis));
  ranges.push_back(range);
  return slice(std::move(x), ranges);
}

}  // namespace xgrad
