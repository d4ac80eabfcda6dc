// Forward mode against reverse mode: <g, J t> = <J^T g, t>.
#pragma once

#include <cmath>
#include <random>
#include <set>
#include <string>
#include <xgrad/autograd/forward.hpp>

#include "checks.hpp"

namespace checks {

/// Numbers to walk with, in both directions.
class Noise {
 public:
  explicit Noise(unsigned seed) : random_(seed) {}
  Tensor like(const Variable& x) {
    Doubles values(static_cast<std::size_t>(x.size()));
    for (double& value : values) value = normal_(random_);
    return Tensor(x.shape(), values);
  }
  Variables like(const Variables& all) {
    Variables result;
    for (const Variable& x : all) result.emplace_back(like(x));
    return result;
  }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

/// A sum of products, and how large its terms are.
struct Inner {
  double value = 0, size = 0;
  void add(const Variable& a, const Variable& b) {
    const Doubles x = doubles(a), y = doubles(b);
    for (std::size_t i = 0; i < x.size(); ++i) {
      value += x[i] * y[i];
      size += std::abs(x[i] * y[i]);
    }
  }
  static Inner of(const Variables& a, const Variables& b) {
    Inner inner;
    for (std::size_t i = 0; i < a.size(); ++i) inner.add(a[i], b[i]);
    return inner;
  }
};

inline void check_same(const Inner& a, const Inner& b, double tolerance) {
  INFO(a.value << " and " << b.value);
  CHECK(std::abs(a.value - b.value) <= tolerance * (1 + a.size + b.size));
}

/// Operations on the tape, from node `first` on, that have no map of their own for a tangent of one of their inputs:
/// forward mode transposes their pullbacks.
inline std::set<std::string> transposed(const Tape& tape, std::size_t first = 0) {
  std::set<std::string> names;
  const Tape::Pause pause;
  for (std::size_t i = first; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      if (node.inputs[k] < 0) continue;
      const Node& input = tape.node(static_cast<std::size_t>(node.inputs[k]));
      const Variable t(ones(input.shape, input.dtype));
      if (!node.pullback->push(t, k, node.shape)) names.insert(node.op);
    }
  }
  return names;
}

/// Checks <g, J t> = <J^T g, t> for random g and t: tangents of all inputs walk up what f records, cotangents of the
/// result down. Each node must have a map of its own.
inline void check_push(const Function& f, const std::vector<Tensor>& inputs, double tolerance = 1e-10) {
  Noise noise(7);
  Tape tape;
  Variables leaves;
  for (const Tensor& x : inputs) leaves.push_back(tape.watch(x));
  const Variable y = f(leaves);
  CHECK(transposed(tape).empty());
  const Variables t = noise.like(leaves);
  const Variables moved = detail::push_forward(tape, leaves, t, {&y, 1}, false);
  const Variable g = noise.like(y);
  const Gradients down = tape.backward(y, {.seed = g});
  Variables slopes;
  for (const Variable& x : leaves) slopes.push_back(down.or_zeros(x));
  check_same(Inner::of({g}, moved), Inner::of(slopes, t), tolerance);
}

}  // namespace checks
