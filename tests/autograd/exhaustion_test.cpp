// Memory runs out anywhere in a derivative: an error, and the tape is good for another try.
#include <catch2/catch.hpp>
#include <functional>
#include <xgrad/autograd/checkpoint.hpp>
#include <xgrad/autograd/custom.hpp>
#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/hooks.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/storage.hpp>

namespace {

using namespace xgrad;

const auto twice =
    custom([](const Variable& v) { return v * 2; }, [](const Variable& g) { return g * 2; }, "twice");

Variable cost(const Variable& x) {
  const auto part = [](const Variable& v) { return tanh(twice(tanh(v)) * v); };
  const Variable h = checkpoint(part, checkpoint(part, x));
  return sum(on_gradient(h, [](const Variable& g) { return g * 0.5; }) * x);
}

/// Puts the limit back, whatever happens.
struct Limit {
  explicit Limit(std::int64_t bytes) { set_memory_limit(bytes); }
  ~Limit() { set_memory_limit(0); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
};

}  // namespace

TEST_CASE("Each derivative survives that memory ends anywhere in it", "[forward][checkpoint][custom]") {
  const Tensor big = linspace(-1, 1, 100'000), along = ones({100'000});
  using Step = std::function<Variable(Tape&, const Variable&)>;
  const Step steps[] = {
      [](Tape& tape, const Variable& x) { return tape.backward(cost(x), {.retain = true})[x]; },
      [](Tape& tape, const Variable& x) { return tape.backward(cost(x), {.create_graph = true})[x]; },
      [&](Tape&, const Variable& x) { return jvp(cost)(x, along).tangent; },
      [&](Tape&, const Variable& x) { return hvp(cost)(x, along); },
  };
  for (const Step& step : steps) {
    const Tensor expected = [&] {
      Tape tape;
      return step(tape, tape.watch(big)).value();
    }();
    int failures = 0;
    for (bool failed = true; failed; failures += failed) {
      Tape tape;
      const Variable x = tape.watch(big);
      trim();
      failed = false;
      try {
        const Limit limit(memory_stats().taken_bytes + 1 + failures * static_cast<std::int64_t>(big.bytes()));
        step(tape, x);
      } catch (const MemoryError&) {
        failed = true;
      }
      REQUIRE(Tape::recording() == &tape);
      REQUIRE(equal(step(tape, x).value(), expected));
    }
    CHECK(failures > 5);
  }
}
