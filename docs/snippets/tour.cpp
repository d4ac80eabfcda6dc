// The tour of README.md.
#include <cstdio>
#include <iostream>
#include <xgrad/tensor/xtensor.hpp>
#include <xgrad/xgrad.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

int main() {
  // [training]
  const xgrad::Flower data = xgrad::flower();  // X (2, 400), Y (1, 400): the course's planar set
  xgrad::Generator random(3);
  xgrad::Parameter W1("W1", xgrad::normal({4, 2}, random)), b1("b1", xgrad::zeros({4, 1}));
  xgrad::Parameter W2("W2", xgrad::normal({1, 4}, random)), b2("b2", xgrad::zeros({1, 1}));

  const auto predict = [&](const xgrad::Tensor& X) {
    const auto A1 = tanh(matmul(W1, X) + b1);
    return sigmoid(matmul(W2, A1) + b2);
  };

  xgrad::Sgd sgd({W1, b1, W2, b2}, {.learning_rate = 0.5});
  for (int i = 0; i <= 2000; ++i) {
    xgrad::Tape tape;  // recording starts
    const auto J = mean(binary_cross_entropy(predict(data.X), data.Y));
    if (i % 500 == 0) std::printf("%4d  %.2f\n", i, J.item());
    sgd.step(tape.backward(J));
  }  // the tape, and all it held, is gone
  // [/training]

  {
    // [inference]
    const xgrad::Tensor A = predict(data.X).value();  // no tape, no recording
    std::printf("accuracy %.2f\n", xgrad::binary_accuracy(A, data.Y));
    // [/inference]
  }
  {
    // [fuse]
    xgrad::Parameter w("w", xgrad::tensor({-1, 0, 1}));
    const auto swish = [](auto x) { return x / (1 + exp(-x)); };
    const auto error = [](auto a, auto y) { return where(abs(a - y) < 1, square(a - y), abs(a - y)); };

    xgrad::Tape tape;
    const auto A = fuse(swish, w);                                 // one node
    const auto J = fuse_mean(error, A, xgrad::tensor({0, 1, 3}));  // one more
    std::cout << J << " " << tape.backward(J)[w] << "\n";
    // [/fuse]
  }
  {
    // [compile]
    const xgrad::DeepNetwork network({2, 4, 1}, xgrad::tanh);
    xgrad::Sgd optimizer(network.parameters(), {.learning_rate = 0.5});
    auto step = xgrad::compile([&](const xgrad::Variable& X, const xgrad::Variable& Y) {
      xgrad::Tape tape;
      const auto J = mean(binary_cross_entropy(network(X), Y));
      return std::pair(J, tape.backward(J));
    });
    for (int i = 0; i < 1000; ++i) optimizer.step(step(data.X, data.Y).second);
    std::cout << step.report().replays << " of 1000 calls were replays\n";
    // [/compile]
  }
  {
    // [gradcheck]
    using xgrad::Variables;
    const auto f = [](const Variables& x) { return sum(x[0] * exp(x[1])); };
    const xgrad::GradReport report =
        xgrad::gradcheck(f, {xgrad::tensor({{1, 2, 3}}), xgrad::tensor({{0.1, 0.2, 0.3}})}, {.order = 2});
    std::cout << report.probes << " slopes, " << report.failed << " wrong\n";
    // [/gradcheck]
  }
  {
    // [higher]
    using xgrad::grad;
    const auto f = [](xgrad::Variable x) { return x * x * x; };
    std::cout << grad(f)(2.0) << " " << grad(grad(f))(2.0) << " " << grad(grad(grad(f)))(2.0) << "\n";
    // [/higher]
  }
  {
    // [penalty]
    xgrad::Tape tape;
    const auto x = tape.watch(xgrad::tensor({1, 2, 3}), "x");
    const auto y = sum(x * x * x);
    const auto slope = tape.backward(y, {.create_graph = true})[x];  // 3 x^2, itself recorded
    const auto penalty = sum(square(slope));                         // 9 x^4
    std::cout << tape.backward(penalty)[x] << "\n";                  // 36 x^3
    // [/penalty]
  }
  {
    // [xtensor]
    const xt::xarray<double> a = xt::linspace<double>(0, 1, 6).reshape({2, 3});
    xgrad::Tape tape;
    const auto x = tape.watch(xt::view(a, xt::all(), xt::range(0, 2)));  // any expression makes a Tensor
    const auto J = sum(x * xt::exp(xt::view(a, xt::all(), xt::range(1, 3))));
    const xgrad::Tensor dx = tape.backward(J)[x].value();
    std::cout << dx << "\n" << xt::amax(dx.as<double>())() << "\n";  // a view for xtensor, without a copy
    // [/xtensor]
  }
}
