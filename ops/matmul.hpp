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
/// it has no transpose. Gradients: g op(b)^T and op(a)^T g (and their transposes), again without copies.
/// Throws ShapeError if the inner sizes differ, an operand has no or more than two axes, or a size reaches
/// 2^31.
Variable matmul(Operand a, Operand b, Transposed transposed = {});

}  // namespace xgrad
