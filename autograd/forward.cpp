#include <algorithm>
#include <limits>
#include <utility>
#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/tape_impl.hpp>

namespace xgrad::detail {
namespace {

// The tape records while it lives, also within a Pause.
class Resumed {
 public:
  explicit Resumed(Tape& tape) : before_(recording_tape) { record_on(&tape); }
  ~Resumed() { record_on(before_); }
  Resumed(const Resumed&) = delete;
  Resumed& operator=(const Resumed&) = delete;

 private:
  Tape* before_;
};

// What is recorded while it lives is taken back, unless it is kept.
class Attempt {
 public:
  explicit Attempt(Tape& tape)
      : tape_(TapeImpl::of(tape)), nodes_(tape_.nodes.size()), constants_(tape_.constants.size()) {}
  ~Attempt() {
    if (!kept_) tape_.truncate(nodes_, constants_);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  void keep() { kept_ = true; }

 private:
  TapeImpl& tape_;
  std::size_t nodes_, constants_;
  bool kept_ = false;
};

std::string where_of(const Node& node) {
  return std::string(node.op) + " (at " + to_string(node.where) + ")";
}

// Any cotangent serves where only its slope counts. One without symmetries: a pullback that forgets to record is
// seen by its value.
Variable some_cotangent(const Shape& shape, DType dtype) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  double x = 0.5;
  for (double& value : values) {
    value = 0.5 + x;
    x += 0.6180339887498949;
    x -= static_cast<double>(x >= 1);
  }
  return Variable(Tensor(shape, values).astype(dtype));
}

/// A tangent of one input of a node.
struct Moved {
  std::uint32_t k;
  const Variable* tangent;
};

// What tangents contribute by the transpose of the node's pullback. The pullback is linear in its cotangent c, so the
// gradient of <pull(c, k), t> with respect to c is the node's derivative times t.
Variable transposed(Tape& tape, const Node& node, std::span<const Moved> moved, bool record) {
  const Resumed resumed(tape);
  Attempt attempt(tape);
  const Variable c = independent(some_cotangent(node.shape, node.dtype));
  std::optional<Variable> sum;
  std::vector<Variable> pulled(node.input_count);
  if (node.joint) {
    Variable contributions[joint_inputs];
    std::uint64_t wanted = 0;
    for (const Moved& one : moved) wanted |= std::uint64_t{1} << one.k;
    node.pullback->pull_all(c, wanted, contributions);
    for (const Moved& one : moved) pulled[one.k] = std::move(contributions[one.k]);
  } else {
    for (const Moved& one : moved) pulled[one.k] = node.pullback->pull(c, one.k);
  }
  for (const Moved& one : moved) {
    const Variable& p = pulled[one.k];
    if (p.place().tape != tape.id()) continue;  // 0, whatever the cotangent
    const Variable seed = broadcast_to(*one.tangent, p.shape());
    const Gradients slope =
        tape.backward(p, {.seed = seed, .retain = true, .create_graph = record, .wrt = {c}});
    const Variable* part = slope.find(c);
    if (part == nullptr) continue;
    sum = sum ? accumulate(*std::exchange(sum, std::nullopt), *part) : *part;
  }
  if (record) attempt.keep();
  if (!sum) return Variable(zeros(node.shape, node.dtype));
  return record ? *sum : Variable(sum->value());
}

// The nodes from `first` on that lead to a result, by the last node that needs their tangent; 0 for the others.
std::vector<std::uint32_t> last_uses(const Tape& tape, std::size_t first, std::size_t last,
                                     std::span<const Variable> results) {
  constexpr auto kept = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> uses(last + 1 - first, 0);
  for (const Variable& y : results) {
    if (y.place().tape == tape.id() && y.place().index >= first) uses[y.place().index - first] = kept;
  }
  for (std::size_t i = last + 1; i-- > first;) {
    if (uses[i - first] == 0) continue;
    const Node& node = tape.node(i);
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      const auto input = static_cast<std::size_t>(node.inputs[k]);
      if (node.inputs[k] >= 0 && input >= first && uses[input - first] == 0)
        uses[input - first] = static_cast<std::uint32_t>(i);
    }
  }
  return uses;
}

}  // namespace

