// Softmax and its relatives down the columns of a tall matrix, strip by strip.
//
// As rowwise.hpp along the first axis, for matrices beyond the second cache: their columns are read in the order in
// which they lie, twice, and strips are shared between threads. For the same shape the bits are always the same.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel::detail {

/// Whether the functions below are the faster ones: no axes of size 2 or more before this one, and large enough.
/// Forward they compute exp twice, which pays from more elements on.
bool is_tall(const Shape& shape, int axis, bool forward);

Tensor tall_softmax(const Tensor& x, int axis);
Tensor tall_log_softmax(const Tensor& x, int axis);
/// The axis is kept with size 1.
Tensor tall_logsumexp(const Tensor& x, int axis);
Tensor tall_softmax_backward(const Tensor& y, const Tensor& g, int axis);
Tensor tall_log_softmax_backward(const Tensor& y, const Tensor& g, int axis);

}  // namespace xgrad::kernel::detail
