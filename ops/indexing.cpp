#include <algorithm>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/tensor/reduce.hpp>

namespace xgrad {

using detail::Call;

Variable one_hot(Operand labels, std::int64_t classes, int axis) {
  return detail::one_hot(Call("one_hot", labels), labels, classes, axis);
}

namespace {

const Tensor& require_indices(const Call& call, Operand& labels) {
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
  const Tensor& index = require_indices(call, labels);
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
  const Tensor& index = require_indices(call, labels);
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

}  // namespace xgrad
