// What is left when memory runs out: every request fails once, in turn, and nothing is lost, leaked or half done.
#include <cstdlib>
#include <new>
#include <xgrad/nn/nn.hpp>

#include "edges.hpp"

namespace {

// The request of this thread that fails next: 0 for none. `made` counts them.
thread_local std::int64_t fails_at = 0, made = 0;

void* allocate(std::size_t bytes) {
  ++made;
  if (fails_at > 0 && made == fails_at) return nullptr;
  return std::malloc(bytes > 0 ? bytes : 1);
}

}  // namespace

// Not inlined: the compiler would see a free() of what new gave.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (void* p = allocate(bytes)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate(bytes);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using namespace edges;

// A step that records, walks, differentiates twice and updates: what it computed, to be compared bit by bit.
struct Step {
  Parameter w{"w", linspace(-1, 1, 12).reshape({3, 4})}, b{"b", full({3, 1}, 0.25)};
  Tensor X = linspace(0, 1, 20).reshape({4, 5}), labels = tensor({0, 1, 2, 1, 0}, int64);
  Variable cost, penalty;

  Variable forward() const {
    const Scope scope("layer");
    const Variable z = tanh(matmul_add(w, X, b));
    const Variable parts = concat({z, sigmoid(z) * 2, norm(z, 2, 0, true)});
    return mean(softmax_cross_entropy(slice(parts, 0, {0, 3}), labels, 0)) + sum(logsumexp(parts, 0));
  }

  void run(Sgd& sgd) {
    Tape tape;
    const Variable J = forward();
    const Gradients first = tape.backward(J, {.create_graph = true});
    const Variable square_norm = sum(square(first[w])) + sum(square(first[b]));
    const Gradients second = tape.backward(square_norm);
    cost = J;
    penalty = square_norm;
    sgd.step(second);
  }
};

}  // namespace

TEST_CASE("edge: every allocation fails once, in turn", "[edge]") {
  Tensor expected_w, expected_b;
  std::int64_t requests = 0;
  {
    Step step;
    Sgd sgd({step.w, step.b}, {.learning_rate = 0.1});
    step.run(sgd);  // what is made once is made
    made = 0;
    step.run(sgd);
    requests = made;
    expected_w = step.w.value();
    expected_b = step.b.value();
  }
  REQUIRE(requests > 3);
  std::int64_t failed = 0;
  for (std::int64_t at = 1; at <= requests; ++at) {
    INFO("request " << at << " of " << requests);
    Step step;
    Sgd sgd({step.w, step.b}, {.learning_rate = 0.1});
    step.run(sgd);
    const Tensor w = step.w.value(), b = step.b.value();
    const MemoryStats before = memory_stats();
    bool threw = false;
    made = 0;
    fails_at = at;
    try {
      step.run(sgd);
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    fails_at = 0;
    failed += threw;
    CHECK(Tape::recording() == nullptr);
    CHECK(Scope::path().empty());
    if (threw) {
      CHECK(memory_stats().live_blocks == before.live_blocks);
      // The update is made parameter by parameter; until then nothing has changed.
      if (equal(step.w.value(), w)) {
        CHECK(equal(step.b.value(), b));
        step.run(sgd);
      }
    }
    CHECK(equal(step.w.value(), expected_w));
  }
  CHECK(failed > 3);
}

TEST_CASE("edge: tensors stop to be had at every place of a step", "[edge]") {
  struct Unlimited {
    ~Unlimited() { set_memory_limit(0); }
  } unlimited;
  const Parameter w("w", linspace(-1, 1, 1 << 16).reshape({256, 256}));
  const auto work = [&] {
    Tape tape;
    const Variable y = sum(softmax(matmul(tanh(w), exp(w) + w), 0) * w);
    const Gradients first = tape.backward(y, {.create_graph = true});
    return tape.backward(sum(square(first[w])))[w].value();
  };
  const Tensor expected = work();
  trim();
  reset_peak();
  const std::int64_t base = memory_stats().taken_bytes;
  work();
  const std::int64_t most = memory_stats().peak_bytes - base;
  const MemoryStats before = memory_stats();
  int failed = 0;
  constexpr std::int64_t steps = 24;
  for (std::int64_t i = 0; i <= steps; ++i) {
    trim();
    set_memory_limit(memory_stats().taken_bytes + most * i / steps + 1);
    try {
      const Tensor result = work();
      CHECK(equal(result, expected));
    } catch (const MemoryError&) {
      ++failed;
    }
    CHECK(Tape::recording() == nullptr);
    CHECK(memory_stats().live_blocks == before.live_blocks);
  }
  CHECK(failed > 5);
  set_memory_limit(0);
  CHECK(equal(work(), expected));
}
