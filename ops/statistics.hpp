// How far elements are spread about their mean. g is the cotangent of the result y.
//
// Axes as in reduction.hpp. Both work in two passes: the mean, then the sum of the squared distances from it; the mean
// is refined by that of the distances, so that equal elements have distance 0, exactly. float32 sums are pairwise.
#pragma once

#include <xgrad/ops/reduction.hpp>

namespace xgrad {

/// What is subtracted from the number of elements that the squares are divided by (0: of all there is, NumPy's ddof; 1: of a
/// sample, PyTorch's default), and whether reduced axes stay.
struct SpreadOptions {
  double correction = 0;
  bool keepdims = false;
};

/// The variance sum((x - mean(x))^2) / (n - correction). Gradient: 2 g (x - mean(x)) / (n - correction). Throws
/// ShapeError unless n > correction.
Variable var(Operand x, Axes axes = {}, SpreadOptions options = {});
/// The standard deviation, the root of var. Gradient: g (x - mean(x)) / (y (n - correction)), 0 where y = 0. Throws as var.
/// (Behind `using namespace xgrad` it is still called xgrad::std: `std` alone may be the namespace.)
Variable std(Operand x, Axes axes = {}, SpreadOptions options = {});

}  // namespace xgrad
