// One recorded evaluation with the values of all nodes: what the search for a fault compares.
#pragma once

#include <optional>
#include <vector>
#include <xgrad/autograd/gradcheck_impl.hpp>

namespace xgrad::detail::checking {

/// What a node's pullback gave for input `k`, recorded from its cotangent.
struct PulledInput {
  std::size_t owner = 0;  // the node
  std::uint32_t k = 0;
  std::size_t first = 0, last = 0;  // the nodes that this recorded: [first, last)
  Tensor value;
  bool constant = false;
};

struct Trace {
  Variable result;
  std::size_t nodes = 0;                   // of the function itself
  std::vector<Tensor> values;              // of each node; of one that nothing used an empty tensor
  std::vector<std::vector<Tensor>> given;  // to each node
  std::vector<PulledInput> pulled;         // with order 2
};

/// Evaluates f at x on `tape`. With order 2 it also records every node's pullback, of a cotangent that moves with
/// `shift`.
Trace trace(const Subject& f, const Point& x, Tape& tape, int order, std::uint64_t seed, double shift);

/// The cotangent that node i is tried with.
Tensor cotangent_of(const Node& node, std::size_t i, std::uint64_t seed);

/// What the node's pullback makes of g, for each tracked input, in the input's shape.
std::vector<std::optional<Variable>> pulled_by(const Tape& tape, const Node& node, const Variable& g);

/// What the node makes of a tangent t of its input k, in its result's shape; nothing if it has no push.
std::optional<Variable> pushed_by(const Node& node, std::uint32_t k, const Variable& t);

}  // namespace xgrad::detail::checking
