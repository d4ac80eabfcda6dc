// Matrix products: the kernel for every shape, and its threads.
//
// Thread safety: calls on distinct results do not meet. Where a product is worth it, it runs on num_threads()
// threads. For one number of threads and one instruction set a result has the same bits every time: they do
// not depend on where the operands lie in memory, or on what else the program runs.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// One product and where it may start from: plain numbers, good for any operands of these sizes.
struct Gemm {
  DType dtype;  ///< not bool
  std::int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;
  /// Steps of the bias from row to row and from column to column, in elements: (0, 1) for a row, (1, 0) for a
  /// column, (0, 0) for a scalar, (n, 1) for a full matrix.
  std::int64_t bias_row = 0, bias_column = 0;
};

/// result = op(a) op(b), or op(a) op(b) + bias unless bias is null, for row-major matrices: op(a) is (m, k),
/// op(b) (k, n). No transposed copy is made. The result overlaps neither factor; it may be the bias itself, in
/// full, which adds the product to it, and is not read otherwise. An inner size of 0 gives the bias or zeros.
/// Floating-point sums are those of the plain triple loop up to their order: 0 times infinity is NaN. Every
/// size is below 2^31 (precondition).
void gemm_into(const Gemm& gemm, const void* a, const void* b, const void* bias, void* result);

/// op(a) op(b) for matrices of one dtype (not bool), where op transposes if its flag is set. Inner sizes agree
/// and every size is below 2^31 (preconditions).
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);

/// op(a) op(b) + c, where c, of the same dtype, broadcasts to the product (precondition): a layer's bias costs
/// no pass of its own.
Tensor matmul_add(const Tensor& a, const Tensor& b, const Tensor& c, bool transpose_a = false,
                  bool transpose_b = false);

}  // namespace xgrad::kernel
