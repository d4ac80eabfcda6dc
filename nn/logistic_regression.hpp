// Logistic regression (course notes, week 2).
#pragma once

#include <vector>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// A = sigmoid(w^T X + b). X is (n_x, m), examples in columns; w is (n_x, 1), b a scalar, both 0 at first; A
/// is (1, m).
class LogisticRegression {
 public:
  /// Throws ShapeError if n_x < 1.
  explicit LogisticRegression(std::int64_t n_x, DType dtype = float32);

  Variable operator()(Operand X) const;
  std::vector<Parameter> parameters() const { return {w, b}; }

  Parameter w, b;
};

}  // namespace xgrad
