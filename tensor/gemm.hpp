// Matrix products through xtensor-blas.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// op(a) op(b) for matrices of one dtype (not bool), where op transposes if its flag is set: no transposed
/// copy is made. Inner sizes agree and every size is below 2^31 (preconditions). An inner size of 0 gives
/// zeros.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);

}  // namespace xgrad::kernel
