// Course notes, week 3: the network with one hidden layer, and its activation functions.
#include <cstdio>
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

// [layer_sizes]
struct Sizes {
  std::int64_t n_x, n_h, n_y;
};
Sizes layer_sizes(const Tensor& X, const Tensor& Y) { return {X.shape()[0], 4, Y.shape()[0]}; }
// [/layer_sizes]

// [initialize]
struct Params {
  Parameter W1, b1, W2, b2;
};
Params initialize_parameters(const Sizes& n) {
  Generator random(2);
  return {.W1 = {"W1", normal({n.n_h, n.n_x}, random, 0, 0.01)},  // randn(n_h, n_x) * 0.01
          .b1 = {"b1", zeros({n.n_h, 1})},
          .W2 = {"W2", normal({n.n_y, n.n_h}, random, 0, 0.01)},
          .b2 = {"b2", zeros({n.n_y, 1})}};
}
// [/initialize]

// [forward]
Variable forward_prop(const Tensor& X, const Params& params) {
  const auto& [W1, b1, W2, b2] = params;
  const Variable Z1 = matmul(W1, X) + b1;  // np.dot(W1, X) + b1
  const Variable A1 = sigmoid(Z1);
  const Variable Z2 = matmul(W2, A1) + b2;
  return sigmoid(Z2);
}
// [/forward]

int main() {
  {
    // [columns]
    Generator random(1);
    const Tensor W = normal({4, 3}, random), b = normal({4, 1}, random), X = normal({3, 5}, random);
    std::vector<Variable> z;
    for (int i = 0; i < 5; ++i) z.push_back(matmul(W, slice(X, 1, {i, i + 1})) + b);  // one example at a time
    const Variable Z = matmul(W, X) + b;                                              // all of them
    std::cout << to_string(Z.shape())
              << ", the same columns: " << allclose(concat(z, 1).value(), Z.value(), 1e-5, 1e-6) << "\n";
    // [/columns]
  }
  {
    // [nonlinear]
    Generator random(1);
    const Tensor W1 = normal({4, 3}, random), b1 = normal({4, 1}, random), W2 = normal({1, 4}, random),
                 b2 = normal({1, 1}, random), x = normal({3, 1}, random);
    const Variable two_layers = matmul(W2, matmul(W1, x) + b1) + b2;
    const Variable one_layer = matmul(matmul(W2, W1), x) + (matmul(W2, b1) + b2);  // W' x + b'
    std::cout << "no more expressive: " << allclose(two_layers.value(), one_layer.value(), 1e-4, 1e-6)
              << "\n";
    // [/nonlinear]
  }
  {
    // [derivatives]
    const auto show = [](const char* name, auto g, auto g_prime) {
      std::printf("%-10s", name);
      for (double z : {-1.5, 0.0, 2.0}) {
        const Variable slope = grad(g)(z);       // of the tape
        const Variable formula = g_prime(g(z));  // of the notes, from a = g(z)
        std::printf("  %7.4f (%7.4f)", slope.item(), formula.item());
      }
      std::printf("\n");
    };
    show(
        "sigmoid", [](Variable z) { return sigmoid(z); }, [](Variable a) { return a * (1 - a); });
    show(
        "tanh", [](Variable z) { return tanh(z); }, [](Variable a) { return 1 - a * a; });
    show(
        "relu", [](Variable z) { return relu(z); }, [](Variable a) { return where(a > 0, 1, 0); });
    show(
        "leaky relu", [](Variable z) { return leaky_relu(z); },
        [](Variable a) { return where(a > 0, 1, 0.01); });
    // [/derivatives]
  }
  {
    // [train]
    const Flower data = flower(400, 3);  // X (2, 400), Y (1, 400)
    const Params params = initialize_parameters(layer_sizes(data.X, data.Y));
    Sgd sgd({params.W1, params.b1, params.W2, params.b2}, {.learning_rate = 1.2});
    for (int i = 0; i < 10; ++i) {
      Tape tape;
      const Variable A2 = forward_prop(data.X, params);
      const Variable J = mean(binary_cross_entropy(A2, data.Y));
      sgd.step(tape.backward(J));
      if (i == 0) std::printf("J = %.4f at first\n", J.item());
    }
    const Variable predictions = forward_prop(data.X, params) > 0.5;  // y^(i) = 1 where a^[2](i) > 0.5
    // [/train]
    std::cout << "predictions " << to_string(predictions.shape()) << " " << name(predictions.dtype()) << "\n";
    // [module]
    const DeepNetwork model({2, 4, 1}, sigmoid, sigmoid, {.init = small_normal_init, .seed = 2});
    // [/module]
    for (const Parameter& p : model.parameters())
      std::cout << p.name() << " " << to_string(p.shape()) << "\n";
  }
}
