// The sizes of a convolution, from its operands and options: all checks that conv and conv_transpose make.
#pragma once

#include <xgrad/ops/convolution.hpp>
#include <xgrad/tensor/convolution.hpp>

namespace xgrad::detail {

/// The operands of a call; bias may be null.
struct ConvOperands {
  const Call& call;
  int axes;
  Operand &x, &weight;
  Operand* bias;
};

/// Of the convolution that makes the result of x.
kernel::ConvSizes conv_sizes(const ConvOperands& operands, const ConvOptions& options);
/// Of the convolution that makes x of the result.
kernel::ConvSizes conv_sizes(const ConvOperands& operands, const ConvTransposeOptions& options);

}  // namespace xgrad::detail
