// Forward mode against reverse mode, for operations that give both maps.
#pragma once

#include <cmath>
#include <optional>
#include <random>
#include <xgrad/autograd/linear.hpp>

#include "checks.hpp"

namespace checks {

/// What a pullback without a push does to a tangent: its transpose, one element of the cotangent at a time.
inline Variable transposed_pull(const Node& node, const Tensor& t, std::size_t k) {
  Doubles result(static_cast<std::size_t>(node.shape.size())), unit(result.size(), 0);
  const Doubles tangent = doubles(t);
  for (std::size_t i = 0; i < unit.size(); ++i) {
    unit[i] = 1;
    const Variable pulled = node.pullback->pull(Variable(Tensor(node.shape, unit)), k);
    const Doubles slope = doubles(detail::sum_to(pulled, t.shape()));
    for (std::size_t j = 0; j < tangent.size(); ++j) result[i] += slope[j] * tangent[j];
    unit[i] = 0;
  }
  return Variable(Tensor(node.shape, result));
}

/// Checks <g, push(t)> = <pull(g), t> for random g and t, at the nodes that f records: tangents of all inputs
/// walk up the tape, cotangents of the result down. Nodes without a push are transposed element by element,
/// but one at least must have it, if `must_push`.
inline void check_push(const Function& f, const std::vector<Tensor>& inputs, double tolerance = 1e-10,
                       bool must_push = true) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  const auto noise = [&](const Shape& shape) {
    Doubles values(static_cast<std::size_t>(shape.size()));
    for (double& x : values) x = normal(random);
    return Tensor(shape, values);
  };
  const auto inner = [](const Variable& a, const Variable& b) {
    const Doubles x = doubles(a), y = doubles(b);
    long double total = 0;
    for (std::size_t i = 0; i < x.size(); ++i) total += static_cast<long double>(x[i]) * y[i];
    return static_cast<double>(total);
  };
  Tape tape;
  Variables leaves;
  for (const Tensor& x : inputs) leaves.push_back(tape.watch(x));
  const Variable y = f(leaves);
  std::vector<std::optional<Tensor>> tangents(tape.size());
  for (const Variable& x : leaves) tangents[x.place().index] = noise(x.shape());
  int pushes = 0;
  {
    const Tape::Pause pause;
    for (std::size_t i = leaves.size(); i < tape.size(); ++i) {
      const Node& node = tape.node(i);
      for (std::uint32_t k = 0; k < node.input_count; ++k) {
        if (node.inputs[k] < 0 || !tangents[static_cast<std::size_t>(node.inputs[k])]) continue;
        const Tensor& t = *tangents[static_cast<std::size_t>(node.inputs[k])];
        std::optional<Variable> part = node.pullback->push(t, k, node.shape);
        pushes += part.has_value();
        if (!part) part = transposed_pull(node, t, k);
        const Variable whole = detail::broadcast_to(*part, node.shape);
        tangents[i] = tangents[i] ? detail::accumulate(Variable(*tangents[i]), whole).value() : whole.value();
      }
    }
  }
  if (must_push) CHECK(pushes > 0);
  const Tensor g = noise(y.shape());
  const Gradients down = tape.backward(y, {.seed = g});
  double reverse = 0, size = 0;
  for (const Variable& x : leaves) {
    const double part = inner(down.or_zeros(x), *tangents[x.place().index]);
    reverse += part;
    size += std::abs(part);
  }
  const double forward = inner(g, *tangents[y.place().index]);
  INFO("forward " << forward << ", reverse " << reverse);
  CHECK(std::abs(forward - reverse) <= tolerance * (1 + size));
}

}  // namespace checks
