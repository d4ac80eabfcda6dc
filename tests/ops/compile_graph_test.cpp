// Random graphs of operations, compiled: every replay gives the bits of the function itself.
#include <compiled.hpp>
#include <random>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

// A random function: the same choices, which depend on shapes alone, each time it is called.
class RandomGraph {
 public:
  RandomGraph(std::uint64_t seed, std::vector<Variable> leaves, std::vector<Parameter> parameters)
      : random_(seed), parameters_(std::move(parameters)), values_(std::move(leaves)) {}

  /// The cost and, in `outputs`, a few intermediate values.
  Variable run(std::vector<Variable>& outputs) {
    const int operations = 5 + static_cast<int>(below(56));
    for (int i = 0; i < operations; ++i) add(operation());
    Variable cost = mean(values_.back());
    for (int i = 0; i < 3; ++i) {
      outputs.push_back(pick());
      cost = cost + mean(outputs.back() * 0.5);
    }
    outputs.push_back(outputs[0]);
    outputs.push_back(reshape(outputs[1], {-1}));
    return cost;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  const Variable& pick() { return values_[below(values_.size())]; }
  int axis_of(const Variable& x) { return static_cast<int>(below(static_cast<std::size_t>(x.rank()))); }
  void add(Variable y) {
    if (y.size() > 0 && y.size() <= 30'000 && y.rank() <= 4) values_.push_back(std::move(y));
  }

  // Two values that broadcast to something that is not too large.
  std::pair<Variable, Variable> pair() {
    const Variable a = pick();
    for (int tries = 0; tries < 10; ++tries) {
      const Variable& b = pick();
      const auto shape = broadcast(a.shape(), b.shape());
      if (shape && shape->size() <= 30'000) return {a, b};
    }
    return {a, a};
  }

  Variable operation() {
    switch (below(11)) {
      case 0:
      case 1:
        return of_one(pick());
      case 2:
      case 3:
        return of_two();
      case 4:
        return product();
      case 5:
        return reduced(pick());
      case 6:
        return moved(pick());
      case 7:
        return with_parameter(parameters_[below(parameters_.size())]);
      case 8:
        return fused();
      case 9:
        return classified(pick());
      default:
        return pick() + full({}, 0.5, values_[0].dtype());
    }
  }

  Variable with_parameter(const Parameter& p) {
    const Variable& x = pick();
    const auto shape = broadcast(p.shape(), x.shape());
    return shape && shape->size() <= 30'000 ? p * x : Variable(p) + 1;
  }

  Variable of_one(const Variable& x) {
    switch (below(14)) {
      case 0:
        return sigmoid(x);
      case 1:
        return tanh(x);
      case 2:
        return relu(x);
      case 3:
        return exp(tanh(x));
      case 4:
        return log(1 + square(x));
      case 5:
        return sqrt(1 + abs(x));
      case 6:
        return softplus(x);
      case 7:
        return pow(tanh(x), 3);
      case 8:
        return clip(x, -1, 1);
      case 9:
        return leaky_relu(-x, 0.1);
      case 10:
        return tanh(expm1(tanh(x)));
      case 11:
        return stop_gradient(x) * 0.5 + x;
      case 12:
        return where(x > 0, x, 0.5);
      default:
        return log1p(abs(x));
    }
  }

  Variable of_two() {
    const auto [a, b] = pair();
    switch (below(8)) {
      case 0:
        return a + b;
      case 1:
        return a - b;
      case 2:
        return tanh(a * b);
      case 3:
        return a / (1 + square(b));
      case 4:
        return maximum(a, b);
      case 5:
        return minimum(a, b);
      case 6:
        return where((a > b) | !(b < 1), a, b * 0.5);
      default:
        return pow(1 + square(tanh(a)), tanh(b));
    }
  }

  Variable product() {
    for (int tries = 0; tries < 20; ++tries) {
      const Variable &a = pick(), &b = pick();
      if (a.rank() != 2 || b.rank() != 2) continue;
      if (a.shape()[1] == b.shape()[0]) return tanh(matmul(a, b));
      if (a.shape()[1] == b.shape()[1]) return tanh(matmul(a, b, {.b = true}));
      if (a.shape()[0] == b.shape()[0]) return tanh(matmul(a, b, {.a = true}));
    }
    return of_two();
  }

  Variable reduced(const Variable& x) {
    if (x.rank() == 0) return of_one(x);
    const int axis = axis_of(x);
    const bool keep = below(2) == 0;
    switch (below(8)) {
      case 0:
        return mean(x);
      case 1:
        return tanh(sum(x, axis, keep));
      case 2:
        return mean(x, axis, keep);
      case 3:
        return max(x, axis, keep);
      case 4:
        return min(x, axis, keep);
      case 5:
        return logsumexp(x, axis, keep);
      case 6:
        return softmax(x, axis);
      default:
        return log_softmax(x, axis) * 0.1;
    }
  }

  Variable moved(const Variable& x) {
    if (x.rank() == 0) return broadcast_to(x, {3, 2});
    const int axis = axis_of(x);
    switch (below(6)) {
      case 0:
        return reshape(x, {-1});
      case 1:
        return transpose(x);
      case 2:
        return slice(x, axis, {.start = 0, .step = 2});
      case 3:
        return slice(x, axis, {.start = -1, .step = -1});
      case 4:
        return concat({x, tanh(x), x}, axis);
      default:
        return x.rank() < 3 ? broadcast_to(x, Shape{2, x.shape()[0], x.rank() == 2 ? x.shape()[1] : x.size()})
                            : reshape(x, {x.shape()[0], -1});
    }
  }

  Variable fused() {
    const auto [a, b] = pair();
    const auto f = [](auto v, auto w) { return where(v > w, v * sigmoid(w), tanh(v) - w); };
    return below(2) == 0 ? fuse(f, a, b) : fuse_mean(f, a, b);
  }

  Variable classified(const Variable& x) {
    if (x.rank() != 2) return of_one(x);
    const Variable label = argmax(x);
    return below(2) == 0 ? softmax_cross_entropy(x, label)
                         : x * one_hot(label, x.shape()[1]).value().astype(x.dtype());
  }

  std::mt19937_64 random_;
  std::vector<Parameter> parameters_;
  std::vector<Variable> values_;
};

Tensor drawn(const Shape& shape, DType dtype, std::mt19937_64& random) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& value : values) value = static_cast<double>(random() >> 11) * 0x1p-52 - 1;
  return Tensor(shape, values).astype(dtype);
}

}  // namespace

