#include <algorithm>
#include <utility>
#include <xgrad/autograd/custom.hpp>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/autograd/scope.hpp>

namespace xgrad::detail {
namespace {

bool all_zero(const Tensor& x) {
  const std::vector<double> values = x.to_vector<double>();
  return std::all_of(values.begin(), values.end(), [](double value) { return value == 0; });
}

struct CustomPullback final : Pullback {
  static constexpr bool joint = true;
  Call call;
  std::shared_ptr<const CustomRules> rules;
  std::vector<Variable> inputs;
  Variable output;
  CustomPullback(const Call& c, std::shared_ptr<const CustomRules> r, std::vector<Variable> x,
                 const Variable& y)
      : call(c), rules(std::move(r)), inputs(std::move(x)), output(y) {}

  void pull_all(const Variable& g, std::uint64_t wanted, Variable* out) const override {
    const bool records = Tape::recording() != nullptr;
    // As a node, so that what depends on it can be told from what does not.
    const Variable cotangent = records ? independent(g) : g;
    const Seen kept = seen(records);
    std::vector<Variable> parts = rules->pull(cotangent, kept.y, kept.x.data());
    if (parts.size() != inputs.size()) {
      call.fail<GraphError>("the pullback gives " + std::to_string(parts.size()) + " contributions for " +
                            std::to_string(inputs.size()) + (inputs.size() == 1 ? " input" : " inputs"));
    }
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if ((wanted >> k & 1) == 0) continue;
      if (records) require_recorded("pullback", parts[k]);
      out[k] = std::move(parts[k]);
    }
  }

  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    if (!rules->pushes()) return std::nullopt;
    const bool records = Tape::recording() != nullptr;
    std::vector<Variable> tangents;
    for (const Variable& x : inputs) {
      const bool moves = tangents.size() == k;
      tangents.push_back(!moves ? Variable(zeros(x.shape(), x.dtype())) : records ? independent(t) : t);
    }
    const Seen kept = seen(records);
    Variable moved = rules->push(tangents.data(), kept.y, kept.x.data());
    if (records) require_recorded("push", moved);
    return moved;
  }

 private:
  /// Result and inputs: constants where nothing records, so that the rules may record on tapes of their own.
  struct Seen {
    Variable y;
    std::vector<Variable> x;
  };
  Seen seen(bool records) const {
    Seen kept{records ? output : Variable(output.value()), {}};
    for (const Variable& x : inputs) kept.x.push_back(records ? x : Variable(x.value()));
    return kept;
  }
  // A map that is linear in g and not recorded would be taken for 0.
  void require_recorded(const char* what, const Variable& part) const {
    if (tracked(part) || all_zero(part.value())) return;
    call.fail<GraphError>(
        std::string("the ") + what +
            " is to be differentiated again, and what it gives does not depend on its argument",
        "write it with operations on Variables, not on value(); for forward mode alone, a push will do");
  }
};

}  // namespace

Variable customised(std::shared_ptr<const CustomRules> rules, std::span<Operand* const> x) {
  const Call call(rules->name, *x[0]);
  const std::vector<const Operand*> all(x.begin(), x.end());
  const DType dtype = call.common_dtype(std::span<const Operand* const>(all));
  std::vector<Variable> inputs, constants;
  bool any = false;
  for (Operand* operand : x) {
    const bool number = operand->weak() != Operand::Weak::no;
    inputs.push_back(number ? operand->as(dtype) : operand->variable());
    constants.emplace_back(inputs.back().value());
    any |= tracked(inputs.back(), &call);
  }
  Tensor value = [&] {
    const At at(call.where);
    const Tape::Pause pause;
    return rules->value(constants.data());
  }();
  if (!any || !is_floating(value.dtype())) return Variable(std::move(value));
  const Variable y(std::move(value), next_place);
  std::vector<const Variable*> noted;
  for (const Variable& input : inputs) noted.push_back(&input);
  record<CustomPullback>(call.op, call.where, y, noted, call, std::move(rules), inputs, y);
  return y;
}

}  // namespace xgrad::detail
