#include <cmath>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/normalization.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/tensor/rowwise.hpp>

namespace xgrad {
namespace {

struct LayerNormPullback final : detail::Pullback {
  static constexpr bool joint = true;
  Variable x, gamma;
  kernel::LayerNorm forward;  // without y, which no gradient needs
  double eps;

  LayerNormPullback(const Variable& input, const Variable& scale, kernel::LayerNorm result, double epsilon)
      : x(input), gamma(scale), forward(std::move(result)), eps(epsilon) {}

  void pull_all(const Variable& g, std::uint64_t wanted, Variable* out) const override {
    if (Tape::recording() != nullptr) return pull_graph(g, wanted, out);
    auto [dx, dgamma, dbeta] = kernel::layer_norm_backward(x.value(), gamma.value(), forward, g.value());
    if ((wanted & 1) != 0) out[0] = Variable(std::move(dx));
    if ((wanted & 2) != 0) out[1] = Variable(std::move(dgamma));
    if ((wanted & 4) != 0) out[2] = Variable(std::move(dbeta));
  }

  // The same as a function of x, gamma and g. The reverse loop sums over the rows.
  void pull_graph(const Variable& g, std::uint64_t wanted, Variable* out) const {
    if ((wanted & 3) != 0) {
      const Rows rows(x, eps);
      if ((wanted & 1) != 0) out[0] = rows.slope(g * gamma);
      if ((wanted & 2) != 0) out[1] = g * rows.z;
    }
    if ((wanted & 4) != 0) out[2] = g;
  }

  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    if (k == 2) return t;
    const Rows rows(x, eps);
    return k == 0 ? gamma * rows.slope(t) : t * rows.z;
  }

 private:
  // x by its rows: z = (x - mean) / deviation, whose derivative is its own transpose.
  struct Rows {
    Variable deviation, z;
    Rows(const Variable& x, double eps) {
      const Variable d = x - mean(x, -1, true);
      deviation = sqrt(mean(square(d), -1, true) + eps);
      z = d / deviation;
    }
    Variable slope(const Variable& h) const {
      return (h - mean(h, -1, true) - z * mean(h * z, -1, true)) / deviation;
    }
  };
};

// y = gamma x r, r = 1 / sqrt(mean(x^2) + eps).
struct RmsNormPullback final : detail::Pullback {
  Variable x, gamma;
  Tensor root;  // r
  double eps;
  RmsNormPullback(const Variable& input, const Variable& scale, Tensor r, double epsilon)
      : x(input), gamma(scale), root(std::move(r)), eps(epsilon) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    const Variable r = factor();
    return k == 0 ? along_x(g * gamma, r) : g * (x * r);
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    const Variable r = factor();
    return k == 0 ? gamma * along_x(t, r) : t * (x * r);
  }

 private:
  // As a function of x where that is recorded.
  Variable factor() const {
    return Tape::recording() == nullptr ? Variable(root) : 1 / sqrt(mean(square(x), -1, true) + eps);
  }
  // The derivative of z = x r, which is symmetric.
  Variable along_x(const Variable& h, const Variable& r) const {
    const Variable z = x * r;
    return r * (h - z * mean(h * z, -1, true));
  }
};

void require_row(const detail::Call& call, const char* what, const Operand& row, const Operand& x) {
  const Shape expected{x.shape()[x.rank() - 1]};
  if (row.shape() == expected) return;
  call.fail<ShapeError>(std::string(what) + " " + row.describe() + " is not " + to_string(expected) +
                        ", one number for each column of " + x.describe());
}

void require_eps(const detail::Call& call, double eps) {
  if (eps > 0 && std::isfinite(eps)) return;
  call.fail<Error>("eps is " + std::to_string(eps) + "; it must be positive and finite");
}

}  // namespace

Variable layer_norm(Operand x, Operand gamma, Operand beta, double eps) {
  const detail::Call call("layer_norm", x);
  if (x.rank() == 0) call.fail<ShapeError>("a number has no axis: " + x.describe());
  require_row(call, "gamma", gamma, x);
  require_row(call, "beta", beta, x);
  require_eps(call, eps);
  const DType common = call.common_dtype({&x, &gamma, &beta});
  const DType dtype = is_floating(common) ? common : float32;
  const Variable &v = x.as(dtype), &scale = gamma.as(dtype), &shift = beta.as(dtype);

  kernel::LayerNorm result = kernel::layer_norm(v.value(), scale.value(), shift.value(), eps);
  bool any = false;
  for (const Variable* input : {&v, &scale, &shift}) any |= detail::tracked(*input, &call);
  if (!any) return Variable(std::move(result.y));
  const Variable y(std::move(result.y), detail::next_place);
  result.y = Tensor();
  const Variable noted(scalar(eps, dtype));
  const Variable* const inputs[] = {&v, &scale, &shift, &noted};
  detail::record<LayerNormPullback>(call.op, call.where, y, inputs, v, scale, std::move(result), eps);
  return y;
}

Variable rms_norm(Operand x, Operand gamma, double eps) {
  const detail::Call call("rms_norm", x);
  const DType common = call.common_dtype({&x, &gamma}), dtype = is_floating(common) ? common : float32;
  if (x.rank() == 0) {
    call.fail<ShapeError>("a number has no axis: " + x.describe() + " with gamma " + gamma.describe());
  }
  require_row(call, "gamma", gamma, x);
  require_eps(call, eps);
  const Variable &v = x.as(dtype), &scale = gamma.as(dtype);
  Tensor root, value;
  {
    const Tape::Pause pause;
    const Variable r = 1 / sqrt(mean(square(v), -1, true) + eps);
    root = r.value();
    value = (v * r * scale).value();
  }
  const bool any = detail::tracked(v, &call) | detail::tracked(scale, &call);
  if (!any) return Variable(std::move(value));
  const Variable y(std::move(value), detail::next_place);
  const Variable noted(scalar(eps, dtype));
  const Variable* const inputs[] = {&v, &scale, &noted};
  detail::record<RmsNormPullback>(call.op, call.where, y, inputs, v, scale, std::move(root), eps);
  return y;
}

}  // namespace xgrad
