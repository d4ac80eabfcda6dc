#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/tape_impl.hpp>

namespace xgrad::detail {

namespace {

struct AliasPullback final : Pullback {
  Variable pull(const Variable& g, std::size_t) const override { return g; }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape&) const override { return t; }
};

std::vector<Variable> zeros_like(std::span<const Variable> all) {
  std::vector<Variable> result;
  for (const Variable& x : all) result.emplace_back(zeros(x.shape(), x.dtype()));
  return result;
}

}  // namespace

Variable independent(const Variable& x) {
  tracked(x);
  const Variable* inputs[] = {&x};
  Variable alias(x.value(), next_place);
  record<AliasPullback>("alias", At::or_else(std::source_location::current()), alias, inputs);
  return alias;
}

void convert_numbers(std::span<Variable> all, std::span<const Literal> literals) {
  std::optional<DType> dtype;
  for (std::size_t i = 0; i < all.size() && !dtype; ++i) {
    if (!literals[i].is_number && is_floating(all[i].dtype())) dtype = all[i].dtype();
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (dtype && literals[i].is_number) all[i] = Variable(scalar(literals[i].number, *dtype));
  }
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
  if (!tracked(value)) return zeros_like(arguments);  // f does not depend on any argument
  const Gradients all = tape_->backward(value, {.create_graph = !own_, .wrt = arguments});
  std::vector<Variable> result;
  for (const Variable& x : arguments) result.push_back(this->result(all.or_zeros(x)));
  return result;
}

std::vector<Variable> GradCall::pulled(const Variable& value, const Variable& seed,
                                       std::span<const Variable> arguments) {
  if (!tracked(value)) return zeros_like(arguments);
  const Gradients all = tape_->backward(value, {.seed = given(seed),
                                                .retain = true,
                                                .create_graph = !own_,
                                                .wrt = {arguments.begin(), arguments.end()}});
  std::vector<Variable> result;
  for (const Variable& x : arguments) result.push_back(this->result(all.or_zeros(x)));
  return result;
}

std::vector<Variable> GradCall::tangents(std::span<const Variable> arguments,
                                         std::span<const Variable> tangents,
                                         std::span<const Variable> values) {
  std::vector<Variable> directions;
  for (const Variable& t : tangents) directions.push_back(given(t));
  for (const Variable& y : values) tracked(y);
  std::vector<Variable> all = push_forward(*tape_, arguments, directions, values, !own_);
  for (Variable& t : all) t = result(t);
  return all;
}

Variable GradCall::result(const Variable& value) const { return own_ ? Variable(value.value()) : value; }

// A tape of this call's own knows no variable of a tape that is paused.
Variable GradCall::given(const Variable& direction) const { return result(direction); }

Pullable::Pullable() {
  Tape* recording = Tape::recording();
  if (recording == nullptr) recording = (own_ = std::make_shared<Tape>()).get();
  tape_ = recording->id();
}

Variable Pullable::independent(const Variable& x) const {
  if (own_ || !is_floating(x.dtype())) return Tape::recording()->watch(x.value());
  return detail::independent(x);
}

Variable Pullable::finish(Variable value, std::vector<Variable> arguments) {
  const bool depends = tracked(value);
  value_ = depends ? std::move(value) : Variable(value.value());
  arguments_ = std::move(arguments);
  if (!own_) return value_;
  record_on(TapeImpl::of(*own_).outer);
  return Variable(value_.value());
}

std::vector<Variable> Pullable::pull(const Variable& cotangent) const {
  require_like("vjp", "the cotangent", cotangent, "the value", value_);
  if (value_.is_constant()) return zeros_like(arguments_);
  Tape* tape = own_ ? own_.get() : alive_here(tape_);
  if (tape == nullptr) {
    throw GraphError(
        "vjp: the tape on which the function was recorded is gone, or another thread's; pull back while it "
        "lives");
  }
  const bool records = Tape::recording() == tape;
  if (own_ && tracked(cotangent)) {
    throw GraphError(
        "vjp: the cotangent is recorded and the function was not: no tape recorded when vjp was called; call "
        "it "
        "inside the tape, or use stop_gradient(g)");
  }
  const Gradients all = tape->backward(value_, {.seed = records ? cotangent : Variable(cotangent.value()),
                                                .retain = true,
                                                .create_graph = records,
                                                .wrt = arguments_});
  std::vector<Variable> result;
  for (const Variable& x : arguments_) {
    const Variable slope = all.or_zeros(x);
    result.push_back(records ? slope : Variable(slope.value()));
  }
  return result;
}

}  // namespace xgrad::detail
