// Convolutions without columns: results are sums of shifted copies of a padded image, many side by side.
#pragma once

#include <xgrad/tensor/convolution.hpp>

namespace xgrad::kernel::detail {

/// One group of channels of one image. All of it is in the kernel's own terms: for the adjoint with stride 1, x is what
/// is given and y the image.
struct DirectSizes {
  std::int64_t in = 0, out = 0;  // channels of x and of y
  ConvAxis high, wide;           // `before` may be negative
  std::int64_t from_out = 0, from_in = 0,
               to_tap = 1;  // distances in the weights; taps are read backwards if -1

  /// Whether it is faster than a product of matrices.
  bool pays() const;
};

/// How many elements the weights of one group become in the order in which they are used, and that.
std::int64_t packed_size(const DirectSizes& sizes);
template <class T>
void pack_weights(const DirectSizes& sizes, const T* w, T* packed);

/// y, of y's channels [first, last), all of whose elements are overwritten; bias is null, or one number for each.
/// `first` is a multiple of 8.
template <class T>
void convolve_directly(const DirectSizes& sizes, const T* x, const T* packed, const T* bias, T* y,
                       std::int64_t first, std::int64_t last);

}  // namespace xgrad::kernel::detail
