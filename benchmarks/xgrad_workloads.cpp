// The workloads by xgrad, as a user writes them: a tape for each step, parameters, modules, sgd.
#include <memory>
#include <xgrad/xgrad.hpp>

#include "workload.hpp"

namespace {

using namespace xgrad;
using workload::Run, workload::Workload;

Tensor filled(const Shape& shape, std::uint32_t seed, float low = 0, float high = 1) {
  Tensor t(shape, float32);
  workload::fill(detail::mutable_data<float>(t), t.size(), seed, low, high);
  return t;
}
Tensor targets(const Shape& shape) {
  return Tensor(shape, workload::labels(shape.size(), workload::labels_seed, 2)).astype(float32);
}
double weighed(const Tensor& x) { return workload::weighed(x.data<float>(), x.size()); }

struct Model {
  std::vector<Parameter> parameters;
  double rate;
  Tensor x, y;
  std::function<Variable(const Variable&, const Variable&)> loss;
};

/// A step of training: the loss, its gradients and the update of the parameters.
Run training(const Model& model) {
  struct State {
    Model model;
    Sgd sgd;
    double last = 0;
  };
  auto s = std::make_shared<State>(State{model, Sgd(model.parameters, {.learning_rate = model.rate})});
  const auto step = [s] {
    Tape tape;
    const Variable cost = s->model.loss(s->model.x, s->model.y);
    s->sgd.step(tape.backward(cost));
    s->last = cost.item();
  };
  return {step, [s] { return s->last; }};
}

/// The same, recorded once and replayed.
Run compiled_training(const Model& model) {
  const auto forward_and_back = [loss = model.loss](const Variable& x, const Variable& y) {
    Tape tape;
    const Variable cost = loss(x, y);
    return std::pair(cost, tape.backward(cost));
  };
  struct State {
    Model model;
    Sgd sgd;
    decltype(compile(forward_and_back)) step;
    double last = 0;
  };
  auto s = std::make_shared<State>(
      State{model, Sgd(model.parameters, {.learning_rate = model.rate}), compile(forward_and_back)});
  const auto step = [s] {
    const auto [cost, gradients] = s->step(s->model.x, s->model.y);
    s->sgd.step(gradients);
    s->last = cost.item();
  };
  return {step, [s] { return s->last; }};
}

/// f(x), and its gradient for a seed (1 if there is none).
template <class F>
Run gradient(const Tensor& value, std::optional<Tensor> seed, F f) {
  BackwardOptions options;
  if (seed) options.seed = *seed;
  const auto compute = [x = Parameter("x", value), options, f] {
    Tape tape;
    Variable y = f(x);
    const Gradients gradients = tape.backward(y, options);
    return std::pair(y.value(), gradients[x].value());
  };
  return {compute, [compute] {
            const auto [y, dx] = compute();
            return weighed(y) + weighed(dx);
          }};
}

Model logistic(const workload::Logistic& size, bool columns) {
  const std::int64_t n = size.features, m = size.examples;
  const Parameter w("w", columns ? zeros({n, 1}) : zeros({n})), b("b", 0.0);
  const auto loss = [w, b, columns](const Variable& X, const Variable& Y) {
    const Variable z = columns ? matmul(w, X, {.a = true}) + b : matmul(X, w) + b;
    return mean(binary_cross_entropy_with_logits(z, Y));
  };
  return {{w, b},
          size.rate,
          filled(columns ? Shape{n, m} : Shape{m, n}, workload::inputs_seed),
          targets(columns ? Shape{1, m} : Shape{m}),
          loss};
}

/// A network whose weights have the values that every program uses; its biases are 0.
Sequential with_weights(Sequential net) {
  const auto all = net.parameters();
  for (std::uint32_t l = 1; 2 * l <= all.size(); ++l) {
    Parameter w = all[2 * (l - 1)];
    w.set(Tensor(w.shape(), workload::weight(w.shape()[0], w.shape()[1], l)));
  }
  return net;
}
Sequential classifier() {
  return with_weights({Linear(784, 256), relu, Linear(256, 128), relu, Linear(128, 10)});
}

Model classification(std::int64_t batch) {
  const Sequential net = classifier();
  const auto loss = [net](const Variable& x, const Variable& y) {
    return mean(softmax_cross_entropy(net(x), y));
  };
  return {net.parameters(), workload::W2_rate, filled({batch, workload::W2[0]}, workload::inputs_seed),
          Tensor({batch}, workload::labels(batch, workload::labels_seed, 10)), loss};
}

Model course() {
  const std::int64_t m = workload::W3_examples;
  DeepNetwork net({workload::W3, std::end(workload::W3)}, relu, identity);
  for (std::size_t l = 0; l < net.layers(); ++l) {
    const Shape shape = net.W[l].shape();
    net.W[l].set(Tensor(shape, workload::weight(shape[0], shape[1], static_cast<std::uint32_t>(l + 1))));
  }
  const auto loss = [net](const Variable& X, const Variable& Y) {
    return mean(binary_cross_entropy_with_logits(net(X), Y));
  };
  return {net.parameters(), workload::W3_rate, filled({workload::W3[0], m}, workload::inputs_seed),
          targets({1, m}), loss};
}

void add_training(std::vector<Workload>& all, const std::string& name, const std::function<Model()>& make) {
  all.push_back({name, [make] { return training(make()); }});
  all.push_back({name + "/compiled", [make] { return compiled_training(make()); }});
}

template <class F>
Workload chain(const std::string& name, std::int64_t n, int length, F operation) {
  const auto make = [n, length, operation] {
    const Tensor c = filled({n}, workload::labels_seed, 0.999F, 1.001F);
    const auto f = [=](const Parameter& x) {
      Variable y = operation(x, c);
      for (int i = 1; i < length; ++i) y = operation(y, c);
      return y;
    };
    return gradient(filled({n}, workload::inputs_seed), filled({n}, workload::seed_seed), f);
  };
  return {name, make, static_cast<double>(length)};
}

template <class F>
Workload formula(const std::string& name, std::int64_t n, F f) {
  return {name, [n, f] { return gradient(filled({n}, workload::inputs_seed, -4, 4), std::nullopt, f); },
          static_cast<double>(n)};
}

constexpr std::int64_t w6 = workload::W6_size;

Run add_column() {
  const auto compute = [A = Parameter("A", filled({w6, w6}, workload::inputs_seed)),
                        b = Parameter("b", filled({w6, 1}, workload::labels_seed)),
                        options = BackwardOptions{.seed = filled({w6, w6}, workload::seed_seed)}] {
    Tape tape;
    const Variable y = A + b;
    const Gradients gradients = tape.backward(y, options);
    return std::pair(y.value(), gradients[b].value());
  };
  return {compute, [compute] {
            const auto [y, db] = compute();
            return weighed(y) + weighed(db);
          }};
}

Run total(int axis) {
  const auto compute = [axis, x = filled({w6, w6}, workload::inputs_seed)] { return sum(x, axis).value(); };
  return {compute, [compute] { return weighed(compute()); }};
}

Run total_gradient(int axis) {
  return gradient(filled({w6, w6}, workload::inputs_seed), filled({w6}, workload::labels_seed),
                  [axis](const Parameter& x) { return sum(x, axis); });
}

/// One example through a network of rows; nothing is recorded.
Run latency(const Sequential& net, std::int64_t inputs) {
  const auto compute = [net, x = filled({1, inputs}, workload::inputs_seed)] { return net(x).value(); };
  return {compute, [compute] { return weighed(compute()); }};
}

/// How cost grows: with the length of a chain of single numbers, and with the size of x y + x.
void add_scaling(std::vector<Workload>& all) {
  for (int n = 10; n <= 1000000; n *= 10) {
    all.push_back(chain("graph/" + std::to_string(n), 1, n, [](auto&& a, const Tensor& b) { return a * b; }));
  }
  for (std::int64_t n = 1; n <= 100000000; n *= 10) {
    const auto make = [n] {
      return gradient(
          filled({n}, workload::inputs_seed), filled({n}, workload::seed_seed),
          [y = Parameter("y", filled({n}, workload::labels_seed))](const Parameter& x) { return x * y + x; });
    };
    all.push_back({"tensor/" + std::to_string(n), make, static_cast<double>(n)});
  }
}

}  // namespace

