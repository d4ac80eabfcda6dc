#include <utility>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/tape_impl.hpp>

namespace xgrad {
namespace {

// Which nodes lie between the variables asked for and the result.
std::vector<bool> leading_to(const Tape& tape, const std::vector<Variable>& wrt, std::size_t first,
                             std::size_t last) {
  std::vector<bool> leads(last + 1 - first, false);
  for (const Variable& x : wrt) {
    if (x.place().index <= last) leads[x.place().index - first] = true;
  }
  for (std::size_t i = first; i <= last; ++i) {
    const Node& node = tape.node(i);
    for (std::uint32_t k = 0; k < node.input_count && !leads[i - first]; ++k) {
      const auto input = static_cast<std::size_t>(node.inputs[k]);
      leads[i - first] = node.inputs[k] >= 0 && input >= first && leads[input - first];
    }
  }
  return leads;
}

// The cotangents that have arrived and were not passed on. Few of them live at any one time, however long the tape.
class Cotangents {
 public:
  void reset(std::size_t nodes) {
    live_.clear();
    free_.clear();
    place_.assign(nodes, 0);
  }
  bool has(std::size_t node) const { return place_[node] != 0; }
  Variable& operator[](std::size_t node) { return live_[place_[node] - 1]; }
  void put(std::size_t node, Variable&& value) {
    if (free_.empty()) {
      live_.push_back(std::move(value));
      place_[node] = static_cast<std::uint32_t>(live_.size());
    } else {
      live_[free_.back() - 1] = std::move(value);
      place_[node] = free_.back();
      free_.pop_back();
    }
  }
  void move(std::size_t from, std::size_t to) { place_[to] = std::exchange(place_[from], 0); }
  void drop(std::size_t node) {
    (*this)[node] = Variable();
    free_.push_back(std::exchange(place_[node], 0));
  }
  bool worth_keeping() const { return place_.capacity() <= 1 << 16; }

 private:
  std::vector<std::uint32_t> place_;  // of each node, from 1; 0: none
  std::vector<Variable> live_;
  std::vector<std::uint32_t> free_;
};

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
  detail::TapeImpl& tape = *impl_;
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
  if (options.create_graph && recording() != this) {
    throw GraphError(
        "backward: create_graph needs the tape to be recording; it is paused, or an inner tape records");
  }

  const std::size_t last = result.place().index;
  const bool all = options.wrt.empty();
  // Nothing below the first variable asked for leads to one.
  std::size_t first = all ? 0 : last + 1;
  for (const Variable& x : options.wrt) first = std::min<std::size_t>(first, x.place().index);
  const std::vector<bool> needed = all ? std::vector<bool>() : leading_to(*this, options.wrt, first, last);
  const auto is_needed = [&](std::size_t i) { return all || (i >= first && needed[i - first]); };
  std::vector<bool> asked(all ? 0 : last + 1 - first, false);
  for (const Variable& x : options.wrt) {
    if (x.place().index <= last) asked[x.place().index - first] = true;
  }

  // Kept from pass to pass; taken out while in use, so that a backward pass inside a pullback has its own.
  thread_local Cotangents scratch;
  Cotangents cotangents = std::exchange(scratch, {});
  cotangents.reset(last + 1 - first);
  if (last >= first) cotangents.put(last - first, seed_of(result, options.seed));
  thread_local std::vector<Gradients::Entry> found_scratch;
  std::vector<Gradients::Entry> found = std::exchange(found_scratch, {});  // youngest first
  found.clear();
  const std::size_t size_before = size(), constants_before = tape.constants.size();
  std::optional<Pause> pause;
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
  const auto add = [&](std::size_t input, const Variable& contribution) {
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
  const auto walk = [&] {
    for (std::size_t i = last + 1; i-- > first;) {
      if (!cotangents.has(i - first)) continue;
      Node& node = tape.nodes[i];
      const LeafInfo* info = node.input_count == 0 ? leaf(i) : nullptr;
      if (all ? info != nullptr : asked[i - first]) {
        found.push_back({info == nullptr ? "" : info->given, info == nullptr ? std::nullopt : info->parameter,
                         Place{tape.id, static_cast<std::uint32_t>(i)}, cotangents[i - first]});
      }
      std::uint64_t wanted = 0;              // of joint nodes
      std::uint32_t end = node.input_count;  // behind the last input that leads to what is asked for
      const auto leads = [&](std::uint32_t k) {
        return node.inputs[k] >= 0 && is_needed(static_cast<std::size_t>(node.inputs[k]));
      };
      while (end > 0 && !leads(end - 1)) --end;
      if (end > 0 && node.released) {
        throw GraphError("backward: the tape was walked already and what " + where_of(node) +
                         " saved is gone; pass .retain = true to the first backward to walk it again");
      }
      for (std::uint32_t k = 0; k < end; ++k) {
        if (k + 1 < end && !leads(k)) continue;
        if (node.joint) {
          wanted |= std::uint64_t{1} << k;
        } else if (k + 1 < end) {
          contribute(node, k, node.pullback->pull(cotangents[i - first], k));
        } else {
          contribute_last(node, k, i - first);
        }
      }
      if (wanted != 0) {
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
