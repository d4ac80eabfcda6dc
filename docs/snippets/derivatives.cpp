// The examples of docs/derivatives.md.
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor x = tensor({1, 2, 3}, float64);
  {
    // [grad]
    const auto f = [](const Variable& x, const Variable& w) { return sum(x * x * w); };
    const auto [value, dx] = value_and_grad(f)(x, 2.0);
    const auto [dx_again, dw] = grad<0, 1>(f)(x, 2.0);
    std::cout << value << " " << dx << " " << dw << "\n";
    // [/grad]
  }
  {
    // [jvp]
    const auto f = [](const Variable& x) { return x * x * x; };
    const auto [y, dy] = jvp(f)(x, tensor({1, 0, 10}, float64));  // along this direction
    std::cout << y << " " << dy << "\n";
    // [/jvp]
  }
  {
    // [vjp]
    const Tensor A = tensor({{1, 2, 3}, {4, 5, 6}}, float64);
    const auto [y, pull] = vjp([&](const Variable& x) { return matmul(A, x * x); }, x);
    std::cout << pull(tensor({1, 0}, float64)) << " " << pull(tensor({0, 1}, float64)) << "\n";
    // [/vjp]
    // [jacobian]
    std::cout << jacobian([&](const Variable& x) { return matmul(A, x * x); })(x) << "\n";
    // [/jacobian]
  }
  {
    // [hessian]
    const auto f = [](const Variable& x) { return x(0) * x(1) * x(1) + exp(x(2) - 3); };
    std::cout << hessian(f)(x) << "\n";
    std::cout << hvp(f)(x, tensor({1, 0, 0}, float64)) << "\n";  // one column, without the matrix
    // [/hessian]
  }
  {
    // [parameters]
    const Parameter w("w", tensor({1, 2}, float64)), b("b", scalar(3, float64));
    const Tensor vw = tensor({1, 0}, float64), vb = scalar(1, float64);
    Tape tape;
    const auto g = tape.backward(sum(w * w * w) * b, {.create_graph = true});
    const auto Hv = tape.backward(sum(g[w] * vw) + g[b] * vb);  // the gradient of <g, v>
    std::cout << Hv[w] << " " << Hv[b] << "\n";
    // [/parameters]
  }
  {
    // [examples]
    const Tensor X = tensor({{1, 2}, {3, 4}, {5, 6}}, float64), y = tensor({1, 0, 1}, float64);
    const Tensor w = tensor({0.5, -0.5}, float64);
    const auto costs = [&](const Variable& w) { return square(matmul(X, w) - y); };  // one for each row
    std::cout << example_gradients(costs)(w) << "\n";
    // [/examples]
    // [copies]
    const auto cost = [&](const Variable& copies) { return sum(square(sum(X * copies, 1) - y)); };
    std::cout << grad(cost)(broadcast_to(w, {3, 2})) << "\n";
    // [/copies]
  }
  {
    // [checkpoint]
    const Tensor big = linspace(-1, 1, 250'000);  // 1 MB
    const auto part = [](Variable h) {
      for (int i = 0; i < 10; ++i) h = tanh(h);
      return h;
    };
    for (const bool store : {true, false}) {
      trim(), reset_peak();
      const auto before = memory_stats().peak_bytes;
      Tape tape;
      const Variable x = tape.watch(big);
      Variable h = x;
      for (int i = 0; i < 10; ++i) h = store ? part(h) : checkpoint(part, h);
      const auto slope = tape.backward(sum(h))[x];
      std::cout << (memory_stats().peak_bytes - before) / 1'000'000 << " MB, slope " << slope.value().at({0})
                << "\n";
    }
    // [/checkpoint]
  }
  {
    // [custom]
    const auto softsign_squared = custom(
        [](const Tensor& x) {  // any code that makes a Tensor
          std::vector<double> y = x.to_vector<double>();
          for (double& v : y) v = v * v / (1 + v * v);
          return Tensor(x.shape(), y);
        },
        [](const Variable& g, const Variable& y, const Variable& x) {  // y = x^2 / (1 + x^2)
          return 2 * g * y * (1 - y) / x;
        },
        "softsign_squared");
    const auto report =
        gradcheck([&](const Variables& v) { return softsign_squared(v[0]); }, {x}, {.order = 2});
    Tape tape;
    const Variable y = softsign_squared(tape.watch(x, "x"));
    std::cout << y << (report.passed ? " passed\n" : " failed\n") << to_text(tape);
    // [/custom]
  }
  {
    // [hooks]
    Tape tape;
    const Variable v = tape.watch(x);
    Variable h = square(v);
    h = on_gradient(h, [](const Variable& g) { std::cout << "saw " << g << "\n"; });
    h = on_gradient(h, [](const Variable& g) { return clip(g, -2, 2); });
    std::cout << tape.backward(sum(h * tensor({1, 10, 100}, float64)))[v] << "\n";
    // [/hooks]
  }
}
