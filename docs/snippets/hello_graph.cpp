// Draws the graph of examples/hello.cpp: docs/images/hello.svg.
#include <xgrad/xgrad.hpp>

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "hello.svg";
  xgrad::Parameter w("w", xgrad::tensor({{1, -2, 3}})), b("b", 0.5);
  const xgrad::Tensor X = xgrad::tensor({{1, 2}, {3, 4}, {5, 6}});

  xgrad::Tape tape;
  const auto A = sigmoid(matmul(w, X) / 10 + b);
  const auto J = mean(A);
  // [draw]
  xgrad::render(J, path);  // .svg, .png, .pdf or .dot
  // [/draw]
}
