#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <unordered_map>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/program.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::detail {

constinit thread_local Capture* capturing = nullptr;

namespace {

using Id = std::uint32_t;  // of a value

enum class Origin { temporary, input, source, fixed };

struct Value {
  Origin origin = Origin::temporary;
  std::size_t bytes = 0;
  std::size_t which = 0;  // input, source or result
  bool is_result = false;
  Storage held;  // of a fixed one
  std::size_t offset = 0;

  Value() = default;
  explicit Value(Origin from, std::size_t number = 0) : origin(from), which(number) {}
};

struct Source {
  const void* identity;
  std::function<Tensor()> now;
  Shape shape;
  DType dtype;
  Id value;
  Tensor stand_in;  // while capturing
};

struct Step {
  Kernel kernel;  // none: a guard
  Walk walk;
  std::vector<Id> out, in;
  std::vector<unsigned char> expected;  // of a guard
};

// Neighbouring steps that are run together.
struct Pass {
  std::size_t first, last;
  bool blocked = false;
  std::size_t scratch = 0;  // bytes for one block of what lives within the pass alone
};

constexpr std::int64_t block_elements =
    2048;  // of up to 8 bytes: a few of them fit into the first-level cache
constexpr std::int64_t worth_blocking = 2 * block_elements;
constexpr std::size_t alignment = 64;

std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

// Places in one block of memory, given back and taken again in the order of the steps.
class Layout {
 public:
  std::size_t take(std::size_t bytes) {
    bytes = aligned(bytes);
    const auto fit = free_.lower_bound(bytes);
    if (fit == free_.end() || fit->first > 2 * bytes) {
      const std::size_t offset = size_;
      size_ += bytes;
      sizes_[offset] = bytes;
      return offset;
    }
    const std::size_t offset = fit->second;
    free_.erase(fit);
    return offset;
  }
  void give_back(std::size_t offset) { free_.emplace(sizes_.at(offset), offset); }
  std::size_t size() const { return size_; }

 private:
  std::multimap<std::size_t, std::size_t> free_;  // size to offset
  std::unordered_map<std::size_t, std::size_t> sizes_;
  std::size_t size_ = 0;
};

}  // namespace

struct Capture::State {
  std::vector<Value> values;
  std::unordered_map<std::uint64_t, Id> by_serial;
  std::deque<Source> sources;  // references to stand-ins last
  std::vector<Step> steps;
  std::size_t inputs = 0;
  std::string obstacle;

  const Value* find(const Storage& storage) const {
    const auto found = by_serial.find(storage.serial());
    return found == by_serial.end() ? nullptr : &values[found->second];
  }
  Id add(const Storage& storage, Value value) {
    value.bytes = storage.bytes();
    values.push_back(std::move(value));
    const auto id = static_cast<Id>(values.size() - 1);
    if (storage.serial() != 0) by_serial[storage.serial()] = id;  // all without elements have number 0
    return id;
  }
  Id id_of(const Storage& storage) {
    const auto found = by_serial.find(storage.serial());
    if (found != by_serial.end()) return found->second;
    Value value(Origin::fixed);
    value.held = storage;
    return add(storage, std::move(value));
  }
};

Capture::Capture(std::span<const Tensor* const> inputs) : state_(std::make_unique<State>()) {
  if (capturing != nullptr) throw GraphError("a capture is active on this thread already");
  for (const Tensor* input : inputs) {
    state_->add(input->storage(), Value(Origin::input, state_->inputs++));
  }
  capturing = this;
}
Capture::~Capture() { capturing = nullptr; }

const std::string& Capture::obstacle() const { return state_->obstacle; }

void capture(std::span<const Tensor* const> out, std::span<const Tensor* const> in, Kernel kernel,
             const Walk& walk) {
  Capture::State& state = *capturing->state_;
  if (!state.obstacle.empty()) return;
  Step step{std::move(kernel), walk, {}, {}, {}};
  for (const Tensor* x : in) step.in.push_back(state.id_of(x->storage()));
  const auto is_empty = [](const Tensor* y) { return y->storage().serial() == 0; };
  if (!out.empty() && std::all_of(out.begin(), out.end(), is_empty)) return;
  for (const Tensor* y : out) {
    const Value* known = state.find(y->storage());
    if (is_empty(y)) {
      step.out.push_back(state.id_of(y->storage()));
    } else if (known == nullptr) {
      step.out.push_back(state.add(y->storage(), Value{}));
    } else if (known->origin == Origin::temporary) {
      step.out.push_back(state.id_of(y->storage()));
    } else {
      note_obstacle("it writes into a tensor that exists outside of it");
      return;
    }
  }
  state.steps.push_back(std::move(step));
}

