#include <cmath>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/normalization.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/batch_norm.hpp>

namespace xgrad {

using detail::Call;

namespace {

// All axes but that of the channels.
Axes others(int rank) {
  std::vector<int> axes;
  for (int axis = 0; axis < rank; ++axis) {
    if (axis != 1) axes.push_back(axis);
  }
  return axes;
}

struct BatchNormPullback final : detail::Pullback {
  static constexpr bool joint = true;
  Variable x, gamma;
  kernel::Moments moments;  // of shape (1, C, 1, ...)
  bool own;                 // they are x's, and change with it
  double eps;

  BatchNormPullback(const Variable& input, const Variable& scale, kernel::Moments of, bool of_x,
                    double epsilon)
      : x(input), gamma(scale), moments(std::move(of)), own(of_x), eps(epsilon) {}

  void pull_all(const Variable& g, std::uint64_t wanted, Variable* out) const override {
    if (Tape::recording() != nullptr) return pull_graph(g, wanted, out);
    const Tensor scale = gamma.value().reshape(kernel::channel_shape(x.shape()));
    auto [dx, dgamma, dbeta] = kernel::batch_norm_backward(x.value(), moments, own, scale, g.value(), eps);
    if ((wanted & 1) != 0) out[0] = Variable(std::move(dx));
    if ((wanted & 2) != 0) out[1] = Variable(dgamma.reshape(gamma.shape()));
    if ((wanted & 4) != 0) out[2] = Variable(dbeta.reshape(gamma.shape()));
  }

  // The same as a function of x, gamma and g.
  void pull_graph(const Variable& g, std::uint64_t wanted, Variable* out) const {
    const Axes axes = others(x.rank());
    if ((wanted & 3) != 0) {
      const auto [z, r] = normalized();
      if ((wanted & 1) != 0) out[0] = onto_x(g, z, r);
      if ((wanted & 2) != 0) out[1] = sum(g * z, axes);
    }
    if ((wanted & 4) != 0) out[2] = sum(g, axes);
  }

  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    if (k == 2) return reshape(t, kernel::channel_shape(x.shape()));
    const auto [z, r] = normalized();
    if (k == 1) return reshape(t, kernel::channel_shape(x.shape())) * z;
    return onto_x(t, z, r);  // symmetric
  }

 private:
  struct Normal {
    Variable z, r;
  };
  Normal normalized() const {
    if (!own) {
      const Variable r = 1 / sqrt(Variable(moments.variance) + eps);
      return {(x - moments.mean) * r, r};
    }
    const Axes axes = others(x.rank());
    const Variable d = x - mean(x, axes, true);
    const Variable r = 1 / sqrt(mean(square(d), axes, true) + eps);
    return {d * r, r};
  }
  Variable onto_x(const Variable& g, const Variable& z, const Variable& r) const {
    const Variable slope = reshape(gamma, kernel::channel_shape(x.shape())) * r;
    if (!own) return slope * g;
    const Axes axes = others(x.rank());
    return slope * (g - mean(g, axes, true) - z * mean(g * z, axes, true));
  }
};

void require_channels(const Call& call, const char* what, const Operand& row, const Operand& x) {
  const Shape expected{x.shape()[1]};
  if (row.shape() == expected) return;
  call.fail<ShapeError>(std::string(what) + " " + row.describe() + " is not " + to_string(expected) +
                        ", one number for each channel of " + x.describe());
}

void require_eps(const Call& call, double eps) {
  if (eps > 0 && std::isfinite(eps)) return;
  call.fail<Error>("eps is " + std::to_string(eps) + "; it must be positive and finite");
}

void require_options(const Call& call, const BatchNormOptions& options) {
  require_eps(call, options.eps);
  if (!(options.momentum >= 0 && options.momentum <= 1)) {
    call.fail<Error>("momentum is " + std::to_string(options.momentum) + "; it must be within [0, 1]");
  }
}

}  // namespace

