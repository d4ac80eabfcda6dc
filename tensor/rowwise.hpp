// What is normalised along one axis, in one pass over the memory: softmax and its relatives, layer_norm.
//
// Tensors are float32 or float64, all of one dtype; shapes are preconditions, as is 0 <= axis < rank. An
// axis may be of any size but 0 unless said otherwise. Infinities and NaN give what the formulas give: a row
// with NaN or +inf, or of -inf alone, has no softmax (NaN). Rows do not depend on each other.
#pragma once

#include <cstdint>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// e / sum(e), e = exp(x - max(x)), along the axis.
Tensor softmax(const Tensor& x, int axis);
/// (x - max(x)) - log(sum(exp(x - max(x)))) along the axis.
Tensor log_softmax(const Tensor& x, int axis);
/// log(sum(exp(x))), the axis kept with size 1; -inf for a row of -inf, +inf where there is one.
Tensor logsumexp(const Tensor& x, int axis);

/// y * (g - sum(g * y)): the gradient of x for y = softmax(x).
Tensor softmax_backward(const Tensor& y, const Tensor& g, int axis);
/// g - exp(y) * sum(g): the gradient of x for y = log_softmax(x), which is never above 0.
Tensor log_softmax_backward(const Tensor& y, const Tensor& g, int axis);

/// The losses -log_softmax(logits)[label], and what the backward pass needs: max(x) and 1 / sum(exp(x - max(x)))
/// of each row. All have the shape of the labels: that of the logits without the axis.
struct CrossEntropy {
  Tensor loss, top, scale;
};
/// Labels are int64, from 0 up to the size of the axis (precondition).
CrossEntropy softmax_cross_entropy(const Tensor& logits, const Tensor& labels, int axis);
/// g * (softmax(logits) - one_hot(labels)), g one number for each row.
Tensor softmax_cross_entropy_backward(const Tensor& logits, const Tensor& labels, const CrossEntropy& forward,
                                      const Tensor& g, int axis);

/// y = gamma * (x - mean) * rstd + beta along the last axis, of size n; rstd = 1 / sqrt(var + eps), var =
/// mean((x - mean)^2). gamma and beta: (n,). mean and rstd keep the axis with size 1.
struct LayerNorm {
  Tensor y, mean, rstd;
};
LayerNorm layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double eps);

/// With h = g * gamma and z = (x - mean) * rstd: dx = rstd * (h - mean(h) - z * mean(h * z)), dgamma = sum(g *
/// z) and dbeta = sum(g) over all rows.
struct LayerNormGradients {
  Tensor dx, dgamma, dbeta;
};
LayerNormGradients layer_norm_backward(const Tensor& x, const Tensor& gamma, const LayerNorm& forward,
                                       const Tensor& g);

}  // namespace xgrad::kernel
