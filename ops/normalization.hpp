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

}  // namespace xgrad
