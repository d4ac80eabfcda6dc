// Running sums and products along one axis.
//
// A line is computed from one end to the other, in one order whatever part of the array it is in, and gives the
// same bits on every instruction set. Shapes are preconditions, as is 0 <= axis < rank; any size may be 0.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// From which end, and whether element i of the result leaves element i of the input out.
struct ScanOrder {
  bool reverse = false, exclusive = false;
};

/// Running sums; not for bool. float32 is summed in float64, and in float64 what each addition rounds off is carried along
/// (Knuth's TwoSum): element i has an error of eps |y[i]| + 2^-53 i sum |x|, in float64 of eps |y[i]| + (eps i)^2 sum |x|.
/// Integers wrap around.
Tensor cumsum(const Tensor& x, int axis, ScanOrder order);
/// Running products; not for bool. The relative error of element i is i eps. Integers wrap around.
Tensor cumprod(const Tensor& x, int axis, ScanOrder order);
/// log(cumsum(exp(x))) without overflow, for floating x: -inf as long as all x are.
Tensor logcumsumexp(const Tensor& x, int axis, bool reverse);

/// s[i] = a[i] s[i - 1] + b[i] with s[0] = b[0], for floating a and b of one shape; with `previous`, the factor is
/// a[i - 1]. In reverse, i - 1 is the place behind i.
Tensor recurrence(const Tensor& a, const Tensor& b, int axis, bool reverse, bool previous);

/// Element i: the product of all others of its line, for floating x. Nothing is divided, so zeros are harmless.
Tensor product_of_others(const Tensor& x, int axis);

/// The place of the running maximum, or minimum, as int64: the first of equals, and the first NaN from there on.
Tensor running_argmax(const Tensor& x, int axis, bool largest);

}  // namespace xgrad::kernel
