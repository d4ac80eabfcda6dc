#include <algorithm>
#include <atomic>
#include <mutex>
#include <ostream>
#include <utility>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/tape.hpp>

namespace xgrad {

namespace detail {

constinit thread_local std::uint64_t recording_id = 0;

namespace {

constexpr std::size_t arena_chunk = 64 * 1024;
constexpr std::size_t nodes_per_chunk = 512;
constexpr std::size_t chunks_kept = 64;  // from one tape to the next

// Grows by pooled chunks and never moves what it holds.
template <class T, std::size_t PerChunk>
class ChunkedList {
 public:
  ~ChunkedList() { shrink(0); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return static_cast<T*>(chunks_[i / PerChunk].data())[i % PerChunk]; }
  // Constructed in place.
  template <class... A>
  T& push(A&&... arguments) {
    if (size_ == chunks_.size() * PerChunk) chunks_.emplace_back(PerChunk * sizeof(T));
    T* place = &(*this)[size_];
    new (place) T{std::forward<A>(arguments)...};
    ++size_;
    return *place;
  }
  void shrink(std::size_t size) {
    while (size_ > size) (*this)[--size_].~T();
  }
  void reuse() {
    shrink(0);
    if (chunks_.size() > chunks_kept) chunks_.resize(chunks_kept);
  }

 private:
  std::vector<Storage> chunks_;
  std::size_t size_ = 0;
};

class Arena {
 public:
  void* allocate(std::size_t bytes, std::size_t alignment) {
    std::size_t start = (used_ + alignment - 1) / alignment * alignment;
    if (start + bytes > capacity_) {
      next_chunk(bytes);
      start = 0;
    }
    used_ = start + bytes;
    return data_ + start;
  }
  void reuse() {
    if (chunks_.size() > chunks_kept) chunks_.resize(chunks_kept);
    next_ = used_ = capacity_ = 0;
  }

 private:
  void next_chunk(std::size_t bytes) {
    while (next_ < chunks_.size() && chunks_[next_].bytes() < bytes) ++next_;
    if (next_ == chunks_.size()) chunks_.emplace_back(std::max(bytes, arena_chunk));
    data_ = static_cast<char*>(chunks_[next_].data());
    capacity_ = chunks_[next_++].bytes();
  }

  std::vector<Storage> chunks_;
  std::size_t next_ = 0;  // chunks in use
  char* data_ = nullptr;  // of the last of them
  std::size_t used_ = 0, capacity_ = 0;
};

constinit thread_local Tape* recording_tape = nullptr;
void record_on(Tape* tape) {
  recording_tape = tape;
  recording_id = tape == nullptr ? 0 : tape->id();
}
thread_local Tape::Pause* innermost_pause = nullptr;
thread_local std::vector<Tape*> tapes_here;  // alive, of this thread

// Numbers of all tapes that are alive, to tell a variable of a dead tape (a constant) from one of another
// thread.
std::mutex alive_mutex;
std::vector<std::uint64_t>& alive() {
  static std::vector<std::uint64_t>& ids = *new std::vector<std::uint64_t>;
  return ids;
}
std::uint64_t new_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

struct TapeImpl {
  std::uint64_t id = 0;
  const void* thread = &recording_tape;  // its address differs from thread to thread
  Tape* outer = nullptr;
  ChunkedList<Node, nodes_per_chunk> nodes;
  ChunkedList<ConstantInfo, nodes_per_chunk> constants;
  struct NumberedScope {
    ScopeInfo info;
    std::uint64_t id;
  };
  std::vector<NumberedScope> scopes{{{"", 0}, 0}};  // ids grow: a scope is numbered after those around it
  struct Leaf {
    std::uint32_t index;
    LeafInfo info;
  };
  std::vector<Leaf> leaves;  // by index
  struct Snapshot {
    const void* parameter;
    std::uint32_t index;
    std::uint64_t version;
  };
  std::vector<Snapshot> parameters;  // the newest leaf of each, by address
  Arena arena;

  ~TapeImpl() { release_from(0); }

  // As new, for another tape, with the memory that an ordinary step needs.
  void clear() {
    release_from(0);
    nodes.reuse();
    constants.reuse();
    scopes.resize(1);
    leaves.clear();
    parameters.clear();
    arena.reuse();
  }
  void begin() {
    id = new_id();
    outer = recording_tape;
  }

  void release(Node& node) {
    if (node.pullback == nullptr) return;
    node.pullback->~Pullback();
    node.pullback = nullptr;
    node.released = true;
  }
  void release_from(std::size_t first) {
    for (std::size_t i = nodes.size(); i > first; --i) release(nodes[i - 1]);
  }
  // Takes back what was recorded since the tape had so many nodes and constants.
  void truncate(std::size_t size, std::size_t constant_count) {
    release_from(size);
    nodes.shrink(size);
    constants.shrink(constant_count);
    std::erase_if(leaves, [&](const Leaf& leaf) { return leaf.index >= size; });
    std::erase_if(parameters, [&](const Snapshot& entry) { return entry.index >= size; });
  }

