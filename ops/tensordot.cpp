#include <algorithm>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/contraction.hpp>
#include <xgrad/ops/einsum.hpp>
#include <xgrad/ops/matmul.hpp>

namespace xgrad {

using detail::Call, detail::Labelled, detail::Labels;

namespace {

bool repeats(std::vector<int> axes) {
  std::sort(axes.begin(), axes.end());
  return std::adjacent_find(axes.begin(), axes.end()) != axes.end();
}

// What is checked of axes that are in range, axes_a[i] of a with axes_b[i] of b.
DType require_pairs(const Call& call, const Operand& a, const Operand& b, const std::vector<int>& axes_a,
                    const std::vector<int>& axes_b) {
  const Operand* both[] = {&a, &b};
  const DType dtype = detail::factor_dtype(call, both);
  if (repeats(axes_a) || repeats(axes_b)) {
    call.fail<ShapeError>("an axis is named twice: " + a.describe() + " and " + b.describe());
  }
  for (std::size_t i = 0; i < axes_a.size(); ++i) {
    if (a.shape()[axes_a[i]] == b.shape()[axes_b[i]]) continue;
    call.fail<ShapeError>("axis " + std::to_string(axes_a[i]) + " of " + a.describe() + " and axis " +
                          std::to_string(axes_b[i]) + " of " + b.describe() + " differ in size");
  }
  return dtype;
}

Variable pairwise(const Call& call, Operand& a, Operand& b, const std::vector<int>& axes_a,
                  const std::vector<int>& axes_b) {
  const DType dtype = require_pairs(call, a, b, axes_a, axes_b);
  Labelled x{a.as(dtype), {}}, y{b.as(dtype), {}};
  for (int axis = 0; axis < a.rank(); ++axis) x.labels.push_back(axis);
  for (int axis = 0; axis < b.rank(); ++axis) y.labels.push_back(a.rank() + axis);
  Labels kept = x.labels;
  for (int axis : axes_a) kept.erase(std::find(kept.begin(), kept.end(), axis));
  for (std::size_t i = 0; i < axes_b.size(); ++i) y.labels[static_cast<std::size_t>(axes_b[i])] = axes_a[i];
  std::copy_if(y.labels.begin(), y.labels.end(), std::back_inserter(kept),
               [&](int label) { return label >= a.rank(); });
  const detail::At at(call.where);
  return detail::in_order(detail::contract(x, y, kept), kept);
}

}  // namespace

Variable tensordot(Operand a, Operand b, int axes) {
  const Call call("tensordot", a);
  if (axes < 0 || axes > a.rank() || axes > b.rank()) {
    call.fail<ShapeError>("there are no " + std::to_string(axes) + " axes in both of " + a.describe() +
                          " and " + b.describe());
  }
  std::vector<int> last, first;
  for (int i = 0; i < axes; ++i) {
    last.push_back(a.rank() - axes + i);
    first.push_back(i);
  }
  return pairwise(call, a, b, last, first);
}

Variable tensordot(Operand a, Operand b, const std::vector<int>& axes_a, const std::vector<int>& axes_b) {
  const Call call("tensordot", a);
  if (axes_a.size() != axes_b.size()) {
    call.fail<ShapeError>(std::to_string(axes_a.size()) + " axes of " + a.describe() + " and " +
                          std::to_string(axes_b.size()) + " of " + b.describe() + " make no pairs");
  }
  std::vector<int> of_a, of_b;
  for (int axis : axes_a) of_a.push_back(call.axis(axis, a));
  for (int axis : axes_b) of_b.push_back(call.axis(axis, b));
  return pairwise(call, a, b, of_a, of_b);
}

Variable dot(Operand a, Operand b) {
  const Call call("dot", a);
  if (a.rank() == 0 || b.rank() == 0) return pairwise(call, a, b, {}, {});
  const std::vector<int> last{a.rank() - 1}, summed{std::max(b.rank() - 2, 0)};
  if (b.rank() > 2) return pairwise(call, a, b, last, summed);
  const DType dtype = require_pairs(call, a, b, last, summed);
  const detail::At at(call.where);
  return matmul(a.as(dtype), b.as(dtype));
}

}  // namespace xgrad
