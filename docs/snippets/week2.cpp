// Course notes, week 2: logistic regression, vectorisation and broadcasting.
#include <cmath>
#include <cstdio>
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

int main() {
  // [data]
  const Tensor X = tensor({{1, 2, -1}, {3, -4, 2}});  // X.shape = (n_x, m) = (2, 3), examples in columns
  const Tensor Y = tensor({{1, 0, 1}});               // Y.shape = (1, m)
  const double m = 3;
  Parameter w("w", tensor({{0.1}, {-0.2}})), b("b", 0.3);  // w (n_x, 1), b a real number
  // [/data]

  {
    // [prediction]
    const Variable x = slice(X, 1, {0, 1});                         // x^(1), (n_x, 1)
    const Variable y_hat = sigmoid(matmul(w, x, {.a = true}) + b);  // sigma(w^T x + b)
    std::cout << "y_hat = " << y_hat << "\n";
    // [/prediction]
    // [loss]
    const Variable y = slice(Y, 1, {0, 1});
    const Variable by_hand = -(y * log(y_hat) + (1 - y) * log(1 - y_hat));
    const Variable loss = binary_cross_entropy(y_hat, y);  // the same, finite at y_hat = 0 and 1
    std::cout << "L = " << by_hand << " = " << loss << "\n";
    // [/loss]
  }

  // [loop]
  double J_loop = 0, dw1 = 0, dw2 = 0, db_loop = 0;
  for (int i = 0; i < 3; ++i) {
    const double x1 = X.at({0, i}), x2 = X.at({1, i}), y = Y.at({0, i});
    const double z = w.value().at({0, 0}) * x1 + w.value().at({1, 0}) * x2 + b.value().item();
    const double a = 1 / (1 + std::exp(-z));
    J_loop += -(y * std::log(a) + (1 - y) * std::log(1 - a));
    const double dz = a - y;
    dw1 += x1 * dz, dw2 += x2 * dz, db_loop += dz;
  }
  std::printf("loop:       J %.5f  dw %.5f %.5f  db %.5f\n", J_loop / m, dw1 / m, dw2 / m, db_loop / m);
  // [/loop]

  // [vectorised]
  const Variable Z = matmul(w, X, {.a = true}) + b;  // np.dot(w.T, X) + b
  const Variable A = sigmoid(Z);
  const Variable dZ = A - Y;
  const Variable dw = matmul(X, dZ, {.b = true}) / m;  // np.dot(X, dZ.T) / m
  const Variable db = sum(dZ) / m;                     // np.sum(dZ) / m
  // [/vectorised]
  const Tensor dw_value = dw.value();
  std::printf("vectorised:           dw %.5f %.5f  db %.5f\n", dw_value.at({0, 0}), dw_value.at({1, 0}),
              db.item());

  {
    // [tape]
    Tape tape;
    const Variable A = sigmoid(matmul(w, X, {.a = true}) + b);
    const Variable J = mean(binary_cross_entropy(A, Y));
    const Gradients grad = tape.backward(J);  // grad[w] is dJ/dw, grad[b] is dJ/db
    // [/tape]
    const Tensor dw = grad[w].value();
    std::printf("tape:       J %.5f  dw %.5f %.5f  db %.5f\n", J.item(), dw.at({0, 0}), dw.at({1, 0}),
                grad[b].item());
  }

  {
    // [exponentiation]
    const Tensor v = tensor({0, 1, 2});
    const Variable u = exp(v);            // np.exp(v)
    const Variable z = matmul(v, v) + 1;  // np.dot(v, v) + 1: two vectors give a number
    std::cout << "u = " << u << ", z = " << z << "\n";
    // [/exponentiation]
  }

  {
    // [homework]
    const Variable A = sigmoid(matmul(w, X, {.a = true}) + b);
    const Variable J = -sum(Y * log(A) + (1 - Y) * log(1 - A)) / m;
    const Variable dw = matmul(X, A - Y, {.b = true}) / m;
    const Variable db = sum(A - Y) / m;
    // [/homework]
    std::printf("homework:   J %.5f  |dw|^2 %.5f  db %.5f\n", J.item(), sum(square(dw)).item(), db.item());
  }

  {
    // [descent]
    Parameter w2("w", w.value()), b2("b", b.value());
    Sgd sgd({w2, b2}, {.learning_rate = 0.1});
    for (int i = 0; i < 100; ++i) {
      const Variable dZ = sigmoid(matmul(w, X, {.a = true}) + b) - Y;  // no tape: nothing is recorded
      const Variable dw = matmul(X, dZ, {.b = true}) / m, db = sum(dZ) / m;
      w.set((w - 0.1 * dw).value());  // w -= alpha dw
      b.set((b - 0.1 * db).value());

      Tape tape;
      const Variable J = mean(binary_cross_entropy(sigmoid(matmul(w2, X, {.a = true}) + b2), Y));
      sgd.step(tape.backward(J));  // theta := theta - alpha dtheta
    }
    std::cout << "the same w after 100 steps: " << allclose(w.value(), w2.value(), 1e-4) << "\n";
    // [/descent]
    // [predict]
    const Variable A = sigmoid(matmul(w, X, {.a = true}) + b);
    std::cout << "predictions " << (A > 0.5) << ", accuracy " << binary_accuracy(A.value(), Y) << "\n";
    // [/predict]
  }

  {
    // [calories]
    const Tensor A = tensor({{56.0, 0.0, 4.4, 68.0},     // carbs of apples, beef, eggs, potatoes
                             {1.2, 104.0, 52.0, 8.0},    // protein
                             {1.8, 135.0, 99.0, 0.9}});  // fat
    const Variable cal = sum(A, 0);                      // A.sum(axis=0): (4,)
    const Variable percentage = 100 * A / reshape(cal, {1, 4});
    std::cout << cal << "\n" << percentage << "\n";
    // [/calories]
  }

  {
    // [broadcasting]
    const Tensor column = tensor({{1}, {2}, {3}, {4}}), M = tensor({{1, 2, 3}, {4, 5, 6}});
    std::cout << column + 100 << "\n";                   // (4, 1) and a number
    std::cout << M + tensor({{100, 200, 300}}) << "\n";  // (2, 3) and (1, 3)
    std::cout << M + tensor({{100}, {200}}) << "\n";     // (2, 3) and (2, 1)
    // [/broadcasting]
    // [rank_one]
    const Tensor a = arange(0, 5);  // (5,)
    std::cout << to_string(a.shape()) << " " << to_string(a.reshape({5, 1}).shape()) << " "
              << to_string(a.reshape({1, 5}).shape()) << "\n";
    // [/rank_one]
  }
}
