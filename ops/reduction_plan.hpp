// What reductions share: their axes resolved, and their operands in the dtype they work in.
#pragma once

#include <xgrad/autograd/operand.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/tensor/reduce.hpp>

namespace xgrad {
namespace detail {

/// A reduction's axes, resolved against its operand.
struct Plan {
  kernel::AxisSet axes = 0;
  std::int64_t count = 1;  // elements that become one
  Shape kept, result;      // the shape with the axes at size 1, and as asked for

  /// Throws ShapeError for an axis that is out of range or named twice.
  Plan(const Call& call, const Operand& x, const Axes& asked, bool keepdims);
};

/// Floating operands as they are, the rest as float32.
const Variable& floating_operand(const Call& call, Operand& x);
/// Floating operands and integers as they are, bool as int64.
const Variable& number_operand(const Call& call, Operand& x);

/// The maximum or the minimum of x along the plan's axes. Throws ShapeError over no elements, which `named` says.
Variable extremum(const Call& call, const Variable& x, const Plan& plan, bool largest,
                  const std::string& named);

}  // namespace detail
}  // namespace xgrad
