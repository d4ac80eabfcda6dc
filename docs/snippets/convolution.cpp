// The examples of docs/convolution.md.
#include <iostream>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

// [bars]
// Pictures (n, 1, 8, 8) of noise with a bar of light across every second one, and down the others.
Tensor bars(std::int64_t n, Generator& random) {
  std::vector<float> light(static_cast<std::size_t>(n * 64), 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::int64_t>(random.next_index(8));
    for (std::int64_t k = 0; k < 8; ++k)
      light[static_cast<std::size_t>(i * 64 + (i % 2 == 0 ? at * 8 + k : k * 8 + at))] = 1;
  }
  return (Tensor(Shape{n, 1, 8, 8}, light) + normal({n, 1, 8, 8}, random, 0, 0.3)).value();
}
// [/bars]

int main() {
  {
    // [shapes]
    const Tensor x = ones({10, 3, 32, 32});  // ten pictures of 32 by 32 pixels in three colours
    const auto show = [](const Variable& y) { std::cout << to_string(y.shape()) << "\n"; };
    show(conv2d(x, ones({16, 3, 5, 5})));
    show(conv2d(x, ones({16, 3, 5, 5}), {.padding = "same"}));
    show(conv2d(x, ones({16, 3, 3, 3}), zeros({16}), {.stride = 2, .padding = {1, 0}}));
    show(conv2d(x, ones({6, 1, 3, 3}), {.groups = 3}));  // each colour by itself
    show(max_pool2d(x, 2));
    show(mean(x, {2, 3}));
    // [/shapes]
    try {
      // [complaint]
      conv2d(x, ones({16, 3, 40, 5}), {.padding = 1});
      // [/complaint]
    } catch (const ShapeError& error) {
      std::cout << error.what() << "\n";
    }
  }
  {
    // [network]
    Generator random(1);
    const Parameter filter("filter", normal({8, 1, 3, 3}, random, 0, 0.3)), shift("shift", zeros({8})),
        scale("scale", ones({8})), out("out", normal({8, 2}, random, 0, 0.3));
    Parameter mean_of("mean", zeros({8})), variance_of("variance", ones({8}));
    const auto network = [&](const Variable& pictures, bool training) {
      const Variable z = conv2d(pictures, filter, {.padding = "same"});
      const auto [y, m, v] = batch_norm(z, scale, shift, mean_of, variance_of, {.training = training});
      mean_of.set(m.value());
      variance_of.set(v.value());
      Variable h = max(relu(y), {2, 3});
      if (training) h = dropout(h, 0.1, random);
      return matmul(h, out);
    };
    const Tensor labels = remainder(arange(0, 64), 2).value().astype(int64);
    Sgd sgd({filter, shift, scale, out}, {.learning_rate = 0.3, .momentum = 0.9});
    for (int step = 0; step < 150; ++step) {
      Tape tape;
      sgd.step(tape.backward(mean(softmax_cross_entropy(network(bars(64, random), true), labels))));
    }
    const Variable right = equal_to(argmax(network(bars(64, random), false)), labels);
    std::cout << (mean(right).item() > 0.9 ? "more" : "less") << " than 90 % right\n";
    // [/network]
  }
}
