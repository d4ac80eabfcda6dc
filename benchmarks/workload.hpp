// What every benchmark program has in common: the workloads' sizes, their data and how they are run.
//
// A program gives its workloads(); runner.cpp times them with Google Benchmark. The same name means the same
// computation on the same numbers in every program, so that `compare` can pair them and `--check` can tell
// whether they agree.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace workload {

/// One step, and a number that depends on all it computed: the last loss, or values and gradients weighed.
struct Run {
  std::function<void()> step;
  std::function<double()> result;
};

struct Workload {
  std::string name;
  std::function<Run()> make;  ///< sets up: never timed
  double items = 1;           ///< of one step: operations of W4, nodes, elements
};

// Each program defines these four.

std::vector<Workload> workloads();
/// Threads for matrix products and kernels.
void set_threads(int count);
/// Library, BLAS and its core, for the header of a report.
std::string describe();
/// One small gradient: what a first program does, for the start-up time.
void hello();

// Sizes.

struct Logistic {
  std::int64_t features, examples;
  double rate;
};
inline constexpr Logistic W1a{12288, 209, 1e-3}, W1b{784, 60000, 1e-2};
inline constexpr std::int64_t W2[] = {784, 256, 128, 10};
inline constexpr double W2_rate = 1e-2;
inline constexpr std::int64_t W3[] = {12288, 20, 7, 5, 1}, W3_examples = 209;
inline constexpr double W3_rate = 1e-3;
inline constexpr int W4_length = 1000;
inline constexpr std::int64_t W6_size = 1000;

// Data: a hash of the index, the same in every language (Wellons's lowbias32).

inline std::uint32_t hash(std::uint32_t index, std::uint32_t seed) {
  std::uint32_t x = index + seed * 0x9e3779b9U;
  x = (x ^ (x >> 16)) * 0x7feb352dU;
  x = (x ^ (x >> 15)) * 0x846ca68bU;
  return x ^ (x >> 16);
}

/// Uniform in [low, high).
inline void fill(float* out, std::int64_t n, std::uint32_t seed, float low, float high) {
  for (std::int64_t i = 0; i < n; ++i) {
    const auto digits = static_cast<float>(hash(static_cast<std::uint32_t>(i), seed) >> 8);
    out[i] = low + (high - low) * (digits * 0x1p-24F);
  }
}
inline std::vector<float> uniform(std::int64_t n, std::uint32_t seed, float low = 0, float high = 1) {
  std::vector<float> values(static_cast<std::size_t>(n));
  fill(values.data(), n, seed, low, high);
  return values;
}
/// Labels 0 ... classes - 1.
inline std::vector<std::int64_t> labels(std::int64_t n, std::uint32_t seed, std::uint32_t classes) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = hash(static_cast<std::uint32_t>(i), seed) % classes;
  }
  return values;
}
/// A layer's weight, (outputs, inputs): uniform with variance 2 / inputs (He), and seed = its layer.
inline std::vector<float> weight(std::int64_t outputs, std::int64_t inputs, std::uint32_t layer) {
  const auto bound = static_cast<float>(__builtin_sqrt(6.0 / static_cast<double>(inputs)));
  return uniform(outputs * inputs, layer, -bound, bound);
}
inline constexpr std::uint32_t inputs_seed = 100, labels_seed = 101, seed_seed = 102;

/// The elements weighed by their place, so that a permuted or misplaced result shows.
inline double weighed(const float* values, std::int64_t n) {
  double total = 0;
  for (std::int64_t i = 0; i < n; ++i)
    total += static_cast<double>(values[i]) * static_cast<double>(i % 7 + 1);
  return total;
}

}  // namespace workload
