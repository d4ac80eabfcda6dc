// Norms of vectors, along axes as in reduction.hpp. g is the cotangent of the result y. Norms of matrices are in
// linalg.hpp.
#pragma once

#include <xgrad/ops/reduction.hpp>

namespace xgrad {

/// (sum |x|^p)^(1/p) of the elements along the axes, as numpy.linalg.vector_norm: the largest |x| for p = inf, the smallest
/// for -inf, the number of elements that are not 0 for p = 0. Without overflow on the way. Gradient: g sign(x) (|x| / y)^(p
/// - 1); 0 where y = 0 and where x = 0; for p = +-inf, g sign(x), split evenly between ties; for p = 0, 0. Throws Error if p is
/// NaN, ShapeError for p = +-inf over no elements.
Variable norm(Operand x, double p = 2, Axes axes = {}, bool keepdims = false);
/// sum(x^2). Gradient: 2 g x. Of integers an integer, bool counts as int64.
Variable sum_squares(Operand x, Axes axes = {}, bool keepdims = false);
/// x / max(norm(x, p, axis), eps): of norm 1 along the axis, unless x is almost 0. Gradient: that of the formula; g / eps where
/// the norm is below eps. Throws Error unless eps is positive and finite.
Variable normalize(Operand x, double p = 2, int axis = -1, double eps = 1e-12);

}  // namespace xgrad
