// Pooling: what windows of an image hold, as its maximum or its mean, and the way back.
//
// Images are (planes, height, width) however many axes the planes have; pooling along one axis has height 1. Threads
// take whole planes, so a result has the same bits for any number of them.
#pragma once

#include <vector>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// The windows of one axis with `size` places. Window i holds first, first + step, ...: `count` of them, all on the
/// axis, and one at least; its mean is its sum over `divisor`.
struct Windows {
  struct Window {
    std::int64_t first, count, divisor;
  };
  std::int64_t size = 1, step = 1;
  std::vector<Window> windows = {{0, 1, 1}};

  std::int64_t count() const { return static_cast<std::int64_t>(windows.size()); }
};

struct Pooling {
  Windows high, wide;
  std::int64_t pixels() const { return high.size * wide.size; }
  std::int64_t places() const { return high.count() * wide.count(); }
};

/// The mean of each window, and the adjoint: g over the divisor, added to all places of its window. `shape` is the
/// result's (precondition, as all shapes are).
Tensor mean_pool(const Pooling& how, const Tensor& x, const Shape& shape);
Tensor mean_unpool(const Pooling& how, const Tensor& g, const Shape& shape);

/// The maximum of each window, NaN if there is one.
Tensor max_pool(const Pooling& how, const Tensor& x, const Shape& shape);
/// For y = max_pool(x): the mean of t over the places of each window where x is y; NaN where y is NaN.
Tensor choose(const Pooling& how, const Tensor& x, const Tensor& y, const Tensor& t);
/// Its adjoint: g split evenly between these places; NaN for all of the window where y is NaN.
Tensor max_unpool(const Pooling& how, const Tensor& x, const Tensor& y, const Tensor& g);

}  // namespace xgrad::kernel
