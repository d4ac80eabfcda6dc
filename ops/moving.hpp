// How an operation of one input that only moves elements is made: a value, and a move that knows the way back.
// Most of their time is the node's, so a move is made only where one is recorded, and holds what it needs once.
//
//   return moved(call, kernel::permute(x.value(), order), x, [&] { return Permutation{call, order}; });
//
// A move has pull(g), and push(t) or push(t, shape of the result); linear(pull, push) is one, too. One that spreads g over
// a larger input may say by narrow(g) what it spreads.
#pragma once

#include <xgrad/ops/structural.hpp>

namespace xgrad {
namespace detail {

template <class M>
struct MovePullback final : Pullback {
  M move;
  explicit MovePullback(M m) : move(std::move(m)) {}

  Variable pull(const Variable& g, std::size_t) const override { return move.pull(g); }
  std::optional<Variable> pull_narrow(const Variable& g, std::size_t, const Shape&) const override {
    if constexpr (requires { move.narrow(g); }) {
      return move.narrow(g);
    } else {
      return std::nullopt;
    }
  }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape& output) const override {
    if constexpr (requires { move.push(t, output); }) {
      return move.push(t, output);
    } else {
      return move.push(t);
    }
  }
};

template <class F>
Variable moved(const Call& call, Tensor value, const Variable& x, const F& make_move) {
  if (!tracked(x, &call)) return Variable(std::move(value));
  Variable y(std::move(value), next_place);
  const Variable* inputs[] = {&x};
  record<MovePullback<decltype(make_move())>>(call.op, call.where, y, inputs, make_move());
  return y;
}

}  // namespace detail
}  // namespace xgrad