  std::uint32_t scope_number(const Scope* scope) {
    while (scope != nullptr && !is_numbered(*scope)) {
      const Scope* next = scope;  // the outermost that has no number yet
      while (next->parent() != nullptr && !is_numbered(*next->parent())) next = next->parent();
      scopes.push_back({{next->name(), next->parent() == nullptr ? 0 : next->parent()->number_}, next->id_});
      next->tape_ = id;
      next->number_ = static_cast<std::uint32_t>(scopes.size() - 1);
    }
    return scope == nullptr ? 0 : scope->number_;
  }
  // Looked up anew when another tape has numbered the scope in between.
  bool is_numbered(const Scope& scope) const {
    if (scope.tape_ == id) return true;
    const auto found =
        std::lower_bound(scopes.begin(), scopes.end(), scope.id_,
                         [](const NumberedScope& own, std::uint64_t wanted) { return own.id < wanted; });
    if (found == scopes.end() || found->id != scope.id_) return false;
    scope.tape_ = id;
    scope.number_ = static_cast<std::uint32_t>(found - scopes.begin());
    return true;
  }

  Variable add_leaf(const char* op, Tensor value, LeafInfo info) {
    const auto index = static_cast<std::uint32_t>(nodes.size());
    Node node;
    node.op = op;
    node.dtype = value.dtype();
    node.shape = value.shape();
    node.where = At::or_else(std::source_location::current());
    leaves.push_back({index, std::move(info)});
    try {
      nodes.push(std::move(node));
    } catch (...) {
      leaves.pop_back();
      throw;
    }
    return Variable(std::move(value), Place{id, index});
  }

  Variable snapshot(const Parameter& parameter) {
    // The tape notes the version and holds no value, so that an update after the backward pass can write in
    // place.
    auto place = std::lower_bound(
        parameters.begin(), parameters.end(), parameter.id(),
        [](const Snapshot& own, const void* wanted) { return std::less<>()(own.parameter, wanted); });
    if (place == parameters.end() || place->parameter != parameter.id()) {
      place = parameters.insert(place, Snapshot{parameter.id(), 0, ~parameter.version()});
    }
    if (place->version != parameter.version()) {
      const Variable leaf = add_leaf("parameter", parameter.value(), {"", parameter});
      *place = {parameter.id(), leaf.place().index, parameter.version()};
    }
    return Variable(parameter.value(), Place{id, place->index});
  }

  static TapeImpl& of(Tape& tape) { return *tape.impl_; }

