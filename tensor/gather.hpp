// Moving elements to and from places that are known at run time only: numbers in a tensor, or lists of runs.
//
// Indices are int64 and in [-n, n) of an axis with n places (precondition); negative ones count from the end.
// Sums into one place are made in the order of the indices, whatever the number of threads.
#pragma once

#include <span>
#include <vector>
#include <xgrad/tensor/strided.hpp>

namespace xgrad::kernel {

/// y[..., i..., ...] = x[..., index[i...], ...]: the indices' axes take the place of `axis`.
Tensor take(const Tensor& x, const Tensor& index, int axis);
/// base, or zeros of `shape` if there is none, with updates added at these places: the adjoint of take.
Tensor add_at(const Tensor* base, const Shape& shape, const Tensor& index, const Tensor& updates, int axis);

/// y[..., j, ...] = x[..., index[..., j, ...], ...]: the shapes agree beside `axis` (precondition).
Tensor take_along(const Tensor& x, const Tensor& index, int axis);
/// base, or zeros of `shape` if there is none, with updates added at these places: the adjoint of take_along.
Tensor add_along(const Tensor* base, const Shape& shape, const Tensor& index, const Tensor& updates,
                 int axis);

/// The places of x along `axis` that the runs name, one run after the other.
Tensor runs(const Tensor& x, std::span<const Picked> runs, int axis);
/// Zeros of `shape` with g's elements added at these places: the adjoint of runs.
Tensor add_runs(const Tensor& g, const Shape& shape, std::span<const Picked> runs, int axis);
/// These places, as few runs.
std::vector<Picked> runs_of(std::span<const std::int64_t> places);

/// An array of `shape` that is x from `before` on and `value` elsewhere.
Tensor pad(const Tensor& x, const Shape& shape, std::span<const std::int64_t> before, double value);

/// The indices of the elements that are not 0 (NaN is not), in row-major order, as (rank, count): one row for
/// each axis. Precondition: there are `count` of them.
Tensor nonzero(const Tensor& x, std::int64_t count);

}  // namespace xgrad::kernel
