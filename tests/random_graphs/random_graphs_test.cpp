// Some hundred random graphs, and that their check finds faults. The program random_graphs checks as many as one likes.
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "check.hpp"
#include "slope.hpp"

using namespace random_graphs;

namespace {

const auto is_row = [](const std::string& name) {
  return [name](const Step& step) { return step.entry->name == name; };
};

bool contains(const Graph& graph, const std::string& name) {
  return std::any_of(graph.steps().begin(), graph.steps().end(), is_row(name));
}

/// Gradients of a library whose operation `name` had a slightly wrong one.
Gradient planted(const std::string& name) {
  return [name](const Graph& graph, const Point& x) {
    auto made = reverse_gradient(graph, x);
    if (contains(graph, name)) {
      for (Tensor& g : made.second)
        g = Tensor(g.shape(), [&] {
          std::vector<double> values = g.to_vector<double>();
          for (double& v : values) v *= 1 + 1e-3;
          return values;
        }());
    }
    return made;
  };
}

}  // namespace

TEST_CASE("Random graphs have the slopes that differences show", "[random_graphs]") {
  std::set<const Entry*> used;
  std::size_t unclear = 0, replays = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const Graph graph(seed);
    CHECK((graph.size() >= 10 && graph.size() <= 60));
    const Report report = check(graph, {.second = seed % 8 == 0});
    for (const Step& step : graph.steps()) used.insert(step.entry);
    unclear += report.verdict == Verdict::kink || report.verdict == Verdict::inconclusive;
    replays += report.replayed;
    if (!failed(report.verdict)) continue;
    FAIL_CHECK("seed " << seed << ": " << name(report.verdict) << ": " << report.message << '\n'
                       << shrunk(graph, report.verdict).text());
  }
  CHECK(unclear <= 4);
  CHECK(replays >= 300);  // others draw random numbers
  for (const Entry& entry : catalogue()) {
    INFO(entry.name);
    CHECK(used.count(&entry) == 1);
  }
}

TEST_CASE("What differences cannot follow stands in the catalogue in another form", "[random_graphs]") {
  for (const std::string& name : replaced_rows()) {
    INFO(name);
    CHECK(
        std::any_of(catalogue().begin(), catalogue().end(), [&](const Entry& e) { return e.name == name; }));
  }
}

TEST_CASE("A seed gives the same graph, and a prefix is part of it", "[random_graphs]") {
  const Graph graph(5), again(5);
  CHECK(graph.text() == again.text());
  CHECK(graph.text() != Graph(6).text());
  const std::string whole = graph.text(), part = graph.prefix(7).text();
  CHECK(whole.substr(0, part.size()) == part);
  CHECK(graph.prefix(7).last().size() <= 7);
}

TEST_CASE("A gradient that is wrong by a thousandth is found, and the operation at fault",
          "[random_graphs]") {
  int found = 0, located = 0;
  for (const char* operation : {"tanh", "conv2d", "solve", "cumsum", "fuse", "take"}) {
    const Options options{.replays = false, .gradient = planted(operation)};
    int tried = 0, here = 0;
    for (std::uint64_t seed = 1; tried < 5; ++seed) {
      const Graph graph(seed);
      if (!contains(graph, operation)) continue;
      ++tried;
      if (check(graph, options).verdict != Verdict::slope) continue;
      ++here;
      const Graph small = shrunk(graph, Verdict::slope, options);
      located += small.steps().back().entry->name == operation;
    }
    INFO(operation);
    CHECK(here >= 2);
    found += here;
  }
  // In some graphs the slope is small by cancellation, at the operation itself or at the end.
  CHECK(found >= 20);
  CHECK(10 * located >= 8 * found);
}

TEST_CASE("Slopes of functions of one number", "[random_graphs]") {
  const auto wave = [](double h) { return std::sin(0.3 + 2 * h); };
  const Slope smooth = central_slope(wave, 0.02, 1e-12);
  CHECK(std::abs(smooth.value - 2 * std::cos(0.3)) <= 10 * smooth.error);
  CHECK(smooth.error < 1e-11);

  const auto bent = [](double h) { return std::abs(h) + std::exp(h); };
  CHECK(one_sided_slope(bent, 1, 0.02).value == Approx(2).epsilon(1e-9));
  CHECK(std::abs(one_sided_slope(bent, -1, 0.02).value) < 1e-9);

  const auto jump = [](double h) { return h > 0 ? 1.0 : 0.0; };
  CHECK_FALSE(central_slope(jump, 0.02, 1e-9).error < 1e-3);
}
