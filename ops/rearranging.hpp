// Places along axes in another order, or more of them. g is the cotangent of the result.
#pragma once

#include <vector>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/ops/reduction.hpp>  // Axes

namespace xgrad {

/// The order along these axes reversed (left out: along all). Gradient: g flipped likewise.
Variable flip(Operand x, const Axes& axes = {});

/// Elements moved on by `shift` places along an axis (without one: in row-major order); what leaves at the
/// end comes in at the beginning. Gradient: g moved back.
Variable roll(Operand x, std::int64_t shift);
Variable roll(Operand x, std::int64_t shift, int axis);
/// By shifts[i] along axis axes[i]; an axis that is named twice moves by the sum. Throws ShapeError if the
/// lists differ in length.
Variable roll(Operand x, const std::vector<std::int64_t>& shifts, const std::vector<int>& axes);

/// The new places before and behind those of an axis.
struct PadWidth {
  std::int64_t before = 0, after = 0;
};
/// What pad fills them with, as numpy.pad: a value; x mirrored at its first and last place, which are not
/// repeated (reflect); its first and last place again and again (edge; PyTorch's replicate); or x from its
/// other end (wrap). Wider than the axis, it goes on in the same way.
enum class PadMode { constant, reflect, edge, wrap };
/// x with new places, `widths` of each axis, or of all axes the same. Gradient: g without them, and, unless
/// constant, added up where they came from. Throws ShapeError if there are not as many widths as axes, one is
/// negative, or an axis without places is to be extended from itself.
Variable pad(Operand x, const std::vector<PadWidth>& widths, PadMode mode = PadMode::constant,
             double value = 0);
Variable pad(Operand x, std::int64_t width, PadMode mode = PadMode::constant, double value = 0);

}  // namespace xgrad
