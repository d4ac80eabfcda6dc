#include <algorithm>
#include <xgrad/autograd/gradcheck_trace.hpp>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/tape_impl.hpp>
#include <xgrad/tensor/program.hpp>

namespace xgrad::detail::checking {
namespace {

// While it lives, no operation writes its result over an input: as in a capture, whose notes nobody wants.
class KeepInputs {
 public:
  KeepInputs() {
    if (capturing == nullptr) capture_.emplace(std::span<const Tensor* const>());
    note_obstacle("it is a gradient check");
  }

 private:
  std::optional<Capture> capture_;
};

// c + shift d: what is linear in the cotangent and depends on nothing else moves with it alone.
Tensor shifted_cotangent(const Node& node, std::size_t i, std::uint64_t seed, double shift) {
  const Tensor c = cotangent_of(node, i, seed), d = cotangent_of(node, i, seed + 1);
  Tensor sum(node.shape, float64);
  double* out = mutable_data<double>(sum);
  const double *p = address<double>(c), *q = address<double>(d);
  for (std::int64_t k = 0; k < sum.size(); ++k) out[k] = p[k] + shift * q[k];
  return sum;
}

void record_pullbacks(Trace& trace, Tape& tape, std::uint64_t seed, double shift) {
  for (std::size_t i = 0; i < trace.nodes; ++i) {
    if (tape.node(i).pullback == nullptr || tape.node(i).dtype != float64) continue;
    const Variable g = tape.watch(shifted_cotangent(tape.node(i), i, seed, shift));
    const std::size_t first = tape.size();
    const auto pulled = pulled_by(tape, tape.node(i), g);
    for (std::uint32_t k = 0; k < pulled.size(); ++k) {
      if (!pulled[k]) continue;
      const bool on_tape = pulled[k]->place().tape == tape.id();
      trace.pulled.push_back({i, k, first, tape.size(), pulled[k]->value(), !on_tape});
      if (on_tape) {
        trace.values.resize(std::max(trace.values.size(), tape.size()));
        trace.values[pulled[k]->place().index] = pulled[k]->value();
      }
    }
  }
}

}  // namespace

Tensor cotangent_of(const Node& node, std::size_t i, std::uint64_t seed) {
  Generator random(seed, i + 16);
  return random_like(node.shape, random);
}

std::vector<std::optional<Variable>> pulled_by(const Tape& tape, const Node& node, const Variable& g) {
  const At at(node.where);
  std::vector<std::optional<Variable>> pulled(node.input_count);
  std::uint32_t end = node.input_count;  // behind the last tracked one
  while (end > 0 && node.inputs[end - 1] < 0) --end;
  if (node.joint) {
    std::uint64_t wanted = 0;
    for (std::uint32_t k = 0; k < end; ++k) wanted |= std::uint64_t{node.inputs[k] >= 0} << k;
    Variable contributions[joint_inputs];
    node.pullback->pull_all(g, wanted, contributions);
    for (std::uint32_t k = 0; k < end; ++k) {
      if (node.inputs[k] >= 0) pulled[k] = contributions[k];
    }
  } else {
    for (std::uint32_t k = 0; k < end; ++k) {
      if (node.inputs[k] < 0) continue;
      if (k + 1 < end) {
        pulled[k] = node.pullback->pull(g, k);
      } else {  // as the reverse pass does it; g is shared, so that nothing overwrites it
        Variable last = g;
        node.pullback->pull_last(last, k);
        pulled[k] = last;
      }
    }
  }
  for (std::uint32_t k = 0; k < end; ++k) {
    if (!pulled[k]) continue;
    const Shape& shape = tape.node(static_cast<std::size_t>(node.inputs[k])).shape;
    if (pulled[k]->shape() != shape) pulled[k] = sum_to(*pulled[k], shape);
  }
  return pulled;
}

std::optional<Variable> pushed_by(const Node& node, std::uint32_t k, const Variable& t) {
  const At at(node.where);
  std::optional<Variable> pushed = node.pullback->push(t, k, node.shape);
  if (pushed && pushed->shape() != node.shape) pushed = broadcast_to(*pushed, node.shape);
  return pushed;
}

bool can_be_pushed(Tape& tape, const Variable& y) try {
  const auto has_push = [&](const Node& node, std::uint32_t k) {
    const Shape& shape = tape.node(static_cast<std::size_t>(node.inputs[k])).shape;
    const Tape::Pause pause;
    return pushed_by(node, k, zeros(shape, float64)).has_value();
  };
  for (std::size_t i = 0; i <= y.place().index; ++i) {
    if (tape.node(i).pullback == nullptr || tape.node(i).dtype != float64) continue;
    const Variable g = tape.watch(cotangent_of(tape.node(i), i, 0));
    const auto pulled = pulled_by(tape, tape.node(i), g);
    for (std::uint32_t k = 0; k < pulled.size(); ++k) {
      if (!pulled[k] || pulled[k]->place().tape == tape.id() || has_push(tape.node(i), k)) continue;
      const double* p = address<double>(pulled[k]->value());
      if (std::any_of(p, p + pulled[k]->size(), [](double v) { return v != 0; })) return false;
    }
  }
  return true;
} catch (const GraphError&) {  // a custom operation says itself that its pullback is no graph
  return false;
}

Trace trace(const Subject& f, const Point& x, Tape& tape, int order, std::uint64_t seed, double shift) {
  const KeepInputs keep_inputs;
  Trace result;
  TapeImpl::of(tape).given = &result.given;
  Variables leaves;
  try {
    result.result = f.record(tape, x, leaves);
    result.nodes = tape.size();
    result.values.resize(tape.size());
    if (order == 2) record_pullbacks(result, tape, seed, shift);
  } catch (...) {
    TapeImpl::of(tape).given = nullptr;
    throw;
  }
  TapeImpl::of(tape).given = nullptr;
  result.given.resize(tape.size());
  result.values.resize(tape.size());
  const auto keep = [&](const Variable& v) {
    if (v.place().tape == tape.id()) result.values[v.place().index] = v.value();
  };
  keep(result.result);
  for (const Variable& leaf : leaves) keep(leaf);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      if (node.inputs[k] >= 0) result.values[static_cast<std::size_t>(node.inputs[k])] = result.given[i][k];
    }
  }
  return result;
}

}  // namespace xgrad::detail::checking
