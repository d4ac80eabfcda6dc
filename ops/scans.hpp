// What runs along one axis, element by element: the result has x's shape. g is the cotangent of the result y. A 0-d
// operand or an axis out of range throws ShapeError.
#pragma once

#include <xgrad/autograd/operand.hpp>
#include <xgrad/tensor/scan.hpp>

namespace xgrad {

/// From the other end (.reverse), and without the element's own term (.exclusive): the first result is then 0, or 1.
using ScanOrder = kernel::ScanOrder;

/// The running sums y[i] = x[0] + ... + x[i]; of integers an integer, bool counts as int64. float32 is summed in float64,
/// and float64 carries along what its additions round off: sums of 10^8 elements of one sign are right to an ulp.
/// Gradient: the running sums of g from the other end.
Variable cumsum(Operand x, int axis = -1, ScanOrder order = {});
/// The running products; relative error i eps. Gradient: for x[j], the sum over i of g[i] times the product of all other
/// elements that y[i] has: a recurrence without divisions, so that zeros are as good as other numbers, to any order.
Variable cumprod(Operand x, int axis = -1, ScanOrder order = {});
/// log(cumsum(exp(x))) without overflow; -inf as long as all x are. Gradient: for x[j], the sum over i >= j of g[i]
/// exp(x[j] - y[i]).
Variable logcumsumexp(Operand x, int axis = -1, bool reverse = false);
/// The running maximum; NaN from the first NaN on. Gradient: each g to the element that y shows, the first one of equals, and
/// to the first NaN alike.
Variable cummax(Operand x, int axis = -1);
/// The running minimum; as cummax.
Variable cummin(Operand x, int axis = -1);

}  // namespace xgrad
