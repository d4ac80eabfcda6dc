// What a tape holds. For the two halves of its code: recording (tape.cpp) and the reverse pass (backward.cpp).
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>
#include <xgrad/autograd/tape.hpp>

namespace xgrad::detail {

extern constinit thread_local Tape* recording_tape;
std::uint64_t new_id();
/// From here on `tape` records on this thread; nullptr: none does.
void record_on(Tape* tape);
/// The tape of this number, if it is alive and of this thread; nullptr otherwise.
Tape* alive_here(std::uint64_t id);

constexpr std::size_t arena_chunk = 64 * 1024;
constexpr std::size_t nodes_per_chunk = 512;
constexpr std::size_t chunks_kept = 64;  // from one tape to the next

// Grows by pooled chunks and never moves what it holds.
template <class T, std::size_t PerChunk>
class ChunkedList {
 public:
  ~ChunkedList() { shrink(0); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return start(i / PerChunk)[i % PerChunk]; }
  // Constructed in place.
  template <class... A>
  T& push(A&&... arguments) {
    if (size_ % PerChunk == 0) enter(size_ / PerChunk);
    new (top_) T{std::forward<A>(arguments)...};
    ++size_;
    return *top_++;
  }
  void shrink(std::size_t size) {
    while (size_ > size) {
      T* chunk = start((size_ - 1) / PerChunk);
      const std::size_t below = (size_ - 1) / PerChunk * PerChunk, stop = size > below ? size : below;
      for (top_ = chunk + (size_ - below); size_ > stop; --size_) (--top_)->~T();
    }
  }
  void reuse() {
    shrink(0);
    if (chunks_.size() > chunks_kept) chunks_.resize(chunks_kept);
  }

 private:
  T* start(std::size_t chunk) const { return static_cast<T*>(chunks_[chunk].data()); }
  void enter(std::size_t chunk) {
    if (chunk == chunks_.size()) chunks_.emplace_back(PerChunk * sizeof(T));
    top_ = start(chunk);
  }

  std::vector<Storage> chunks_;
  std::size_t size_ = 0;
  T* top_ = nullptr;  // where the next one goes, unless a chunk is full
};

class Arena {
 public:
  void* allocate(std::size_t bytes, std::size_t alignment) {
    std::size_t start = (used_ + alignment - 1) & -alignment;  // a power of two
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

// What a walk carries from node to node: the cotangents, or tangents, that have arrived and were not passed on. Few of
// them live at any one time, however long the tape.
class Carried {
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
  // Of a tape that borrows: variables of other tapes of this thread are leaves of this one, and parameters are taken
  // from the tape around it.
  struct Borrowed {
    Variable lent;
    std::uint32_t index;
  };
  bool borrows = false;
  std::vector<Borrowed> borrowed;  // by place
  /// What parameters are while something is computed again: their values then, and leaves of then.
  struct Held {
    const void* parameter;
    Variable leaf;
  };
  const std::vector<Held>* held = nullptr;
  std::vector<Held>* asked = nullptr;  // of a tape that borrows: where to note the parameters it took
  Arena arena;
  // Of each node the values it was given, for a gradient check that asks for them.
  std::vector<std::vector<Tensor>>* given = nullptr;

  ~TapeImpl() { release_from(0); }

  // As new, for another tape, with the memory that an ordinary step needs.
  void clear() {
    release_from(0);
    nodes.reuse();
    constants.reuse();
    scopes.resize(1);
    leaves.clear();
    parameters.clear();
    borrows = false;
    borrowed.clear();
    held = nullptr;
    asked = nullptr;
    arena.reuse();
    given = nullptr;
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
    std::erase_if(borrowed, [&](const Borrowed& entry) { return entry.index >= size; });
    note_size();
  }
  // Where this tape records, the next node's place.
  void note_size() const {
    if (next_place.tape == id) next_place.index = static_cast<std::uint32_t>(nodes.size());
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
    note_size();
    return Variable(std::move(value), Place{id, index});
  }

  // The leaf that stands for a variable of another tape, or nullptr.
  const Borrowed* find_borrowed(Place place) const {
    const auto found = place_of(place);
    const bool same = found != borrowed.end() && found->lent.place().tape == place.tape &&
                      found->lent.place().index == place.index;
    return same ? &*found : nullptr;
  }
  void borrow(const Variable& x) {
    if (find_borrowed(x.place()) != nullptr) return;
    const Variable leaf = add_leaf("input", x.value(), {name_of(x), std::nullopt});
    borrowed.insert(place_of(x.place()), Borrowed{x, leaf.place().index});
  }
  std::vector<Borrowed>::const_iterator place_of(Place place) const {
    return std::lower_bound(borrowed.begin(), borrowed.end(), place, [](const Borrowed& own, Place wanted) {
      const Place p = own.lent.place();
      return p.tape != wanted.tape ? p.tape < wanted.tape : p.index < wanted.index;
    });
  }

  Variable snapshot(const Parameter& parameter) {
    if (held != nullptr) [[unlikely]] {
      for (const Held& entry : *held) {
        if (entry.parameter == parameter.id()) return entry.leaf;
      }
    }
    if (borrows) [[unlikely]] {
      Variable leaf = outer == nullptr ? Variable(parameter.value()) : of(*outer).snapshot(parameter);
      if (asked != nullptr) asked->push_back({parameter.id(), leaf});
      return leaf;
    }
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
  /// Tape::backward through the nodes from `above` on alone: what stands below counts as independent.
  static Gradients backward(Tape& tape, const Variable& result, const BackwardOptions& options,
                            std::size_t above);

  // One is kept for the next tape of the thread, so that a step allocates nothing.
  static std::unique_ptr<TapeImpl> take();
  static void keep(std::unique_ptr<TapeImpl> impl);
};

}  // namespace xgrad::detail
