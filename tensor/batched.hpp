// Products of many matrices at once.
#pragma once

#include <vector>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// Where the matrices of a batched operand lie for each matrix of the result: the axes before the last two
/// broadcast, and a matrix that is used again is not copied. Plain values, so kernels may keep it.
class BatchSteps {
 public:
  /// From the operand's batch axes to the result's, to which they broadcast (precondition).
  BatchSteps(const Shape& from, const Shape& to);
  /// The operand's matrix for matrix `i` of the result.
  std::int64_t operator()(std::int64_t i) const {
    if (straight_) return i;
    std::int64_t place = 0;
    for (int axis = sizes_.rank() - 1; axis >= 0; --axis) {
      place += i % sizes_[axis] * steps_[static_cast<std::size_t>(axis)];
      i /= sizes_[axis];
    }
    return place;
  }

 private:
  bool straight_;
  Shape sizes_;
  std::vector<std::int64_t> steps_;
};

/// All axes but the last `matrix_axes`.
Shape batch_of(const Shape& shape, int matrix_axes = 2);
/// The axes of `batch`, then these.
Shape with_batch(const Shape& batch, std::initializer_list<std::int64_t> sizes);

/// op(a) op(b) for each matrix of two batches, whose axes broadcast; as kernel::matmul for one
/// (preconditions: two axes or more, one dtype, inner sizes agree, every size of a matrix below 2^31). Small
/// products are spread over the threads, large ones are split each.
Tensor matmul_batched(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);

}  // namespace xgrad::kernel
