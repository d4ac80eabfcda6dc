// Faults planted in what a function records: one input of one node's pullback gives something else. The checker is
// checked with them (mutants_test.cpp).
#pragma once

#include <array>
#include <new>
#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/tape_impl.hpp>
#include <xgrad/ops/ops.hpp>

#include "checks.hpp"

namespace mutants {

using namespace checks;

// clang-format off
enum class Kind { negated, doubled, slightly_off, forgotten, one_element, rolled, transposed, wrong_axis, other_input, recorded_wrong, pushed_wrong };
inline constexpr std::array<std::pair<Kind, const char*>, 11> kinds = {{
  {Kind::negated,        "its sign is wrong"},
  {Kind::doubled,        "it is doubled"},
  {Kind::slightly_off,   "it is a thousandth too large"},
  {Kind::forgotten,      "it is 0"},
  {Kind::one_element,    "one of its elements is 0"},
  {Kind::rolled,         "it is rolled along an axis"},
  {Kind::transposed,     "it is transposed"},
  {Kind::wrong_axis,     "it is the mean along an axis"},
  {Kind::other_input,    "it is another input's"},
  {Kind::recorded_wrong, "its record has a doubled derivative"},
  {Kind::pushed_wrong,   "forward mode is doubled"},
}};
// clang-format on

/// A contribution with the fault; the contribution itself where the fault does not apply to its shape.
inline Variable faulty(Kind kind, const Variable& x) {
  const Shape& shape = x.shape();
  int axis = shape.rank() - 1;  // the last one that has several elements
  while (axis >= 0 && shape[axis] < 2) --axis;
  switch (kind) {
    case Kind::negated:
      return -x;
    case Kind::doubled:
      return 2 * x;
    case Kind::slightly_off:
      return 1.001 * x;
    case Kind::forgotten:
      return 0 * x;
    case Kind::one_element: {
      if (x.size() < 2) return x;
      Doubles mask(static_cast<std::size_t>(x.size()), 1);
      mask[mask.size() / 2] = 0;
      return x * Tensor(shape, mask);
    }
    case Kind::rolled:
      return axis < 0 ? x : roll(x, 1, axis);
    case Kind::transposed:  // of a matrix that is not square, its elements in that order
      return shape.rank() < 2 ? x : reshape(swapaxes(x, -1, -2), shape);
    case Kind::wrong_axis:
      return axis < 0 ? x : broadcast_to(mean(x, axis, true), shape);
    case Kind::recorded_wrong:
      return scale_gradient(x, 2);
    default:
      return x;
  }
}

struct Mutant {
  std::size_t node = 0;  // on the tape
  std::uint32_t input = 0, other = 0;
  Kind kind{};
};

/// A node's own pullback, with the fault.
struct Mutated final : detail::Pullback {
  const Pullback* own;
  Mutant mutant;
  Mutated(const Pullback* pullback, const Mutant& m) : own(pullback), mutant(m) {}
  ~Mutated() override { own->~Pullback(); }  // it lives in the tape's arena, as this one does

  Variable pull(const Variable& g, std::size_t k) const override {
    if (k != mutant.input) return own->pull(g, k);
    return faulty(mutant.kind, own->pull(g, mutant.kind == Kind::other_input ? mutant.other : k));
  }
  void pull_last(Variable& g, std::size_t k) const override {
    if (k == mutant.input) {
      g = pull(g, k);
    } else {
      own->pull_last(g, k);
    }
  }
  void pull_all(const Variable& g, std::uint64_t wanted, Variable* out) const override {
    own->pull_all(g, wanted, out);
    if ((wanted >> mutant.input & 1) == 0) return;
    const bool swap = mutant.kind == Kind::other_input;
    out[mutant.input] = faulty(mutant.kind, out[swap ? mutant.other : mutant.input]);
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape& output) const override {
    std::optional<Variable> result = own->push(t, k, output);
    if (result && mutant.kind == Kind::pushed_wrong && k == mutant.input) result = 2 * *result;
    return result;
  }
};

/// f with the mutant planted wherever it is recorded.
inline Function planted(const Function& f, const Mutant& mutant) {
  return [=](const Variables& x) {
    Variable y = f(x);
    Tape* tape = Tape::recording();
    if (tape == nullptr) return y;
    Node& node = detail::TapeImpl::of(*tape).nodes[mutant.node];
    void* place = detail::arena_allocate(sizeof(Mutated), alignof(Mutated));
    node.pullback = new (place) Mutated(node.pullback, mutant);
    return y;
  };
}

/// Every fault of every tracked input of every node that f records, and leads to its result.
inline std::vector<Mutant> mutants_of(const Function& f, const std::vector<Tensor>& inputs) {
  Tape tape;
  Variables leaves;
  for (const Tensor& x : inputs) leaves.push_back(tape.watch(x));
  const Variable y = f(leaves);
  std::vector<Mutant> all;
  if (y.is_constant()) return all;
  const auto shape_of = [&](std::int32_t index) { return tape.node(static_cast<std::size_t>(index)).shape; };
  for (std::size_t i = leaves.size(); i <= y.place().index; ++i) {
    const Node& node = tape.node(i);
    if (node.pullback == nullptr || node.dtype != float64) continue;
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      if (node.inputs[k] < 0) continue;
      for (const auto& [kind, what] : kinds) {
        if (kind != Kind::other_input) {
          all.push_back({i, k, k, kind});
          continue;
        }
        for (std::uint32_t other = 0; other < node.input_count; ++other) {
          if (other == k || node.inputs[other] < 0) continue;
          if (shape_of(node.inputs[other]) == shape_of(node.inputs[k])) all.push_back({i, k, other, kind});
        }
      }
    }
  }
  return all;
}

inline Tensor noise(const Shape& shape, std::uint64_t stream) {
  Generator generator(17, stream);
  return uniform(shape, generator, 0.5, 1.5, float64);
}

/// What a gradient check could see of such a fault: gradients along some cotangents, or their derivative, or, of
/// forward mode, the tangent.
inline Doubles seen(const Function& f, const std::vector<Tensor>& inputs, Kind kind) {
  Doubles all;
  for (std::uint64_t stream : {1, 2}) {
    Tape tape;
    Variables leaves, tangents;
    for (const Tensor& x : inputs) {
      leaves.push_back(tape.watch(x));
      tangents.push_back(noise(x.shape(), stream + 10 * leaves.size()));
    }
    const Variable y = f(leaves);
    Variables results{y};
    if (kind != Kind::pushed_wrong) {
      const bool twice = kind == Kind::recorded_wrong;
      const Gradients slopes =
          tape.backward(y, {.seed = noise(y.shape(), stream), .retain = true, .create_graph = twice});
      results.clear();
      for (const Variable& x : leaves) results.push_back(slopes.or_zeros(x));
    }
    if (kind == Kind::recorded_wrong || kind == Kind::pushed_wrong)
      results = detail::push_forward(tape, leaves, tangents, results, false);
    for (const Variable& r : results) {
      const Doubles values = doubles(r);
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  return all;
}

/// Whether they are the same but for rounding.
inline bool is_equivalent(const Doubles& a, const Doubles& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return false;
    difference = std::max(difference, std::abs(a[i] - b[i]));
    size = std::max(size, std::abs(a[i]));
  }
  return difference <= 1e-12 * size;
}

}  // namespace mutants
