// Sums of products over named axes.
#pragma once

#include <string_view>
#include <vector>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// Einstein's notation, as numpy.einsum: einsum("bij,bjk->bik", {a, b}) names the axes of each operand and
/// those of the result; what the result does not name is summed.
///
/// Labels are letters; spaces do not count. A label that stands twice in one operand is its diagonal. "..."
/// stands for any number of axes, which broadcast and come in the result where it says "...". Without "->"
/// the result has the dots first and then, in the order of their characters, the labels that occur once.
/// Operands are contracted by two, the pair first that leaves the smallest arrays, as (batched) matrix
/// products without transposed copies where the order of the axes allows it.
///
/// Gradients are those of the products, sums and transposes it consists of. bool counts as int64. Throws
/// Error for a formula that cannot be read, with the position (from 0), ShapeError where an operand does not
/// fit it, DTypeError for float32 with float64.
Variable einsum(std::string_view formula, const std::vector<Variable>& operands,
                std::source_location where = std::source_location::current());

/// The sum over the last `axes` axes of a times the first ones of b, in order; 0: all products.
Variable tensordot(Operand a, Operand b, int axes = 2);
/// The sum over pairs of axes: axes_a[i] of a with axes_b[i] of b; the rest of a's axes, then of b's, remain.
/// Throws ShapeError if the pairs differ in size or an axis is named twice.
Variable tensordot(Operand a, Operand b, const std::vector<int>& axes_a, const std::vector<int>& axes_b);

/// The sum over the last axis of a and the last but one (or only one) of b, as numpy.dot: for vectors the
/// inner product, for matrices matmul, with a number *. For larger arrays (..., k) and (..., k, n) it pairs
/// all matrices of both, where matmul broadcasts. Throws ShapeError if these sizes differ.
Variable dot(Operand a, Operand b);

}  // namespace xgrad
