#include <xgrad/ops/convolution_sizes.hpp>

namespace xgrad::detail {
namespace {

constexpr std::int64_t limit = per_axis_limit;  // BLAS's, of every size

struct Checked : ConvOperands {
  std::string shown() const { return x.describe() + " with the weight " + weight.describe(); }
  template <class E>
  [[noreturn]] void fail(const std::string& what, const std::string& hint = {}) const {
    call.fail<E>(what + ": " + shown(), hint);
  }

  void require_axes(const char* of_x, const char* of_weight) const {
    if (x.rank() == axes + 2 && weight.rank() == axes + 2) return;
    fail<ShapeError>(std::string("x is ") + of_x + " and the weight " + of_weight,
                     x.rank() == axes + 1 ? "give a single example its axis with expand_dims(x, 0)" : "");
  }
  void require_groups(std::int64_t groups) const {
    if (groups < 1 || groups >= limit)
      fail<Error>("there must be 1 group or more, not " + std::to_string(groups));
    if (weight.shape()[0] % groups == 0) return;
    fail<ShapeError>("the " + std::to_string(weight.shape()[0]) + " channels of the weight's first axis do " +
                     "not fall into " + std::to_string(groups) + " groups");
  }
  // Of the weight's second axis, in all groups.
  std::int64_t channels(std::int64_t groups) const {
    const std::int64_t each = weight.shape()[1];
    if (each >= limit) fail<ShapeError>("axis 1 reaches 2^31");
    return each * groups;
  }
  void require_channels(std::int64_t expected, const std::string& because) const {
    if (x.shape()[1] == expected) return;
    fail<ShapeError>("x has " + std::to_string(x.shape()[1]) + " channels, not " + std::to_string(expected) +
                     because);
  }
  void require_bias(std::int64_t channels) const {
    if (bias == nullptr || bias->shape() == Shape{channels}) return;
    call.fail<ShapeError>("the bias " + bias->describe() + " is not (" + std::to_string(channels) +
                          ",), one number for each channel of the result of " + shown());
  }

  std::int64_t number(const char* what, const PerAxis& given, int axis, std::int64_t least) const {
    return number_of(call, what, given, axes, axis, least);
  }
  std::int64_t size(const Operand& of, int axis) const {
    const std::int64_t value = of.shape()[axis + 2];
    if (value >= limit) fail<ShapeError>("axis " + std::to_string(axis + 2) + " reaches 2^31");
    return value;
  }
  std::int64_t taps(int axis) const {
    const std::int64_t value = size(weight, axis);
    if (value == 0) fail<ShapeError>("the kernel has no elements along axis " + std::to_string(axis + 2));
    return value;
  }

  // The products of sizes that become the sides of matrices.
  void require_matrices(const kernel::ConvSizes& s) const {
    const auto product = [](std::initializer_list<std::int64_t> sizes) {
      double all = 1;
      for (std::int64_t n : sizes) all *= static_cast<double>(n);
      return all;
    };
    const double largest =
        std::max({product({s.in_per_group(), s.high.taps, s.wide.taps}), product({s.high.in, s.wide.in}),
                  product({s.high.out, s.wide.out}), static_cast<double>(s.out)});
    if (largest >= static_cast<double>(limit)) fail<ShapeError>("a matrix of it reaches 2^31, BLAS's limit");
  }

