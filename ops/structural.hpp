// How an operation that is not elementwise is made: a value, and one pullback per input, written with the
// public operations, so that it works under create_graph and to any order.
//
//   return structural<1>(call, kernel::permute(...), {&v}, [order](const Variable& g) { return transpose(g,
//   inverse(order)); });
//
// A pullback takes the cotangent g, or (g, y) with the operation's own result.
#pragma once

#include <array>
#include <tuple>
#include <type_traits>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/tape.hpp>

namespace xgrad::detail {

template <class P>
inline constexpr bool wants_output = std::is_invocable_v<P, const Variable&, const Variable&>;

template <class... P>
struct StructuralPullback final : Pullback {
  std::tuple<P...> pulls;
  Variable output;
  StructuralPullback(std::tuple<P...> p, Variable y) : pulls(std::move(p)), output(std::move(y)) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    Variable result;
    const auto one = [&](const auto& f) {
      if constexpr (wants_output<decltype(f)>) {
        result = f(g, output);
      } else {
        result = f(g);
      }
    };
    std::size_t i = 0;
    std::apply([&](const auto&... f) { ((i++ == k ? one(f) : void()), ...); }, pulls);
    return result;
  }
};

template <std::size_t N, class... P>
Variable structural(const Call& call, Tensor value, const std::array<const Variable*, N>& inputs,
                    P... pulls) {
  static_assert(sizeof...(P) == N);
  bool any = false;
  for (const Variable* x : inputs) any |= tracked(*x, &call);
  if (!any || !is_floating(value.dtype())) return Variable(std::move(value));
  Variable y(std::move(value), next_place());
  constexpr bool keeps_output = (wants_output<P> || ...);
  record<StructuralPullback<P...>>(call.op, call.where, y, inputs, std::tuple<P...>(std::move(pulls)...),
                                   keeps_output ? y : Variable(Tensor{}));
  return y;
}

}  // namespace xgrad::detail
