#include <xgrad/autograd/functional.hpp>
#include <xgrad/autograd/linear.hpp>

namespace xgrad::detail {

namespace {

struct AliasPullback final : Pullback {
  Variable pull(const Variable& g, std::size_t) const override { return g; }
};

}  // namespace

Variable independent(const Variable& x) {
  tracked(x);
  const Variable* inputs[] = {&x};
  Variable alias(x.value(), next_place);
  record<AliasPullback>("alias", At::or_else(std::source_location::current()), alias, inputs);
  return alias;
}

GradCall::GradCall() : tape_(Tape::recording()) {
  if (tape_ == nullptr) tape_ = &own_.emplace();
}

Variable GradCall::independent(const Variable& x) {
  // watch() refuses integers, tracked() a variable of an outer tape.
  if (own_ || !is_floating(x.dtype())) return tape_->watch(x.value());
  return detail::independent(x);
}

std::vector<Variable> GradCall::gradients(const Variable& value, std::vector<Variable> arguments) {
  std::vector<Variable> result;
  if (!tracked(value)) {  // f does not depend on any argument
    for (const Variable& x : arguments) result.emplace_back(zeros(x.shape(), x.dtype()));
    return result;
  }
  const Gradients all = tape_->backward(value, {.create_graph = !own_, .wrt = arguments});
  for (const Variable& x : arguments) result.push_back(this->result(all.or_zeros(x)));
  return result;
}

Variable GradCall::result(const Variable& value) const { return own_ ? Variable(value.value()) : value; }

}  // namespace xgrad::detail
