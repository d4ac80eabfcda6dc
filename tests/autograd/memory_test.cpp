// What recording and differentiating hold, read off the pool's own counters.

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <vector>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/storage.hpp>

namespace {

using namespace xgrad;

// The identity; its pullback notes how much memory is live when the walk comes by.
struct Gauge final : detail::Pullback {
  std::int64_t* live;
  explicit Gauge(std::int64_t* target) : live(target) {}
  Variable pull(const Variable& g, std::size_t) const override {
    *live = memory_stats().live_bytes;
    return g;
  }
};

Variable gauge(const Variable& x, std::int64_t* live) {
  const Variable* inputs[] = {&x};
  Variable y(x.value(), detail::next_place);
  detail::record<Gauge>("gauge", std::source_location::current(), y, inputs, live);
  return y;
}

// Bytes that `nodes` nodes of a chain hold, beyond the value of the last one.
double bytes_per_node(int nodes, const std::function<Variable(const Variable&)>& step) {
  Tape tape;
  Variable y = step(tape.watch(scalar(1)));
  const std::int64_t before = memory_stats().live_bytes;
  for (int i = 0; i < nodes; ++i) y = step(y);
  return static_cast<double>(memory_stats().live_bytes - before) / nodes;
}

}  // namespace

TEST_CASE("A node of an add chain takes at most 300 bytes", "[memory]") {
  const double bytes = bytes_per_node(100'000, [](const Variable& y) { return y + y; });
  const double constant = bytes_per_node(100'000, [](const Variable& y) { return y + 1; });
  const double kept = bytes_per_node(100'000, [](const Variable& y) { return tanh(y); });
  UNSCOPED_INFO("add " << bytes << ", add of a constant " << constant << ", tanh and its value " << kept);
  CHECK(bytes <= 300);
  CHECK(constant <= 300);
  CHECK(kept <= 400);
}

TEST_CASE("A wide fan-out accumulates in place", "[memory]") {
  const Parameter w("w", ones({1000}));
  Tape tape;
  Variable y = w;
  for (int i = 0; i < 100'000; ++i) y = y + w;
  const Variable cost = sum(y);
  const MemoryStats before = memory_stats();
  const Gradients grad = tape.backward(cost);
  CHECK(memory_stats().misses - before.misses <= 4);
  CHECK(memory_stats().live_blocks - before.live_blocks <= 4);
  CHECK(equal(grad[w].value(), full({1000}, 100'001)));
}

TEST_CASE("A steady training loop has no pool misses after its third step", "[memory]") {
  const DeepNetwork network({20, 30, 10, 1});
  Sgd sgd(network.parameters(), {.learning_rate = 0.1, .momentum = 0.9});
  Generator random(3);
  const Tensor X = normal({20, 64}, random), Y = (Variable(uniform({1, 64}, random)) * 1).value();
  std::int64_t misses = 0;
  for (int step = 0; step < 20; ++step) {
    if (step == 3) misses = memory_stats().misses;
    Tape tape;
    const Variable cost = mean(binary_cross_entropy(network(X), Y));
    sgd.step(tape.backward(cost));
  }
  CHECK(memory_stats().misses == misses);
}

TEST_CASE("Nothing leaks", "[memory]") {
  const auto work = [](bool fails) {
    const DeepNetwork network({4, 5, 1}, tanh, sigmoid, {.dtype = float64});
    Sgd sgd(network.parameters(), {.momentum = 0.5});
    const Tensor X = full({4, 3}, 0.5, float64), Y = full({1, 3}, 0.25, float64);
    for (int step = 0; step < 5; ++step) {
      Tape tape;
      const Scope scope("step");
      const Variable cost = mean(binary_cross_entropy(network(X), Y));
      const Gradients first = tape.backward(cost, {.create_graph = true});
      Variable norm = scalar(0, float64);
      for (const auto& entry : first.entries()) norm = norm + sum(square(entry.gradient));
      const Gradients second = tape.backward(norm);
      if (fails) CHECK_THROWS_AS(cost + X + ones({7}, float64), ShapeError);
      if (fails) CHECK_THROWS_AS(tape.backward(cost), GraphError);
      sgd.step(second);
    }
  };
  work(false);  // what is made once is made
  const MemoryStats before = memory_stats();
  work(false);
  work(true);
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("What nodes saved is released as the walk passes", "[memory]") {
  constexpr std::int64_t n = 100'000, bytes = n * 4;
  constexpr int depth = 10;
  const bool retain = GENERATE(false, true);
  std::int64_t first = 0, last = 0;
  {
    Tape tape;
    Variable y = gauge(tape.watch(zeros({n})), &last);
    for (int i = 0; i < depth; ++i) y = sigmoid(y);
    y = gauge(y, &first);
    const Variable cost = sum(y);
    y = Variable();
    tape.backward(cost, {.retain = retain});
  }
  if (retain) {
    CHECK(last >= first - bytes);
  } else {
    CHECK(last <= first - (depth - 2) * bytes);
  }
}

TEST_CASE("Add keeps nothing, sigmoid its value only", "[memory]") {
  constexpr std::int64_t n = 100'000, bytes = n * 4;
  const Tape tape_for_nothing;
  Tape tape;
  const Variable x = tape.watch(zeros({n}));
  const auto held = [&](const std::function<Variable(const Variable&)>& f) {
    const std::int64_t before = memory_stats().live_bytes;
    f(x);
    return static_cast<double>(memory_stats().live_bytes - before) / static_cast<double>(bytes);
  };
  const auto about = [](double copies) { return Approx(copies).margin(0.5); };
  CHECK(held([](const Variable& v) { return v + v; }) == about(0));
  CHECK(held([](const Variable& v) { return v - 1; }) == about(0));
  CHECK(held([](const Variable& v) { return -v; }) == about(0));
  CHECK(held([](const Variable& v) { return sum(v); }) == about(0));
  CHECK(held([](const Variable& v) { return mean(v); }) == about(0));
  CHECK(held([](const Variable& v) { return v * v; }) == about(0));  // v is alive anyway
  CHECK(held([](const Variable& v) { return relu(v); }) == about(0));
  CHECK(held([](const Variable& v) { return sigmoid(v); }) == about(1));
  CHECK(held([](const Variable& v) { return exp(v); }) == about(1));
  CHECK(held([](const Variable& v) { return exp(v + 1) + 1; }) == about(1));
  CHECK(held([](const Variable& v) { return reshape(v, {10, -1}); }) == about(0));
}
