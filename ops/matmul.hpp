// Matrix products.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// Which operand of a product is taken transposed; no transposed copy is made.
struct Transposed {
  bool a = false, b = false;
};

/// op(a) op(b), where op transposes the operands that `transposed` names. For (m, k) and (k, n): (m, n). A
/// vector on the left is a row, on the right a column, and its axis is dropped from the result, as in NumPy;
/// it has no transpose. Of operands with more axes the last two are the matrices and those before them, the
/// batch, broadcast: (5, 1, m, k) and (3, k, n) give (5, 3, m, n). Many matrices times one are one product.
/// Gradients: g op(b)^T and op(a)^T g (and their transposes), again without copies, summed where the batch
/// broadcast. Throws ShapeError if the inner sizes differ, the batches do not broadcast, an operand has no
/// axes, or a size of a matrix reaches 2^31.
Variable matmul(Operand a, Operand b, Transposed transposed = {});

/// op(a) op(b) + c, where c broadcasts to the product: a layer's bias, added by the product itself and not by
/// another pass over memory (one more for a batch that is not one product). W X + b is matmul_add(W, X, b).
/// Gradient to c: g, summed to its shape; else as matmul. Throws ShapeError if c does not broadcast to the
/// product.
Variable matmul_add(Operand a, Operand b, Operand c, Transposed transposed = {});

}  // namespace xgrad