std::vector<Variable> push_forward(Tape& tape, std::span<const Variable> inputs,
                                   std::span<const Variable> tangents, std::span<const Variable> results,
                                   bool record, std::size_t above) {
  std::size_t first = tape.size(), last = 0;
  for (const Variable& x : inputs) first = std::min<std::size_t>(first, x.place().index);
  for (const Variable& y : results) {
    if (y.place().tape == tape.id()) last = std::max<std::size_t>(last, y.place().index);
  }
  std::optional<Tape::Pause> pause;
  if (!record) pause.emplace();
  Attempt attempt(tape);
  Carried moving;
  moving.reset(last < first ? 0 : last + 1 - first);
  if (first <= last) {
    const std::vector<std::uint32_t> uses = last_uses(tape, first, last, results);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::size_t place = inputs[i].place().index;
      if (place <= last && uses[place - first] != 0 && !moving.has(place - first))
        moving.put(place - first, Variable(tangents[i]));
    }
    std::vector<Moved> moved, rest;
    for (std::size_t i = std::max(first, above); i <= last; ++i) {
      if (uses[i - first] == 0 || moving.has(i - first)) continue;
      const Node& node = tape.node(i);
      moved.clear();
      for (std::uint32_t k = 0; k < node.input_count; ++k) {
        const auto input = static_cast<std::size_t>(node.inputs[k]);
        if (node.inputs[k] >= 0 && input >= first && moving.has(input - first))
          moved.push_back({k, &moving[input - first]});
      }
      if (moved.empty()) continue;
      if (node.pullback == nullptr) {
        throw GraphError("forward mode: the tape was walked already and what " + where_of(node) +
                         " saved is gone; pass .retain = true to the backward pass inside the function");
      }
      const At at(node.where);
      std::optional<Variable> sum;
      const auto add = [&](const Variable& part) {
        if (part.dtype() != node.dtype || !broadcasts_to(part.shape(), node.shape)) {
          throw GraphError("forward mode: " + where_of(node) + " moves by " + to_string(part.shape()) + " " +
                           name(part.dtype()) + ", its result is " + to_string(node.shape) + " " +
                           name(node.dtype));
        }
        Variable whole = broadcast_to(part, node.shape);
        sum = sum ? accumulate(*std::exchange(sum, std::nullopt), whole) : std::move(whole);
      };
      rest.clear();
      for (const Moved& one : moved) {
        if (const auto part = node.pullback->push(*one.tangent, one.k, node.shape)) {
          add(*part);
        } else {
          rest.push_back(one);
        }
      }
      if (!rest.empty()) add(transposed(tape, node, rest, record));
      for (const Moved& one : moved) {
        const auto input = static_cast<std::size_t>(node.inputs[one.k]) - first;
        if (uses[input] == i && moving.has(input)) moving.drop(input);
      }
      moving.put(i - first, std::move(*sum));
    }
  }
  std::vector<Variable> found;
  for (const Variable& y : results) {
    const Place place = y.place();
    const bool moves = place.tape == tape.id() && place.index >= first && moving.has(place.index - first);
    found.push_back(moves ? moving[place.index - first] : Variable(zeros(y.shape(), y.dtype())));
  }
  attempt.keep();
  return found;
}

void require_like(const char* function, const char* what, const Variable& given, const char* whose,
                  const Variable& x) {
  if (given.shape() != x.shape()) {
    throw ShapeError(std::string(function) + ": " + what + " and " + whose +
                     " differ in shape: " + to_string(given.shape()) + " and " + to_string(x.shape()));
  }
  if (given.dtype() != x.dtype()) {
    throw DTypeError(std::string(function) + ": " + what + " and " + whose +
                     " differ in dtype: " + name(given.dtype()) + " and " + name(x.dtype()) +
                     "; convert one with astype(" + name(x.dtype()) + ")");
  }
}

}  // namespace xgrad::detail
