// What a node's result does along a line, against what its pullback says of it.
#pragma once

#include <functional>
#include <xgrad/autograd/gradcheck_trace.hpp>

namespace xgrad::detail::checking {

/// A difference: values at several points, weighted.
struct Term {
  const Trace* at;
  double weight;
};
using Stencil = std::vector<Term>;

/// <g, derivative of some values>, with the sum of its terms' sizes and the rounding that the weights magnify.
struct Product {
  double value = 0, size = 0, rounding = 0;
  bool varies = false;
  bool known = false;  ///< the values are float64 and of g's shape
};
Product product(const Tensor& g, const Stencil& stencil,
                const std::function<const Tensor&(const Trace&)>& get);

/// The chain rule at one node: `out` = <g, change of the result> is `in`, the sum over the tracked inputs of
/// <pullback(g), change of the input>.
struct Balance {
  double out = 0, in = 0, size = 0, rounding = 0;
  bool known = false;
  int moving_inputs = 0;              ///< tracked ones that change along the line
  std::uint32_t moving = 0;           ///< one of them
  std::int64_t moving_constant = -1;  ///< an input that changes, but is a constant of the tape

  double excess() const { return out - in; }
  double allowed(double relative) const { return relative * size + 40 * rounding; }
};
Balance balance_of(const Tape& tape, const Trace& base, std::size_t node, const Tensor& g,
                   const std::vector<std::optional<Variable>>& pulled, const Stencil& stencil);

}  // namespace xgrad::detail::checking
