// Reductions along axes: blocked and pairwise, in an order that the shape fixes.
//
// The relative error of a float32 sum stays below 1e-6 for 10^8 elements of one sign. Elements are never
// compared or skipped: a NaN anywhere makes the result NaN, for maxima too. The result has the same bits on
// every instruction set: a row is summed in 64 bytes of lanes, whatever the registers hold.
#pragma once

#include <cstdint>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// Bit i stands for axis i.
using AxisSet = std::uint64_t;

/// Sum along the axes, which stay in the shape with size 1. Not for bool. Over no elements: 0.
Tensor sum(const Tensor& x, AxisSet axes);
/// sqrt(sum(x^2)) along the last axes, from `first` on, which stay with size 1; for floating x, without overflow or
/// underflow. Over no elements: 0.
Tensor row_norms(const Tensor& x, int first);
/// Product; as sum. Over no elements: 1.
Tensor product(const Tensor& x, AxisSet axes);
/// Maximum along the axes, which stay with size 1. Not for bool. Precondition: the axes are not empty.
Tensor max(const Tensor& x, AxisSet axes);
/// Minimum; as max.
Tensor min(const Tensor& x, AxisSet axes);
/// Index of the first maximum along one axis (the first NaN, if there is one), as int64, the axis dropped.
/// Precondition: the axis is not empty.
Tensor argmax(const Tensor& x, int axis);

/// The adjoint of broadcasting: sums `x` to `shape`, which broadcasts to x.shape() (precondition).
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace xgrad::kernel
