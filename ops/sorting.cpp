#include <xgrad/ops/gathering.hpp>
#include <xgrad/ops/sorting.hpp>
#include <xgrad/tensor/sort.hpp>

namespace xgrad {

using detail::Call;

Variable sort(Operand x, int axis, bool descending) {
  const Call call("sort", x);
  axis = call.axis(axis, x);
  const Variable& v = x.variable();
  return detail::taken_along(call, v, kernel::argsort(v.value(), axis, descending), axis);
}

Variable argsort(Operand x, int axis, bool descending) {
  const Call call("argsort", x);
  const Tensor& value = x.variable().value();
  return Variable(kernel::argsort(value, call.axis(axis, x), descending));
}

TopK topk(Operand x, std::int64_t k, int axis, bool largest) {
  const Call call("topk", x);
  axis = call.axis(axis, x);
  if (k < 0 || k > x.shape()[axis]) {
    call.fail<ShapeError>(std::to_string(k) + " elements of axis " + std::to_string(axis) + " of " +
                          x.describe() + ", which has size " + std::to_string(x.shape()[axis]));
  }
  const Variable& v = x.variable();
  const Tensor index = kernel::arg_topk(v.value(), k, axis, largest);
  return {detail::taken_along(call, v, index, axis), Variable(index)};
}

}  // namespace xgrad
