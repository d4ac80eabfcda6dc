// The hand-written limit of the networks W2 and W3.
#include <cmath>

#include "limit_blas.hpp"

namespace limit {
namespace {

/// W2: examples in rows, ReLU between the layers. Weights are (inputs, outputs): OpenBLAS's fastest form for 64 rows.
struct Classifier {
  struct Layer {
    std::int64_t inputs, outputs;
    Buffer w, b{outputs}, h, dh, dw{outputs * inputs}, db{outputs};
  };
  std::int64_t batch;
  Buffer x;
  std::vector<std::int64_t> labels;
  Buffer power{workload::W2[3]};
  std::vector<Layer> layers;
  float loss = 0;

  explicit Classifier(std::int64_t examples)
      : batch(examples), x(workload::uniform(examples * workload::W2[0], workload::inputs_seed)) {
    labels = workload::labels(batch, workload::labels_seed, 10);
    for (std::uint32_t l = 1; l < std::size(workload::W2); ++l) {
      const std::int64_t in = workload::W2[l - 1], out = workload::W2[l];
      layers.push_back({in, out, transposed(workload::weight(out, in, l).data(), out, in), Buffer(out),
                        Buffer(batch * out), Buffer(batch * out)});
    }
  }

  void forward() {
    const float* a = x;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      Layer& layer = layers[l];
      const std::int64_t n = layer.outputs;
      if (batch == 1) {
        gemv(true, layer.inputs, n, layer.w, a, layer.h);
      } else {
        gemm(false, false, batch, n, layer.inputs, a, layer.w, layer.h);
      }
      for (std::int64_t i = 0; i < batch; ++i) add_bias(layer.h + i * n, layer.b, n, l + 1 < layers.size());
      a = layer.h;
    }
  }

  void softmax_cross_entropy() {
    Layer& last = layers.back();
    const std::int64_t n = last.outputs;
    const float scale = 1 / static_cast<float>(batch);
    loss = 0;
    for (std::int64_t i = 0; i < batch; ++i) {
      const float* z = last.h + i * n;
      const float highest = *std::max_element(z, z + n);
      P total(0.0F);
      for_packs(n, [&](std::int64_t j, std::int64_t count) {
        const P e = xsimd::exp(load(z + j) - highest);
        e.store_unaligned(power + j);
        total += first(e, count);
      });
      const float sum = xsimd::hadd(total), factor = scale / sum;
      const auto label = labels[static_cast<std::size_t>(i)];
      loss += (highest + std::log(sum) - z[label]) * scale;
      float* dz = last.dh + i * n;
      for (std::int64_t j = 0; j < n; ++j) dz[j] = power[j] * factor;
      dz[label] -= scale;
    }
  }

  void step() {
    forward();
    softmax_cross_entropy();
    for (std::size_t l = layers.size(); l-- > 0;) {
      Layer& layer = layers[l];
      const std::int64_t n = layer.outputs;
      const bool hidden = l + 1 < layers.size();
      float* db = layer.db;
      std::fill(db, db + n, 0.0F);
      for (std::int64_t i = 0; i < batch; ++i) {
        float* dz = layer.dh + i * n;
        const float* h = layer.h + i * n;
        for_packs(n, [&](std::int64_t j, std::int64_t count) {
          const P d = hidden ? masked(dz + j, h + j) : load(dz + j);
          if (hidden) store(d, dz + j, count);
          store(load(db + j) + d, db + j, count);
        });
      }
      gemm(true, false, layer.inputs, n, batch,
           l > 0 ? static_cast<float*>(layers[l - 1].h) : static_cast<float*>(x), layer.dh, layer.dw);
      if (l > 0) gemm(false, true, batch, layer.inputs, n, layer.dh, layer.w, layers[l - 1].dh);
    }
    for (Layer& layer : layers) {
      update(layer.w, layer.dw, layer.dw.size(), workload::W2_rate);
      update(layer.b, layer.db, layer.db.size(), workload::W2_rate);
    }
  }
};

/// W3: examples in columns, ReLU hidden, a sigmoid at the end inside the loss.
struct Course {
  struct Layer {
    std::int64_t inputs, outputs;
    Buffer w, b{outputs}, a, dz, dw{outputs * inputs}, db{outputs};
  };
  static constexpr std::int64_t m = workload::W3_examples;
  Buffer x{workload::uniform(workload::W3[0] * m, workload::inputs_seed)}, y{m};
  Buffer dz_transposed{workload::W3[1] * m};
  std::vector<Layer> layers;
  float loss = 0;

  Course() {
    const auto labels = workload::labels(m, workload::labels_seed, 2);
    for (std::size_t i = 0; i < labels.size(); ++i) y[i] = static_cast<float>(labels[i]);
    for (std::uint32_t l = 1; l < std::size(workload::W3); ++l) {
      const std::int64_t in = workload::W3[l - 1], out = workload::W3[l];
      layers.push_back(
          {in, out, Buffer(workload::weight(out, in, l)), Buffer(out), Buffer(out * m), Buffer(out * m)});
    }
  }

  const float* input(std::size_t l) const { return l > 0 ? layers[l - 1].a : x; }

  void step() {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      Layer& layer = layers[l];
      if (l + 1 == layers.size()) {
        gemv(true, layer.inputs, m, input(l), layer.w, layer.a);
        break;
      }
      gemm(false, false, layer.outputs, m, layer.inputs, layer.w, input(l), layer.a);
      for (std::int64_t i = 0; i < layer.outputs; ++i) add_bias(layer.a + i * m, layer.b[i], m);
    }
    Layer& last = layers.back();
    loss = cross_entropy(last.a, last.b[0], y, last.dz, m, 1 / static_cast<float>(m));
    for (std::size_t l = layers.size(); l-- > 0;) {
      Layer& layer = layers[l];
      const std::int64_t n = layer.outputs, k = layer.inputs;
      for (std::int64_t i = 0; i < n; ++i) layer.db[i] = total(layer.dz + i * m, m);
      if (n == 1) {
        gemv(false, k, m, input(l), layer.dz, layer.dw);
      } else {
        // Both sides transposed is OpenBLAS's fastest form, by more than it takes to transpose dz.
        for (std::int64_t i = 0; i < n; ++i) {
          for (std::int64_t j = 0; j < m; ++j) dz_transposed[j * n + i] = layer.dz[i * m + j];
        }
        gemm(true, true, n, k, m, dz_transposed, input(l), layer.dw);
      }
      if (l == 0) break;
      Layer& before = layers[l - 1];
      gemm(true, false, k, m, n, layer.w, layer.dz, before.dz);
      for_packs(k * m, [&](std::int64_t i, std::int64_t) {
        masked(before.dz + i, before.a + i).store_unaligned(before.dz + i);
      });
    }
    for (Layer& layer : layers) {
      update(layer.w, layer.dw, layer.dw.size(), workload::W3_rate);
      update(layer.b, layer.db, layer.db.size(), workload::W3_rate);
    }
  }
};

}  // namespace

std::vector<workload::Workload> network_workloads() {
  return {
      {"W2/64", [] { return training<Classifier>(64); }},
      {"W2/512", [] { return training<Classifier>(512); }},
      {"W3", [] { return training<Course>(); }},
      {"latency/W2",
       [] {
         auto model = std::make_shared<Classifier>(1);
         return workload::Run{[model] { model->forward(); },
                              [model] { return workload::weighed(model->layers.back().h, workload::W2[3]); }};
       }},
  };
}

}  // namespace limit
