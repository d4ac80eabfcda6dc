// How an operation that is not elementwise is made: a value, and one pullback per input, written with the
// public operations, so that it works under create_graph and to any order.
//
//   return structural<1>(call, kernel::permute(v.value(), order), {&v},
//                        linear([inverse](const Variable& g) { return transpose(g, inverse); },
//                               [order](const Variable& t) { return transpose(t, order); }));
//
// A pullback takes the cotangent g, or (g, y) with the operation's own result. linear() adds the same map in
// forward mode: what a tangent t of that input contributes to the result's tangent, from t or (t, y). Where it
// is left out, forward mode transposes the pullback.
#pragma once

#include <array>
#include <tuple>
#include <type_traits>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/tape.hpp>

namespace xgrad::detail {

/// A pullback and its transpose.
template <class Pull, class Push>
struct Linear {
  Pull pull;
  Push push;
};
template <class Pull, class Push>
Linear<Pull, Push> linear(Pull pull, Push push) {
  return {std::move(pull), std::move(push)};
}

template <class P>
inline constexpr bool is_linear = false;
template <class Pull, class Push>
inline constexpr bool is_linear<Linear<Pull, Push>> = true;

template <class F>
inline constexpr bool takes_output = std::is_invocable_v<F, const Variable&, const Variable&>;
template <class P>
inline constexpr bool wants_output = takes_output<P>;
template <class Pull, class Push>
inline constexpr bool wants_output<Linear<Pull, Push>> = takes_output<Pull> || takes_output<Push>;

template <class... P>
struct StructuralPullback final : Pullback {
  std::tuple<P...> pulls;
  Variable output;
  StructuralPullback(std::tuple<P...> p, Variable y) : pulls(std::move(p)), output(std::move(y)) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    Variable result;
    visit(k, [&]<class Q>(const Q& p) {
      if constexpr (is_linear<Q>) {
        result = apply(p.pull, g);
      } else {
        result = apply(p, g);
      }
    });
    return result;
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    std::optional<Variable> result;
    visit(k, [&]<class Q>(const Q& p) {
      if constexpr (is_linear<Q>) result = apply(p.push, t);
    });
    return result;
  }

 private:
  template <class F>
  Variable apply(const F& f, const Variable& x) const {
    if constexpr (takes_output<F>) {
      return f(x, output);
    } else {
      return f(x);
    }
  }
  template <class F>
  void visit(std::size_t k, const F& f) const {
    std::size_t i = 0;
    std::apply([&](const auto&... p) { ((i++ == k ? f(p) : void()), ...); }, pulls);
  }
};

template <std::size_t N, class... P>
Variable structural(const Call& call, Tensor value, const std::array<const Variable*, N>& inputs,
                    P... pulls) {
  static_assert(sizeof...(P) == N);
  bool any = false;
  for (const Variable* x : inputs) any |= tracked(*x, &call);
  if (!any || !is_floating(value.dtype())) return Variable(std::move(value));
  Variable y(std::move(value), next_place);
  constexpr bool keeps_output = (wants_output<P> || ...);
  record<StructuralPullback<P...>>(call.op, call.where, y, inputs, std::tuple<P...>(std::move(pulls)...),
                                   keeps_output ? y : Variable(Tensor{}));
  return y;
}

}  // namespace xgrad::detail
