// Course notes, week 4: the network of L layers, and its backward formulas beside the tape's gradients.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

double difference(const Variable& a, const Variable& b) {
  return max(abs(a - b)).item() / max(abs(b)).item();
}

int main() {
  // [network]
  const std::vector<std::int64_t> n = {3, 5, 5, 3, 1};  // n^[0] ... n^[L]
  const DeepNetwork model(n, tanh, sigmoid, {.init = xavier_init, .dtype = float64});
  const auto &W = model.W, &b = model.b;  // W[l - 1] is W^[l]
  const std::size_t L = model.layers();
  // [/network]
  Generator random(7);
  const double m = 6;
  const Tensor X = normal({3, 6}, random, 0, 1, float64);
  const Tensor Y = tensor({{1, 0, 1, 1, 0, 0}}, float64);

  Tape tape;
  // [forward]
  std::vector<Variable> A{X}, Z{Variable()};  // A[0] = X; there is no Z[0]
  for (std::size_t l = 1; l <= L; ++l) {
    Z.push_back(matmul(W[l - 1], A[l - 1]) + b[l - 1]);  // Z^[l] = W^[l] A^[l-1] + b^[l]
    A.push_back(l < L ? tanh(Z[l]) : sigmoid(Z[l]));     // A^[l] = g^[l](Z^[l])
  }
  const Variable J = mean(binary_cross_entropy(A[L], Y));
  // [/forward]
  std::cout << "the module gives the same: " << equal(model(X).value(), A[L].value()) << "\n";

  // [asked]
  std::vector<Variable> asked(Z.begin() + 1, Z.end());               // the dZ^[l]
  asked.insert(asked.end(), A.begin() + 1, A.end());                 // the dA^[l]
  for (const Parameter& p : model.parameters()) asked.push_back(p);  // dW^[l] and db^[l]
  const Gradients grad = tape.backward(J, {.wrt = asked});
  // [/asked]

  // [shapes]
  for (std::size_t l = 1; l <= L; ++l) {
    std::cout << "l = " << l << ": W, dW " << to_string(W[l - 1].shape()) << to_string(grad[W[l - 1]].shape())
              << "  b, db " << to_string(b[l - 1].shape()) << to_string(grad[b[l - 1]].shape()) << "  Z, dZ "
              << to_string(Z[l].shape()) << to_string(grad[Z[l]].shape()) << "\n";
  }
  // [/shapes]

  // [backward]
  const Tape::Pause pause;  // what follows is arithmetic by hand: nothing is recorded
  Variable dA = -(Y / A[L].value() - (1 - Y) / (1 - A[L].value()));
  for (std::size_t l = L; l >= 1; --l) {
    const Tensor a = A[l].value(), a_before = A[l - 1].value();
    const Variable slope = l < L ? 1 - a * a : a * (1 - a);     // g^[l]'(Z^[l])
    const Variable dZ = dA * slope;                             // dZ^[l] = dA^[l] * g^[l]'(Z^[l])
    const Variable dW = matmul(dZ, a_before, {.b = true}) / m;  // dW^[l] = 1/m dZ^[l] A^[l-1]T
    const Variable db = sum(dZ, 1, true) / m;  // db^[l] = 1/m np.sum(dZ, axis=1, keepdims=True)
    const Variable dA_before = matmul(W[l - 1], dZ, {.a = true});  // dA^[l-1] = W^[l]T dZ^[l]
    const double worst = std::max({difference(dA / m, grad[A[l]]), difference(dZ / m, grad[Z[l]]),
                                   difference(dW, grad[W[l - 1]]), difference(db, grad[b[l - 1]])});
    std::printf("l = %zu: dA, dZ, dW and db as the tape's, to 1e-12: %s\n", l, worst < 1e-12 ? "yes" : "no");
    dA = dA_before;
  }
  // [/backward]

  // [hyperparameters]
  const DeepNetwork deeper({3, 20, 7, 5, 1}, relu, sigmoid,
                           {.init = he_init});                               // L, n^[l], g^[l], the first W
  Sgd sgd(deeper.parameters(), {.learning_rate = 0.0075, .momentum = 0.9});  // alpha, momentum
  // [/hyperparameters]
  std::cout << deeper.parameters().size() << " parameters\n";
}
