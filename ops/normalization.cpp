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
      const Variable d = x - mean(x, -1, true);
      const Variable deviation = sqrt(mean(square(d), -1, true) + eps);
      const Variable z = d / deviation;
      if ((wanted & 1) != 0) {
        const Variable h = g * gamma;
        out[0] = (h - mean(h, -1, true) - z * mean(h * z, -1, true)) / deviation;
      }
      if ((wanted & 2) != 0) out[1] = g * z;
    }
    if ((wanted & 4) != 0) out[2] = g;
  }
};

void require_row(const detail::Call& call, const char* what, const Operand& row, const Operand& x) {
  const Shape expected{x.shape()[x.rank() - 1]};
  if (row.shape() == expected) return;
  call.fail<ShapeError>(std::string(what) + " " + row.describe() + " is not " + to_string(expected) +
                        ", one number for each column of " + x.describe());
}

}  // namespace

Variable layer_norm(Operand x, Operand gamma, Operand beta, double eps) {
  const detail::Call call("layer_norm", x);
  if (x.rank() == 0) call.fail<ShapeError>("a number has no axis: " + x.describe());
  require_row(call, "gamma", gamma, x);
  require_row(call, "beta", beta, x);
  if (!(eps > 0) || !std::isfinite(eps)) {
    call.fail<Error>("eps is " + std::to_string(eps) + "; it must be positive and finite");
  }
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

}  // namespace xgrad
