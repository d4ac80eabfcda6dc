// The linear maps that the walks over a tape need themselves, recorded where a tape records: sums of cotangents,
// broadcasting with its adjoint, and the rows and columns of Jacobians. Everything else an operation needs lives in
// ops/.
#pragma once

#include <span>
#include <xgrad/autograd/variable.hpp>

namespace xgrad::detail {

/// a + b for equal shapes and dtypes. Writes into a's storage when nobody else holds it and nothing is
/// recorded.
Variable accumulate(Variable a, const Variable& b);

/// x summed to `shape`, which broadcasts to x's (precondition).
Variable sum_to(const Variable& x, const Shape& shape);

/// x repeated to `shape`, to which it broadcasts (precondition).
Variable broadcast_to(const Variable& x, const Shape& shape);

/// x as a matrix whose rows have shape.size() elements: its row i, in that shape.
Variable row(const Variable& x, std::int64_t i, const Shape& shape);

/// The adjoint of row: zeros of `shape`, with x as row i.
Variable in_row(const Variable& x, std::int64_t i, const Shape& shape);

/// The parts, of one shape and dtype, at least one, one after the other in a result of `shape`.
Variable stack_rows(std::span<const Variable> parts, const Shape& shape);

/// x as a matrix of so many rows, transposed, in `shape`.
Variable transpose_as(const Variable& x, std::int64_t rows, const Shape& shape);

}  // namespace xgrad::detail
