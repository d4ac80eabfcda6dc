// Operations that move elements and change none. g is the cotangent of the result.
#pragma once

#include <initializer_list>
#include <limits>
#include <optional>
#include <vector>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// The same elements in another shape, without a copy; one size may be -1 (inferred). Gradient: g in x's
/// shape. Throws ShapeError if the number of elements differs.
Variable reshape(Operand x, const Shape& shape);
Variable reshape(Operand x, std::initializer_list<std::int64_t> sizes);

/// The axes reversed (of a matrix: its transpose), or in the order given: axis i of the result is axis
/// order[i] of x; negative ones count from the end. Gradient: g in the inverse order. Throws ShapeError if
/// `order` is no permutation.
Variable transpose(Operand x);
Variable transpose(Operand x, const std::vector<int>& order);

/// x repeated to `shape`. Gradient: g summed to x's shape. Throws ShapeError if x does not broadcast to it.
Variable broadcast_to(Operand x, const Shape& shape);

/// The parts one after the other along an axis. Gradient: each part's slice of g. Throws ShapeError if there
/// are no parts or their other axes differ, DTypeError if their dtypes do.
Variable concat(const std::vector<Variable>& parts, int axis = 0,
                std::source_location where = std::source_location::current());

/// start, start + step, ... before stop, as Python's slices: left out means from the very end, negative
/// counts from the end, and out of range is cut off.
struct Range {
  std::optional<std::int64_t> start = std::nullopt;
  std::optional<std::int64_t> stop = std::nullopt;
  std::int64_t step = 1;
};

/// The ranges of the first axes, all of the others. Gradient: g at the picked places, 0 elsewhere. Throws
/// ShapeError if there are more ranges than axes or a step is 0.
Variable slice(Operand x, const std::vector<Range>& ranges);
/// One range of one axis.
Variable slice(Operand x, int axis, Range range);

}  // namespace xgrad
