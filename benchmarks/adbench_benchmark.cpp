// ADBench's problems: the objective alone, and with its gradient or Jacobian, plain and compiled. docs/adbench.md holds the
// ratios; --benchmark_enable_random_interleaving=true with repetitions makes them fair.
#include <benchmark/benchmark.h>

#include <xgrad/autograd/compile.hpp>

#include "../examples/adbench/bundle_adjustment.hpp"
#include "../examples/adbench/gmm.hpp"
#include "../examples/adbench/lstm.hpp"

namespace {

using xgrad::Variable;

template <class F>
void repeat(benchmark::State& state, const F& f) {
  f();  // the pool and the recording
  for (auto _ : state) benchmark::DoNotOptimize(f());
}

enum class What { objective, derivative, compiled_objective, compiled_derivative };

/// f(x...) or its gradients, as `What` says.
template <std::size_t... I, class F, class... X>
void run(benchmark::State& state, What what, const F& f, const X&... x) {
  const auto gradient = [slopes = xgrad::value_and_grad<I...>(f)](const Variable& first,
                                                                  const auto&... more) {
    auto made = slopes(first, more...);
    return std::pair(std::move(made.value), std::move(made.grad));
  };
  switch (what) {
    case What::objective:
      return repeat(state, [&] { return f(x...); });
    case What::derivative:
      return repeat(state, [&] { return gradient(x...); });
    case What::compiled_objective: {
      auto step = xgrad::compile(f);
      return repeat(state, [&] { return step(x...); });
    }
    case What::compiled_derivative: {
      auto step = xgrad::compile(gradient);
      return repeat(state, [&] { return step(x...); });
    }
  }
}

void gmm(benchmark::State& state, What what) {
  const auto [p, data] = adbench::random_gmm(state.range(0), state.range(1), state.range(2));
  const auto f = [&data = data](const Variable& a, const Variable& m, const Variable& q) {
    return adbench::gmm_objective(a, m, q, data);
  };
  run<0, 1, 2>(state, what, f, Variable(p.alphas), Variable(p.means), Variable(p.icf));
}

void lstm(benchmark::State& state, What what) {
  const auto [p, data] = adbench::random_lstm(state.range(0), state.range(1), state.range(2));
  const auto f = [&data = data](const Variable& main, const Variable& extra) {
    return adbench::lstm_objective(main, extra, data);
  };
  run<0, 1>(state, what, f, Variable(p.main), Variable(p.extra));
}

void bundle_adjustment(benchmark::State& state, What what) {
  const auto problem = adbench::random_bundle_adjustment(state.range(0), state.range(1), state.range(2));
  if (what == What::objective) return repeat(state, [&] { return adbench::residuals(problem); });
  repeat(state, [&] { return adbench::sparse_jacobian(problem); });
}

const auto gmm_sizes = [](auto* b) { b->Args({1000, 2, 5})->Args({1000, 10, 25})->Args({1000, 32, 10}); };
const auto ba_sizes = [](auto* b) { b->Args({20, 1000, 4000})->Args({49, 7776, 31843}); };
const auto lstm_sizes = [](auto* b) { b->Args({2, 256, 14})->Args({4, 1024, 14}); };

BENCHMARK_CAPTURE(gmm, objective, What::objective)->Apply(gmm_sizes);
BENCHMARK_CAPTURE(gmm, gradient, What::derivative)->Apply(gmm_sizes);
BENCHMARK_CAPTURE(gmm, compiled_objective, What::compiled_objective)->Apply(gmm_sizes);
BENCHMARK_CAPTURE(gmm, compiled_gradient, What::compiled_derivative)->Apply(gmm_sizes);
BENCHMARK_CAPTURE(bundle_adjustment, objective, What::objective)->Apply(ba_sizes);
BENCHMARK_CAPTURE(bundle_adjustment, jacobian, What::derivative)->Apply(ba_sizes);
BENCHMARK_CAPTURE(lstm, objective, What::objective)->Apply(lstm_sizes);
BENCHMARK_CAPTURE(lstm, gradient, What::derivative)->Apply(lstm_sizes);
BENCHMARK_CAPTURE(lstm, compiled_objective, What::compiled_objective)->Apply(lstm_sizes);
BENCHMARK_CAPTURE(lstm, compiled_gradient, What::compiled_derivative)->Apply(lstm_sizes);

}  // namespace

int main(int argc, char** argv) {
  xgrad::set_num_threads(1);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
