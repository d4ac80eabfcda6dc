// Convolutions along one or two axes, and their transposes. g is the cotangent of the result.
//
//   y = conv2d(x, weight, bias, {.stride = 2, .padding = 1});
//   y = conv2d(x, weight, {.padding = "same", .dilation = {1, 2}});
#pragma once

#include <string_view>
#include <xgrad/ops/per_axis.hpp>

namespace xgrad {

/// Zeros at both ends of each axis: as many as a PerAxis says; "valid", none; or "same", as many as keep the axis'
/// size (of an odd number, the last one at the end), for stride 1.
struct ConvPadding {
  PerAxis sizes;
  std::string_view mode = "";
  template <std::integral I>
  ConvPadding(I both) : sizes(both) {}
  ConvPadding(std::int64_t height, std::int64_t width) : sizes(height, width) {}
  ConvPadding(PerAxis both) : sizes(both) {}
  ConvPadding(const char* name) : sizes(0), mode(name) {}
};

struct ConvOptions {
  PerAxis stride = 1;
  ConvPadding padding = 0;
  PerAxis dilation = 1;
  std::int64_t groups = 1;
};

struct ConvTransposeOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;
  PerAxis dilation = 1;
  std::int64_t groups = 1;
};

/// Cross-correlation, as everybody calls convolution:
///
///   y[n, o, i, j] = bias[o] + sum over c, k, l of weight[o, c, k, l] x[n, c, i s + k d - p, j s + l d - p]
///
/// x is (N, C, H, W), weight (O, C / groups, KH, KW), bias (O,) or left out, y (N, O, (H + 2 p - d (KH - 1) - 1) / s +
/// 1, ...), with stride s, padding p and dilation d of each axis. Elements outside of x are 0. With groups, the
/// first O / groups results see the first C / groups channels alone, and so on. Integers become float32.
///
/// Gradients: to x conv_transpose2d(g, weight) of the same options, to weight the convolution of x with g, to bias
/// g summed over all axes but the second. Forward mode: the same convolution of the tangent. Throws ShapeError if
/// the axes, channels or groups do not fit or the kernel is larger than the padded x, DTypeError if float32 meets
/// float64, Error for a stride or dilation below 1, a negative padding or one of an unknown name.
Variable conv2d(Operand x, Operand weight, const ConvOptions& options = {});
Variable conv2d(Operand x, Operand weight, Operand bias, const ConvOptions& options = {});
/// The same along one axis: x is (N, C, L), weight (O, C / groups, K). Options are numbers, not pairs.
Variable conv1d(Operand x, Operand weight, const ConvOptions& options = {});
Variable conv1d(Operand x, Operand weight, Operand bias, const ConvOptions& options = {});

/// The adjoint of conv2d in its x, as PyTorch's conv_transpose2d: each x[n, c, i, j], times weight[c, o, k, l], is
/// added to y[n, o, i s + k d - p, j s + l d - p]. x is (N, C, H, W), weight (C, O / groups, KH, KW), bias (O,), y
/// (N, O, (H - 1) s - 2 p + d (KH - 1) + output_padding + 1, ...).
///
/// Several sizes of x give one size to conv2d with a stride: output_padding, below the stride or the dilation,
/// picks a larger one. Gradients: to x conv2d(g, weight) of the same options, to weight and bias as conv2d's.
/// Throws as conv2d does.
Variable conv_transpose2d(Operand x, Operand weight, const ConvTransposeOptions& options = {});
Variable conv_transpose2d(Operand x, Operand weight, Operand bias, const ConvTransposeOptions& options = {});
/// The same along one axis: x is (N, C, L), weight (C, O / groups, K).
Variable conv_transpose1d(Operand x, Operand weight, const ConvTransposeOptions& options = {});
Variable conv_transpose1d(Operand x, Operand weight, Operand bias, const ConvTransposeOptions& options = {});

}  // namespace xgrad
