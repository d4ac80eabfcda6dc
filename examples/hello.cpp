// The shortest use: a function of two parameters, and its gradients.
#include <iostream>
#include <xgrad/xgrad.hpp>

int main() {
  xgrad::Parameter w("w", xgrad::tensor({{1, -2, 3}})), b("b", 0.5);
  const xgrad::Tensor X = xgrad::tensor({{1, 2}, {3, 4}, {5, 6}});

  xgrad::Tape tape;                               // recording starts
  const auto A = sigmoid(matmul(w, X) / 10 + b);  // b is broadcast over the columns
  const auto J = mean(A);
  const auto grad = tape.backward(J);

  std::cout << "J     = " << J << "\ndJ/dw = " << grad[w] << "\ndJ/db = " << grad[b] << "\n\n";
  std::cout << to_text(tape);
}
