// The three linear maps that the reverse pass itself needs, recorded where a tape records: sums of
// cotangents, and broadcasting with its adjoint. Everything else an operation needs lives in ops/.
#pragma once

#include <xgrad/autograd/variable.hpp>

namespace xgrad::detail {

/// a + b for equal shapes and dtypes. Writes into a's storage when nobody else holds it and nothing is
/// recorded.
Variable accumulate(Variable a, const Variable& b);

/// x summed to `shape`, which broadcasts to x's (precondition).
Variable sum_to(const Variable& x, const Shape& shape);

/// x repeated to `shape`, to which it broadcasts (precondition).
Variable broadcast_to(const Variable& x, const Shape& shape);

}  // namespace xgrad::detail