BatchNormalized batch_norm(Operand x, Operand gamma, Operand beta, Operand running_mean,
                           Operand running_variance, const BatchNormOptions& options) {
  const Call call("batch_norm", x);
  const detail::At at(call.where);
  const DType common = call.common_dtype({&x, &gamma, &beta, &running_mean, &running_variance});
  const DType dtype = is_floating(common) ? common : float32;
  if (x.rank() < 2) call.fail<ShapeError>("x is (N, C, ...), not " + x.describe());
  require_channels(call, "gamma", gamma, x);
  require_channels(call, "beta", beta, x);
  require_channels(call, "the running mean", running_mean, x);
  require_channels(call, "the running variance", running_variance, x);
  require_options(call, options);
  const std::int64_t channels = x.shape()[1], each = channels == 0 ? 2 : x.shape().size() / channels;
  if (options.training && each < 2) {
    call.fail<ShapeError>("a channel of " + x.describe() + " has " + std::to_string(each) +
                              (each == 1 ? " element" : " elements") + "; a variance needs two",
                          "use {.training = false} to normalise by the running statistics");
  }
  const Variable &v = x.as(dtype), &scale = gamma.as(dtype), &shift = beta.as(dtype);

  BatchNormalized result;
  kernel::Moments moments;
  const Shape kept = kernel::channel_shape(v.shape()), one_each{channels};
  {
    const Tape::Pause pause;
    result.mean = Variable(running_mean.as(dtype).value());
    result.variance = Variable(running_variance.as(dtype).value());
    if (options.training) {
      moments = kernel::channel_moments(v.value());
      const double m = options.momentum, n = static_cast<double>(each);
      result.mean = (1 - m) * result.mean + m * Variable(moments.mean.reshape(one_each));
      result.variance =
          (1 - m) * result.variance + m * n / (n - 1) * Variable(moments.variance.reshape(one_each));
    } else {
      moments = {result.mean.value().reshape(kept), result.variance.value().reshape(kept)};
    }
  }
  Tensor y = kernel::batch_norm(v.value(), moments, scale.value().reshape(kept), shift.value().reshape(kept),
                                options.eps);
  bool any = false;
  for (const Variable* input : {&v, &scale, &shift}) any |= detail::tracked(*input, &call);
  if (!any) {
    result.y = Variable(std::move(y));
    return result;
  }
  result.y = Variable(std::move(y), detail::next_place);
  const Variable* const inputs[] = {&v, &scale, &shift};
  detail::record<BatchNormPullback>(call.op, call.where, result.y, inputs, v, scale, std::move(moments),
                                    options.training, options.eps);
  return result;
}

Variable group_norm(Operand x, std::int64_t groups, Operand gamma, Operand beta, double eps) {
  const Call call("group_norm", x);
  const detail::At at(call.where);
  const DType common = call.common_dtype({&x, &gamma, &beta}), dtype = is_floating(common) ? common : float32;
  if (x.rank() < 2) call.fail<ShapeError>("x is (N, C, ...), not " + x.describe());
  if (groups < 1 || x.shape()[1] % groups != 0) {
    call.fail<ShapeError>("the channels of " + x.describe() + " do not fall into " + std::to_string(groups) +
                          " groups");
  }
  require_channels(call, "gamma", gamma, x);
  require_channels(call, "beta", beta, x);
  require_eps(call, eps);
  const Variable& v = x.as(dtype);
  const Shape& shape = v.shape();
  const std::int64_t n = v.size() == 0 ? 0 : v.size() / (shape[0] * groups);
  const Variable rows = reshape(v, Shape{shape[0] * groups, n});
  const Variable z = reshape(layer_norm(rows, ones({n}, dtype), zeros({n}, dtype), eps), shape);
  const Shape each = kernel::channel_shape(shape);
  return reshape(gamma.as(dtype), each) * z + reshape(beta.as(dtype), each);
}

}  // namespace xgrad
