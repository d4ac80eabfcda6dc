// The examples of docs/linear-algebra.md.
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

int main() {
  {
    // [batches]
    const Tensor W = ones({3, 4}), X = ones({10, 4, 5});
    std::cout << to_string(matmul(W, X).shape()) << " "  // W times each of ten matrices
              << to_string(matmul(X, W, {.a = true, .b = true}).shape()) << " "              // X' W' of each
              << to_string(solve(ones({2, 2}) + eye(2), ones({10, 2, 1})).shape()) << "\n";  // factored once
    // [/batches]
  }
  {
    // [einsum]
    const Tensor Q = ones({2, 4, 3}), K = ones({2, 5, 3}), V = ones({2, 5, 6});
    const Variable weights = softmax(einsum("bid,bjd->bij", {Q, K}));
    std::cout << to_string(einsum("bij,bjd->bid", {weights, V}).shape()) << "\n";
    try {
      einsum("bid,bjd->bik", {Q, K});
    } catch (const Error& error) {
      std::cout << error.what() << "\n";
    }
    // [/einsum]
  }
  {
    // [least_squares]
    const Tensor A = tensor({{1, 0}, {1, 1}, {1, 2}, {1, 3}}, float64), y = tensor({1, 3, 5, 8}, float64);
    const auto [Q, R] = qr(A);
    std::cout << triangular_solve(R, matmul(Q, y, {.a = true}), {.lower = false}) << "\n";
    // [/least_squares]
  }
  {
    // [gaussian]
    const auto cost = [](const Variable& S) {  // -2 log of a normal density with covariance S, at x
      const Tensor x = tensor({1, 2}, float64);
      return logdet(S) + dot(x, solve(S, x));
    };
    std::cout << grad(cost)(tensor({{2, 0.5}, {0.5, 1}}, float64)) << "\n";
    // [/gaussian]
  }
  {
    // [singular]
    const Tensor A = tensor({{1, 2}, {2, 4}}, float64);
    std::cout << grad([](const Variable& x) { return det(x); })(A) << "\n";
    try {
      inverse(A);
    } catch (const Error& error) {
      std::cout << error.what() << "\n";
    }
    // [/singular]
  }
  {
    // [coincide]
    const Tensor A = eye(2, float64);
    std::cout << grad([](const Variable& x) { return sum(square(eigh(x).values)); })(A) << "\n"
              << grad([](const Variable& x) { return sum(square(eigh(x).vectors)); })(A) << "\n";
    // [/coincide]
  }
}
