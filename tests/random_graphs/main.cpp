// Checks random graphs: random_graphs [--count n] [--seed first] [--second] [--show]
//
// A failure prints its seed, what differs, and the smallest part of the graph that shows it; `--count 1 --seed <seed>`
// runs it alone. Exit code 1 if one failed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>
#include <xgrad/tensor/threads.hpp>

#include "check.hpp"

namespace {

using namespace random_graphs;

struct Statistics {
  std::map<Verdict, std::size_t> verdicts;
  std::vector<double> slope_errors, bounds, forward_errors, second_errors;
  std::vector<std::size_t> uses = std::vector<std::size_t>(catalogue().size());
  std::map<std::string, std::size_t> unreplayed;  // by reason
  std::size_t operations = 0, nodes = 0, evaluations = 0;

  void add(const Graph& graph, const Report& report, bool second) {
    ++verdicts[report.verdict];
    operations += graph.size();
    nodes += report.nodes;
    evaluations += static_cast<std::size_t>(report.evaluations);
    for (const Step& step : graph.steps()) ++uses[static_cast<std::size_t>(step.entry - catalogue().data())];
    if (report.verdict != Verdict::passed) return;
    slope_errors.push_back(report.slope_error);
    bounds.push_back(report.bound);
    forward_errors.push_back(report.forward_error);
    if (second) second_errors.push_back(report.second_error);
    if (!report.replayed) ++unreplayed[report.message];
  }
};

void print_quantiles(const char* what, std::vector<double> values) {
  if (values.empty()) return;
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) {
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  };
  std::printf("%-28s median %.1e, 99 %% below %.1e, 99.9 %% below %.1e, largest %.1e\n", what, at(0.5),
              at(0.99), at(0.999), at(1));
}

void print(const Statistics& s, std::size_t count, double seconds) {
  std::printf("%zu graphs, %zu operations of %zu rows, %zu nodes on tapes, %.1f evaluations each, %.0f s\n",
              count, s.operations, s.uses.size(), s.nodes,
              static_cast<double>(s.evaluations) / static_cast<double>(count), seconds);
  for (const auto& [verdict, n] : s.verdicts) std::printf("%-28s %zu\n", name(verdict), n);
  for (const auto& [reason, n] : s.unreplayed)
    std::printf("%-28s %zu: %s\n", "run again, not replayed", n, reason.c_str());
  print_quantiles("gradient against differences", s.slope_errors);
  print_quantiles("  allowed", s.bounds);
  print_quantiles("forward against reverse", s.forward_errors);
  print_quantiles("second derivative", s.second_errors);
  const auto [least, most] = std::minmax_element(s.uses.begin(), s.uses.end());
  std::printf("each row was used %zu to %zu times\n", *least, *most);
}

/// Checks the graph of one seed, and tells of it unless it passes.
bool run(std::uint64_t seed, bool second, bool show, Statistics& statistics) {
  const Graph graph(seed);
  const Options options{.second = second};
  const Report report = check(graph, options);
  statistics.add(graph, report, second);
  if (show) std::printf("%s", graph.text().c_str());
  if (report.verdict == Verdict::passed) return true;
  std::printf("seed %llu: %s: %s\n", static_cast<unsigned long long>(seed), name(report.verdict),
              report.message.c_str());
  if (failed(report.verdict) || show) {
    const Graph small = shrunk(graph, report.verdict, options);
    std::printf("%s  %s\n", small.text().c_str(), check(small, options).message.c_str());
  }
  std::fflush(stdout);
  return !failed(report.verdict);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 1000, seed = 1;
  bool second = false, show = false;
  for (int i = 1; i < argc; ++i) {
    const bool more = i + 1 < argc;
    if (std::strcmp(argv[i], "--count") == 0 && more) {
      count = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--seed") == 0 && more) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--second") == 0) {
      second = true;
    } else if (std::strcmp(argv[i], "--show") == 0) {
      show = true;
    } else {
      std::fprintf(stderr, "random_graphs [--count n] [--seed first] [--second] [--show]\n");
      return 2;
    }
  }
  xgrad::set_num_threads(1);  // all tensors are small
  Statistics statistics;
  bool good = true;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < count; ++i) good = run(seed + i, second, show, statistics) && good;
  print(statistics, count, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return good ? 0 : 1;
}