namespace workload {

std::vector<Workload> workloads() {
  std::vector<Workload> all;
  add_training(all, "W1a", [] { return logistic(W1a, true); });
  add_training(all, "W1b", [] { return logistic(W1b, false); });
  add_training(all, "W2/64", [] { return classification(64); });
  add_training(all, "W2/512", [] { return classification(512); });
  add_training(all, "W3", course);
  for (std::int64_t n : {1, 16, 1024}) {
    const std::string size = std::to_string(n);
    all.push_back(chain("W4/add/" + size, n, W4_length, [](auto&& a, const Tensor& b) { return a + b; }));
    all.push_back(chain("W4/mul/" + size, n, W4_length, [](auto&& a, const Tensor& b) { return a * b; }));
  }
  for (std::int64_t n : {1000000, 10000000}) {
    const std::string size = std::to_string(n);
    all.push_back(formula("W5/" + size, n, [](const Parameter& x) {
      return fuse_sum([](auto v) { return sigmoid(v) * tanh(v) + log(1 + exp(v)); }, x);
    }));
    all.push_back(formula("W5ops/" + size, n,
                          [](const Parameter& x) { return sum(sigmoid(x) * tanh(x) + log(1 + exp(x))); }));
  }
  all.push_back({"W6/broadcast", add_column});
  for (int axis : {0, 1}) {
    const std::string name = "W6/sum" + std::to_string(axis);
    all.push_back({name, [axis] { return total(axis); }});
    all.push_back({name + "_grad", [axis] { return total_gradient(axis); }});
  }
  all.push_back(
      {"latency/4-16-16-1", [] {
         return latency(with_weights({Linear(4, 16), relu, Linear(16, 16), relu, Linear(16, 1)}), 4);
       }});
  all.push_back({"latency/W2", [] { return latency(classifier(), W2[0]); }});
  add_scaling(all);
  return all;
}

void set_threads(int count) { set_num_threads(count); }

std::string describe() { return to_string(version_info()); }

void hello() {
  const Parameter w("w", tensor({{1, -2, 3}}));
  Tape tape;
  tape.backward(mean(sigmoid(matmul(w, tensor({{1, 2}, {3, 4}, {5, 6}})))));
}

}  // namespace workload
