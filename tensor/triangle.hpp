// Diagonals and triangles of the last two axes.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// The diagonal `offset` above the main one (negative: below) of axes `first` and `second`, as a new last axis
/// in their place.
Tensor diagonal(const Tensor& x, std::int64_t offset, int first, int second);
/// The adjoint: zeros of `shape` with x on that diagonal.
Tensor on_diagonal(const Tensor& x, const Shape& shape, std::int64_t offset, int first, int second);
/// The length of that diagonal of an array of `shape`; 0 if it lies outside.
std::int64_t diagonal_size(const Shape& shape, std::int64_t offset, int first, int second);

/// The elements of each matrix on and below (`lower`) or on and above the diagonal `offset`, 0 elsewhere.
Tensor triangle(const Tensor& x, std::int64_t offset, bool lower);

}  // namespace xgrad::kernel
