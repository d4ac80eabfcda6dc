// Normalisation of each channel, axis 1, over all other axes.
//
// x and g have one shape and dtype, float32 or float64; what is one number for each channel has the shape (1, C, 1,
// ...) of x's rank. Sums are pairwise.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// The shape (1, C, 1, ...).
Shape channel_shape(const Shape& shape);

/// mean(x) and mean((x - mean(x))^2).
struct Moments {
  Tensor mean, variance;
};
Moments channel_moments(const Tensor& x);

/// gamma (x - mean) / sqrt(variance + eps) + beta.
Tensor batch_norm(const Tensor& x, const Moments& moments, const Tensor& gamma, const Tensor& beta,
                  double eps);

/// With z = (x - mean) r, r = 1 / sqrt(variance + eps): dbeta = sum(g), dgamma = sum(g z), and dx = gamma r g, or gamma r
/// (g - mean(g) - z mean(g z)) if the moments are x's own.
struct BatchNormGradients {
  Tensor dx, dgamma, dbeta;
};
BatchNormGradients batch_norm_backward(const Tensor& x, const Moments& moments, bool own, const Tensor& gamma,
                                       const Tensor& g, double eps);

}  // namespace xgrad::kernel
