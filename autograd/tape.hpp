// Tape: the list of operations in the order in which they were recorded (the Wengert list), and the reverse
// pass over it.
//
// Thread safety: a tape belongs to the thread that made it; using it from another one is a GraphError. Any
// number of threads may record tapes of their own over the same Parameters and Tensors.
//
// Invariants:
//   (1) values never change;
//   (2) an input's index is smaller than its node's;
//   (3) nothing recorded owns anything younger: there are no cycles;
//   (4) a cotangent has the shape and dtype of its node: broadcasting is undone in the reverse loop, in one place;
//   (5) no recursion anywhere: a chain of 10^6 nodes records, differentiates, draws and dies on a 256 KiB stack;
//   (6) an operation that throws leaves the tape as it was, but perhaps for the leaf of a parameter it was given.
#pragma once

#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <vector>
#include <xgrad/autograd/gradients.hpp>
#include <xgrad/autograd/parameter.hpp>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/autograd/variable.hpp>

namespace xgrad {

namespace detail {

/// The derivative of one node: for each input the cotangent that the node's own cotangent contributes. Lives
/// in the tape's arena and keeps only what its formulas need.
class Pullback {
 public:
  virtual ~Pullback() = default;
  /// The contribution to input `k`; it may still have the broadcast shape. Called for tracked inputs only.
  virtual Variable pull(const Variable& cotangent, std::size_t k) const;
  /// The same for the last input of a walk: it turns the cotangent into the contribution, which may overwrite it.
  virtual void pull_last(Variable& cotangent, std::size_t k) const { cotangent = pull(cotangent, k); }
  /// The same for a narrow cotangent, one that only broadcasts to the shape `output` of the result, as something that
  /// broadcasts to the contribution; of a class that spreads its cotangent over a larger input, as a sum does, what it
  /// spreads. Nothing: the class needs whole cotangents.
  virtual std::optional<Variable> pull_narrow(const Variable& cotangent, std::size_t k,
                                              const Shape& output) const;
  /// The contributions to all inputs k whose bit in `wanted` is set, for formulas that share work between them:
  /// called instead of pull() if the class says `static constexpr bool joint = true`. At most joint_inputs of them.
  virtual void pull_all(const Variable& cotangent, std::uint64_t wanted, Variable* contributions) const;
  /// Forward mode: what a tangent of input `k` contributes to the tangent of the result, which has the shape
  /// `output`. It may have any shape that broadcasts to it. Nothing: the class has no such formula.
  virtual std::optional<Variable> push(const Variable& tangent, std::size_t k, const Shape& output) const;
};

inline constexpr std::size_t joint_inputs = 8;
template <class P>
inline constexpr bool is_joint = requires {
  P::joint;
};

struct TapeImpl;

}  // namespace detail

/// A constant that a node used: kept for diagrams and listings only.
struct ConstantInfo {
  Shape shape;
  DType dtype = float32;
  double value = 0;  ///< of a constant with one element
};

/// One operation, or a leaf.
struct Node {
  const char* op = "";                         ///< "matmul"; "parameter" and "input" for leaves
  const detail::Pullback* pullback = nullptr;  ///< none: a leaf, or released
  const std::int32_t* inputs = nullptr;        ///< indices of nodes; ~i is constant i
  std::uint32_t input_count = 0;
  std::uint32_t scope = 0;  ///< an index into Tape::scope
  DType dtype = float32;
  bool released = false;
  bool joint = false;  ///< its pullback gives all contributions at once
  std::source_location where;
  Shape shape;
};

/// What a leaf is.
struct LeafInfo {
  std::string given;                   ///< name of a watched input
  std::optional<Parameter> parameter;  ///< absent for a watched input
  const std::string& name() const { return parameter ? parameter->name() : given; }
};

struct ScopeInfo {
  std::string name;
  std::uint32_t parent;  ///< scope 0 is the outside
};

struct BackwardOptions {
  /// The cotangent of the result, of its shape and dtype. May be left out if the result has one element: 1.
  std::optional<Variable> seed = std::nullopt;
  /// Keep what the nodes saved, so that the tape can be walked again.
  bool retain = false;
  /// Record the gradients' own computation on this tape, so that they can be differentiated. Implies retain.
  bool create_graph = false;
  /// Differentiate with respect to these variables of the tape only (leaves or not). Empty: with respect to
  /// all leaves.
  std::vector<Variable> wrt = {};
};

/// Records from construction to destruction on the thread that made it; of several, the innermost records.
/// Where no tape records, operations compute and remember nothing.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// A leaf for a value whose gradient is wanted. Throws DTypeError unless it is float32 or float64.
  Variable watch(Tensor value, std::string name = {});