  // One is kept for the next tape of the thread, so that a step allocates nothing.
  static std::unique_ptr<TapeImpl> take();
  static void keep(std::unique_ptr<TapeImpl> impl);
};

namespace {
// Trivially destructible, so still readable while the thread ends.
thread_local bool spare_gone = false;
struct Spare {
  std::unique_ptr<TapeImpl> impl;
  ~Spare() { spare_gone = true; }
};
thread_local Spare spare;
}  // namespace

std::unique_ptr<TapeImpl> TapeImpl::take() {
  return !spare_gone && spare.impl != nullptr ? std::move(spare.impl) : std::make_unique<TapeImpl>();
}
void TapeImpl::keep(std::unique_ptr<TapeImpl> impl) {
  impl->clear();
  if (!spare_gone && spare.impl == nullptr) spare.impl = std::move(impl);
}

bool is_foreign(const Variable& x, const Call* call) {
  const std::uint64_t id = x.place().tape;
  const auto refuse = [&](const char* what, const char* hint) {
    const Call unnamed("grad", std::source_location());
    (call != nullptr ? *call : unnamed).fail<GraphError>(what, hint);
  };
  for (const Tape* here : tapes_here) {
    if (here->id() != id) continue;
    refuse("a variable of an outer tape is used while an inner tape records",
           "use stop_gradient(x) to take its value as a constant");
  }
  std::lock_guard lock(alive_mutex);
  if (std::find(alive().begin(), alive().end(), id) != alive().end()) {
    refuse("a variable of another thread's tape is used",
           "pass its value(), or record this part on that thread");
  }
  return true;  // its tape is gone: a constant
}

std::string name_of(const Variable& x) {
  for (const Tape* tape : tapes_here) {
    if (tape->id() != x.place().tape) continue;
    const LeafInfo* leaf = tape->leaf(x.place().index);
    return leaf == nullptr ? "" : leaf->name();
  }
  return "";
}

void* arena_allocate(std::size_t bytes, std::size_t alignment) {
  return TapeImpl::of(*recording_tape).arena.allocate(bytes, alignment);
}

Place next_place() { return {recording_tape->id(), static_cast<std::uint32_t>(recording_tape->size())}; }

void append(const char* op, std::source_location where, const Shape& shape, DType dtype,
            std::span<const Variable* const> inputs, const Pullback* pullback, bool joint) {
  TapeImpl& tape = TapeImpl::of(*recording_tape);
  if (tape.nodes.size() >= (std::size_t{1} << 31) - 1)
    throw GraphError("a tape holds at most 2^31 - 1 nodes");
  auto* indices = static_cast<std::int32_t*>(
      tape.arena.allocate(inputs.size() * sizeof(std::int32_t), alignof(std::int32_t)));
  const std::size_t constants = tape.constants.size();
  try {
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const Variable& x = *inputs[k];
      if (x.place().tape == tape.id) {
        indices[k] = static_cast<std::int32_t>(x.place().index);
      } else {
        const bool shown = x.size() == 1 && is_fixed(x.value());
        tape.constants.push(x.shape(), x.dtype(), shown ? x.item() : 0);
        indices[k] = ~static_cast<std::int32_t>(tape.constants.size() - 1);
      }
    }
    tape.nodes.push(op, pullback, indices, static_cast<std::uint32_t>(inputs.size()),
                    tape.scope_number(Scope::current()), dtype, false, joint, At::or_else(where), shape);
  } catch (...) {
    tape.constants.shrink(constants);
    throw;
  }
}

}  // namespace detail

Variable detail::Pullback::pull(const Variable&, std::size_t) const {
  throw GraphError("a pullback has neither pull nor pull_all");
}
void detail::Pullback::pull_all(const Variable& cotangent, std::uint64_t wanted,
                                Variable* contributions) const {
  for (std::size_t k = 0; wanted >> k != 0; ++k) {
    if ((wanted >> k & 1) != 0) contributions[k] = pull(cotangent, k);
  }
}

Tape::Tape() : impl_(detail::TapeImpl::take()) {
  impl_->begin();
  detail::tapes_here.push_back(this);
  try {
    std::lock_guard lock(detail::alive_mutex);
    detail::alive().push_back(impl_->id);
  } catch (...) {
    detail::tapes_here.pop_back();
    throw;
  }
  detail::record_on(this);
}

Tape::~Tape() {
  {
    std::lock_guard lock(detail::alive_mutex);
    std::erase(detail::alive(), impl_->id);
  }
  std::erase(detail::tapes_here, this);
  for (Tape* inner : detail::tapes_here) {
    if (inner->impl_->outer == this) inner->impl_->outer = impl_->outer;
  }
  for (Pause* pause = detail::innermost_pause; pause != nullptr; pause = pause->outer_) {
    if (pause->resumes_ == this) pause->resumes_ = impl_->outer;
  }
  if (detail::recording_tape == this) detail::record_on(impl_->outer);
  if (impl_->thread == &detail::recording_tape) detail::TapeImpl::keep(std::move(impl_));
}

Tape::Pause::Pause()
    : resumes_(detail::recording_tape), outer_(std::exchange(detail::innermost_pause, this)) {
  detail::record_on(nullptr);
}
Tape::Pause::~Pause() {
  detail::record_on(resumes_);
  detail::innermost_pause = outer_;
}

Tape* Tape::recording() { return detail::recording_tape; }
std::size_t Tape::size() const { return impl_->nodes.size(); }
const Node& Tape::node(std::size_t index) const { return impl_->nodes[index]; }
const ConstantInfo& Tape::constant(std::size_t index) const { return impl_->constants[index]; }
const LeafInfo* Tape::leaf(std::size_t index) const {
  const auto& leaves = impl_->leaves;
  const auto found = std::lower_bound(leaves.begin(), leaves.end(), index,
                                      [](const auto& own, std::size_t wanted) { return own.index < wanted; });
  return found == leaves.end() || found->index != index ? nullptr : &found->info;
}
const ScopeInfo& Tape::scope(std::size_t index) const { return impl_->scopes[index].info; }
std::size_t Tape::scope_count() const { return impl_->scopes.size(); }
std::uint64_t Tape::id() const { return impl_->id; }

Variable::Variable(const Parameter& parameter) {
  Tape* tape = Tape::recording();
  *this = tape == nullptr ? Variable(parameter.value()) : detail::TapeImpl::of(*tape).snapshot(parameter);
}

std::ostream& operator<<(std::ostream& out, const Variable& variable) { return out << variable.value(); }

Variable Tape::watch(Tensor value, std::string name) {
  if (impl_->thread != &detail::recording_tape) {
    throw GraphError("watch: the tape belongs to another thread; make a tape of its own for this one");
  }
  if (!is_floating(value.dtype())) {
    throw DTypeError("watch: only float32 and float64 have derivatives, not " +
                     std::string(xgrad::name(value.dtype())) + "; convert the value with astype(float32)");
  }
  return impl_->add_leaf("input", std::move(value), {std::move(name), std::nullopt});
}

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

// Becomes what f returns, in place.
template <class F>
struct Made {
  F f;
  operator Variable() const { return f(); }
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
  thread_local std::vector<std::optional<Variable>> scratch;
  std::vector<std::optional<Variable>> cotangents = std::exchange(scratch, {});
  cotangents.clear();
  cotangents.resize(last + 1 - first);
  if (last >= first) cotangents[last - first] = seed_of(result, options.seed);
  thread_local std::vector<Gradients::Entry> found_scratch;
  std::vector<Gradients::Entry> found = std::exchange(found_scratch, {});  // youngest first
  found.clear();
  const std::size_t size_before = size(), constants_before = tape.constants.size();
  std::optional<Pause> pause;
  if (!options.create_graph) pause.emplace();
  const detail::At at(tape.nodes[last].where);

