// Pooling along the last one or two axes: the maximum or the mean of windows. g is the cotangent of the result y.
//
//   y = max_pool2d(x, 2);                                    // halves both axes
//   y = avg_pool2d(x, {3, 1}, {.stride = 1, .padding = {1, 0}});
//   y = mean(x, {2, 3});                                     // global pooling
//
// x is (N, C, H, W), or (N, C, L) along one axis; integers become float32. Window i of an axis begins at i s - p and
// has `kernel` places, dilation apart: the result has (size + 2 p - d (kernel - 1) - 1) / s + 1. Every function
// throws ShapeError if x has another number of axes, a kernel is larger than the padded x or a window lies in the
// padding alone, Error for numbers that are too small.
#pragma once

#include <xgrad/ops/per_axis.hpp>

namespace xgrad {

struct MaxPoolOptions {
  PerAxis stride = 0;  ///< 0: the kernel's size
  PerAxis padding = 0;
  PerAxis dilation = 1;
};

/// The maximum of each window; what lies outside of x is never one. NaN if there is one. Gradient: g, split evenly
/// between ties as max does it (PyTorch gives all to the first), NaN for the window where y is.
Variable max_pool2d(Operand x, PerAxis kernel, const MaxPoolOptions& options = {});
Variable max_pool1d(Operand x, std::int64_t kernel, const MaxPoolOptions& options = {});

struct AvgPoolOptions {
  PerAxis stride = 0;  ///< 0: the kernel's size
  PerAxis padding = 0;
  bool count_include_pad = true;  ///< the padding's zeros count; or the mean is that of what lies in x
};

/// The mean of each window. Gradient: g / n to each of its n elements.
Variable avg_pool2d(Operand x, PerAxis kernel, const AvgPoolOptions& options = {});
Variable avg_pool1d(Operand x, std::int64_t kernel, const AvgPoolOptions& options = {});

/// The means of `size` windows of about one length, as PyTorch cuts them: window i of an axis with n places goes from
/// floor(i n / size) to ceil((i + 1) n / size). Gradient: as avg_pool2d's. Throws ShapeError if x has no elements
/// along an axis.
Variable adaptive_avg_pool2d(Operand x, PerAxis size);
Variable adaptive_avg_pool1d(Operand x, std::int64_t size);

}  // namespace xgrad
