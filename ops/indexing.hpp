// Operations on and with indices.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// 1 at the place that each label names along a new axis of `classes` places, 0 elsewhere; a float32
/// constant. Labels (m,) with axis -1 give (m, classes), with axis 0 (classes, m). Throws Error if a label is
/// not in [0, classes), with its place, and DTypeError if the labels are not int64.
Variable one_hot(Operand labels, std::int64_t classes, int axis = -1);

/// The index of the first maximum along an axis, which is dropped: an int64 constant. A NaN counts as the
/// maximum. Throws ShapeError if the axis has no elements.
Variable argmax(Operand x, int axis = -1);

namespace detail {
/// The labels, int64 (DTypeError otherwise) and from 0 up to `classes` (Error with the first that is not).
const Tensor& require_labels(const Call& call, Operand& labels, std::int64_t classes);
/// one_hot on behalf of the operation that its errors name.
Variable one_hot(const Call& call, Operand& labels, std::int64_t classes, int axis);
}  // namespace detail

}  // namespace xgrad
