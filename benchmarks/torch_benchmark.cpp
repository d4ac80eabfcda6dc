// The workloads by PyTorch's C++ API, recorded eagerly, at its best settings: the faster of mv, mm and addmm,
// gradients that are dropped and not zeroed, no autograd for latency. Needs the CMake option XGRAD_BENCHMARK_TORCH.
#include <torch/torch.h>
#include <torch/version.h>

#include <memory>
#include <sstream>

#include "workload.hpp"

namespace {

using torch::Tensor;
using workload::Run, workload::Workload;

Tensor from(const std::vector<float>& values, at::IntArrayRef shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape).clone();
}
Tensor filled(at::IntArrayRef shape, std::uint32_t seed, float low = 0, float high = 1) {
  Tensor t = torch::empty(shape);
  workload::fill(t.data_ptr<float>(), t.numel(), seed, low, high);
  return t;
}
Tensor classes(std::int64_t n, std::uint32_t count) {
  auto values = workload::labels(n, workload::labels_seed, count);
  return torch::from_blob(values.data(), {n}, torch::kInt64).clone();
}
double weighed(const Tensor& x) {
  const Tensor c = x.detach().contiguous();
  return workload::weighed(c.data_ptr<float>(), c.numel());
}
Tensor parameter(const Tensor& value) { return value.clone().set_requires_grad(true); }

template <class F>
Run training(std::vector<Tensor> parameters, double rate, F loss) {
  struct State {
    torch::optim::SGD sgd;
    double last = 0;
  };
  auto s = std::make_shared<State>(State{torch::optim::SGD(parameters, torch::optim::SGDOptions(rate))});
  const auto step = [s, loss] {
    s->sgd.zero_grad(/*set_to_none=*/true);
    const Tensor cost = loss();
    cost.backward();
    s->sgd.step();
    s->last = cost.template item<double>();
  };
  return {step, [s] { return s->last; }};
}

/// mv where the examples' order allows it: 3 to 5 times faster than mm here.
Run logistic(const workload::Logistic& size, bool columns) {
  const std::int64_t n = size.features, m = size.examples;
  const Tensor stored =
      filled(columns ? at::IntArrayRef{n, m} : at::IntArrayRef{m, n}, workload::inputs_seed);
  const Tensor x = columns ? stored.t() : stored, y = classes(m, 2).to(torch::kFloat32);
  const Tensor w = parameter(torch::zeros({n})), b = parameter(torch::zeros({1}));
  return training({w, b}, size.rate,
                  [=] { return torch::binary_cross_entropy_with_logits(torch::mv(x, w) + b, y); });
}

struct Layers {
  std::vector<Tensor> w, b;

  std::vector<Tensor> parameters() const {
    std::vector<Tensor> all;
    for (std::size_t l = 0; l < w.size(); ++l) {
      all.push_back(w[l]);
      all.push_back(b[l]);
    }
    return all;
  }
  /// Examples in rows; torch::linear is addmm with the bias inside.
  Tensor rows(Tensor h) const {
    for (std::size_t l = 0; l < w.size(); ++l) {
      h = torch::linear(h, w[l], b[l]);
      if (l + 1 < w.size()) h = torch::relu(h);
    }
    return h;
  }
  /// Examples in columns: addmm broadcasts the bias column.
  Tensor columns(Tensor h) const {
    for (std::size_t l = 0; l < w.size(); ++l) {
      h = torch::addmm(b[l], w[l], h);
      if (l + 1 < w.size()) h = torch::relu(h);
    }
    return h;
  }
};

Layers layers(std::initializer_list<std::int64_t> sizes, bool columns) {
  Layers net;
  const std::vector<std::int64_t> n(sizes);
  for (std::size_t l = 1; l < n.size(); ++l) {
    net.w.push_back(
        parameter(from(workload::weight(n[l], n[l - 1], static_cast<std::uint32_t>(l)), {n[l], n[l - 1]})));
    net.b.push_back(parameter(columns ? torch::zeros({n[l], 1}) : torch::zeros({n[l]})));
  }
  return net;
}

Run classification(std::int64_t batch) {
  const Layers net = layers({784, 256, 128, 10}, false);
  const Tensor x = filled({batch, 784}, workload::inputs_seed), y = classes(batch, 10);
  return training(net.parameters(), workload::W2_rate,
                  [=] { return torch::cross_entropy_loss(net.rows(x), y); });
}

Run course() {
  const std::int64_t m = workload::W3_examples;
  const Layers net = layers({12288, 20, 7, 5, 1}, true);
  const Tensor x = filled({12288, m}, workload::inputs_seed),
               y = classes(m, 2).to(torch::kFloat32).reshape({1, m});
  return training(net.parameters(), workload::W3_rate,
                  [=] { return torch::binary_cross_entropy_with_logits(net.columns(x), y); });
}

/// f(x), and the gradient for a seed. autograd::grad hands it over; backward() would copy it into x.grad.
template <class F>
Run gradient(const Tensor& value, const Tensor& seed, F f) {
  const Tensor x = parameter(value);
  const auto compute = [=] {
    const Tensor y = f(x);
    // Sums give their gradient as a view with strides of 0: it is written out, as everywhere else.
    return std::pair(y, torch::autograd::grad({y}, {x}, {seed})[0].contiguous());
  };
  return {compute, [=] {
            const auto [y, dx] = compute();
            return weighed(y) + weighed(dx);
          }};
}

