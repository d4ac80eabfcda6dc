// Three problems of ADBench with their gradients or Jacobian, on generated inputs: what a derivative costs beside the
// objective. tests/adbench checks that they are right.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "../common.hpp"
#include "bundle_adjustment.hpp"
#include "gmm.hpp"
#include "lstm.hpp"

namespace {

using xgrad::Tensor;
using xgrad::Variable;

/// The least time of several runs, in milliseconds.
template <class F>
double milliseconds(const F& f, int runs) {
  double least = 1e300;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    least = std::min(least, 1e3 * example::seconds_since(start));
  }
  return least;
}

void print(const char* problem, const std::string& sizes, double objective, double derivative) {
  std::printf("%-18s %-26s %9.3f ms %9.3f ms %6.1f\n", problem, sizes.c_str(), objective, derivative,
              derivative / objective);
}

void gmm(std::int64_t n, std::int64_t d, std::int64_t k, int runs) {
  const auto [p, data] = adbench::random_gmm(n, d, k);
  const auto f = [&data = data](const Variable& a, const Variable& m, const Variable& q) {
    return adbench::gmm_objective(a, m, q, data);
  };
  const auto slopes = xgrad::grad<0, 1, 2>(f);
  const auto objective = [&, &p = p] { return f(p.alphas, p.means, p.icf); };
  const auto gradient = [&, &p = p] { return slopes(p.alphas, p.means, p.icf); };
  print("GMM", "n " + std::to_string(n) + ", d " + std::to_string(d) + ", k " + std::to_string(k),
        milliseconds(objective, runs), milliseconds(gradient, runs));
}

void bundle_adjustment(std::int64_t n, std::int64_t m, std::int64_t p, int runs) {
  const adbench::BundleAdjustment problem = adbench::random_bundle_adjustment(n, m, p);
  const auto objective = [&] { return adbench::residuals(problem); };
  const auto jacobian = [&] { return adbench::sparse_jacobian(problem); };
  print("bundle adjustment",
        "n " + std::to_string(n) + ", m " + std::to_string(m) + ", p " + std::to_string(p),
        milliseconds(objective, runs), milliseconds(jacobian, runs));
}

void lstm(std::int64_t layers, std::int64_t characters, std::int64_t bits, int runs) {
  const auto [p, data] = adbench::random_lstm(layers, characters, bits);
  const auto f = [&data = data](const Variable& main, const Variable& extra) {
    return adbench::lstm_objective(main, extra, data);
  };
  const auto slopes = xgrad::grad<0, 1>(f);
  const auto objective = [&, &p = p] { return f(p.main, p.extra); };
  const auto gradient = [&, &p = p] { return slopes(p.main, p.extra); };
  print("LSTM",
        "l " + std::to_string(layers) + ", c " + std::to_string(characters) + ", b " + std::to_string(bits),
        milliseconds(objective, runs), milliseconds(gradient, runs));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Objectives of ADBench and their derivatives", "adbench");
  int runs = 5, scale = 1;
  app.add_option("--runs", runs, "How often each is run; the least time counts")->check(CLI::PositiveNumber);
  app.add_option("--scale", scale, "How much larger the problems are")->check(CLI::PositiveNumber);
  return example::run(app, argc, argv, [&] {
    std::printf("%-18s %-26s %12s %12s %6s\n", "problem", "sizes", "objective", "derivative", "ratio");
    gmm(1000L * scale, 10, 25, runs);
    bundle_adjustment(20L * scale, 1000L * scale, 4000L * scale, runs);
    lstm(2, 200L * scale, 14, runs);
  });
}
