// What the tests of reductions, norms and scans share.
#pragma once

#include <algorithm>
#include <compiled.hpp>
#include <random>
#include <xgrad/ops/ops.hpp>

#include "push.hpp"

namespace checks {

/// Numbers of both signs whose distances from 0 lie between 0.3 and 2, apart from each other.
inline Tensor spread_out(const Shape& shape, unsigned seed = 1) {
  std::mt19937 random(seed);
  Doubles values;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    const double place = static_cast<double>(i) + static_cast<double>(random() % 50) / 100;
    const double size = 0.3 + 1.7 * place / static_cast<double>(shape.size());
    values.push_back(random() % 2 == 0 ? size : -size);
  }
  std::shuffle(values.begin(), values.end(), random);
  return Tensor(shape, values);
}

/// Gradients of order 1 and 2 of f (1 + f), whose slopes are not 0 where f is, and forward mode against reverse mode.
inline void check_slopes(const Function& f, const Tensor& x, double tolerance = 1e-10) {
  INFO(x);
  const auto bent = [&](const Variables& v) {
    const Variable y = f(v);
    return y * (1 + y);
  };
  const GradReport report = gradcheck(bent, {x}, {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
  check_push(f, {x}, tolerance);
}

/// Replays of f and of its gradient are right for other elements.
template <class F>
void check_replay(const F& f, const std::vector<Tensor>& inputs) {
  const auto both = [&f](const Variable& x) {
    Tape tape;
    const Variable leaf = tape.watch(x.value()), y = f(leaf);
    const Tensor seed = full(y.shape(), 1.5, y.dtype());
    return std::pair(y, tape.backward(y, {.seed = seed}).or_zeros(leaf));
  };
  auto compiled = compile(both);
  for (const Tensor& x : inputs) test::check_call(both, compiled, x);
  INFO(to_string(compiled.report()));
  CHECK(compiled.report().replays == inputs.size() - 1);  // none of an f that throws
}

}  // namespace checks
