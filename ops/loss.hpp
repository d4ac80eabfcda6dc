// Losses of single elements; take mean() or sum() of them for a cost. The prediction and the target must have
// the same shape: (N,) against (N, 1) would broadcast to a wrong number, so it throws ShapeError.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// (a - y)^2. Gradients: 2 g (a - y), -2 g (a - y).
Variable squared_error(Operand a, Operand y);

/// The cross entropy of a probability a and a target y in [0, 1] (course notes, week 2):
/// -(y log a + (1 - y) log(1 - a)), each logarithm at least -100, as in PyTorch. Gradient to a: g (a - y) /
/// (a (1 - a)), with a (1 - a) at least 1e-12; to y: g (log(1 - a) - log a). Throws Error, naming the first
/// bad index, if an element of a is NaN or outside [0, 1].
Variable binary_cross_entropy(Operand a, Operand y);

/// The same from the logit z, where a = sigmoid(z): y softplus(-z) + (1 - y) softplus(z). Finite for every
/// finite z. Gradient to z: g (sigmoid(z) - y); to y: -g z.
Variable binary_cross_entropy_with_logits(Operand z, Operand y);

/// -log softmax(logits)[label] for each example: `labels` are int64 class indices of the logits' shape
/// without `axis`, the axis of the classes. Gradient to the logits: g (softmax(logits) - one_hot(labels)).
/// Throws Error if a label is out of range (with its place), ShapeError if the shapes do not match,
/// DTypeError if the labels are not int64.
Variable softmax_cross_entropy(Operand logits, Operand labels, int axis = -1);

/// The entropy -sum(p log p) of p = softmax(logits) along an axis, which is dropped. A p of 0 adds 0, so it is finite
/// for every finite logit and for -inf, which masks a class. Gradient: -g p (log p + y). Throws ShapeError if the axis is
/// out of range.
Variable entropy_with_logits(Operand logits, int axis = -1);

}  // namespace xgrad
