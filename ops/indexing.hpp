// Operations on and with indices. Those that take elements at places are in gathering.hpp.
#pragma once

#include <vector>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// 1 at the place that each label names along a new axis of `classes` places, 0 elsewhere; a float32
/// constant. Labels (m,) with axis -1 give (m, classes), with axis 0 (classes, m). Throws Error if a label is
/// not in [0, classes), with its place, and DTypeError if the labels are not int64.
Variable one_hot(Operand labels, std::int64_t classes, int axis = -1);

/// The index of the first maximum along an axis, which is dropped: an int64 constant. A NaN counts as the
/// maximum. Throws ShapeError if the axis has no elements.
Variable argmax(Operand x, int axis = -1);
/// The index of the first minimum; a NaN counts as the minimum. As argmax.
Variable argmin(Operand x, int axis = -1);
/// The places of the elements that are not 0, in row-major order: for each axis, their int64 indices along it.
/// Their number depends on the elements: a compiled function is recorded anew where it changes. Throws
/// ShapeError if x has no axes.
std::vector<Variable> nonzero(Operand x);

/// x, with `value` where the bool tensor `mask` is true; both broadcast to x's shape. The gradient is routed: g
/// to x where false, and to the value where true. Throws DTypeError unless the mask is bool, ShapeError if one
/// does not broadcast.
Variable masked_fill(Operand x, Operand mask, Operand value);

namespace detail {
/// The labels, int64 (DTypeError otherwise) and from 0 up to `classes` (Error with the first that is not).
const Tensor& require_labels(const Call& call, Operand& labels, std::int64_t classes);
/// one_hot on behalf of the operation that its errors name.
Variable one_hot(const Call& call, Operand& labels, std::int64_t classes, int axis);
}  // namespace detail

}  // namespace xgrad
