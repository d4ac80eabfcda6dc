// Counting the elements that are not 0.
#pragma once

#include <xgrad/tensor/reduce.hpp>

namespace xgrad::kernel {

/// How many elements along the axes, which stay with size 1, differ from 0, as int64. NaN does.
Tensor count_nonzero(const Tensor& x, AxisSet axes);

}  // namespace xgrad::kernel
