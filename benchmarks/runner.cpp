// The main function of every benchmark program.
//
//   --threads N   threads for matrix products and kernels (1)
//   --check       prints each workload's result after ten steps instead of timing it
//   --hello       computes one small gradient and ends: for the start-up time
//   --benchmark_filter=^W2/64$ --benchmark_min_time=0.2 --benchmark_out=file.json: Google Benchmark's own
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <regex>

#include "workload.hpp"

namespace {

using workload::Run, workload::Workload;

// Google Benchmark calls a function several times to find the number of iterations; the set-up is done once
// and dropped when the next workload begins.
void measure(benchmark::State& state, const Workload& w) {
  static std::string current;
  static std::unique_ptr<Run> run;
  if (current != w.name) {
    run.reset();
    run = std::make_unique<Run>(w.make());
    current = w.name;
    run->step();
    run->step();
  }
  for (auto _ : state) run->step();
  state.SetItemsProcessed(static_cast<std::int64_t>(static_cast<double>(state.iterations()) * w.items));
}

void check(const std::vector<Workload>& all, const std::string& filter) {
  const std::regex wanted(filter);
  for (const Workload& w : all) {
    if (!std::regex_search(w.name, wanted)) continue;
    const Run run = w.make();
    for (int i = 0; i < 10; ++i) run.step();
    std::printf("%s %.9g\n", w.name.c_str(), run.result());
  }
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 1, kept = 1;
  bool checking = false;
  std::string filter;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
      threads = std::atoi(argv[++i]);
    } else if (std::strcmp(argv[i], "--check") == 0) {
      checking = true;
    } else if (std::strcmp(argv[i], "--hello") == 0) {
      workload::hello();
      return 0;
    } else {
      constexpr const char* flag = "--benchmark_filter=";
      if (std::strncmp(argv[i], flag, std::strlen(flag)) == 0) filter = argv[i] + std::strlen(flag);
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  if (threads < 1) {
    std::fprintf(stderr, "--threads needs a number from 1 on\n");
    return 2;
  }
  workload::set_threads(threads);
  std::fprintf(stderr, "%s\nthreads: %d\n", workload::describe().c_str(), threads);
  const std::vector<Workload> all = workload::workloads();
  if (checking) {
    check(all, filter);
    return 0;
  }
  for (const Workload& w : all) {
    benchmark::RegisterBenchmark(w.name.c_str(), [&w](benchmark::State& state) { measure(state, w); });
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
