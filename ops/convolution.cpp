#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/convolution_sizes.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>

namespace xgrad {

using detail::Call;

namespace {

// The three tensors that a convolution ties together: <y, x * weight> is linear in each, and what two of them
// give is the gradient of the third.
enum class Role { x, weight, y };

// What an operation's two inputs are, by what it gives: conv, conv_transpose, and the gradient of the weight.
constexpr std::array<std::array<Role, 2>, 3> inputs_for{
    {{Role::y, Role::weight}, {Role::x, Role::y}, {Role::x, Role::weight}}};
constexpr const char* names[3][2] = {
    {"conv_transpose1d", "conv_transpose2d"}, {"conv1d_weight", "conv2d_weight"}, {"conv1d", "conv2d"}};

struct Convolution {
  std::source_location where;
  int axes;
  kernel::ConvSizes sizes;
  std::array<Shape, 3> shapes;  // by Role

  Call call(Role result) const { return {names[static_cast<int>(result)][axes - 1], where}; }

  Tensor value(Role result, const Tensor& a, const Tensor& b, const Tensor* bias) const {
    const Shape& shape = shapes[static_cast<std::size_t>(result)];
    if (result == Role::y) return kernel::convolve(sizes, a, b, bias, shape);
    if (result == Role::x) return kernel::convolve_transposed(sizes, a, b, bias, shape);
    return kernel::convolve_weights(sizes, a, b, shape);
  }
};

Variable convolved(const Convolution& how, Role result, const Variable& a, const Variable& b,
                   const Variable* bias = nullptr);

// Of the result, made of a and b, and perhaps of a bias, one number for each channel.
struct ConvolutionPullback final : detail::Pullback {
  Convolution how;
  Role result;
  Variable a, b;
  ConvolutionPullback(const Convolution& h, Role r, const Variable& first, const Variable& second)
      : how(h), result(r), a(first), b(second) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    if (k == 2) return sum(g, how.axes == 1 ? Axes{0, 2} : Axes{0, 2, 3});
    const auto inputs = inputs_for[static_cast<std::size_t>(result)];
    const Role wanted = inputs[k];
    const Variable& other = k == 0 ? b : a;
    const bool g_first = inputs_for[static_cast<std::size_t>(wanted)][0] == result;
    return g_first ? convolved(how, wanted, g, other) : convolved(how, wanted, other, g);
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    if (k == 0) return convolved(how, result, t, b);
    if (k == 1) return convolved(how, result, a, t);
    return how.axes == 1 ? reshape(t, {-1, 1}) : reshape(t, {-1, 1, 1});
  }
};

Variable convolved(const Convolution& how, Role result, const Variable& a, const Variable& b,
                   const Variable* bias) {
  const Call call = how.call(result);
  const Variable* const inputs[] = {&a, &b, bias};
  const std::size_t count = bias == nullptr ? 2 : 3;
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) any |= detail::tracked(*inputs[i], &call);
  Tensor value = how.value(result, a.value(), b.value(), bias == nullptr ? nullptr : &bias->value());
  if (!any) return Variable(std::move(value));
  Variable y(std::move(value), detail::next_place);
  detail::record<ConvolutionPullback>(call.op, call.where, y, std::span(inputs, count), how, result, a, b);
  return y;
}

// Of x, weight and perhaps a bias, which the sizes fit.
Variable run(Role result, const kernel::ConvSizes& sizes, const detail::ConvOperands& of) {
  const bool is_y = result == Role::y;
  const kernel::ConvAxis &high = sizes.high, &wide = sizes.wide;
  const std::int64_t images = sizes.images, channels = is_y ? sizes.out : sizes.in,
                     rows = is_y ? high.out : high.in, columns = is_y ? wide.out : wide.in;
  Convolution how{of.call.where, of.axes, sizes, {}};
  const auto shape = [&](Role role) -> Shape& { return how.shapes[static_cast<std::size_t>(role)]; };
  shape(is_y ? Role::x : Role::y) = of.x.shape();
  shape(Role::weight) = of.weight.shape();
  shape(result) = of.axes == 1 ? Shape{images, channels, columns} : Shape{images, channels, rows, columns};
  const Variable &x = of.x.as(sizes.dtype), &weight = of.weight.as(sizes.dtype);
  return convolved(how, result, x, weight, of.bias == nullptr ? nullptr : &of.bias->as(sizes.dtype));
}

Variable forward(const char* name, int axes, Operand& x, Operand& weight, Operand* bias,
                 const ConvOptions& options) {
  const Call call(name, x);
  const detail::ConvOperands of{call, axes, x, weight, bias};
  return run(Role::y, detail::conv_sizes(of, options), of);
}

Variable backward(const char* name, int axes, Operand& x, Operand& weight, Operand* bias,
                  const ConvTransposeOptions& options) {
  const Call call(name, x);
  const detail::ConvOperands of{call, axes, x, weight, bias};
  return run(Role::x, detail::conv_sizes(of, options), of);
}

}  // namespace

Variable conv1d(Operand x, Operand weight, const ConvOptions& options) {
  return forward("conv1d", 1, x, weight, nullptr, options);
}
Variable conv1d(Operand x, Operand weight, Operand bias, const ConvOptions& options) {
  return forward("conv1d", 1, x, weight, &bias, options);
}
Variable conv2d(Operand x, Operand weight, const ConvOptions& options) {
  return forward("conv2d", 2, x, weight, nullptr, options);
}
Variable conv2d(Operand x, Operand weight, Operand bias, const ConvOptions& options) {
  return forward("conv2d", 2, x, weight, &bias, options);
}
Variable conv_transpose1d(Operand x, Operand weight, const ConvTransposeOptions& options) {
  return backward("conv_transpose1d", 1, x, weight, nullptr, options);
}
Variable conv_transpose1d(Operand x, Operand weight, Operand bias, const ConvTransposeOptions& options) {
  return backward("conv_transpose1d", 1, x, weight, &bias, options);
}
Variable conv_transpose2d(Operand x, Operand weight, const ConvTransposeOptions& options) {
  return backward("conv_transpose2d", 2, x, weight, nullptr, options);
}
Variable conv_transpose2d(Operand x, Operand weight, Operand bias, const ConvTransposeOptions& options) {
  return backward("conv_transpose2d", 2, x, weight, &bias, options);
}

}  // namespace xgrad
