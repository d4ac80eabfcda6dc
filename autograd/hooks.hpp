// on_gradient: a function that sees a value's cotangent when the reverse pass comes by, and may replace it.
//
//   h = on_gradient(h, [](const Variable& g) { std::cout << g << "\n"; });            // look
//   h = on_gradient(h, [](const Variable& g) { return clip(g, -1, 1); });              // replace
#pragma once

#include <functional>
#include <type_traits>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/tape.hpp>

namespace xgrad {

namespace detail {

using Hook = std::function<Variable(const Variable&)>;
Variable on_gradient(Operand& x, Hook hook, bool looks);

}  // namespace detail

/// x, as a node of its own. Each time the reverse pass comes to it, it calls fn(g) with the whole cotangent of this
/// value; what fn returns takes g's place, unless it returns void. It must have g's shape and dtype (GraphError); it is
/// differentiable again if it is made by operations on Variables. What fn throws leaves `backward`. Forward mode
/// passes by. A constant has no gradient: fn is never called. Integers: x itself. fn is copied into the tape. compile()
/// does not replay a step with an fn that returns void; of one that replaces g it replays the operations alone.
template <class F>
requires std::is_invocable_v<const F&, const Variable&> Variable on_gradient(Operand x, F fn) {
  if constexpr (std::is_void_v<std::invoke_result_t<const F&, const Variable&>>) {
    const auto look = [fn = std::move(fn)](const Variable& g) -> Variable {
      fn(g);
      return g;
    };
    return detail::on_gradient(x, look, true);
  } else {
    return detail::on_gradient(x, std::move(fn), false);
  }
}

}  // namespace xgrad
