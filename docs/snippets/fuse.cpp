// The examples of docs/fuse.md.
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

int main() {
  {
    // [swish]
    Tape tape;
    const Variable x = tape.watch(tensor({-2, 0, 1, 3}), "x");
    const Variable y = fuse([](auto x) { return x / (1 + exp(-x)); }, x);
    std::cout << y << "\n" << to_text(tape);
    std::cout << tape.backward(y, {.seed = ones({4})})[x] << "\n";
    // [/swish]
  }
  {
    // [huber]
    const auto huber = [](auto a, auto y) {
      const auto e = abs(a - y);
      return where(e < 1, 0.5 * e * e, e - 0.5);
    };
    const Tensor X = tensor({{1, 2, 3}, {1, 1, 1}}), Y = tensor({{2, 3.5, 9}});
    Parameter w("w", tensor({{1, 1}}));
    Tape tape;
    const Variable cost = fuse_mean(huber, matmul(w, X), Y);
    std::cout << cost << " " << tape.backward(cost)[w] << "\n";
    // [/huber]
  }
  {
    // [orders]
    const auto f = [](Variable x) { return fuse([](auto x) { return x * x * exp(-x); }, x); };
    const Tensor at = scalar(1, float64);
    std::cout << grad(f)(at) << " " << grad(grad(f))(at) << " " << grad(grad(grad(f)))(at) << "\n";
    // [/orders]
  }
  {
    // [broadcast]
    const Variable scores = tensor({{1, 2, 3}, {4, 5, 6}}), mean = tensor({2, 3, 4}), scale = 0.5;
    std::cout << fuse([](auto x, auto m, auto s) { return (x - m) / s; }, scores, mean, scale) << "\n";
    // [/broadcast]
  }
  {
    // [choose]
    const auto window = [](auto x) { return where((x > -1) & (x < 1), 1 - x * x, 0); };
    // [/choose]
    // [loop]
    const std::vector<double> c{1, -2, 0.5};
    const auto polynomial = [c](auto x) {  // c is copied into the node
      decltype(x) y = 0;
      for (double k : c) y = y * x + k;
      return y;
    };
    // [/loop]
    // [gains]
    const auto weighted = [](auto a, auto b, auto w) {
      decltype(a * b * w) y = 0;  // will depend on all three
      y += w * a;
      y += (1 - w) * b;
      return y;
    };
    // [/gains]
    // [safe]
    const auto root = [](auto x) { return where(x > 0, sqrt(where(x > 0, x, 1)), 0); };
    // [/safe]
    const Tensor x = tensor({-2, 0.5, 4});
    std::cout << fuse(window, x) << " " << fuse(polynomial, x) << " " << fuse(weighted, x, 1, 0.5) << " "
              << fuse(root, x) << "\n";
  }
}
