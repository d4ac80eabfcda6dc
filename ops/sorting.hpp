// Elements in order along an axis. g is the cotangent of the result.
//
// NaN is larger than every number: the last one, and the first one of a descending order, as in NumPy and
// PyTorch. -0 equals 0. Of equals, the first one in x comes first, in both directions.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// The elements in order. Gradient: g, each element of it where x's came from.
Variable sort(Operand x, int axis = -1, bool descending = false);
/// The indices that put them in order, an int64 constant: take_along_axis(x, argsort(x)) is sort(x).
Variable argsort(Operand x, int axis = -1, bool descending = false);

/// The largest elements of each line, and where they stood.
struct TopK {
  Variable values;
  Variable indices;  ///< an int64 constant
};
/// The k largest elements along an axis, or the smallest, the first in order first. Gradient: g, where they
/// came from. Throws ShapeError if k is not in [0, size].
TopK topk(Operand x, std::int64_t k, int axis = -1, bool largest = true);

}  // namespace xgrad