template <class F>
Workload chain(const std::string& name, std::int64_t n, int length, F operation) {
  const auto make = [=] {
    const Tensor c = filled({n}, workload::labels_seed, 0.999F, 1.001F);
    return gradient(filled({n}, workload::inputs_seed), filled({n}, workload::seed_seed), [=](Tensor y) {
      for (int i = 0; i < length; ++i) y = operation(y, c);
      return y;
    });
  };
  return {name, make, static_cast<double>(length)};
}

Run formula(std::int64_t n) {
  return gradient(filled({n}, workload::inputs_seed, -4, 4), torch::ones({}), [](const Tensor& x) {
    return torch::sum(torch::sigmoid(x) * torch::tanh(x) + torch::log(1 + torch::exp(x)));
  });
}

constexpr std::int64_t w6 = workload::W6_size;

Run add_column() {
  const Tensor A = parameter(filled({w6, w6}, workload::inputs_seed)),
               b = parameter(filled({w6, 1}, workload::labels_seed));
  const Tensor seed = filled({w6, w6}, workload::seed_seed);
  const auto compute = [=] {
    const Tensor y = A + b;
    return std::pair(y, torch::autograd::grad({y}, {A, b}, {seed})[1]);
  };
  return {compute, [=] {
            const auto [y, db] = compute();
            return weighed(y) + weighed(db);
          }};
}

Run total(int axis) {
  const Tensor x = filled({w6, w6}, workload::inputs_seed);
  const auto compute = [=] {
    const c10::InferenceMode inference;
    return torch::sum(x, axis);
  };
  return {compute, [=] { return weighed(compute()); }};
}

Run total_gradient(int axis) {
  return gradient(filled({w6, w6}, workload::inputs_seed),
                  filled({axis == 0 ? 1 : w6, axis == 0 ? w6 : 1}, workload::labels_seed).reshape({w6}),
                  [axis](const Tensor& x) { return torch::sum(x, axis); });
}

Run latency(const Layers& net, std::int64_t inputs) {
  const Tensor x = filled({1, inputs}, workload::inputs_seed);
  const auto compute = [=] {
    const c10::InferenceMode inference;
    return net.rows(x);
  };
  return {compute, [=] { return weighed(compute()); }};
}

void add_scaling(std::vector<Workload>& all) {
  for (int n = 10; n <= 100000; n *= 10) {
    all.push_back(
        chain("graph/" + std::to_string(n), 1, n, [](const Tensor& a, const Tensor& b) { return a * b; }));
  }
  for (std::int64_t n = 1; n <= 10000000; n *= 10) {
    const auto make = [n] {
      const Tensor x = parameter(filled({n}, workload::inputs_seed)),
                   y = parameter(filled({n}, workload::labels_seed));
      const auto compute = [x, y, seed = filled({n}, workload::seed_seed)] {
        const Tensor z = x * y + x;
        return std::pair(z, torch::autograd::grad({z}, {x, y}, {seed})[0]);
      };
      return Run{compute, [compute] {
                   const auto [z, dx] = compute();
                   return weighed(z) + weighed(dx);
                 }};
    };
    all.push_back({"tensor/" + std::to_string(n), make, static_cast<double>(n)});
  }
}

}  // namespace

namespace workload {

std::vector<Workload> workloads() {
  std::vector<Workload> all{
      {"W1a", [] { return logistic(W1a, true); }},
      {"W1b", [] { return logistic(W1b, false); }},
      {"W2/64", [] { return classification(64); }},
      {"W2/512", [] { return classification(512); }},
      {"W3", course},
  };
  for (std::int64_t n : {1, 16, 1024}) {
    const std::string size = std::to_string(n);
    all.push_back(
        chain("W4/add/" + size, n, W4_length, [](const Tensor& a, const Tensor& b) { return a + b; }));
    all.push_back(
        chain("W4/mul/" + size, n, W4_length, [](const Tensor& a, const Tensor& b) { return a * b; }));
  }
  for (std::int64_t n : {1000000, 10000000}) {
    all.push_back({"W5/" + std::to_string(n), [n] { return formula(n); }, static_cast<double>(n)});
  }
  all.push_back({"W6/broadcast", add_column});
  for (int axis : {0, 1}) {
    const std::string name = "W6/sum" + std::to_string(axis);
    all.push_back({name, [axis] { return total(axis); }});
    all.push_back({name + "_grad", [axis] { return total_gradient(axis); }});
  }
  all.push_back({"latency/4-16-16-1", [] { return latency(layers({4, 16, 16, 1}, false), 4); }});
  all.push_back({"latency/W2", [] { return latency(layers({784, 256, 128, 10}, false), W2[0]); }});
  add_scaling(all);
  return all;
}

void set_threads(int count) {
  at::set_num_threads(count);
  at::set_num_interop_threads(1);
}

std::string describe() {
  std::istringstream config(at::show_config());
  std::string text = "PyTorch " TORCH_VERSION, line;
  while (std::getline(config, line)) {
    if (line.find("Math Kernel Library") != std::string::npos ||
        line.find("CPU capability") != std::string::npos)
      text += "\n" + line;
  }
  return text + "\n  BLAS: " + (at::hasMKL() ? "MKL" : "as built");
}

void hello() {
  const Tensor w = parameter(torch::ones({1, 3}));
  torch::mean(torch::sigmoid(torch::mm(w, torch::ones({3, 2})))).backward();
}

}  // namespace workload
