// Forward mode: tangents walk up the tape, node by node, from what moves to the results. One walk gives the
// derivative along one direction of the arguments, J t, of any number of results.
//
//   auto [y, dy] = jvp(f)(x, t);                     // f(x), and d/de f(x + e t) at e = 0
//   auto [y, dy] = jvp(f)(x, w, tx, tw);             // of several arguments: first all of them, then their tangents
//   Variable Hv = hvp(f)(x, v);                      // the Hessian times v: forward over reverse
//
// Elementwise operations multiply the tangent by their partial, structural ones apply their linear map to it. A
// node that has no such map has its pullback transposed. Where a tape records, the walk is recorded on it and can be
// differentiated again.
#pragma once

#include <span>
#include <xgrad/autograd/functional.hpp>

namespace xgrad {

/// f's value, and how it moves. Of an f that returns an array, arrays.
template <class V>
struct ValueAndTangent {
  V value;
  V tangent;
};

namespace detail {

/// The tangents of `results` where inputs[i], nodes of the tape, move by tangents[i]; zeros for a result that does
/// not depend on them. With `record`, the walk is recorded on the tape, which must be recording. Inputs apart, nodes
/// below `above` do not move. Throws GraphError where what a node saved is gone.
std::vector<Variable> push_forward(Tape& tape, std::span<const Variable> inputs,
                                   std::span<const Variable> tangents, std::span<const Variable> results,
                                   bool record, std::size_t above = 0);

/// Throws ShapeError or DTypeError, of this function, unless `given` has the shape and dtype of x.
void require_like(const char* function, const char* what, const Variable& given, const char* whose,
                  const Variable& x);

/// A tangent or a cotangent for x: a number takes x's dtype.
template <class T>
Variable like(const Variable& x, T&& given) {
  if constexpr (Number<std::remove_cvref_t<T>>) {
    return Variable(scalar(static_cast<double>(given), x.dtype()));
  } else {
    return Variable(std::forward<T>(given));
  }
}

template <class T>
inline constexpr bool is_array_of_variables = false;
template <std::size_t N>
inline constexpr bool is_array_of_variables<std::array<Variable, N>> = true;

/// What f returns: a Variable, or an array of them.
template <class F, class A>
auto apply_to(const F& f, const A& arguments) {
  using R = std::remove_cvref_t<decltype(std::apply(f, arguments))>;
  if constexpr (is_array_of_variables<R>) {
    return R(std::apply(f, arguments));
  } else {
    return Variable(std::apply(f, arguments));
  }
}

inline std::span<const Variable> all_of(const Variable& x) { return {&x, 1}; }
template <std::size_t N>
std::span<const Variable> all_of(const std::array<Variable, N>& x) {
  return x;
}

template <class F, class A, std::size_t... I>
auto jvp(const char* function, const F& f, const A& given, std::index_sequence<I...>) {
  constexpr std::size_t n = sizeof...(I);
  std::array<Variable, n> x = arguments_of(std::get<I>(given)...);
  const std::array<Variable, n> t{like(x[I], std::get<I + n>(given))...};
  for (std::size_t i = 0; i < n; ++i) require_like(function, "the tangent", t[i], "the argument", x[i]);
  GradCall call;
  for (Variable& argument : x) argument = call.independent(argument);
  auto value = apply_to(f, x);
  std::vector<Variable> moved = call.tangents(x, t, all_of(value));
  if constexpr (is_array_of_variables<decltype(value)>) {
    auto tangent = value;
    for (std::size_t i = 0; i < value.size(); ++i) {
      value[i] = call.result(value[i]);
      tangent[i] = std::move(moved[i]);
    }
    return ValueAndTangent<decltype(value)>{std::move(value), std::move(tangent)};
  } else {
    return ValueAndTangent<Variable>{call.result(value), std::move(moved[0])};
  }
}

template <class F, std::size_t... I>
auto all_gradients(const F& f, std::index_sequence<I...>) {
  return xgrad::value_and_grad<I...>(f);
}

}  // namespace detail

/// The function of arguments and, behind all of them, as many tangents, each of its argument's shape and dtype, that
/// gives f's value and the value's tangent: `auto [value, tangent] = jvp(f)(x, t)`. f returns a Variable of any shape
/// or an array of them. Throws ShapeError or DTypeError if a tangent does not fit. Differentiable again.
template <class F>
auto jvp(F f) {
  return [f = std::move(f)](auto&&... given) {
    constexpr std::size_t n = sizeof...(given);
    static_assert(n > 0 && n % 2 == 0, "jvp: give a tangent for each argument, behind all arguments");
    return detail::jvp("jvp", f, std::forward_as_tuple(std::forward<decltype(given)>(given)...),
                       std::make_index_sequence<n / 2>{});
  };
}

/// The function of arguments and as many vectors of their shapes that gives the Hessian of f times the vectors: a
/// Variable, or an array with one for each argument. f's value must have one element. It is never longer than a few
/// gradients: the tangents walk up the graph of the gradient. Throws as jvp and grad.
template <class F>
auto hvp(F f) {
  return [f = std::move(f)](auto&&... given) {
    constexpr std::size_t n = sizeof...(given);
    static_assert(n > 0 && n % 2 == 0, "hvp: give a vector for each argument, behind all arguments");
    using All = std::make_index_sequence<n / 2>;
    const auto slopes = [&](const auto&... x) { return detail::all_gradients(f, All{})(x...).grad; };
    return detail::jvp("hvp", slopes, std::forward_as_tuple(std::forward<decltype(given)>(given)...), All{})
        .tangent;
  };
}

}  // namespace xgrad