void note_obstacle(const char* what) {
  if (capturing == nullptr || !capturing->state_->obstacle.empty()) return;
  capturing->state_->obstacle = what;
}

void note_read(const Storage& storage) {
  if (!is_fixed(Tensor(Shape(), float32, storage))) {
    note_obstacle("it reads elements that a replay computes anew, outside of an operation");
  }
}

void note_item(const Storage& storage) {
  Capture::State& state = *capturing->state_;
  const Value* value = state.find(storage);
  if (value == nullptr || value->origin == Origin::fixed || !state.obstacle.empty()) return;
  Step guard;
  guard.in = {state.id_of(storage)};
  const auto* bytes = static_cast<const unsigned char*>(storage.data());
  guard.expected.assign(bytes, bytes + storage.bytes());
  state.steps.push_back(std::move(guard));
}

const Tensor& note_source(const Tensor& value, const void* identity, const std::function<Tensor()>& now) {
  Capture::State& state = *capturing->state_;
  if (!state.obstacle.empty()) return value;  // it may have changed since
  for (const Source& source : state.sources) {
    if (source.identity == identity) return source.stand_in;
  }
  if (!is_fixed(value)) {
    note_obstacle("it makes a parameter of a value that it computes");
    return value;
  }
  Tensor copy(value.shape(), value.dtype());
  if (copy.bytes() > 0) std::memcpy(mutable_data<void>(copy), address(value), copy.bytes());
  const Id id = state.add(copy.storage(), Value(Origin::source, state.sources.size()));
  state.sources.push_back({identity, now, value.shape(), value.dtype(), id, std::move(copy)});
  return state.sources.back().stand_in;
}

bool is_fixed(const Tensor& tensor) {
  if (capturing == nullptr) return true;
  const Value* value = capturing->state_->find(tensor.storage());
  return value == nullptr || value->origin == Origin::fixed;
}

struct Program::State {
  struct Result {
    Shape shape;
    DType dtype = float32;
    Id value = 0;
    Origin origin = Origin::fixed;
    Tensor fixed;
  };

  std::vector<Value> values;
  std::vector<Source> sources;
  std::vector<Step> steps;
  std::vector<Pass> passes;
  std::vector<Result> results;
  std::size_t result_storages = 0, planned = 0, side_by_side = 0;
  Storage memory;
  std::vector<void*> pointers;  // of each value, in a run
  std::vector<void*> arguments;
  std::vector<Tensor> current_sources;
  std::vector<Storage> current_results;

  void drop_dead_steps();
  void make_passes();
  void place();
  bool bind(std::span<const Tensor* const> given);
  bool run_step(const Step& step);
  void run_blocks(const Pass& pass, std::int64_t first, std::int64_t last) const;
};

void Program::State::drop_dead_steps() {
  std::vector<bool> wanted(values.size(), false);
  for (const Result& result : results) {
    if (result.origin == Origin::temporary) wanted[result.value] = true;
  }
  std::vector<Step> kept;
  for (std::size_t i = steps.size(); i-- > 0;) {
    Step& step = steps[i];
    const bool needed = step.out.empty() ||  // a guard or a check
                        std::any_of(step.out.begin(), step.out.end(), [&](Id id) { return wanted[id]; });
    if (!needed) continue;
    for (Id id : step.in) wanted[id] = true;
    kept.push_back(std::move(step));
  }
  std::reverse(kept.begin(), kept.end());
  steps = std::move(kept);
}

void Program::State::make_passes() {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Walk& walk = steps[i].walk;
    const bool walks = walk.row != nullptr && walk.n >= worth_blocking;
    if (walks && !passes.empty() && passes.back().blocked && steps[passes.back().first].walk.n == walk.n) {
      passes.back().last = i + 1;
    } else {
      passes.push_back({i, i + 1, walks});
    }
  }
  for (Pass& pass : passes) pass.blocked = pass.blocked && pass.last - pass.first > 1;
}

