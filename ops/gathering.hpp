// Taking elements at places that a tensor names, and adding to them. g is the cotangent of the result.
//
// Indices are int64 tensors (DTypeError otherwise) or integers, and have no gradient. Negative ones count from
// the end, where nothing else is said; one that is out of range is an Error with its place. Sums into the same
// place are made in the order of the indices, for any number of threads.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// The places of an axis that `indices` name: y[..., i..., ...] = x[..., indices[i...], ...]. The axes of the
/// indices, which may be none, take the place of `axis`. Gradient: g, added up at these places.
Variable take(Operand x, Operand indices, int axis = 0);
/// One place for each line: y[..., j, ...] = x[..., indices[..., j, ...], ...], as sort and argsort go
/// together. Beside `axis` the shapes broadcast. Gradient: g, added up at these places. Throws ShapeError
/// unless both have the same number of axes.
Variable take_along_axis(Operand x, Operand indices, int axis = -1);
/// x with updates added at the places that take would take: the adjoint of take. `updates` broadcasts to
/// the shape that take(x, indices, axis) has. Gradients: g, and take(g, indices, axis).
Variable index_add(Operand x, Operand indices, Operand updates, int axis = 0);
/// x with updates added at the places that take_along_axis would take. `updates` broadcasts to the shape of
/// the indices, which agrees with x's beside `axis`. Gradients: g, and take_along_axis(g, indices, axis).
Variable scatter_add(Operand x, Operand indices, Operand updates, int axis = 0);

/// Of each line along `axis`, the element that its label names: x (m, n) and labels (m,) give (m,). Gradient: g
/// at that element, 0 elsewhere. Throws ShapeError unless the labels have x's shape without the axis, Error if
/// one is not in [0, n), with its place.
Variable pick(Operand x, Operand labels, int axis = -1);
/// Row indices[i...] of the weights (n, d) for each index. Gradient: g, added up at these rows. Throws Error if
/// an index is not in [0, n): a negative one is more likely a mark than a row.
Variable embedding(Operand weights, Operand indices);

namespace detail {
/// take and take_along_axis with int64 indices that are in range, on behalf of `call`.
Variable taken(const Call& call, const Variable& x, const Tensor& index, int axis);
Variable taken_along(const Call& call, const Variable& x, const Tensor& index, int axis);
/// The indices as int64, of which each is in [-size, size), or [0, size) if they are not `signed_ones`.
Tensor require_indices(const Call& call, Operand& indices, const Operand& x, int axis,
                       bool signed_ones = true);
}  // namespace detail

}  // namespace xgrad
