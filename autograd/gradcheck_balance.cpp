#include <cmath>
#include <xgrad/autograd/gradcheck_balance.hpp>

namespace xgrad::detail::checking {

Product product(const Tensor& g, const Stencil& stencil,
                const std::function<const Tensor&(const Trace&)>& get) {
  constexpr double epsilon = 2.3e-16;
  Product result;
  std::vector<const double*> values;
  for (const Term& term : stencil) {
    const Tensor& value = get(*term.at);
    if (value.dtype() != float64 || value.shape() != g.shape()) return {};
    values.push_back(address<double>(value));
  }
  const double* weights = address<double>(g);
  long double total = 0;
  for (std::int64_t e = 0; e < g.size(); ++e) {
    double slope = 0, rounding = 0;
    bool still = true;
    for (std::size_t p = 0; p < stencil.size(); ++p) {
      const double part = stencil[p].weight * values[p][e];
      slope += part, rounding += std::abs(part) * epsilon;
      still = still && values[p][e] == values[0][e];
    }
    if (still && std::isinf(values[0][e])) slope = rounding = 0;  // not inf - inf
    result.varies = result.varies || !still;
    total += static_cast<long double>(weights[e]) * slope;
    result.size += std::abs(weights[e] * slope);
    result.rounding += std::abs(weights[e]) * rounding;
  }
  result.value = static_cast<double>(total);
  result.known = true;
  return result;
}

Balance balance_of(const Tape& tape, const Trace& base, std::size_t node, const Tensor& g,
                   const std::vector<std::optional<Variable>>& pulled, const Stencil& stencil) {
  const auto result = [&](const Trace& t) -> const Tensor& { return t.values[node]; };
  const Product out = product(g, stencil, result);
  if (!out.known) return {};
  Balance b;
  b.known = true;
  b.out = out.value, b.size = out.size, b.rounding = out.rounding;
  for (std::uint32_t k = 0; k < tape.node(node).input_count; ++k) {
    const auto given = [&](const Trace& t) -> const Tensor& { return t.given[node][k]; };
    const Tensor& now = base.given[node][k];
    if (now.dtype() != float64) continue;
    if (tape.node(node).inputs[k] < 0) {
      if (product(now, stencil, given).varies) b.moving_constant = k;
      continue;
    }
    const Product in = product(pulled[k]->value(), stencil, given);
    if (!in.known) return {};
    b.in += in.value, b.size += in.size, b.rounding += in.rounding;
    if (in.varies) ++b.moving_inputs, b.moving = k;
  }
  return b;
}

}  // namespace xgrad::detail::checking
