// Gradients of functions: f is any callable of Variables that returns one; its argument may be anything that
// makes a Variable.
//
//   auto slope = grad([](Variable x) { return x * x * x; });
//   slope(2.0);                                      // 12
//   grad(slope)(2.0);                                // 12, the second derivative
//   auto [cost, dw] = value_and_grad(f)(w);
//   auto [dw, db] = grad<0, 1>(f)(w, b);             // of several arguments
#pragma once

#include <array>
#include <tuple>
#include <type_traits>
#include <utility>
#include <xgrad/autograd/tape.hpp>

namespace xgrad {

/// f's value, and the gradient with respect to one argument (a Variable) or several (an array of them).
template <class G>
struct ValueAndGrad {
  Variable value;
  G grad;
};

namespace detail {

/// x as a node of its own on the tape that records, so that its gradient counts this use alone.
Variable independent(const Variable& x);

/// Where to record a call of grad: on the tape that is recording already, so that the result can be
/// differentiated again, also by what f closes over; where none records, on one of its own.
class GradCall {
 public:
  GradCall();
  /// The argument as a node of its own, so that other uses of the same value do not count.
  Variable independent(const Variable& x);
  std::vector<Variable> gradients(const Variable& value, std::vector<Variable> arguments);
  /// A value that may leave the call: without a place if its tape ends with the call.
  Variable result(const Variable& value) const;

 private:
  std::optional<Tape> own_;
  Tape* tape_;
};

template <std::size_t... I, class F, std::size_t N>
auto value_and_grad(const F& f, std::array<Variable, N> arguments) {
  static_assert(((I < N) && ...), "grad: there are fewer arguments than the index asks for");
  GradCall call;
  ((arguments[I] = call.independent(arguments[I])), ...);
  const Variable value = std::apply(f, arguments);
  std::vector<Variable> all = call.gradients(value, {arguments[I]...});
  if constexpr (sizeof...(I) == 1) {
    return ValueAndGrad<Variable>{call.result(value), std::move(all[0])};
  } else {
    std::array<Variable, sizeof...(I)> several;
    std::move(all.begin(), all.end(), several.begin());
    return ValueAndGrad<std::array<Variable, sizeof...(I)>>{call.result(value), std::move(several)};
  }
}

}  // namespace detail

/// The function that gives f's value and its gradient with respect to the arguments I (the first, unless
/// said). The value must have one element (GraphError); an argument it does not depend on has gradient 0.
/// Differentiable again.
template <std::size_t... I, class F>
auto value_and_grad(F f) {
  return [f = std::move(f)](auto&&... x) {
    const std::array<Variable, sizeof...(x)> arguments{Variable(std::forward<decltype(x)>(x))...};
    if constexpr (sizeof...(I) == 0) {
      return detail::value_and_grad<0>(f, arguments);
    } else {
      return detail::value_and_grad<I...>(f, arguments);
    }
  };
}

/// The function that gives the gradient alone.
template <std::size_t... I, class F>
auto grad(F f) {
  return [f = value_and_grad<I...>(std::move(f))](auto&&... x) {
    return f(std::forward<decltype(x)>(x)...).grad;
  };
}

}  // namespace xgrad
