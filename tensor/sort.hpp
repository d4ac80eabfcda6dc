// Orders along one axis, as indices. NaN is larger than every number, -0 equals 0, and of equals the first in
// x comes first, whichever the direction.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// The indices that put each line along `axis` in order, int64, of x's shape.
Tensor argsort(const Tensor& x, int axis, bool descending);
/// The first k of these. Precondition: k <= the size of the axis.
Tensor arg_topk(const Tensor& x, std::int64_t k, int axis, bool descending);

}  // namespace xgrad::kernel
