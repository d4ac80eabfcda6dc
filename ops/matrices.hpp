// What the operations of linear algebra share: the last two axes are the matrix, those before the batch.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

namespace detail {

/// The dtype in which operands of linear algebra meet: integers and bools become float32.
DType floating_dtype(const Call& call, std::initializer_list<const Operand*> operands);

/// Throws ShapeError unless x has two axes or more and the last two are below `limit`.
void require_matrices(const Call& call, const Operand& x, std::int64_t limit = std::int64_t{1} << 31);
/// and unless the last two are equal.
void require_square(const Call& call, const Operand& x, std::int64_t limit = std::int64_t{1} << 31);

/// Throws Error, here and in a replay, for the first number in `info` that is not 0: "matrix (1, 2) of A (2,
/// 3, 4, 4) is singular (pivot 3 is 0)" where `is` is "is singular" and `number` "pivot # is 0".
void require_success(const Call& call, const Tensor& info, const Shape& shape, const std::string& described,
                     const char* is, const char* number);

/// The last two axes exchanged.
Variable adjoint(const Variable& x);
/// x without these axes, which come last as one: their diagonal.
Variable diagonal_of(const Variable& x, int row, int column);
/// A number for each matrix of the batch, or one for each row or column, in the shape that meets matrices.
Variable per_matrix(const Variable& x);
Variable per_row(const Variable& x);
Variable per_column(const Variable& x);
/// x below (or above) the diagonal, which belongs to it if `diagonal`, 0 elsewhere: chosen, not multiplied.
Variable triangle_of(const Variable& x, bool lower, bool diagonal);
/// x with `value` on the diagonal.
Variable with_diagonal(const Variable& x, double value);
/// (x + x') / 2.
Variable symmetric_part(const Variable& x);

}  // namespace detail

}  // namespace xgrad
