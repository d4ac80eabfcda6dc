// Moving elements: a contiguous result gathered from any strided source, and back.
#pragma once

#include <span>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// out[i, j, ...] = source[i * strides[0] + j * strides[1] + ...]; strides count elements of `size` bytes (1,
/// 4 or 8) and may be 0 or negative. Transposes run in blocks. `out` is contiguous and of `shape`.
void gather(void* out, const void* source, std::size_t size, const Shape& shape,
            std::span<const std::int64_t> strides);
/// target[i * strides[0] + j * strides[1] + ...] = in[i, j, ...]
void scatter(void* target, const void* in, std::size_t size, const Shape& shape,
             std::span<const std::int64_t> strides);

/// Axis i of the result is axis order[i] of x; `order` is a permutation (precondition).
Tensor permute(const Tensor& x, std::span<const int> order);
/// x repeated to `shape`, to which it broadcasts (precondition).
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// The parts one after the other along `axis`; they agree in dtype and all other axes (precondition).
Tensor concat(std::span<const Tensor> parts, int axis);

/// The places first, first + step, ... of one axis, `count` of them.
struct Picked {
  std::int64_t first, step, count;
};
/// One Picked for each axis, all within x (precondition).
Tensor slice(const Tensor& x, std::span<const Picked> picked);
/// The adjoint of slice: zeros of `shape` with x at the picked places.
Tensor unslice(const Tensor& x, const Shape& shape, std::span<const Picked> picked);

}  // namespace xgrad::kernel
