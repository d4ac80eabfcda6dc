// The formula of einsum, as it is written.
#pragma once

#include <string_view>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/ops/contraction.hpp>

namespace xgrad {

namespace detail {

struct Formula {
  /// Stands for the axes of "..." among the labels, which are characters.
  static constexpr int dots = 256;

  std::vector<Labels> operands;
  Labels result;  // also where it is not written

  /// Throws Error with the position of what cannot be read.
  Formula(const Call& call, std::string_view text);
};

/// "label k", or "an axis of "..."" for one from Formula::dots on.
std::string name_of_label(int label);

}  // namespace detail

}  // namespace xgrad