  // Adds what a node pulled back to the cotangent of its input k: broadcasting is undone here.
  const auto contribute = [&](const Node& node, std::uint32_t k, const auto& pulled) {
    const auto input = static_cast<std::size_t>(node.inputs[k]);
    const Node& target = tape.nodes[input];
    const auto fits = [&](const Variable& x) {
      return x.dtype() == target.dtype && x.shape() == target.shape;
    };
    std::optional<Variable>& slot = cotangents[input - first];
    std::optional<Variable> other;
    const bool is_first = !slot;
    std::optional<Variable>& contribution = is_first ? slot : other;
    contribution.emplace(Made<decltype(pulled)>{pulled});
    if (!fits(*contribution)) {
      if (broadcasts_to(target.shape, contribution->shape())) {
        contribution = detail::sum_to(*contribution, target.shape);
      }
      if (!fits(*contribution)) {
        throw GraphError("backward: " + where_of(node) + " pulled back " + to_string(contribution->shape()) +
                         " " + name(contribution->dtype()) + " for an input " + to_string(target.shape) +
                         " " + name(target.dtype));
      }
    }
    if (!is_first) slot = detail::accumulate(*std::exchange(slot, std::nullopt), *other);
  };
  const auto walk = [&] {
    for (std::size_t i = last + 1; i-- > first;) {
      std::optional<Variable>& slot = cotangents[i - first];
      if (!slot) continue;
      Node& node = tape.nodes[i];
      const Variable cotangent = *std::move(slot);
      slot.reset();
      const LeafInfo* info = node.input_count == 0 ? leaf(i) : nullptr;
      if (all ? info != nullptr : asked[i - first]) {
        found.push_back({info == nullptr ? "" : info->given, info == nullptr ? std::nullopt : info->parameter,
                         Place{tape.id, static_cast<std::uint32_t>(i)}, cotangent});
      }
      if (info != nullptr) continue;
      std::uint64_t wanted = 0;  // of joint nodes
      bool leads = false;
      for (std::uint32_t k = 0; k < node.input_count; ++k) {
        if (node.inputs[k] < 0 || !is_needed(static_cast<std::size_t>(node.inputs[k]))) continue;
        if (node.released) {
          throw GraphError("backward: the tape was walked already and what " + where_of(node) +
                           " saved is gone; pass .retain = true to the first backward to walk it again");
        }
        leads = true;
        if (node.joint) {
          wanted |= std::uint64_t{1} << k;
        } else {
          contribute(node, k, [&] { return node.pullback->pull(cotangent, k); });
        }
      }
      if (wanted != 0) {
        Variable contributions[detail::joint_inputs];
        node.pullback->pull_all(cotangent, wanted, contributions);
        for (std::uint32_t k = 0; wanted >> k != 0; ++k) {
          if ((wanted >> k & 1) != 0) contribute(node, k, [&] { return std::move(contributions[k]); });
        }
      }
      if (leads && !options.retain && !options.create_graph) tape.release(node);
    }
  };
  try {
    walk();
  } catch (...) {
    tape.truncate(size_before, constants_before);
    throw;
  }

  cotangents.clear();
  constexpr std::size_t worth_keeping = 1 << 16;
  if (cotangents.capacity() <= worth_keeping) scratch = std::move(cotangents);
  Gradients gradients = Gradients::reusing();
  for (std::size_t i = found.size(); i-- > 0;) gradients.add(std::move(found[i]));
  found.clear();
  if (found.capacity() <= worth_keeping) found_scratch = std::move(found);
  return gradients;
}

}  // namespace xgrad
