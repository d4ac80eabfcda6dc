// The examples of docs/compile.md.
#include <cstdio>
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

int main() {
  {
    // [training]
    const Flower data = flower();
    const DeepNetwork network({2, 8, 1}, tanh);
    Sgd sgd(network.parameters(), {.learning_rate = 0.5});

    auto step = compile([&](const Variable& X, const Variable& Y) {
      Tape tape;
      const Variable cost = mean(binary_cross_entropy(network(X), Y));
      return std::pair(cost, tape.backward(cost));
    });
    for (int i = 0; i <= 2000; ++i) {
      const auto [cost, gradients] = step(data.X, data.Y);  // the first call records, the others replay
      sgd.step(gradients);                                  // outside: a step changes parameters
      if (i % 1000 == 0) std::printf("%4d  %.2f\n", i, cost.item());
    }
    const CompileReport& report = step.report();
    std::printf("%zu recording, %zu replays, %zu plain calls\n", report.recordings, report.replays,
                report.plain);
    // [/training]
  }
  {
    // [chain]
    auto chain = compile([](const Variable& x) {
      Variable y = x;
      for (int i = 0; i < 100; ++i) y = tanh(0.9 * y + 0.1);
      return y;
    });
    for (int i = 0; i < 3; ++i) chain(full({100'000}, i));
    std::cout << to_string(chain.report()) << "\n";
    // [/chain]
  }
  {
    // [captured]
    Tensor target = tensor({1, 2});
    auto frozen = compile([&](const Variable& x) { return x - target; });
    auto right = compile([](const Variable& x, const Variable& y) { return x - y; });
    frozen(ones({2}));
    right(ones({2}), target);
    target = tensor({5, 6});
    std::cout << frozen(ones({2})) << " " << right(ones({2}), target) << "\n";
    // [/captured]
  }
  {
    // [branch]
    auto scaled = compile([](const Variable& x) {
      const Variable large = max(abs(x)) > 10;  // a branch of one bit: two outcomes, two recordings
      return large.item() != 0 ? x / 10 : x;
    });
    for (double k : {1.0, 2.0, 30.0, 40.0, 5.0}) scaled(full({3}, k));
    std::cout << to_string(scaled.report()) << "\n";
    // [/branch]
  }
  {
    // [reason]
    Generator random(1);
    auto noisy = compile([&](const Variable& x) { return x + normal({3}, random); });
    noisy(ones({3}));
    noisy(ones({3}));
    std::cout << noisy.report().reason << "\n";

    auto right = compile([](const Variable& x, const Variable& noise) { return x + noise; });
    for (int i = 0; i < 3; ++i) right(ones({3}), normal({3}, random));
    std::cout << right.report().replays << " replays\n";
    // [/reason]
  }
  {
    // [strict]
    auto peeks = compile([](const Variable& x) { return x * x.value().at({0}); }, {.strict = true});
    try {
      peeks(ones({3}));
    } catch (const GraphError& error) {
      std::cout << error.what() << "\n";
    }
    // [/strict]
  }
}
