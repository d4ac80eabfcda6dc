#include <xgrad/autograd/scope.hpp>
#include <xgrad/nn/logistic_regression.hpp>
#include <xgrad/ops/ops.hpp>

namespace xgrad {

LogisticRegression::LogisticRegression(std::int64_t n_x, DType dtype)
    : w("w", zeros({n_x, 1}, dtype)), b("b", 0.0, dtype) {
  if (n_x < 1)
    throw ShapeError("LogisticRegression: n_x is " + std::to_string(n_x) + ", but an example has features");
}

Variable LogisticRegression::operator()(Operand X) const {
  const detail::At at(X.where());
  return sigmoid(matmul_add(w, X.variable(), b, {.a = true}));
}

}  // namespace xgrad
