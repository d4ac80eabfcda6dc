// Convolutions: sums of shifted images (direct_convolution.hpp) where those are wide, and else columns of the image (im2col)
// times the weights; image by image.
//
// With x (images, in, height, width), w (out, in / groups, kernel height, kernel width) and y (images, out, rows,
// columns), all three kernels are one trilinear form <y, x * w> seen from its three sides. A convolution along
// one axis has height 1. Elements of x outside of the image are 0.
//
// Thread safety: calls on distinct results do not meet. For one number of threads and one instruction set a
// result has the same bits every time. The columns of a part of one image are in memory at a time, for each
// thread.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// One axis: tap k of result i lies at i * stride + k * dilation - before. None but `in` is 0.
struct ConvAxis {
  std::int64_t in = 1, taps = 1, out = 1, stride = 1, before = 0, dilation = 1;
};

/// Plain numbers, so kernels may keep them. The channels are multiples of the groups.
struct ConvSizes {
  DType dtype = float32;  ///< floating
  std::int64_t images = 0, in = 0, out = 0, groups = 1;
  ConvAxis high, wide;

  std::int64_t in_per_group() const { return in / groups; }
  std::int64_t out_per_group() const { return out / groups; }
  std::int64_t taps() const { return high.taps * wide.taps; }
  std::int64_t pixels() const { return high.in * wide.in; }    // of a channel of x
  std::int64_t places() const { return high.out * wide.out; }  // of a channel of y
  /// Whether the columns are the image itself.
  bool is_pointwise() const;
};

/// y[n, o, i, j] = bias[o] + sum over c, k, l of w[o, c, k, l] x[n, c, i + k, j + l], places as in ConvAxis; without
/// a bias if it is null. The numbers of elements are those of `sizes` (precondition), as for the other two; each
/// of channels per group times taps, pixels and places is below 2^31.
Tensor convolve(const ConvSizes& sizes, const Tensor& x, const Tensor& w, const Tensor* bias,
                const Shape& shape);
/// Its adjoint in x: each y goes to the elements of x that it was made of. The bias is one number for each
/// channel of x.
Tensor convolve_transposed(const ConvSizes& sizes, const Tensor& y, const Tensor& w, const Tensor* bias,
                           const Shape& shape);
/// Its adjoint in w.
Tensor convolve_weights(const ConvSizes& sizes, const Tensor& x, const Tensor& y, const Shape& shape);

}  // namespace xgrad::kernel
