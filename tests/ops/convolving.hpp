// Convolutions by plain loops, for the tests of the operations.
#pragma once

#include <random>
#include <tensor/support.hpp>
#include <xgrad/ops/convolution.hpp>

#include "checks.hpp"

namespace convolving {

using namespace checks;

/// A convolution in two axes: the shapes of x, weight and y, and where taps lie.
struct Setting {
  Shape x, weight, y;
  std::int64_t stride[2], before[2], dilation[2], groups;
};

/// f(place in x, in weight, in y) for every product of y = x * weight.
template <class F>
void each_product(const Setting& s, const F& f) {
  const std::int64_t in = s.weight[1], out = s.y[1] / s.groups;
  test::for_each_index(s.y, [&](const std::vector<std::int64_t>& at) {
    const std::int64_t y = ((at[0] * s.y[1] + at[1]) * s.y[2] + at[2]) * s.y[3] + at[3];
    for (std::int64_t c = 0; c < in; ++c) {
      for (std::int64_t k = 0; k < s.weight[2]; ++k) {
        for (std::int64_t l = 0; l < s.weight[3]; ++l) {
          const std::int64_t row = at[2] * s.stride[0] + k * s.dilation[0] - s.before[0],
                             column = at[3] * s.stride[1] + l * s.dilation[1] - s.before[1];
          if (row < 0 || row >= s.x[2] || column < 0 || column >= s.x[3]) continue;
          const std::int64_t channel = at[1] / out * in + c;
          f(static_cast<std::size_t>(((at[0] * s.x[1] + channel) * s.x[2] + row) * s.x[3] + column),
            static_cast<std::size_t>(((at[1] * in + c) * s.weight[2] + k) * s.weight[3] + l),
            static_cast<std::size_t>(y));
        }
      }
    }
  });
}

inline Doubles none(const Shape& shape) { return Doubles(static_cast<std::size_t>(shape.size()), 0); }

/// y, or what the two others give of x or weight.
inline Doubles make_y(const Setting& s, const Tensor& x, const Tensor& weight) {
  Doubles y = none(s.y), a = doubles(x), b = doubles(weight);
  each_product(s, [&](std::size_t i, std::size_t j, std::size_t k) { y[k] += a[i] * b[j]; });
  return y;
}
inline Doubles make_x(const Setting& s, const Tensor& y, const Tensor& weight) {
  Doubles x = none(s.x), a = doubles(y), b = doubles(weight);
  each_product(s, [&](std::size_t i, std::size_t j, std::size_t k) { x[i] += a[k] * b[j]; });
  return x;
}
inline Doubles make_weight(const Setting& s, const Tensor& x, const Tensor& y) {
  Doubles weight = none(s.weight), a = doubles(x), b = doubles(y);
  each_product(s, [&](std::size_t i, std::size_t j, std::size_t k) { weight[j] += a[i] * b[k]; });
  return weight;
}

/// bias, one number for each channel of an image, added.
inline Doubles with_bias(Doubles image, const Shape& shape, const Tensor& bias) {
  const Doubles shift = doubles(bias);
  const std::size_t each = static_cast<std::size_t>(shape[2] * shape[3]);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] += shift[i / each % shift.size()];
  return image;
}
/// The sums of an image's channels.
inline Doubles channel_sums(const Tensor& image) {
  const Shape& shape = image.shape();
  Doubles sums(static_cast<std::size_t>(shape[1]), 0), values = doubles(image);
  const std::size_t each = static_cast<std::size_t>(shape[2] * shape[3]);
  for (std::size_t i = 0; i < values.size(); ++i) sums[i / each % sums.size()] += values[i];
  return sums;
}

/// A convolution and its options, both ways.
struct Case {
  Setting setting;
  ConvOptions options;
  ConvTransposeOptions transpose;
};

/// Of images up to `largest` wide. The end of x that no window reaches is the transpose's output_padding.
inline Case random_case(std::mt19937& random, int largest) {
  const auto between = [&](int low, int high) {
    return static_cast<std::int64_t>(low +
                                     static_cast<int>(random() % static_cast<unsigned>(high - low + 1)));
  };
  Case c;
  Setting& s = c.setting;
  s.groups = between(1, 3);
  const std::int64_t in = between(1, 3), out = s.groups * between(1, 3), images = between(0, 3);
  std::int64_t x[2], taps[2], y[2], rest[2];
  for (int axis = 0; axis < 2; ++axis) {
    std::int64_t covered, room;
    do {
      x[axis] = between(1, largest), taps[axis] = between(1, 4), s.stride[axis] = between(1, 3);
      s.before[axis] = between(0, 2), s.dilation[axis] = between(1, 3);
      covered = s.dilation[axis] * (taps[axis] - 1) + 1;
      room = x[axis] + 2 * s.before[axis] - covered;
    } while (room < 0);
    y[axis] = room / s.stride[axis] + 1, rest[axis] = room % s.stride[axis];
  }
  s.x = {images, s.groups * in, x[0], x[1]}, s.weight = {out, in, taps[0], taps[1]};
  s.y = {images, out, y[0], y[1]};
  const auto pair = [](const std::int64_t(&n)[2]) { return PerAxis(n[0], n[1]); };
  c.options = {pair(s.stride), ConvPadding(s.before[0], s.before[1]), pair(s.dilation), s.groups};
  c.transpose = {pair(s.stride), pair(s.before), pair(rest), pair(s.dilation), s.groups};
  return c;
}

}  // namespace convolving
