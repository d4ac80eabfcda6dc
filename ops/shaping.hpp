// Operations that give elements another shape or order, and repeat them. g is the cotangent of the result.
#pragma once

#include <initializer_list>
#include <limits>
#include <optional>
#include <vector>
#include <xgrad/ops/joining.hpp>    // these two were always found here
#include <xgrad/ops/reduction.hpp>  // Axes
#include <xgrad/ops/slicing.hpp>

namespace xgrad {

/// The same elements in another shape, without a copy; one size may be -1 (inferred). Gradient: g in x's
/// shape. Throws ShapeError if the number of elements differs.
Variable reshape(Operand x, const Shape& shape);
Variable reshape(Operand x, std::initializer_list<std::int64_t> sizes);
/// The axes from `start` to `end`, both included, as one; a number becomes a vector of one element. Gradient:
/// g in x's shape. Throws ShapeError if `end` lies before `start`.
Variable flatten(Operand x, int start = 0, int end = -1);
/// New axes of size 1 at these places of the result; negative ones count from its end. Gradient: g in x's
/// shape.
Variable expand_dims(Operand x, const Axes& axes);
/// Without these axes (left out: without all axes of size 1). Gradient: g in x's shape. Throws ShapeError if
/// the size of one is not 1.
Variable squeeze(Operand x, const Axes& axes = {});

/// The axes reversed (of a matrix: its transpose), or in the order given: axis i of the result is axis
/// order[i] of x; negative ones count from the end. Gradient: g in the inverse order. Throws ShapeError if
/// `order` is no permutation.
Variable transpose(Operand x);
Variable transpose(Operand x, const std::vector<int>& order);
/// The Array API's name of transpose(x, order).
Variable permute_dims(Operand x, const std::vector<int>& order);
/// The last two axes exchanged: of a batch of matrices, each one's transpose. Gradient: likewise. Throws
/// ShapeError if there are fewer than two axes.
Variable matrix_transpose(Operand x);
/// Two axes exchanged. Gradient: likewise.
Variable swapaxes(Operand x, int first, int second);
/// Axis source[i] of x becomes axis destination[i] of the result; the others keep their order. Gradient: the
/// way back. Throws ShapeError if the lists differ in length or name an axis twice.
Variable moveaxis(Operand x, int source, int destination);
Variable moveaxis(Operand x, const std::vector<int>& source, const std::vector<int>& destination);

/// x repeated to `shape`. Gradient: g summed to x's shape. Throws ShapeError if x does not broadcast to it.
Variable broadcast_to(Operand x, const Shape& shape);
/// x side by side with itself, times[i] times along axis i, aligned at the last axis; missing axes and counts
/// are 1. Gradient: the sum of g's copies. Throws ShapeError if a count is negative.
Variable tile(Operand x, const std::vector<std::int64_t>& times);
/// Each element `times` times along an axis (left out: of x flattened). Gradient: the sum over g's copies.
/// Throws ShapeError if the number is negative.
Variable repeat(Operand x, std::int64_t times, std::optional<int> axis = std::nullopt);
/// Place i of the axis times[i] times. Throws ShapeError if there are not as many numbers as places.
Variable repeat(Operand x, const std::vector<std::int64_t>& times, std::optional<int> axis = std::nullopt);

/// Which axis of the results of meshgrid follows the first vector: the second (as NumPy does by default, for
/// the columns of a picture) or the first.
enum class Indexing { xy, ij };
/// The coordinates of a grid: each vector repeated along the axes of the others. Gradient: g summed over
/// these. Throws ShapeError if a part has more than one axis.
std::vector<Variable> meshgrid(const std::vector<Variable>& parts, Indexing indexing = Indexing::xy,
                               std::source_location where = std::source_location::current());

namespace detail {
/// x, whose size it has, in another shape, on behalf of `call`.
Variable reshaped(const Call& call, const Variable& x, const Shape& shape);
/// x in the shape `narrow`, broadcast to `wide`, in the shape `result`.
Variable spread(const Call& call, const Variable& x, const Shape& narrow, const Shape& wide,
                const Shape& result);
/// A shape from sizes, and the sizes of one.
inline Shape shape_of(const std::vector<std::int64_t>& sizes) {
  return Shape(std::span<const std::int64_t>(sizes));
}
inline std::vector<std::int64_t> sizes_of(const Shape& shape) { return {shape.begin(), shape.end()}; }
}  // namespace detail

}  // namespace xgrad
