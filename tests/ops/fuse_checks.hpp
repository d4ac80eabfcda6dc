// What the tests of fuse share: a formula called as one node and as a composition of operations.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/fuse.hpp>

#include "checks.hpp"

namespace fuse_checks {

using namespace checks;

/// x / (1 + e^-x)
inline constexpr auto swish = [](auto x) { return x / (1 + exp(-x)); };

/// f(x[0], ..., x[N-1]) as one node, and operation by operation.
template <std::size_t N, class F>
Variable fused(const F& f, const Variables& x) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return fuse(f, x[I]...); }
  (std::make_index_sequence<N>{});
}
template <std::size_t N, class F>
Variable composed(const F& f, const Variables& x) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return Variable(f(x[I]...)); }
  (std::make_index_sequence<N>{});
}

/// Numbers that float32 holds, in [low, high).
inline Tensor numbers(const Shape& shape, std::uint64_t seed, double low = -2, double high = 2) {
  std::mt19937_64 random(seed);
  Doubles values(static_cast<std::size_t>(shape.size()));
  for (double& x : values) {
    x = static_cast<float>(low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53);
  }
  return Tensor(shape, values);
}

/// The largest difference, in units of eps times the largest number of b (at least 1).
inline double distance(const Tensor& a, const Tensor& b, double eps) {
  const Doubles x = doubles(a), y = doubles(b);
  if (a.shape() != b.shape()) return Inf;
  double scale = 1, worst = 0;
  for (double number : y) {
    if (std::isfinite(number)) scale = std::max(scale, std::abs(number));
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (same(x[i], y[i])) continue;
    const double difference = std::abs(x[i] - y[i]);
    worst = std::isfinite(difference) ? std::max(worst, difference) : Inf;
  }
  return worst / (eps * scale);
}

inline double eps(DType dtype) {
  return dtype == float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
}

/// A value and the gradients of a weighted sum of it; inputs outside `tracked` are constants.
inline Result weighted(const Function& f, const std::vector<Tensor>& inputs, unsigned tracked = ~0u,
                       bool create_graph = false) {
  Tape tape;
  Variables leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    leaves.push_back((tracked >> i & 1) != 0 ? tape.watch(inputs[i]) : Variable(inputs[i]));
  }
  Result result{f(leaves), {}};
  const Tensor seed = numbers(result.value.shape(), 99).astype(result.value.dtype());
  const Gradients all = tape.backward(result.value, {.seed = seed, .create_graph = create_graph});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if ((tracked >> i & 1) != 0) result.gradients.push_back(all.or_zeros(leaves[i]).value());
  }
  return result;
}

/// Value and gradients of the two forms agree, recorded (create_graph) or not.
inline void check_same(const Function& one, const Function& other, const std::vector<Tensor>& inputs,
                       unsigned tracked = ~0u, double limit = 16) {
  const double unit = eps(inputs[0].dtype());
  const Result a = weighted(one, inputs, tracked), b = weighted(other, inputs, tracked),
               c = weighted(one, inputs, tracked, true);
  REQUIRE(a.value.dtype() == b.value.dtype());
  CHECK(distance(a.value.value(), b.value.value(), unit) <= limit);
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    INFO("gradient " << i);
    CHECK(a.gradients[i].dtype() == b.gradients[i].dtype());
    CHECK(distance(a.gradients[i], b.gradients[i], unit) <= limit);
    CHECK(distance(c.gradients[i], b.gradients[i], unit) <= limit);
  }
}

inline std::vector<Tensor> as(DType dtype, std::vector<Tensor> inputs) {
  for (Tensor& x : inputs) x = x.astype(dtype);
  return inputs;
}

}  // namespace fuse_checks
