// The hand-written limit's products, by OpenBLAS, and the passes between them.
#pragma once

#include <cblas.h>

#include "limit.hpp"

namespace limit {

inline int as_int(std::int64_t n) { return static_cast<int>(n); }

/// c (m, n) = op(a) op(b) with inner size k.
inline void gemm(bool ta, bool tb, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                 const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, as_int(m),
              as_int(n), as_int(k), 1, a, as_int(ta ? m : k), b, as_int(tb ? k : n), 0, c, as_int(n));
}

/// y = op(a) x + keep y, a (rows, columns).
inline void gemv(bool transposed, std::int64_t rows, std::int64_t columns, const float* a, const float* x,
                 float* y, float keep = 0) {
  cblas_sgemv(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, as_int(rows), as_int(columns), 1, a,
              as_int(columns), x, 1, keep, y, 1);
}

inline void update(float* p, const float* g, std::int64_t n, double rate) {
  const auto r = static_cast<float>(rate);
  for (std::int64_t i = 0; i < n; ++i) p[i] -= r * g[i];
}

inline float total(const float* x, std::int64_t n) {
  P sum(0.0F);
  for_packs(n, [&](std::int64_t i, std::int64_t count) { sum += first(load(x + i), count); });
  return xsimd::hadd(sum);
}

/// The binary cross entropy of the logits z + b, times scale and added up, and its gradient dz: one pass.
inline float cross_entropy(const float* z, float b, const float* y, float* dz, std::int64_t n, float scale) {
  P loss(0.0F);
  for_packs(n, [&](std::int64_t i, std::int64_t count) {
    const P logit = load(z + i) + b, target = load(y + i);
    ((sigmoid(logit) - target) * scale).store_unaligned(dz + i);
    loss += first(softplus(logit) - target * logit, count);
  });
  return xsimd::hadd(loss) * scale;
}

/// z + b, or max(z + b, 0), in place.
inline void add_bias(float* z, const float* b, std::int64_t n, bool relu) {
  for_packs(n, [&](std::int64_t i, std::int64_t count) {
    const P sum = load(z + i) + load(b + i);
    store(relu ? xsimd::max(sum, P(0.0F)) : sum, z + i, count);
  });
}
inline void add_bias(float* z, float b, std::int64_t n) {
  for_packs(n, [&](std::int64_t i, std::int64_t count) {
    store(xsimd::max(load(z + i) + b, P(0.0F)), z + i, count);
  });
}

/// dz where h > 0, else 0.
inline P masked(const float* dz, const float* h) {
  const P zero(0.0F);
  return xsimd::select(load(h) > zero, load(dz), zero);
}

/// From (rows, columns) to (columns, rows).
inline Buffer transposed(const float* from, std::int64_t rows, std::int64_t columns) {
  Buffer to(rows * columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
  }
  return to;
}

template <class Model, class... A>
workload::Run training(A... arguments) {
  auto model = std::make_shared<Model>(arguments...);
  return {[model] { model->step(); }, [model] { return static_cast<double>(model->loss); }};
}

std::vector<workload::Workload> network_workloads();

}  // namespace limit
