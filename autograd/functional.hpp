// Gradients of functions: f is any callable of Variables that returns one; its argument may be anything that
// makes a Variable. A number among them takes the dtype of the floating arguments beside it; alone it is float32.
//
//   auto slope = grad([](Variable x) { return x * x * x; });
//   slope(2.0);                                      // 12
//   grad(slope)(2.0);                                // 12, the second derivative
//   auto [cost, dw] = value_and_grad(f)(w);
//   auto [dw, db] = grad<0, 1>(f)(w, b);             // of several arguments
//   auto [y, pull] = vjp(f, x);                      // of any shape: pull(g) is the cotangent g, pulled back to x
#pragma once

#include <array>
#include <memory>
#include <span>
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

/// A C++ number among arguments; false: something else.
struct Literal {
  bool is_number = false;
  double number = 0;
};
template <class T>
Literal literal(const T& x) {
  if constexpr (Number<T> && !std::same_as<T, bool>) {
    return {true, static_cast<double>(x)};
  } else {
    return {};
  }
}
/// Gives the numbers among `all` the dtype of the first floating argument that is none.
void convert_numbers(std::span<Variable> all, std::span<const Literal> literals);

/// What a function is called with.
template <class... X>
std::array<Variable, sizeof...(X)> arguments_of(X&&... x) {
  const Literal literals[] = {literal(x)...};
  std::array<Variable, sizeof...(X)> all{Variable(std::forward<X>(x))...};
  convert_numbers(all, literals);
  return all;
}

/// Where to record a call of grad: on the tape that is recording already, so that the result can be
/// differentiated again, also by what f closes over; where none records, on one of its own.
class GradCall {
 public:
  GradCall();
  /// The argument as a node of its own, so that other uses of the same value do not count.
  Variable independent(const Variable& x);
  std::vector<Variable> gradients(const Variable& value, std::vector<Variable> arguments);
  /// The same for a value of any shape, pulled back from `seed`. May be called again and again.
  std::vector<Variable> pulled(const Variable& value, const Variable& seed,
                               std::span<const Variable> arguments);
  /// The tangents of the values where the arguments move by `tangents`.
  std::vector<Variable> tangents(std::span<const Variable> arguments, std::span<const Variable> tangents,
                                 std::span<const Variable> values);
  /// A value that may leave the call: without a place if its tape ends with the call.
  Variable result(const Variable& value) const;

 private:
  Variable given(const Variable& direction) const;
  std::optional<Tape> own_;
  Tape* tape_;
};

/// A recorded function that can be pulled back through, on the tape that recorded when it was called, or on one of
/// its own, which is quiet from then on.
class Pullable {
 public:
  Pullable();
  Variable independent(const Variable& x) const;
  /// The function has been called: f's value, and what may leave the call of it.
  Variable finish(Variable value, std::vector<Variable> arguments);
  std::vector<Variable> pull(const Variable& cotangent) const;
  const Variable& value() const { return value_; }

 private:
  std::shared_ptr<Tape> own_;
  std::uint64_t tape_;
  Variable value_;
  std::vector<Variable> arguments_;
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
    const auto arguments = detail::arguments_of(std::forward<decltype(x)>(x)...);
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

/// Cotangents of a value, pulled back to its arguments: what vjp gives. It belongs to the thread that made it, and
/// keeps what the function saved.
template <std::size_t N>
class PullBack {
 public:
  explicit PullBack(detail::Pullable recording) : recording_(std::move(recording)) {}

  /// The gradient of <value, g> with respect to the argument (a Variable), or to each argument (an array of them).
  /// May be called any number of times. Throws ShapeError or DTypeError unless g has the value's shape and dtype;
  /// GraphError if the tape that recorded the function is gone or was walked without `retain`.
  template <class T>
  auto operator()(T&& g) const {
    std::vector<Variable> all;
    if constexpr (Number<std::remove_cvref_t<T>>) {
      all = recording_.pull(Variable(scalar(static_cast<double>(g), recording_.value().dtype())));
    } else {
      all = recording_.pull(Variable(std::forward<T>(g)));
    }
    if constexpr (N == 1) {
      return std::move(all[0]);
    } else {
      std::array<Variable, N> several;
      std::move(all.begin(), all.end(), several.begin());
      return several;
    }
  }

 private:
  detail::Pullable recording_;
};

template <std::size_t N>
struct ValueAndPullBack {
  Variable value;
  PullBack<N> pull;
};

/// f's value, of any shape, and the function that pulls a cotangent of it back to the arguments: `auto [y, pull] =
/// vjp(f, x...)`. f runs once, however many cotangents follow. What is pulled back is recorded, and so differentiable
/// again, if a tape recorded when vjp was called and still does.
template <class F, class... X>
ValueAndPullBack<sizeof...(X)> vjp(const F& f, X&&... x) {
  static_assert(sizeof...(X) > 0, "vjp: give the arguments at which f is pulled back");
  detail::Pullable recording;
  auto arguments = detail::arguments_of(std::forward<X>(x)...);
  for (Variable& argument : arguments) argument = recording.independent(argument);
  const Variable value =
      recording.finish(Variable(std::apply(f, arguments)), {arguments.begin(), arguments.end()});
  return {value, PullBack<sizeof...(X)>(std::move(recording))};
}

}  // namespace xgrad
