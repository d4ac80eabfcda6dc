// What one recorded operation costs: a chain of 1000 adds or muls, recorded, differentiated and freed.
// items_per_second counts operations, so its inverse is the cost of a node, forward, backward and free
// together.
//
//   build/release/benchmarks/tape_benchmark
#include <benchmark/benchmark.h>

#include <iostream>
#include <xgrad/xgrad.hpp>

namespace {

constexpr int length = 1000;

template <class Operation>
void chain(benchmark::State& state, Operation operation) {
  const xgrad::Tensor start = xgrad::ones({state.range(0)}), other = xgrad::ones({state.range(0)});
  for (auto _ : state) {
    xgrad::Tape tape;
    const xgrad::Variable x = tape.watch(start), c(other);
    xgrad::Variable y = x;
    for (int i = 0; i < length; ++i) y = operation(y, c);
    benchmark::DoNotOptimize(tape.backward(y, {.seed = other}));
  }
  state.SetItemsProcessed(state.iterations() * length);
}

void add(benchmark::State& state) {
  chain(state, [](const xgrad::Variable& a, const xgrad::Variable& b) { return a + b; });
}
void mul(benchmark::State& state) {
  chain(state, [](const xgrad::Variable& a, const xgrad::Variable& b) { return a * b; });
}
void no_tape(benchmark::State& state) {
  const xgrad::Tensor one = xgrad::ones({1});
  xgrad::Variable y(one);
  const xgrad::Variable c(one);
  for (auto _ : state) benchmark::DoNotOptimize(y = y + c);
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

BENCHMARK(add)->Arg(1)->Arg(16)->Arg(1024);
BENCHMARK(mul)->Arg(1)->Arg(16)->Arg(1024);
BENCHMARK(no_tape);

int main(int argc, char** argv) {
  std::cerr << to_string(xgrad::version_info()) << '\n';
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
