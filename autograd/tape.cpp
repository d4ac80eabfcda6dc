#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <ostream>
#include <utility>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/tape_impl.hpp>

namespace xgrad {

namespace detail {

constinit thread_local Place next_place;
constinit thread_local Tape* recording_tape = nullptr;

void record_on(Tape* tape) {
  recording_tape = tape;
  next_place = tape == nullptr ? Place() : Place{tape->id(), static_cast<std::uint32_t>(tape->size())};
}

namespace {

thread_local Tape::Pause* innermost_pause = nullptr;

// The tapes of this thread that are alive. One in static storage ends after the list, and finds it gone.
thread_local bool list_gone = false;  // trivially destructible, so still readable then
struct List {
  std::vector<Tape*> tapes;
  ~List() { list_gone = true; }
};
thread_local List list;
std::span<Tape* const> tapes_here() {
  return list_gone ? std::span<Tape* const>() : std::span<Tape* const>(list.tapes);
}

// Numbers of all tapes that are alive, to tell a variable of a dead tape (a constant) from one of another
// thread.
std::mutex alive_mutex;
std::vector<std::uint64_t>& alive() {
  static std::vector<std::uint64_t>& ids = *[] {
    // fork() waits for the mutex: the child would find it locked for good.
    pthread_atfork([] { alive_mutex.lock(); }, [] { alive_mutex.unlock(); }, [] { alive_mutex.unlock(); });
    return new std::vector<std::uint64_t>;
  }();
  return ids;
}

// Trivially destructible, so still readable while the thread ends.
thread_local bool spare_gone = false;
struct Spare {
  std::unique_ptr<TapeImpl> impl;
  ~Spare() { spare_gone = true; }
};
thread_local Spare spare;
}  // namespace

std::uint64_t new_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

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
  for (const Tape* here : tapes_here()) {
    if (here->id() != id) continue;
    TapeImpl& recorder = TapeImpl::of(*recording_tape);
    if (recorder.borrows) {
      recorder.borrow(x);
      return false;
    }
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

Tape* alive_here(std::uint64_t id) {
  const auto here = tapes_here();
  const auto found =
      std::find_if(here.begin(), here.end(), [&](const Tape* tape) { return tape->id() == id; });
  return found == here.end() ? nullptr : *found;
}

std::string name_of(const Variable& x) {
  for (const Tape* tape : tapes_here()) {
    if (tape->id() != x.place().tape) continue;
    const LeafInfo* leaf = tape->leaf(x.place().index);
    return leaf == nullptr ? "" : leaf->name();
  }
  return "";
}

void* arena_allocate(std::size_t bytes, std::size_t alignment) {
  return TapeImpl::of(*recording_tape).arena.allocate(bytes, alignment);
}

namespace {
[[gnu::cold]] void note_given(TapeImpl& tape, std::span<const Variable* const> inputs) {
  tape.given->resize(tape.nodes.size());
  std::vector<Tensor>& values = tape.given->emplace_back();
  for (const Variable* x : inputs) values.push_back(x->value());
}
}  // namespace

void append(const char* op, std::source_location where, const Shape& shape, DType dtype,
            std::span<const Variable* const> inputs, const Pullback* pullback, std::int32_t* indices,
            bool joint) {
  TapeImpl& tape = TapeImpl::of(*recording_tape);
  if (tape.nodes.size() >= (std::size_t{1} << 31) - 1)
    throw GraphError("a tape holds at most 2^31 - 1 nodes");
  const std::size_t constants = tape.constants.size();
  try {
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const Variable& x = *inputs[k];
      if (x.place().tape == tape.id) {
        indices[k] = static_cast<std::int32_t>(x.place().index);
      } else if (const auto* leaf = tape.borrows ? tape.find_borrowed(x.place()) : nullptr) {
        indices[k] = static_cast<std::int32_t>(leaf->index);
      } else {
        const bool shown = x.size() == 1 && is_fixed(x.value());
        tape.constants.push(x.shape(), x.dtype(), shown ? x.item() : 0);
        indices[k] = ~static_cast<std::int32_t>(tape.constants.size() - 1);
      }
    }
    if (tape.given != nullptr) [[unlikely]]
      note_given(tape, inputs);
    tape.nodes.push(op, pullback, indices, static_cast<std::uint32_t>(inputs.size()),
                    tape.scope_number(Scope::current()), dtype, false, joint, At::or_else(where), shape);
    ++next_place.index;
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

std::optional<Variable> detail::Pullback::pull_narrow(const Variable&, std::size_t, const Shape&) const {
  return std::nullopt;
}
std::optional<Variable> detail::Pullback::push(const Variable&, std::size_t, const Shape&) const {
  return std::nullopt;
}

Tape::Tape() : impl_(detail::TapeImpl::take()) {
  impl_->begin();
  if (!detail::list_gone) detail::list.tapes.push_back(this);
  try {
    std::lock_guard lock(detail::alive_mutex);
    detail::alive().push_back(impl_->id);
  } catch (...) {
    if (!detail::list_gone) detail::list.tapes.pop_back();
    throw;
  }
  detail::record_on(this);
}

Tape::~Tape() {
  {
    std::lock_guard lock(detail::alive_mutex);
    std::erase(detail::alive(), impl_->id);
  }
  if (!detail::list_gone) std::erase(detail::list.tapes, this);
  for (Tape* inner : detail::tapes_here()) {
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

}  // namespace xgrad
