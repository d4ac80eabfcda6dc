// Diagonals and triangles of matrices. g is the cotangent of the result.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// The diagonal `offset` above the main one (negative: below) of two axes, which a new last axis replaces; no
/// elements if it lies outside. Gradient: g on that diagonal, 0 elsewhere. Throws ShapeError if both axes are
/// the same.
Variable diagonal(Operand x, std::int64_t offset = 0, int first = 0, int second = 1);
/// The square matrix with a vector on the diagonal `offset`, 0 elsewhere; of a matrix, its diagonal. Gradient:
/// g's diagonal. Throws ShapeError if x has no axis or more than two.
Variable diag(Operand x, std::int64_t offset = 0);
/// The elements of each matrix (the last two axes) on and below the diagonal `offset`, 0 elsewhere. Gradient:
/// tril(g, offset). Throws ShapeError if there are fewer than two axes.
Variable tril(Operand x, std::int64_t offset = 0);
/// The elements on and above it. Gradient: triu(g, offset).
Variable triu(Operand x, std::int64_t offset = 0);

}  // namespace xgrad
