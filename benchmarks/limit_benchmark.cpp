// The hand-written limit, here of W1 and of latency: what a careful C++ programmer reaches with the same OpenBLAS.
// Everything is allocated once, gradients are kept in buffers of their own as in any framework, and what lies
// between two products is one SIMD pass.
//
//   build/release/benchmarks/limit_benchmark --threads 1 --benchmark_filter=^W2
#include <algorithm>

#include "limit_blas.hpp"

namespace {

using limit::Buffer, limit::P;
using workload::Run;

/// W1: examples in columns, as in the course, or in rows; X is read twice.
struct Logistic {
  workload::Logistic size;
  bool columns;
  Buffer x, y, w{size.features}, z{size.examples}, dz{size.examples}, dw{size.features};
  float b = 0, loss = 0;

  Logistic(workload::Logistic s, bool in_columns) : size(s), columns(in_columns) {
    x = Buffer(workload::uniform(s.features * s.examples, workload::inputs_seed));
    y = Buffer(s.examples);
    const auto labels = workload::labels(s.examples, workload::labels_seed, 2);
    for (std::size_t i = 0; i < labels.size(); ++i) y[i] = static_cast<float>(labels[i]);
  }

  void step() {
    const std::int64_t rows = columns ? size.features : size.examples;
    const std::int64_t width = columns ? size.examples : size.features;
    limit::gemv(columns, rows, width, x, w, z);
    loss = limit::cross_entropy(z, b, y, dz, size.examples, 1 / static_cast<float>(size.examples));
    limit::gemv(!columns, rows, width, x, dz, dw);
    limit::update(w, dw, size.features, size.rate);
    b -= static_cast<float>(size.rate) * limit::total(dz, size.examples);
  }
};

/// W1b as no operator by operator library can do it: X is read once, in blocks of rows that stay in the cache.
struct OnePass : Logistic {
  OnePass() : Logistic(workload::W1b, false) {}

  void step() {
    constexpr std::int64_t block = 96;
    const std::int64_t n = size.features;
    std::fill(dw + 0, dw + n, 0.0F);
    loss = 0;
    for (std::int64_t i = 0; i < size.examples; i += block) {
      const std::int64_t rows = std::min(block, size.examples - i);
      limit::gemv(false, rows, n, x + i * n, w, z);
      loss += limit::cross_entropy(z, b, y + i, dz + i, rows, 1 / static_cast<float>(size.examples));
      limit::gemv(true, rows, n, x + i * n, dz + i, dw, 1);
    }
    limit::update(w, dw, n, size.rate);
    b -= static_cast<float>(size.rate) * limit::total(dz, size.examples);
  }
};

/// 4-16-16-1 with ReLU between the layers, one example; the hidden layers stay in registers.
struct Tiny {
  static constexpr int width = 16, packs = width / limit::lanes;
  Buffer x{workload::uniform(4, workload::inputs_seed)};
  Buffer w1 = limit::transposed(workload::weight(width, 4, 1).data(), width, 4);
  Buffer w2 = limit::transposed(workload::weight(width, width, 2).data(), width, width);
  Buffer w3{workload::weight(1, width, 3)};
  Buffer b1{width}, b2{width};
  float b3 = 0, y = 0;

  template <int inputs>
  static void layer(const float* in, const float* w, const float* b, float* out) {
    for (int k = 0; k < packs; ++k) {
      P even = limit::load(b + k * limit::lanes), odd(0.0F);
      for (int i = 0; i < inputs; i += 2) {
        const float* row = w + i * width + k * limit::lanes;
        even = xsimd::fma(P(in[i]), limit::load(row), even);
        odd = xsimd::fma(P(in[i + 1]), limit::load(row + width), odd);
      }
      xsimd::max(even + odd, P(0.0F)).store_unaligned(out + k * limit::lanes);
    }
  }
  void step() {
    float h1[width], h2[width];
    layer<4>(x, w1, b1, h1);
    layer<width>(h1, w2, b2, h2);
    P sum(0.0F);
    for (int k = 0; k < width; k += limit::lanes)
      sum = xsimd::fma(limit::load(h2 + k), limit::load(w3 + k), sum);
    y = xsimd::hadd(sum) + b3;
    limit::barrier();
  }
};

}  // namespace

namespace workload {

std::vector<Workload> workloads() {
  std::vector<Workload> all{
      {"W1a", [] { return limit::training<::Logistic>(W1a, true); }},
      {"W1b", [] { return limit::training<::Logistic>(W1b, false); }},
      {"W1b/one_pass", [] { return limit::training<OnePass>(); }},
  };
  for (auto& more : {limit::network_workloads(), limit::elementwise_workloads()})
    all.insert(all.end(), more.begin(), more.end());
  all.push_back({"latency/4-16-16-1", [] {
                   auto model = std::make_shared<Tiny>();
                   return Run{[model] { model->step(); }, [model] { return static_cast<double>(model->y); }};
                 }});
  return all;
}

void set_threads(int count) { openblas_set_num_threads(count); }

std::string describe() {
  return std::string("hand-written limit\nBLAS: ") + openblas_get_config() + ", core " +
         openblas_get_corename() + ", " + std::to_string(openblas_get_num_threads()) + " thread(s)";
}

void hello() {
  const float a[] = {1, 2, 3, 4};
  float c[4];
  limit::gemm(false, true, 2, 2, 2, a, a, c);
  limit::barrier();
}

}  // namespace workload