void Program::State::place() {
  constexpr std::size_t never = ~std::size_t{0};
  struct Life {
    std::size_t first = never, last = 0;  // steps
  };
  std::vector<Life> lives(values.size());
  std::vector<std::size_t> pass_of(steps.size());
  for (std::size_t p = 0; p < passes.size(); ++p) {
    for (std::size_t i = passes[p].first; i < passes[p].last; ++i) pass_of[i] = p;
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const auto* ids : {&steps[i].out, &steps[i].in}) {
      for (Id id : *ids) {
        lives[id].first = std::min(lives[id].first, i);
        lives[id].last = i;
      }
    }
  }
  const auto is_planned = [&](Id id) {
    return values[id].origin == Origin::temporary && !values[id].is_result && lives[id].first != never;
  };
  // Ends of life are counted in passes: within one, blocks of an earlier step follow those of a later one.
  std::vector<std::vector<Id>> ends(passes.size());
  Layout layout;
  for (std::size_t p = 0; p < passes.size(); ++p) {
    Pass& pass = passes[p];
    Layout block;
    std::vector<std::vector<Id>> ends_within(pass.last - pass.first);
    for (std::size_t i = pass.first; i < pass.last; ++i) {
      for (Id id : steps[i].out) {
        if (!is_planned(id) || lives[id].first != i) continue;
        side_by_side += aligned(values[id].bytes);
        if (pass.blocked && lives[id].last < pass.last) {
          values[id].offset = block.take(steps[i].walk.out_bytes * block_elements);
          values[id].which = p + 1;  // lives in the scratch of this pass
          ends_within[lives[id].last - pass.first].push_back(id);
        } else {
          values[id].offset = layout.take(values[id].bytes);
          ends[pass_of[lives[id].last]].push_back(id);
        }
      }
      for (Id id : ends_within[i - pass.first]) block.give_back(values[id].offset);
    }
    pass.scratch = block.size();
    for (Id id : ends[p]) layout.give_back(values[id].offset);
  }
  planned = layout.size();
  memory = Storage(planned);
  pointers.resize(values.size());
  for (std::size_t id = 0; id < values.size(); ++id) {
    const Value& value = values[id];
    if (value.origin == Origin::fixed) pointers[id] = value.held.data();
    if (is_planned(static_cast<Id>(id)) && value.which == 0) {
      pointers[id] = static_cast<char*>(memory.data()) + value.offset;
    }
  }
}

bool Program::State::bind(std::span<const Tensor* const> given) {
  current_sources.clear();
  for (const Source& source : sources) {
    Tensor now = source.now();
    if (now.shape() != source.shape || now.dtype() != source.dtype) return false;
    pointers[source.value] = now.storage().data();
    current_sources.push_back(std::move(now));
  }
  current_results.resize(result_storages);
  for (std::size_t id = 0; id < values.size(); ++id) {
    const Value& value = values[id];
    if (value.origin == Origin::input) pointers[id] = given[value.which]->storage().data();
    if (value.origin == Origin::temporary && value.is_result) {
      current_results[value.which] = Storage(value.bytes);
      pointers[id] = current_results[value.which].data();
    }
  }
  return true;
}

bool Program::State::run_step(const Step& step) {
  if (step.kernel.run == nullptr) {
    return std::memcmp(pointers[step.in[0]], step.expected.data(), step.expected.size()) == 0;
  }
  if (step.walk.row != nullptr && step.walk.n <= block_elements) {  // at once, without asking for shapes
    const void* in[8];
    bool advances[8];
    for (std::size_t k = 0; k < step.in.size(); ++k) {
      in[k] = pointers[step.in[k]];
      advances[k] = step.walk.in_bytes[k] != 0 && step.walk.n > 1;
    }
    step.walk.row(step.walk.f, pointers[step.out[0]], in, advances, step.walk.n);
    return true;
  }
  arguments.clear();
  for (Id id : step.out) arguments.push_back(pointers[id]);
  for (Id id : step.in) arguments.push_back(pointers[id]);
  step.kernel.run(step.kernel.state.get(), arguments.data(), arguments.data() + step.out.size());
  return true;
}