  DType dtype() const {
    const DType common =
        bias == nullptr ? call.common_dtype({&x, &weight}) : call.common_dtype({&x, &weight, bias});
    return is_floating(common) ? common : float32;
  }
};

// The result's size along one axis, and where the kernel begins.
kernel::ConvAxis axis_of(const Checked& of, const ConvOptions& options, int axis) {
  kernel::ConvAxis a;
  a.in = of.size(of.x, axis), a.taps = of.taps(axis);
  a.stride = of.number("stride", options.stride, axis, 1);
  a.dilation = of.number("dilation", options.dilation, axis, 1);
  const std::int64_t kernel = a.dilation * (a.taps - 1) + 1;
  std::int64_t padding = 2 * of.number("padding", options.padding.sizes, axis, 0);
  a.before = padding / 2;
  if (options.padding.mode == "same") {
    if (a.stride != 1)
      of.fail<Error>("padding \"same\" needs a stride of 1, not " + std::to_string(a.stride));
    padding = kernel - 1;
    a.before = padding / 2;
  } else if (!options.padding.mode.empty() && options.padding.mode != "valid") {
    of.fail<Error>("the padding is a number, \"same\" or \"valid\", not \"" +
                   std::string(options.padding.mode) + "\"");
  }
  require_fit(of.call, kernel, a.dilation != 1, a.in + padding, axis + 2, of.shown());
  a.out = (a.in + padding - kernel) / a.stride + 1;
  return a;
}

kernel::ConvAxis transposed_axis_of(const Checked& of, const ConvTransposeOptions& options, int axis) {
  kernel::ConvAxis a;
  a.out = of.size(of.x, axis), a.taps = of.taps(axis);
  a.stride = of.number("stride", options.stride, axis, 1);
  a.dilation = of.number("dilation", options.dilation, axis, 1);
  a.before = of.number("padding", options.padding, axis, 0);
  const std::int64_t more = of.number("output_padding", options.output_padding, axis, 0);
  if (more >= std::max(a.stride, a.dilation)) {
    of.call.fail<Error>("the output_padding " + std::to_string(more) + " is not below the stride " +
                        std::to_string(a.stride) + " or the dilation " + std::to_string(a.dilation));
  }
  const std::string at = " along axis " + std::to_string(axis + 2);
  if (a.out == 0) of.fail<ShapeError>("x has no elements" + at);
  a.in = (a.out - 1) * a.stride - 2 * a.before + a.dilation * (a.taps - 1) + more + 1;
  if (a.in < 1) {
    of.fail<ShapeError>("the padding " + std::to_string(a.before) + " leaves nothing of the result" + at);
  }
  return a;
}

}  // namespace

kernel::ConvSizes conv_sizes(const ConvOperands& operands, const ConvOptions& options) {
  const Checked of{operands};
  const int axes = of.axes;
  kernel::ConvSizes sizes;
  sizes.dtype = of.dtype();
  of.require_axes(axes == 1 ? "(N, C, L)" : "(N, C, H, W)",
                  axes == 1 ? "(O, C / groups, K)" : "(O, C / groups, KH, KW)");
  const std::int64_t groups = options.groups;
  of.require_groups(groups);
  of.require_channels(of.channels(groups), groups == 1 ? " as the weight takes"
                                                       : ", " + std::to_string(groups) + " groups of " +
                                                             std::to_string(of.weight.shape()[1]));
  sizes.images = of.x.shape()[0], sizes.in = of.x.shape()[1], sizes.out = of.weight.shape()[0];
  sizes.groups = groups;
  of.require_bias(sizes.out);
  if (axes == 2) sizes.high = axis_of(of, options, 0);
  sizes.wide = axis_of(of, options, axes - 1);
  of.require_matrices(sizes);
  return sizes;
}

kernel::ConvSizes conv_sizes(const ConvOperands& operands, const ConvTransposeOptions& options) {
  const Checked of{operands};
  const int axes = of.axes;
  kernel::ConvSizes sizes;
  sizes.dtype = of.dtype();
  of.require_axes(axes == 1 ? "(N, C, L)" : "(N, C, H, W)",
                  axes == 1 ? "(C, O / groups, K)" : "(C, O / groups, KH, KW)");
  of.require_groups(options.groups);
  of.require_channels(of.weight.shape()[0], " as the weight takes");
  sizes.images = of.x.shape()[0], sizes.out = of.x.shape()[1], sizes.groups = options.groups;
  sizes.in = of.channels(options.groups);
  of.require_bias(sizes.in);
  if (axes == 2) sizes.high = transposed_axis_of(of, options, 0);
  sizes.wide = transposed_axis_of(of, options, axes - 1);
  of.require_matrices(sizes);
  return sizes;
}

}  // namespace xgrad::detail
