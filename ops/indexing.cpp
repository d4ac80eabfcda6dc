#include <algorithm>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/tensor/gather.hpp>
#include <xgrad/tensor/reduce.hpp>

namespace xgrad {

using detail::Call;

Variable one_hot(Operand labels, std::int64_t classes, int axis) {
  return detail::one_hot(Call("one_hot", labels), labels, classes, axis);
}

namespace {

const Tensor& require_int64(const Call& call, Operand& labels) {
  const Tensor& index = labels.variable().value();
  if (index.dtype() == int64) return index;
  call.fail<DTypeError>("the labels " + labels.describe() + " are " + name(index.dtype()) + ", not int64",
                        "convert them with astype(int64)");
}

void require_label(const Call& call, std::int64_t label, std::int64_t example, std::int64_t classes) {
  if (label >= 0 && label < classes) return;
  call.fail<Error>("label " + std::to_string(label) + " of example " + std::to_string(example) +
                   " is not in [0, " + std::to_string(classes) + ")");
}

}  // namespace

const Tensor& detail::require_labels(const Call& call, Operand& labels, std::int64_t classes) {
  const Tensor& index = require_int64(call, labels);
  const auto check = [call, classes, n = index.size(), scope = CapturedScope()](void* const*,
                                                                                const void* const* in) {
    const auto* label = static_cast<const std::int64_t*>(in[0]);
    scope.enter([&] {
      for (std::int64_t i = 0; i < n; ++i) require_label(call, label[i], i, classes);
    });
  };
  launch({}, {&index}, check);
  return index;
}

Variable detail::one_hot(const Call& call, Operand& labels, std::int64_t classes, int axis) {
  const Tensor& index = require_int64(call, labels);
  if (classes < 0) call.fail<ShapeError>("the number of classes is negative: " + std::to_string(classes));
  const int rank = index.rank() + 1;
  if (axis < -rank || axis >= rank) {
    call.fail<ShapeError>("axis " + std::to_string(axis) + " is out of range for a result of " +
                          std::to_string(rank) + " axes");
  }
  if (axis < 0) axis += rank;
  std::vector<std::int64_t> sizes(index.shape().begin(), index.shape().end());
  sizes.insert(sizes.begin() + axis, classes);
  std::int64_t inner = 1;
  for (int i = axis; i < index.rank(); ++i) inner *= index.shape()[i];
  const Tensor result(Shape(std::span<const std::int64_t>(sizes)), float32);
  const auto write = [call, classes, inner, n = index.size(), scope = detail::CapturedScope()](
                         void* const* out, const void* const* in) {
    const auto* label = static_cast<const std::int64_t*>(in[0]);
    auto* hot = static_cast<float*>(out[0]);
    std::fill_n(hot, n * classes, 0.0f);
    scope.enter([&] {
      for (std::int64_t i = 0; i < n; ++i) {
        require_label(call, label[i], i, classes);
        hot[(i / inner * classes + label[i]) * inner + i % inner] = 1;
      }
    });
  };
  launch({&result}, {&index}, write);
  return Variable(result);
}

Variable argmax(Operand x, int axis) {
  const Call call("argmax", x);
  const Tensor& value = x.variable().value();
  axis = call.axis(axis, x);
  if (value.shape()[axis] == 0) call.fail<ShapeError>("the maximum of no elements: " + x.describe());
  return Variable(kernel::argmax(value, axis));
}

Variable argmin(Operand x, int axis) {
  const Call call("argmin", x);
  axis = call.axis(axis, x);
  if (x.shape()[axis] == 0) call.fail<ShapeError>("the minimum of no elements: " + x.describe());
  const Variable& v = x.variable();
  const Tape::Pause pause;
  // The order reversed: -x, or -1 - x, which cannot overflow.
  const Variable reversed = v.dtype() == bool_ ? logical_not(v) : v.dtype() == int64 ? sub(-1, v) : neg(v);
  return Variable(kernel::argmax(reversed.value(), axis));
}

std::vector<Variable> nonzero(Operand x) {
  const Call call("nonzero", x);
  if (x.rank() == 0) call.fail<ShapeError>("a number has no axis: " + x.describe());
  const Variable& v = x.variable();
  const Tape::Pause pause;
  const auto count = sum(not_equal_to(v, 0)).item<std::int64_t>();
  const Tensor places = kernel::nonzero(v.value(), count);
  std::vector<Variable> indices;
  for (std::int64_t axis = 0; axis < v.rank(); ++axis) {
    const kernel::Picked row[] = {{axis, 1, 1}, {0, 1, count}};
    indices.emplace_back(kernel::slice(places, row).reshape({count}));
  }
  return indices;
}

Variable masked_fill(Operand x, Operand mask, Operand value) {
  const Call call("masked_fill", x);
  const detail::At at(call.where);
  if (mask.dtype() != bool_) {
    call.fail<DTypeError>("the mask " + mask.describe() + " is " + name(mask.dtype()) + ", not bool",
                          "compare it: x != 0");
  }
  for (const Operand* other : {&mask, &value}) {
    if (broadcasts_to(other->shape(), x.shape())) continue;
    call.fail<ShapeError>(std::string(other == &mask ? "the mask " : "the value ") + other->describe() +
                          " does not broadcast to " + x.describe());
  }
  call.common_dtype({&x, &value});
  return where(std::move(mask), std::move(value), std::move(x));
}

}  // namespace xgrad