void Program::State::run_blocks(const Pass& pass, std::int64_t first, std::int64_t last) const {
  const Storage own(pass.scratch);
  const std::int64_t n = steps[pass.first].walk.n;
  const std::size_t number = static_cast<std::size_t>(&pass - passes.data()) + 1;
  const auto at = [&](Id id, std::int64_t start, std::size_t element) {
    const Value& value = values[id];
    const bool within = value.origin == Origin::temporary && !value.is_result && value.which == number;
    return within ? static_cast<char*>(own.data()) + value.offset
                  : static_cast<char*>(pointers[id]) + static_cast<std::size_t>(start) * element;
  };
  for (std::int64_t block = first; block < last; ++block) {
    const std::int64_t start = block * block_elements;
    const std::int64_t count = std::min(block_elements, n - start);
    for (std::size_t i = pass.first; i < pass.last; ++i) {
      const Step& step = steps[i];
      const void* in[8];
      bool advances[8];
      for (std::size_t k = 0; k < step.in.size(); ++k) {
        in[k] = at(step.in[k], start, step.walk.in_bytes[k]);
        advances[k] = step.walk.in_bytes[k] != 0;
      }
      step.walk.row(step.walk.f, at(step.out[0], start, step.walk.out_bytes), in, advances, count);
    }
  }
}

Program Capture::finish(std::span<const Tensor* const> results) {
  auto program = std::make_unique<Program::State>();
  for (const Tensor* result : results) {
    const Value* known = state_->find(result->storage());
    Program::State::Result entry;
    entry.shape = result->shape();
    entry.dtype = result->dtype();
    if (known == nullptr || known->origin == Origin::fixed) {
      entry.fixed = *result;
    } else {
      entry.value = state_->id_of(result->storage());
      Value& value = state_->values[entry.value];
      entry.origin = value.origin;
      if (value.origin == Origin::temporary && !value.is_result) {
        value.is_result = true;
        value.which = program->result_storages++;
      }
    }
    program->results.push_back(std::move(entry));
  }
  program->values = std::move(state_->values);
  for (Source& source : state_->sources) {
    source.stand_in = Tensor();
    program->sources.push_back(std::move(source));
  }
  program->steps = std::move(state_->steps);
  program->drop_dead_steps();
  program->make_passes();
  program->place();
  return Program(std::move(program));
}

Program::Program(std::unique_ptr<State> state) : state_(std::move(state)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

bool Program::run(std::span<const Tensor* const> inputs, std::vector<Tensor>& results) {
  State& state = *state_;
  // Nothing is held from run to run, so that parameters are updated in place, also after an error.
  struct Release {
    State& state;
    ~Release() {
      state.current_sources.clear();
      state.current_results.clear();
    }
  } const release{state};
  if (!state.bind(inputs)) return false;
  for (const Pass& pass : state.passes) {
    if (pass.blocked) {
      const std::int64_t blocks = (state.steps[pass.first].walk.n + block_elements - 1) / block_elements;
      parallel(blocks, parallel_elements / 2 / block_elements,
               [&](std::int64_t first, std::int64_t last) { state.run_blocks(pass, first, last); });
      continue;
    }
    if (!state.run_step(state.steps[pass.first])) return false;
  }
  results.clear();
  for (const State::Result& result : state.results) {
    if (result.origin == Origin::fixed) {
      results.push_back(result.fixed);
      continue;
    }
    const std::size_t which = state.values[result.value].which;
    if (result.origin == Origin::input) {
      results.push_back(inputs[which]->reshape(result.shape));
    } else if (result.origin == Origin::source) {
      results.push_back(state.current_sources[which].reshape(result.shape));
    } else {
      results.emplace_back(result.shape, result.dtype, state.current_results[which]);
    }
  }
  return true;
}

std::size_t Program::calls() const { return state_->steps.size(); }
std::size_t Program::passes() const { return state_->passes.size(); }
std::size_t Program::planned_bytes() const { return state_->planned; }
std::size_t Program::temporary_bytes() const { return state_->side_by_side; }

}  // namespace xgrad::detail
