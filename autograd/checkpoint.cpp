#include <algorithm>
#include <functional>
#include <utility>
#include <xgrad/autograd/checkpoint.hpp>
#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/autograd/tape_impl.hpp>

namespace xgrad::detail {
namespace {

/// What the part depends on: a variable of a tape around it.
struct Input {
  Place place;
  Shape shape;
  DType dtype;
};

using Held = std::vector<TapeImpl::Held>;

// Parameters are what they were, while it lives.
class Holding {
 public:
  Holding(TapeImpl& tape, const Held& held) : tape_(tape), before_(std::exchange(tape.held, &held)) {}
  ~Holding() { tape_.held = before_; }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  TapeImpl& tape_;
  const Held* before_;
};

struct CheckpointPullback final : Pullback {
  Call call;
  std::function<Variable()> f;
  std::vector<Input> inputs;
  Held parameters;
  Shape shape;
  DType dtype;
  // A walk asks for one input after the other, with the same cotangent; the last one is asked for by pull_last.
  mutable Variable cotangent;
  mutable std::vector<Variable> contributions;
  mutable std::size_t asked = 0;

  CheckpointPullback(const Call& c, std::function<Variable()> function, std::vector<Input> in, Held held,
                     const Variable& y)
      : call(c),
        f(std::move(function)),
        inputs(std::move(in)),
        parameters(std::move(held)),
        shape(y.shape()),
        dtype(y.dtype()) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    const bool known = !contributions.empty() && k > asked && cotangent.value().shares_storage(g.value()) &&
                       cotangent.place().tape == g.place().tape && cotangent.place().index == g.place().index;
    if (!known) {
      contributions = Tape::recording() == nullptr ? pulled(g) : pulled_graph(g);
      cotangent = g;
    }
    asked = k;
    return std::move(contributions[k]);
  }
  void pull_last(Variable& g, std::size_t k) const override {
    g = pull(g, k);
    contributions.clear();
    cotangent = Variable();
  }

  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    if (Tape* recorder = Tape::recording()) {
      const Holding holding(TapeImpl::of(*recorder), parameters);
      const std::size_t above = recorder->size();
      const Variable y = again();
      return moved(*recorder, t, y, k, true, above);
    }
    Tape tape;
    TapeImpl& own = TapeImpl::of(tape);
    own.borrows = true;
    const Holding holding(own, parameters);
    const Variable y = again();
    return Variable(moved(tape, Variable(t.value()), y, k, false, 0).value());
  }

 private:
  Variable moved(Tape& tape, const Variable& t, const Variable& y, std::size_t k, bool record,
                 std::size_t above) const {
    const Variable leaf = leaf_of(tape, inputs[k]);
    if (leaf.place().tape != tape.id()) return Variable(zeros(shape, dtype));
    return push_forward(tape, {&leaf, 1}, {&t, 1}, {&y, 1}, record, above)[0];
  }
  // Where the input stands on this tape, if it does.
  static Variable leaf_of(Tape& tape, const Input& input) {
    const auto* lent = TapeImpl::of(tape).find_borrowed(input.place);
    return Variable(Tensor(), lent == nullptr ? input.place : Place{tape.id(), lent->index});
  }
  Variable again() const {
    Variable y = f();
    if (y.shape() == shape && y.dtype() == dtype) return independent(y);
    call.fail<GraphError>("computed again, the result is " + to_string(y.shape()) + " " + name(y.dtype()) +
                              ", it was " + to_string(shape) + " " + name(dtype),
                          "the function must give the same for the same arguments");
  }
  Variable slope(const Gradients& all, const Variable& leaf, const Input& input) const {
    const Variable* found = all.find(leaf);
    return found != nullptr ? *found : Variable(zeros(input.shape, input.dtype));
  }

  // On a tape of its own, which is gone afterwards.
  std::vector<Variable> pulled(const Variable& g) const {
    Tape tape;
    TapeImpl& own = TapeImpl::of(tape);
    own.borrows = true;
    const Holding holding(own, parameters);
    const Variable y = again();
    const Gradients all = tape.backward(y, {.seed = Variable(g.value())});
    std::vector<Variable> result;
    for (const Input& input : inputs) {
      result.emplace_back(slope(all, leaf_of(tape, input), input).value());
    }
    return result;
  }

  // On the tape that records, through what is recorded now and no further: an input may depend on another one.
  std::vector<Variable> pulled_graph(const Variable& g) const {
    Tape& tape = *Tape::recording();
    const std::size_t above = tape.size();
    const Holding holding(TapeImpl::of(tape), parameters);
    const Variable y = again();
    std::vector<Variable> leaves, asked;
    for (const Input& input : inputs) {
      leaves.push_back(leaf_of(tape, input));
      if (leaves.back().place().tape == tape.id()) asked.push_back(leaves.back());
    }
    const Gradients all =
        TapeImpl::backward(tape, y, {.seed = g, .create_graph = true, .wrt = std::move(asked)}, above);
    std::vector<Variable> result;
    for (std::size_t k = 0; k < inputs.size(); ++k) result.push_back(slope(all, leaves[k], inputs[k]));
    return result;
  }
};

// The leaves that lead to the last node of the tape.
std::vector<bool> used_leaves(const Tape& tape) {
  std::vector<bool> used(tape.size(), false);
  used.back() = true;
  for (std::size_t i = tape.size(); i-- > 0;) {
    const Node& node = tape.node(i);
    for (std::uint32_t k = 0; used[i] && k < node.input_count; ++k) {
      if (node.inputs[k] >= 0) used[static_cast<std::size_t>(node.inputs[k])] = true;
    }
  }
  return used;
}

}  // namespace

Variable checkpointed(const Call& call, std::function<Variable()> f) {
  Tape* outer = Tape::recording();
  if (outer == nullptr) return f();
  Variable y;
  std::vector<Variable> inputs;
  Held parameters;
  {
    Tape tape;
    TapeImpl& own = TapeImpl::of(tape);
    own.borrows = true;
    own.asked = &parameters;
    y = f();
    if (!tracked(y)) return Variable(y.value());
    y = Variable(independent(y).value());
    const std::vector<bool> used = used_leaves(tape);
    for (const auto& borrowed : own.borrowed) {
      if (used[borrowed.index]) inputs.push_back(borrowed.lent);
    }
  }
  if (inputs.empty()) return Variable(y.value());
  std::vector<const Variable*> noted;
  std::vector<Input> kept;
  for (const Variable& x : inputs) {
    tracked(x, &call);
    noted.push_back(&x);
    kept.push_back({x.place(), x.shape(), x.dtype()});
  }
  // Each parameter once: of several values, the first.
  const auto before = [](const auto& a, const auto& b) { return std::less<>()(a.parameter, b.parameter); };
  const auto equal = [](const auto& a, const auto& b) { return a.parameter == b.parameter; };
  std::stable_sort(parameters.begin(), parameters.end(), before);
  parameters.erase(std::unique(parameters.begin(), parameters.end(), equal), parameters.end());
  const Variable result(y.value(), next_place);
  record<CheckpointPullback>(call.op, call.where, result, noted, call, std::move(f), std::move(kept),
                             std::move(parameters), result);
  return result;
}

}  // namespace xgrad::detail
