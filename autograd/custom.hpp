// custom: operations of your own, of a value and its pullback. They are recorded, checked, drawn and named in errors
// like the built-in ones.
//
//   const auto cube = custom([](const Tensor& x) { return cube_kernel(x); },
//                            [](const Variable& g, const Variable& y, const Variable& x) { return 3 * g * x * x; },
//                            "cube");
//   Variable y = cube(x);
//
// The value: a function of Variables (constants then) or of Tensors that gives a Variable or a Tensor. It is not
// recorded. The pullback: a function of the cotangent g, the result y and the inputs x..., or of (g, x...), or of g
// alone; it gives a Variable for one input and an array or vector of Variables for several. If it is written
// with operations on Variables, derivatives of any order follow; one that computes on numbers has a first derivative
// only, and asking for a second one is an error. A push, optional, is the same in forward mode: of (t, y, x...), (t, x...)
// or t, where t is the tangent of the input, or an array of all inputs' tangents. Without one, forward mode
// transposes the pullback.
#pragma once

#include <array>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/tape.hpp>

namespace xgrad {

namespace detail {

/// No push is given.
struct NoPush {};

template <std::size_t>
using VariableRef = const Variable&;
template <std::size_t>
using TensorRef = const Tensor&;

/// p(g, y, x...), p(g, x...) or p(g), whichever it can be called with.
template <class P, class G, std::size_t... I>
auto call_pullback(const P& p, const G& g, const Variable& y, const Variable* x, std::index_sequence<I...>) {
  if constexpr (std::is_invocable_v<const P&, const G&, const Variable&, VariableRef<I>...>) {
    return p(g, y, x[I]...);
  } else if constexpr (std::is_invocable_v<const P&, const G&, VariableRef<I>...>) {
    return p(g, x[I]...);
  } else {
    static_assert(
        std::is_invocable_v<const P&, const G&>,
        "custom: the pullback is called with (g, y, x...), (g, x...) or (g), and a push likewise, where x "
        "are as many Variables as the operation is called with");
    return p(g);
  }
}

inline Variable plain(Tensor value) { return Variable(std::move(value)); }
inline Variable plain(Variable value) { return value; }

template <class F, std::size_t... I>
Tensor call_value(const F& f, const Variable* x, std::index_sequence<I...>) {
  if constexpr (std::is_invocable_v<const F&, VariableRef<I>...>) {
    return plain(f(x[I]...)).value();
  } else {
    static_assert(std::is_invocable_v<const F&, TensorRef<I>...>,
                  "custom: the function is called with as many Variables, or Tensors, as the operation is");
    return plain(f(x[I].value()...)).value();
  }
}

/// A custom operation, for so many inputs.
struct CustomRules {
  const char* name;
  virtual ~CustomRules() = default;
  explicit CustomRules(const char* op) : name(op) {}
  virtual Tensor value(const Variable* x) const = 0;
  virtual std::vector<Variable> pull(const Variable& g, const Variable& y, const Variable* x) const = 0;
  virtual bool pushes() const = 0;
  virtual Variable push(const Variable* t, const Variable& y, const Variable* x) const = 0;
};

template <std::size_t N, class F, class P, class Q>
struct CustomOf final : CustomRules {
  using All = std::make_index_sequence<N>;
  F f;
  P pullback;
  Q pushed;
  CustomOf(const char* op, F function, P pull_function, Q push_function)
      : CustomRules(op),
        f(std::move(function)),
        pullback(std::move(pull_function)),
        pushed(std::move(push_function)) {}

  Tensor value(const Variable* x) const override { return call_value(f, x, All{}); }
  std::vector<Variable> pull(const Variable& g, const Variable& y, const Variable* x) const override {
    auto result = call_pullback(pullback, g, y, x, All{});
    if constexpr (N == 1 && requires { plain(result); }) {
      return {plain(std::move(result))};
    } else {
      static_assert(
          requires { result.begin(); },
          "custom: the pullback gives an array or a vector of Variables, one for each input");
      return {result.begin(), result.end()};
    }
  }
  bool pushes() const override { return !std::is_same_v<Q, NoPush>; }
  Variable push(const Variable* t, const Variable& y, const Variable* x) const override {
    if constexpr (std::is_same_v<Q, NoPush>) {
      return t[0];
    } else if constexpr (N == 1) {
      return plain(call_pullback(pushed, t[0], y, x, All{}));
    } else {
      std::array<Variable, N> all;
      std::copy(t, t + N, all.begin());
      return plain(call_pullback(pushed, all, y, x, All{}));
    }
  }
};

/// Computes and records it.
Variable customised(std::shared_ptr<const CustomRules> rules, std::span<Operand* const> x);

}  // namespace detail

/// An operation of up to eight inputs; made by custom().
template <class F, class P, class Q = detail::NoPush>
class Custom {
 public:
  Custom(F f, P pullback, const char* name, Q push)
      : f_(std::move(f)), pullback_(std::move(pullback)), push_(std::move(push)), name_(name) {}

  // clang-format off
  Variable operator()(Operand a) const { return call(a); }
  Variable operator()(Operand a, Operand b) const { return call(a, b); }
  Variable operator()(Operand a, Operand b, Operand c) const { return call(a, b, c); }
  Variable operator()(Operand a, Operand b, Operand c, Operand d) const { return call(a, b, c, d); }
  Variable operator()(Operand a, Operand b, Operand c, Operand d, Operand e) const { return call(a, b, c, d, e); }
  Variable operator()(Operand a, Operand b, Operand c, Operand d, Operand e, Operand g) const { return call(a, b, c, d, e, g); }
  Variable operator()(Operand a, Operand b, Operand c, Operand d, Operand e, Operand g, Operand h) const { return call(a, b, c, d, e, g, h); }
  Variable operator()(Operand a, Operand b, Operand c, Operand d, Operand e, Operand g, Operand h, Operand i) const { return call(a, b, c, d, e, g, h, i); }
  // clang-format on

 private:
  template <class... X>
  Variable call(X&... x) const {
    using Rules = detail::CustomOf<sizeof...(X), F, P, Q>;
    Operand* all[] = {&x...};
    return detail::customised(std::make_shared<Rules>(name_, f_, pullback_, push_), all);
  }

  F f_;
  P pullback_;
  [[no_unique_address]] Q push_;
  const char* name_;
};

/// The operation y = f(x...) whose gradients are pullback(g, y, x...), see above. `name` is what listings, diagrams
/// and errors call it: a literal, which must outlive every tape. A number among the inputs takes the dtype of the
/// tensors; what is not floating has no gradient. Throws DTypeError if float32 meets float64, what f throws, and in
/// the reverse pass GraphError if there is not one contribution for each input, if one does not fit its input's
/// shape or dtype, or if a second derivative needs a pullback (or push) that computes on numbers.
template <class F, class P>
Custom<F, P> custom(F f, P pullback, const char* name = "custom") {
  return {std::move(f), std::move(pullback), name, detail::NoPush{}};
}
template <class F, class P, class Q>
Custom<F, P, Q> custom(F f, P pullback, const char* name, Q push) {
  return {std::move(f), std::move(pullback), name, std::move(push)};
}

}  // namespace xgrad
