// Jacobians and Hessians whole, and one gradient for each example of a batch.
//
//   Variable J = jacobian(f)(x);                     // of f(x)'s shape + x's shape
//   auto [Jx, Jw] = jacobian<0, 1>(f)(x, w);
//   Variable H = hessian(f)(x);                      // of x's shape + x's shape
//   Variable G = example_gradients(f)(w);            // of a value (n,): (n,) + w's shape
//
// f runs once. Then one walk for each element: forward ones, an element of the arguments each, or reverse ones, an
// element of the value each, whichever are fewer (forward if as many, and always of a gradient: forward over reverse).
// All are differentiable again where a tape records.
#pragma once

#include <vector>
#include <xgrad/autograd/forward.hpp>

namespace xgrad {

namespace detail {

enum class Walks { fewer, reverse };

/// The Jacobians of recorded values, row by row or column by column: [value][argument].
std::vector<std::vector<Variable>> jacobians(GradCall& call, std::span<const Variable> values,
                                             std::span<const Variable> arguments, Walks walks);

/// Throws ShapeError unless it has one axis, that of the examples.
void require_examples(const char* function, const Variable& value);

template <class F, std::size_t N, std::size_t... I>
auto jacobian(const F& f, std::array<Variable, N> x, Walks walks, std::index_sequence<I...>) {
  static_assert(((I < N) && ...), "jacobian: there are fewer arguments than the index asks for");
  GradCall call;
  ((x[I] = call.independent(x[I])), ...);
  const Variable value(std::apply(f, x));
  if (walks == Walks::reverse) require_examples("example_gradients", value);
  const std::array<Variable, sizeof...(I)> asked{x[I]...};
  std::vector<Variable> row = std::move(jacobians(call, all_of(value), asked, walks)[0]);
  if constexpr (sizeof...(I) == 1) {
    return std::move(row[0]);
  } else {
    std::array<Variable, sizeof...(I)> several;
    std::move(row.begin(), row.end(), several.begin());
    return several;
  }
}

template <class F, std::size_t N, std::size_t... I>
auto hessian(const F& f, std::array<Variable, N> x, std::index_sequence<I...>) {
  static_assert(((I < N) && ...), "hessian: there are fewer arguments than the index asks for");
  constexpr std::size_t n = sizeof...(I);
  GradCall call;
  ((x[I] = call.independent(x[I])), ...);
  const std::array<Variable, n> asked{x[I]...};
  const auto slopes =
      std::apply([&](const auto&... a) { return xgrad::value_and_grad<I...>(f)(a...).grad; }, x);
  auto blocks = jacobians(call, all_of(slopes), asked, Walks::fewer);
  if constexpr (n == 1) {
    return std::move(blocks[0][0]);
  } else {
    std::array<std::array<Variable, n>, n> all;
    for (std::size_t i = 0; i < n; ++i) std::move(blocks[i].begin(), blocks[i].end(), all[i].begin());
    return all;
  }
}

/// The arguments named, or the first.
template <std::size_t... I>
using AskedFor = std::conditional_t<sizeof...(I) == 0, std::index_sequence<0>, std::index_sequence<I...>>;

}  // namespace detail

/// The function that gives the Jacobian of f with respect to the arguments I (the first, unless said): dy_i/dx_j at
/// (i..., j...), of y's shape followed by x's; of several arguments an array. 0 where y does not depend on x.
template <std::size_t... I, class F>
auto jacobian(F f) {
  return [f = std::move(f)](auto&&... x) {
    const auto arguments = detail::arguments_of(std::forward<decltype(x)>(x)...);
    return detail::jacobian(f, arguments, detail::Walks::fewer, detail::AskedFor<I...>{});
  };
}

/// The function that gives the matrix of second derivatives with respect to the arguments I (the first, unless said):
/// d2f/dx_i dx_j at (i..., j...); of several arguments an array of arrays, [a][b] with respect to a and then b. The
/// value must have one element (GraphError). One gradient, and a forward walk over it for each element of x.
template <std::size_t... I, class F>
auto hessian(F f) {
  return [f = std::move(f)](auto&&... x) {
    const auto arguments = detail::arguments_of(std::forward<decltype(x)>(x)...);
    return detail::hessian(f, arguments, detail::AskedFor<I...>{});
  };
}

/// The function that gives the gradients of each example's own cost: f's value (n,) holds one number for each
/// example, the result (n,) + x's shape one gradient for each. n reverse walks over one recording of f; throws
/// ShapeError if the value has another rank than 1. Where f broadcasts over a leading axis of x, one walk does: give it
/// n copies of x and sum (docs/derivatives.md).
template <std::size_t... I, class F>
auto example_gradients(F f) {
  return [f = std::move(f)](auto&&... x) {
    const auto arguments = detail::arguments_of(std::forward<decltype(x)>(x)...);
    return detail::jacobian(f, arguments, detail::Walks::reverse, detail::AskedFor<I...>{});
  };
}

/// The same for everything that recorded costs (n,) depend on: the Gradients of each example. n walks over the tape,
/// which is retained. Throws ShapeError if `costs` has another rank than 1, and what Tape::backward throws.
std::vector<Gradients> example_gradients(Tape& tape, const Variable& costs);

}  // namespace xgrad
