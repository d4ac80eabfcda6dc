// checkpoint: recompute instead of store. A part of a computation becomes one node that keeps its arguments; what
// lies in between is computed again when the reverse pass comes by, and is gone again when it has passed.
//
//   Variable h = x;
//   for (const Block& block : blocks) h = checkpoint(block, h);
//
// The memory of a chain of n parts falls from that of all n to that of the arguments and of one part; the price is one
// more evaluation of each part. The gradients are the same bits.
#pragma once

#include <array>
#include <functional>
#include <tuple>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/tape.hpp>

namespace xgrad {

namespace detail {

/// One node "checkpoint" for what f computes on the tape that records.
Variable checkpointed(const Call& call, std::function<Variable()> f);

}  // namespace detail

/// f(x...), recorded as one node. Gradients flow to x, to the Parameters that f uses and to variables of the tape that
/// it closes over; also those of higher order. f may call checkpoint itself. It is called again by the reverse
/// pass, once for each pass, and must compute the same again: Parameters are given the values that they had (GraphError
/// if the result's shape or dtype is another). It is copied into the tape: what it captures by reference must live as
/// long. What f leaves in variables outside of it is a constant. Where no tape records, f(x...) alone.
template <class F, class... X>
Variable checkpoint(F f, Operand first, X&&... more) {
  const detail::Call call("checkpoint", first);
  const detail::Literal literals[] = {{first.weak() > Operand::Weak::boolean, first.number()},
                                      detail::literal(more)...};
  std::array<Variable, 1 + sizeof...(X)> arguments{first.variable(), Variable(std::forward<X>(more))...};
  detail::convert_numbers(arguments, literals);
  return detail::checkpointed(
      call, [f = std::move(f), x = std::move(arguments)]() -> Variable { return std::apply(f, x); });
}

/// f(), for an f that takes all it needs from outside.
template <class F>
requires std::is_invocable_v<F> Variable
checkpoint(F f, std::source_location where = std::source_location::current()) {
  return detail::checkpointed(detail::Call("checkpoint", where),
                              [f = std::move(f)]() -> Variable { return f(); });
}

}  // namespace xgrad
