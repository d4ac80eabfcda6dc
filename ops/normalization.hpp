// Normalisation of activations, as one operation each.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// gamma z + beta along the last axis, of size n: z = (x - mean(x)) / sqrt(var(x) + eps), var(x) = mean((x -
/// mean(x))^2). gamma and beta are (n,).
///
/// Gradients, with h = g gamma: to x (h - mean(h) - z mean(h z)) / sqrt(var(x) + eps), to gamma g z and to beta g,
/// both summed over all rows. Throws ShapeError if x has no axes or gamma or beta is not (n,), DTypeError if
/// float32 meets float64, Error unless eps is positive and finite.
Variable layer_norm(Operand x, Operand gamma, Operand beta, double eps = 1e-5);

/// gamma x / sqrt(mean(x^2) + eps) along the last axis. gamma is (n,).
///
/// Gradients, with r = 1 / sqrt(mean(x^2) + eps), z = x r and h = g gamma: to x r (h - z mean(h z)), to gamma g z, summed
/// over all rows. Throws as layer_norm does.
Variable rms_norm(Operand x, Operand gamma, double eps = 1e-5);

struct BatchNormOptions {
  bool training = true;   ///< normalise by the batch's own statistics; or by the running ones
  double momentum = 0.1;  ///< the share of this batch in the new running statistics
  double eps = 1e-5;
};

/// What batch_norm gives. The running statistics are constants; they are those that came in, unless it trains.
struct BatchNormalized {
  Variable y, mean, variance;
};

/// gamma z + beta for each channel, axis 1 of x (N, C, ...): z = (x - m) / sqrt(v + eps), where m and v are the mean and
/// the variance of the channel over all other axes, or in evaluation the running statistics. gamma, beta, mean and
/// variance are (C,).
///
/// Nothing is changed: the new running statistics are results, (1 - momentum) mean + momentum m, and likewise of v, as
/// its unbiased estimate. A model keeps them in cells of its own:
///
///   auto [y, m, v] = batch_norm(x, gamma, beta, mean, variance);
///   mean.set(m.value());
///
/// Gradients, with r = 1 / sqrt(v + eps) and sums over all axes but 1: to beta sum(g), to gamma sum(g z), to x gamma r
/// (g - mean(g) - z mean(g z)), in evaluation gamma r g; none to the running statistics. Throws ShapeError if x has
/// fewer than two axes, one of the others is not (C,), or a channel has fewer than two elements to train on;
/// DTypeError if float32 meets float64, Error unless eps is positive and finite and momentum within [0, 1].
BatchNormalized batch_norm(Operand x, Operand gamma, Operand beta, Operand mean, Operand variance,
                           const BatchNormOptions& options = {});

/// gamma z + beta for each channel of x (N, C, ...), where z is normalised as layer_norm does it, over all elements of a
/// group of C / groups channels of one example. One group for each channel is known as instance norm. gamma and
/// beta are (C,). Composed of layer_norm and others, whose gradients it has. Throws ShapeError if x has fewer than
/// two axes, its channels do not fall into the groups or gamma or beta is not (C,), and as layer_norm does.
Variable group_norm(Operand x, std::int64_t groups, Operand gamma, Operand beta, double eps = 1e-5);

}  // namespace xgrad