  /// The gradient of `result` with respect to every leaf it depends on: the chain rule, from the result down.
  ///
  /// What the nodes saved is released as the walk passes them, unless `retain`. Throws GraphError if the
  /// result is a constant, is not of this tape, has more than one element and no seed is given, or if the
  /// tape was walked already and not retained; ShapeError or DTypeError if the seed does not fit. Gradients
  /// are returned whole or not at all; a walk that throws has released what it passed, unless `retain`.
  Gradients backward(const Variable& result, const BackwardOptions& options = {});

  /// While it lives, nothing is recorded on this thread.
  class Pause {
   public:
    Pause();
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    friend class Tape;
    Tape* resumes_;  // never dead: a tape that dies puts the one around it here
    Pause* outer_;
  };

  /// The tape that records on this thread now, or nullptr.
  static Tape* recording();

  // For drawing, listing and tests.

  std::size_t size() const;
  const Node& node(std::size_t index) const;
  const ConstantInfo& constant(std::size_t index) const;
  /// Of a leaf's index; nullptr if that node is not a leaf.
  const LeafInfo* leaf(std::size_t index) const;
  const ScopeInfo& scope(std::size_t index) const;
  std::size_t scope_count() const;
  std::uint64_t id() const;

 private:
  friend struct detail::TapeImpl;
  friend class Variable;
  std::unique_ptr<detail::TapeImpl> impl_;
};

/// One line for each node: index, op and inputs, shape, source line, scope.
///
///   3: add(2, b)    (1, 209)    train.cpp:31    layer1
std::string to_text(const Tape& tape);

namespace detail {

struct Call;

/// The place that the next node recorded on this thread will have; tape 0: nothing records.
extern constinit thread_local Place next_place;

/// Of a variable with a place on another tape: true if that tape is gone. Throws GraphError, naming the call
/// if there is one, if it is alive.
bool is_foreign(const Variable& x, const Call* call);

/// Whether the tape that records now must record an operation on x. Throws as is_foreign.
inline bool tracked(const Variable& x, const Call* call = nullptr) {
  const std::uint64_t id = x.place().tape;
  if (id == 0 || next_place.tape == 0) return false;
  return id == next_place.tape || !is_foreign(x, call);
}

/// The name of a leaf of a tape on this thread, or "".
std::string name_of(const Variable& x);

/// Memory in the arena of the tape that is recording.
void* arena_allocate(std::size_t bytes, std::size_t alignment);

/// Appends a node to the tape that is recording; `pullback` was constructed in its arena, and behind it is room for
/// the inputs' indices. Inputs that are not tracked are noted as constants.
void append(const char* op, std::source_location where, const Shape& shape, DType dtype,
            std::span<const Variable* const> inputs, const Pullback* pullback, std::int32_t* indices,
            bool joint);

/// Constructs a Pullback in the arena and appends its node. `P` is constructed from `arguments`.
template <class P, class... A>
P& record(const char* op, std::source_location where, const Variable& output,
          std::span<const Variable* const> inputs, A&&... arguments) {
  static_assert(sizeof(P) % alignof(std::int32_t) == 0);
  void* place = arena_allocate(sizeof(P) + inputs.size() * sizeof(std::int32_t), alignof(P));
  auto* pullback = new (place) P(std::forward<A>(arguments)...);
  try {
    append(op, where, output.shape(), output.dtype(), inputs, pullback,
           reinterpret_cast<std::int32_t*>(static_cast<char*>(place) + sizeof(P)), is_joint<P>);
  } catch (...) {
    pullback->~P();
    throw;
  }
  return *pullback;
}

}  // namespace detail
}  // namespace xgrad
