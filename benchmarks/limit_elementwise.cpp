// The hand-written limit of W4 to W6: operations element by element, broadcasts and sums.
#include <algorithm>

#include "limit.hpp"

namespace limit {
namespace {

using workload::Run, workload::Workload;

/// W4: y = y op c, a thousand times, and back. Two buffers take turns, so that all of it stays in the first cache.
template <bool multiply>
Run chain(std::int64_t n) {
  struct State {
    Buffer x, c, seed, y[2], g[2];
  };
  auto s = std::make_shared<State>();
  s->x = Buffer(workload::uniform(n, workload::inputs_seed));
  s->c = Buffer(workload::uniform(n, workload::labels_seed, 0.999F, 1.001F));
  s->seed = Buffer(workload::uniform(n, workload::seed_seed));
  for (int i = 0; i < 2; ++i) {
    s->y[i] = Buffer(n);
    s->g[i] = Buffer(n);
  }
  const auto step = [s, n] {
    const float *from = s->x, *c = s->c;
    for (int k = 0; k < workload::W4_length; ++k, barrier()) {
      float* to = s->y[k % 2];
      for (std::int64_t i = 0; i < n; ++i) to[i] = multiply ? from[i] * c[i] : from[i] + c[i];
      from = to;
    }
    from = s->seed;
    for (int k = 0; k < workload::W4_length; ++k, barrier()) {
      float* to = s->g[k % 2];
      if (!multiply) continue;  // the gradient of a sum is what comes in
      for (std::int64_t i = 0; i < n; ++i) to[i] = from[i] * c[i];
      from = to;
    }
  };
  const auto result = [s, n] {
    const float* g = multiply ? s->g[(workload::W4_length - 1) % 2] : s->seed;
    return workload::weighed(s->y[(workload::W4_length - 1) % 2], n) + workload::weighed(g, n);
  };
  return {step, result};
}

/// W5: sum(sigmoid(x) tanh(x) + log(1 + exp(x))) and its gradient in one pass over x. The functions are computed as
/// written: no identity between them is used that a library could not know.
Run formula(std::int64_t n) {
  struct State {
    Buffer x, dx;
    double loss = 0;
  };
  auto s = std::make_shared<State>();
  s->x = Buffer(workload::uniform(n, workload::inputs_seed, -4, 4));
  s->dx = Buffer(n);
  const auto step = [s, n] {
    constexpr std::int64_t block = 4096;  // sums of blocks in float, their sum in double
    double loss = 0;
    for (std::int64_t start = 0; start < n; start += block) {
      const float* x = s->x + start;
      float* dx = s->dx + start;
      P sum(0.0F);
      for_packs(std::min(block, n - start), [&](std::int64_t i, std::int64_t count) {
        const P v = load(x + i), a = sigmoid(v), t = xsimd::tanh(v), e = xsimd::exp(v);
        (a * (1 - a) * t + a * (1 - t * t) + e / (1 + e)).store_unaligned(dx + i);
        sum += first(a * t + xsimd::log(1 + e), count);
      });
      loss += static_cast<double>(xsimd::hadd(sum));
    }
    s->loss = loss;
  };
  return {step, [s, n] { return s->loss + workload::weighed(s->dx, n); }};
}

constexpr std::int64_t size = workload::W6_size;

struct Matrix {
  Buffer x{workload::uniform(size * size, workload::inputs_seed)};
  Buffer seed{workload::uniform(size * size, workload::seed_seed)};
  Buffer v{workload::uniform(size, workload::labels_seed)};
  Buffer y{size * size}, dv{size}, total{size};

  // Four rows at a time, their sum in registers before it meets the total.
  void sum_rows() {
    for (std::int64_t j = 0; j < size; ++j) total[j] = 0;
    for (std::int64_t i = 0; i < size; i += 4) {
      const float* row = x + i * size;
      float* to = total;
      for (std::int64_t j = 0; j < size; ++j) {
        to[j] += (row[j] + row[size + j]) + (row[2 * size + j] + row[3 * size + j]);
      }
    }
  }
  static float sum_row(const float* row) {
    P sum[4] = {P(0.0F), P(0.0F), P(0.0F), P(0.0F)};
    std::int64_t j = 0;
    for (; j + 4 * lanes <= size; j += 4 * lanes) {
      for (int k = 0; k < 4; ++k) sum[k] += load(row + j + k * lanes);
    }
    float rest = 0;
    for (; j + lanes <= size; j += lanes) sum[0] += load(row + j);
    for (; j < size; ++j) rest += row[j];
    return xsimd::hadd((sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
  }
  void sum_columns() {
    for (std::int64_t i = 0; i < size; ++i) total[i] = sum_row(x + i * size);
  }
};

template <class F>
Run matrix(F f, bool gradient) {
  auto s = std::make_shared<Matrix>();
  return {[s, f] { f(*s), barrier(); },
          [s, gradient] {
            return workload::weighed(s->total, size) + workload::weighed(s->dv, size) +
                   (gradient ? workload::weighed(s->y, size * size) : 0);
          }};
}

}  // namespace

std::vector<Workload> elementwise_workloads() {
  std::vector<Workload> all;
  for (std::int64_t n : {1, 16, 1024}) {
    all.push_back({"W4/add/" + std::to_string(n), [n] { return chain<false>(n); }, workload::W4_length});
    all.push_back({"W4/mul/" + std::to_string(n), [n] { return chain<true>(n); }, workload::W4_length});
  }
  for (std::int64_t n : {1000000, 10000000}) {
    all.push_back({"W5/" + std::to_string(n), [n] { return formula(n); }, static_cast<double>(n)});
  }
  const auto broadcast = [](Matrix& m) {
    for (std::int64_t i = 0; i < size; ++i) {
      const float *row = m.x + i * size, v = m.v[i];
      float* y = m.y + i * size;
      for (std::int64_t j = 0; j < size; ++j) y[j] = row[j] + v;
    }
    for (std::int64_t i = 0; i < size; ++i) m.dv[i] = Matrix::sum_row(m.seed + i * size);
  };
  const auto rows = [](Matrix& m) { m.sum_rows(); };
  const auto columns = [](Matrix& m) { m.sum_columns(); };
  const auto rows_back = [](Matrix& m) {
    m.sum_rows();
    for (std::int64_t i = 0; i < size; ++i) std::copy(m.v + 0, m.v + size, m.y + i * size);
  };
  const auto columns_back = [](Matrix& m) {
    m.sum_columns();
    for (std::int64_t i = 0; i < size; ++i) std::fill(m.y + i * size, m.y + (i + 1) * size, m.v[i]);
  };
  all.push_back({"W6/broadcast", [=] { return matrix(broadcast, true); }});
  all.push_back({"W6/sum0", [=] { return matrix(rows, false); }});
  all.push_back({"W6/sum1", [=] { return matrix(columns, false); }});
  all.push_back({"W6/sum0_grad", [=] { return matrix(rows_back, true); }});
  all.push_back({"W6/sum1_grad", [=] { return matrix(columns_back, true); }});
  return all;
}

}  // namespace limit
