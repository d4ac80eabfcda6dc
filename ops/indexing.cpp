#include <xgrad/ops/indexing.hpp>
#include <xgrad/tensor/reduce.hpp>

namespace xgrad {

using detail::Call;

Variable one_hot(Operand labels, std::int64_t classes, int axis) {
  return detail::one_hot(Call("one_hot", labels), labels, classes, axis);
}

Variable detail::one_hot(const Call& call, Operand& labels, std::int64_t classes, int axis) {
  const Tensor& index = labels.variable().value();
  if (index.dtype() != int64) {
    call.fail<DTypeError>("the labels " + labels.describe() + " are " + name(index.dtype()) + ", not int64",
                          "convert them with astype(int64)");
  }
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
  Tensor result = zeros(Shape(std::span<const std::int64_t>(sizes)), float32);
  float* out = mutable_data<float>(result);
  const std::int64_t* label = index.data<std::int64_t>();
  for (std::int64_t i = 0, n = index.size(); i < n; ++i) {
    if (label[i] < 0 || label[i] >= classes) {
      call.fail<Error>("label " + std::to_string(label[i]) + " of example " + std::to_string(i) +
                       " is not in [0, " + std::to_string(classes) + ")");
    }
    out[(i / inner * classes + label[i]) * inner + i % inner] = 1;
  }
  return Variable(std::move(result));
}

Variable argmax(Operand x, int axis) {
  const Call call("argmax", x);
  const Tensor& value = x.variable().value();
  axis = call.axis(axis, x);
  if (value.shape()[axis] == 0) call.fail<ShapeError>("the maximum of no elements: " + x.describe());
  return Variable(kernel::argmax(value, axis));
}

}  // namespace xgrad
