#include <utility>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/tape_impl.hpp>

namespace xgrad {
namespace {

// Which nodes lie between the variables asked for and the result; of those below `above`, the variables alone.
std::vector<bool> leading_to(const Tape& tape, const std::vector<Variable>& wrt, std::size_t first,
                             std::size_t last, std::size_t above) {
  std::vector<bool> leads(last + 1 - first, false);
  for (const Variable& x : wrt) {
    if (x.place().index <= last) leads[x.place().index - first] = true;
  }
  for (std::size_t i = std::max(first, above); i <= last; ++i) {
    const Node& node = tape.node(i);
    for (std::uint32_t k = 0; k < node.input_count && !leads[i - first]; ++k) {
      const auto input = static_cast<std::size_t>(node.inputs[k]);
      leads[i - first] = node.inputs[k] >= 0 && input >= first && leads[input - first];
    }
  }
  return leads;
}

std::string where_of(const Node& node) {
  return std::string(node.op) + " (at " + detail::to_string(node.where) + ")";
}

Variable seed_of(const Variable& result, const std::optional<Variable>& given) {
  if (!given) {
    if (result.size() != 1) {
      throw GraphError("backward: the result " + to_string(result.shape()) +
                       " has more than one element; reduce it with sum or mean, or pass a seed of its shape");
    }
    return Variable(ones(result.shape(), result.dtype()));
  }
  if (given->shape() != result.shape()) {
    throw ShapeError("backward: the seed's shape differs from the result's: " + to_string(given->shape()) +
                     " and " + to_string(result.shape()));
  }
  if (given->dtype() != result.dtype()) {
    throw DTypeError(std::string("backward: the seed's dtype differs from the result's: ") +
                     name(given->dtype()) + " and " + name(result.dtype()));
  }
  return *given;
}

}  // namespace

Gradients Tape::backward(const Variable& result, const BackwardOptions& options) {
  return detail::TapeImpl::backward(*this, result, options, 0);
}

Gradients detail::TapeImpl::backward(Tape& recorded, const Variable& result, const BackwardOptions& options,
                                     std::size_t above) {
  TapeImpl& tape = of(recorded);
  if (tape.thread != &detail::recording_tape) {
    throw GraphError(
        "backward: the tape belongs to another thread; differentiate on the thread that recorded");
  }
  if (result.is_constant()) {
    throw GraphError(
        "backward: the result depends on no parameter and no watched variable of a recording tape; was it "
        "computed before "
        "the tape began, while it was paused, or behind stop_gradient?");
  }
  if (result.place().tape != tape.id) throw GraphError("backward: the result was recorded on another tape");
  for (const Variable& x : options.wrt) {
    if (x.place().tape != tape.id) throw GraphError("backward: a variable in wrt is not of this tape");
  }
  if (options.create_graph && Tape::recording() != &recorded) {
    throw GraphError(
        "backward: create_graph needs the tape to be recording; it is paused, or an inner tape records");
  }

  const std::size_t last = result.place().index;
  const bool all = options.wrt.empty();
  // Nothing below the first variable asked for leads to one.
  std::size_t first = all ? 0 : last + 1;
  for (const Variable& x : options.wrt) first = std::min<std::size_t>(first, x.place().index);
  const std::vector<bool> needed =
      all ? std::vector<bool>() : leading_to(recorded, options.wrt, first, last, above);
  const auto is_needed = [&](std::size_t i) { return all || (i >= first && needed[i - first]); };
  std::vector<bool> asked(all ? 0 : last + 1 - first, false);
  for (const Variable& x : options.wrt) {
    if (x.place().index <= last) asked[x.place().index - first] = true;
  }

  // Kept from pass to pass; taken out while in use, so that a backward pass inside a pullback has its own.
  thread_local detail::Carried scratch;
  detail::Carried cotangents = std::exchange(scratch, {});
  cotangents.reset(last + 1 - first);
  if (last >= first) cotangents.put(last - first, seed_of(result, options.seed));
  thread_local std::vector<Gradients::Entry> found_scratch;
  std::vector<Gradients::Entry> found = std::exchange(found_scratch, {});  // youngest first
  found.clear();
  const std::size_t size_before = tape.nodes.size(), constants_before = tape.constants.size();
  std::optional<Tape::Pause> pause;
  if (!options.create_graph) pause.emplace();
  const detail::At at(tape.nodes[last].where);

  // What a node pulled back for its input k has the input's shape from here on: broadcasting is undone.
  const auto fit = [&](const Node& node, std::uint32_t k, Variable& x) {
    const Node& target = tape.nodes[static_cast<std::size_t>(node.inputs[k])];
    const auto fits = [&] { return x.dtype() == target.dtype && x.shape() == target.shape; };
    if (fits()) [[likely]]
      return;
    if (broadcasts_to(target.shape, x.shape())) x = detail::sum_to(x, target.shape);
    if (fits()) return;
    throw GraphError("backward: " + where_of(node) + " pulled back " + to_string(x.shape()) + " " +
                     name(x.dtype()) + " for an input " + to_string(target.shape) + " " + name(target.dtype));
  };
  // A large cotangent may stay narrow, as the one number that a sum spreads over its input, for as long as the nodes
  // pass it on: written out, it would be read and written once more by each of them.
  bool any_narrow = false;
  const auto widen = [&](std::size_t i) __attribute__((noinline)) {
    if (!any_narrow) return;
    Variable& x = cotangents[i];
    const Shape& shape = tape.nodes[first + i].shape;
    if (x.shape() != shape) x = detail::broadcast_to(x, shape);
  };
  const auto add = [&](std::size_t input, const Variable& contribution) {
    widen(input);
    Variable& sum = cotangents[input];
    sum = detail::accumulate(std::exchange(sum, Variable()), contribution);
  };
  const auto contribute = [&](const Node& node, std::uint32_t k, Variable contribution) {
    const auto input = static_cast<std::size_t>(node.inputs[k]) - first;
    fit(node, k, contribution);
    if (cotangents.has(input)) {
      add(input, contribution);
    } else {
      cotangents.put(input, std::move(contribution));
    }
  };
  // The same for the node's last input: the cotangent itself becomes the contribution.
  const auto contribute_last = [&](const Node& node, std::uint32_t k, std::size_t i) {
    const auto input = static_cast<std::size_t>(node.inputs[k]) - first;
    Variable& cotangent = cotangents[i];
    node.pullback->pull_last(cotangent, k);
    fit(node, k, cotangent);
    if (cotangents.has(input)) {
      add(input, cotangent);
    } else {
      cotangents.move(i, input);
    }
  };
  const auto is_narrow = [&](const Node& node, std::size_t i) {
    return any_narrow && cotangents[i].shape() != node.shape;
  };
  const auto spreads = [&](const Node& node) {
    constexpr std::int64_t large = 1 << 14;
    if (node.input_count != 1 || node.inputs[0] < 0 || options.create_graph) return false;
    const Shape& target = tape.nodes[static_cast<std::size_t>(node.inputs[0])].shape;
    return target != node.shape && target.size() >= large && target.size() > node.shape.size();
  };
  // For nodes that spread, and for narrow cotangents. Whether the class has a form for them; if not, the cotangent is
  // whole now.
  const auto contribute_narrow = [&](const Node& node, std::uint32_t k, std::size_t i)
      __attribute__((noinline)) {
    const bool wider = spreads(node);
    if (wider) widen(i);
    std::optional<Variable> x = node.pullback->pull_narrow(cotangents[i], k, node.shape);
    if (!x) {
      widen(i);
      return false;
    }
    const auto input = static_cast<std::size_t>(node.inputs[k]) - first;
    const Shape& target = tape.nodes[first + input].shape;
    const Shape& whole = wider ? target : node.shape;
    if (x->shape() == whole || whole != target || cotangents.has(input)) {
      contribute(node, k, detail::broadcast_to(*x, whole));
    } else {
      any_narrow = true;
      cotangents.put(input, std::move(*x));
    }
    return true;
  };
  const auto walk = [&] {
    for (std::size_t i = last + 1; i-- > first;) {
      if (!cotangents.has(i - first)) continue;
      Node& node = tape.nodes[i];
      const LeafInfo* info = node.input_count == 0 ? recorded.leaf(i) : nullptr;
      if (all ? info != nullptr : asked[i - first]) {
        widen(i - first);
        found.push_back({info == nullptr ? "" : info->given, info == nullptr ? std::nullopt : info->parameter,
                         Place{tape.id, static_cast<std::uint32_t>(i)}, cotangents[i - first]});
      }
      std::uint64_t wanted = 0;              // of joint nodes
      std::uint32_t end = node.input_count;  // behind the last input that leads to what is asked for
      const auto leads = [&](std::uint32_t k) {
        return node.inputs[k] >= 0 && is_needed(static_cast<std::size_t>(node.inputs[k]));
      };
      if (i < above) end = 0;
      while (end > 0 && !leads(end - 1)) --end;
      if (end > 0 && node.released) {
        throw GraphError("backward: the tape was walked already and what " + where_of(node) +
                         " saved is gone; pass .retain = true to the first backward to walk it again");
      }
      const bool narrow = end > 0 && (is_narrow(node, i - first) || spreads(node));
      for (std::uint32_t k = 0; k < end; ++k) {
        if (k + 1 < end && !leads(k)) continue;
        if (node.joint) {
          wanted |= std::uint64_t{1} << k;
        } else if (narrow && contribute_narrow(node, k, i - first)) {
          continue;
        } else if (k + 1 < end) {
          contribute(node, k, node.pullback->pull(cotangents[i - first], k));
        } else {
          contribute_last(node, k, i - first);
        }
      }
      if (wanted != 0) {
        widen(i - first);
        Variable contributions[detail::joint_inputs];
        node.pullback->pull_all(cotangents[i - first], wanted, contributions);
        for (std::uint32_t k = 0; wanted >> k != 0; ++k) {
          if ((wanted >> k & 1) != 0) contribute(node, k, std::move(contributions[k]));
        }
      }
      if (cotangents.has(i - first)) cotangents.drop(i - first);
      if (end > 0 && !options.retain && !options.create_graph) tape.release(node);
    }
  };
  try {
    walk();
  } catch (...) {
    tape.truncate(size_before, constants_before);
    throw;
  }

  if (cotangents.worth_keeping()) scratch = std::move(cotangents);
  Gradients gradients = Gradients::reusing();
  for (std::size_t i = found.size(); i-- > 0;) gradients.add(std::move(found[i]));
  found.clear();
  constexpr std::size_t worth_keeping = 1 << 16;
  if (found.capacity() <= worth_keeping) found_scratch = std::move(found);
  return gradients;
}

}  // namespace xgrad