TEST_CASE("Random graphs replay to the bit", "[compile]") {
  const std::vector<Shape> shapes{{5},     {1},       {},      {4, 5},   {1, 5},     {5, 3},
                                  {3, 4},  {2, 3, 4}, {17},    {70, 81}, {81},       {70, 1},
                                  {9, 17}, {5000},    {4, 20}, {8, 70},  {17, 1, 3}, {33, 130}};
  std::size_t passes = 0, calls = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    const DType dtype = seed % 2 == 0 ? float32 : float64;
    std::mt19937_64 random(seed);
    std::vector<Shape> chosen;
    for (int i = 0; i < 3; ++i) chosen.push_back(shapes[random() % shapes.size()]);
    std::vector<Parameter> parameters{{"p", drawn({}, dtype, random)},
                                      {"q", drawn(chosen[0], dtype, random)}};
    parameters.emplace_back("r", parameters[1].value());  // the same memory
    const bool second = seed % 4 < 2;

    const auto f = [&](const Variable& x, const Variable& y, const Variable& z) {
      Tape tape;
      std::vector<Variable> outputs;
      RandomGraph graph(seed, {tape.watch(x.value()), tape.watch(y.value()), z}, parameters);
      const Variable cost = graph.run(outputs);
      if (cost.is_constant()) return std::pair(outputs, Gradients());
      Gradients gradients = tape.backward(cost, {.create_graph = second});
      if (second) {
        Variable norm = full({}, 0, dtype);
        for (const auto& entry : gradients.entries()) norm = norm + mean(square(entry.gradient));
        for (const auto& entry : gradients.entries()) outputs.push_back(entry.gradient);
        if (!norm.is_constant()) gradients = tape.backward(norm);
      }
      return std::pair(outputs, gradients);
    };
    auto step = compile(f);
    for (int data = 0; data < 3; ++data) {
      const auto argument = [&](std::size_t i) { return drawn(chosen[i], dtype, random); };
      const Tensor x = argument(0), y = argument(1), z = argument(2);
      REQUIRE_NOTHROW(f(x, y, z));
      test::check_call(f, step, x, y, z);
      for (Parameter& p : parameters) p.set(drawn(p.shape(), dtype, random));
    }
    CHECK_THAT(to_string(step.report()), Catch::StartsWith("2 replays, 1 recording, 0 plain calls"));
    CHECK(step.report().planned_bytes <= step.report().temporary_bytes);
    passes += step.report().passes;
    calls += step.report().kernel_calls;
  }
  CHECK(passes < calls);  // blocks are among them
}
