// ADBench's LSTM: a stack of layers whose weights are diagonal, so that every hidden unit sees itself alone, reads a text
// and predicts each next character, given as bits. The objective is the mean of its cross entropies.
#pragma once

#include <cmath>
#include <utility>
#include <xgrad/xgrad.hpp>

namespace adbench {

using xgrad::Tensor;
using xgrad::Variable;

struct LstmParameters {
  Tensor
      main;  ///< (l, 2, 4, b): of each layer the weights and the biases of forget, input, output and change
  Tensor extra;  ///< (3, b): the weights of the input, those of the output and its biases
};

struct LstmData {
  Tensor state;     ///< (l, 2, b): each layer's hidden values and cells at the start
  Tensor sequence;  ///< (c, b)
};

/// The mean over t and the bits of -y[t + 1] (z[t] - log(2 + sum(exp(z[t])))), where z is what the network predicts.
inline Variable lstm_objective(const Variable& main, const Variable& extra, const LstmData& data) {
  const std::int64_t layers = main.shape()[0], steps = data.sequence.shape()[0] - 1;
  // Taken apart once, not at every step.
  std::vector<Variable> weight, bias, hidden, cell;
  const Variable state = data.state;
  for (std::int64_t i = 0; i < layers; ++i) {
    weight.push_back(main(i, 0));
    bias.push_back(main(i, 1));
    hidden.push_back(state(i, 0));
    cell.push_back(state(i, 1));
  }
  const std::vector<Variable> inputs = xgrad::unstack(slice(data.sequence, 0, {0, steps}) * extra(0));
  std::vector<Variable> outputs;
  for (Variable x : inputs) {
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const std::vector<Variable> gates =
          xgrad::unstack(weight[i] * xgrad::stack({x, hidden[i], x, hidden[i]}) + bias[i]);
      cell[i] = fuse([](auto c, auto forget, auto in,
                        auto change) { return c * sigmoid(forget) + sigmoid(in) * tanh(change); },
                     cell[i], gates[0], gates[1], gates[3]);
      hidden[i] = fuse([](auto out, auto c) { return sigmoid(out) * tanh(c); }, gates[2], cell[i]);
      x = hidden[i];
    }
    outputs.push_back(x);
  }
  const Variable z = xgrad::stack(outputs) * extra(1) + extra(2);  // (steps, b)
  const Variable norm = log(2 + sum(exp(z), 1, true));
  return -mean(slice(data.sequence, 0, {1, steps + 1}) * (z - norm));
}

inline std::pair<LstmParameters, LstmData> random_lstm(std::int64_t layers, std::int64_t characters,
                                                       std::int64_t bits, std::uint64_t seed = 1) {
  xgrad::Generator random(seed);
  const auto normal = [&](const xgrad::Shape& shape) {
    return xgrad::normal(shape, random, 0, 0.7, xgrad::float64);
  };
  const Tensor letters = xgrad::bernoulli({characters, bits}, random, 0.4).astype(xgrad::float64);
  return {{normal({layers, 2, 4, bits}), normal({3, bits})}, {normal({layers, 2, bits}), letters}};
}

}  // namespace adbench
