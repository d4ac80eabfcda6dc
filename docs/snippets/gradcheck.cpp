// The examples of docs/gradcheck.md.
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

// [nest]
struct Cell {  // a class shows its parts to a visitor
  Variable W, b;
  template <class V>
  void each_variable(V&& visit) {
    visit(W, "W");
    visit(b, "b");
  }
};
// [/nest]

int main() {
  {
    // [function]
    const auto f = [](const Variables& x) { return x[0] * exp(x[1]); };
    const GradReport report = gradcheck(f, {tensor({{1, 2, 3}}), tensor({{0.1, 0.2, 0.3}})}, {.order = 2});
    std::cout << report.passed << ", " << report.probes << " slopes, " << report.failed << " wrong\n";
    // [/function]
  }
  {
    // [model]
    const Sequential model{Linear(4, 8), tanh, Linear(8, 4)};
    const auto loss = [](const Variable& logits, const Variable& y) {
      return mean(softmax_cross_entropy(logits, y));
    };
    Generator random(1);
    const Tensor X = uniform({16, 4}, random, -1, 1), labels = argmax(X).value();
    const GradReport report = check_gradients(model, loss, std::pair(X, labels));
    for (const GradInput& input : report.inputs)
      std::cout << input.name << ": " << input.probes << " slopes\n";
    std::cout << report.failed << " wrong\n";
    // [/model]
  }
  {
    // [fault]
    const Parameter W1("W1", full({3, 4}, 0.1, float64)), b1("b1", zeros({3, 1}, float64));
    const Parameter W2("W2", full({2, 3}, 0.2, float64)), b2("b2", zeros({2, 1}, float64));
    const Tensor X = ones({4, 5}, float64);
    const auto cost = [&] {
      Variable A = X;
      {
        Scope scope("layer1");
        A = tanh(matmul(W1, A) + scale_gradient(b1, 4));  // db1 is 4 times too large
      }
      Scope scope("layer2");
      return sum(tanh(matmul(W2, A) + b2));
    };
    const GradReport report = gradcheck(cost, {W1, b1, W2, b2});
    for (const GradFault& fault : report.faults) {
      std::cout << fault.op << ", " << fault.where << ", in " << fault.scope << ":\n  " << fault.what << "\n";
    }
    for (const GradInput& input : report.inputs) {
      std::cout << input.name << ": " << input.failed << " of " << input.probes << " wrong\n";
    }
    // [/fault]
  }
  {
    // [nests]
    const auto f = [](const std::pair<std::vector<Cell>, Variable>& in) {
      Variable h = in.second;
      for (const Cell& cell : in.first) h = tanh(matmul(cell.W, h) + cell.b);
      return h;
    };
    const Cell cell{eye(2) * 0.5, tensor({{0.1}, {0.2}})};
    const GradReport report = gradcheck(f, std::pair(std::vector{cell, cell}, tensor({{1}, {2}})));
    for (const GradInput& input : report.inputs) std::cout << input.name << " ";
    std::cout << report.passed << "\n";
    // [/nests]
  }
  {
    // [kink]
    const GradReport report =
        gradcheck([](const Variables& x) { return relu(x[0]); }, {linspace(-1, 1, 21)});  // 0 is one of them
    std::cout << report.passed << ", " << report.kinks << " kink, at " << report.at_kinks[0].index << "\n";
    // [/kink]
  }
  {
    // [vacuous]
    const GradReport report = gradcheck([](const Variables& x) { return relu(x[0]) + x[1] * 0; },
                                        {tensor({-1, -2}), tensor({3, 4})});
    std::cout << report.passed << ": " << report.problems[0] << "\n";
    // [/vacuous]
  }
}
