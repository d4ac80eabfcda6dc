// Gradient checks of nests of inputs, of modules, and in one call.
#include <array>
#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <map>
#include <string>
#include <tuple>
#include <vector>
#include <xgrad/autograd/catch.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/philox.hpp>

#include "planted.hpp"

namespace {

using namespace xgrad;
using planted::square_with;

Tensor numbers(const Shape& shape, std::uint64_t stream = 1, double low = 0.5, double high = 2) {
  Generator generator(31, stream);
  return uniform(shape, generator, low, high, float64);
}

struct Layer {
  Variable weight, bias;
  template <class V>
  void each_variable(V&& visit) {
    visit(weight, "weight");
    visit(bias, "bias");
  }
};
struct Batch {
  Variable x;
  std::vector<Layer> layers;
  std::map<std::string, Variable> extra;
  template <class V>
  void each_variable(V&& visit) {
    visit(x, "x");
    visit(layers, "layers");
    visit(extra, "extra");
  }
};

std::vector<std::string> names_of(const GradReport& report) {
  std::vector<std::string> names;
  for (const GradInput& input : report.inputs) names.push_back(input.name);
  return names;
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("A single tensor is a nest", "[gradcheck][nest]") {
  const auto f = [](const Variable& x) { return exp(x); };
  const GradReport report = gradcheck(f, numbers({3}), {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
  CHECK(names_of(report) == Names{"x0"});
  CHECK(gradcheck(f, Variable(numbers({3}))).passed);
}

TEST_CASE("Vectors, arrays, pairs, tuples and maps nest to any depth", "[gradcheck][nest]") {
  using Nest = std::tuple<Tensor, std::vector<std::pair<Tensor, Variable>>, std::array<Tensor, 2>,
                          std::map<std::string, std::vector<Tensor>>>;
  const Nest nest{numbers({2}, 1),
                  {{numbers({2}, 2), numbers({2}, 3)}, {numbers({2}, 4), numbers({2}, 5)}},
                  {numbers({2}, 6), numbers({2}, 7)},
                  {{"gain", {numbers({2}, 8)}}, {"shift", {numbers({2}, 9), numbers({}, 10)}}}};
  using Values = std::tuple<Variable, std::vector<std::pair<Variable, Variable>>, std::array<Variable, 2>,
                            std::map<std::string, std::vector<Variable>>>;
  const auto f = [](const Values& x) {
    const auto& [a, pairs, two, named] = x;
    Variable y = a * a;
    for (const auto& [p, q] : pairs) y = y * p + exp(q);
    y = y * two[0] / two[1] * named.at("gain")[0];
    for (const Variable& shift : named.at("shift")) y = y + square(shift);
    return y;
  };
  const GradReport report = gradcheck(f, nest, {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
  CHECK(report.probes == 2 * 19);
  CHECK(names_of(report) == Names{"x0", "x1.0.0", "x1.0.1", "x1.1.0", "x1.1.1", "x2.0", "x2.1", "x3.gain.0",
                                  "x3.shift.0", "x3.shift.1"});

  const auto bad = [&](const Values& x) {
    const auto slope = [](const Variable& v) { return 1.9 * v; };
    return f(x) + square_with(std::get<1>(x)[1].second, slope);
  };
  const GradReport found = gradcheck(bad, nest);
  CHECK_FALSE(found.passed);
  CHECK(found.worst[0].input == "x1.1.1");
  REQUIRE(found.faults.size() == 1);
  CHECK(found.faults[0].what ==
        "its pullback for x1.1.1 (input 0) gives 0.95 times the change of its result");
}

TEST_CASE("A class shows its parts to a visitor", "[gradcheck][nest]") {
  const Batch batch{numbers({2, 3}),
                    {{numbers({3, 4}, 2), numbers({4}, 3)}, {numbers({4, 1}, 4), numbers({1}, 5)}},
                    {{"scale", numbers({}, 6)}, {"labels", Tensor({2}, std::vector<std::int64_t>{1, 0})}}};
  const auto f = [](const Batch& b) {
    Variable y = b.x;
    for (const Layer& layer : b.layers) y = tanh(matmul(y, layer.weight) + layer.bias);
    CHECK(b.extra.at("labels").dtype() == int64);
    return y * b.extra.at("scale");
  };
  const GradReport report = gradcheck(f, batch);
  INFO(to_string(report));
  CHECK(report.passed);
  CHECK(names_of(report) ==
        Names{"x", "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "extra.scale"});
  CHECK_THAT(f, HasCorrectGradients(batch));
}

TEST_CASE("float32 tensors of a nest are converted, others are handed on", "[gradcheck][nest]") {
  const auto f = [](const std::vector<Variable>& x) {
    CHECK(x[0].dtype() == float64);
    CHECK(x[1].dtype() == int64);
    return x[0] * x[0];
  };
  const Variables nest{tensor({1, 2, 3}), Tensor({2}, std::vector<std::int64_t>{4, 5})};
  const GradReport report = gradcheck(f, nest);
  CHECK(report.passed);
  CHECK(names_of(report) == Names{"x0"});
  CHECK(complaint<Error>([&] { gradcheck([](const Variables& x) { return x[0]; }, Variables{}); }) ==
        "gradcheck: there are no inputs");
}

TEST_CASE("All parameters of a module are checked", "[gradcheck][nest]") {
  const DeepNetwork network({3, 4, 1}, tanh);
  const Tensor X = numbers({3, 5}, 1, -1, 1);
  const GradReport report = gradcheck([&] { return mean(network(X)); }, network);
  INFO(to_string(report));
  CHECK(report.passed);
  CHECK(names_of(report) == Names{"W1", "b1", "W2", "b2"});
}

TEST_CASE("A model is checked in one call", "[gradcheck][nest]") {
  const Sequential model{Linear(3, 8), tanh, Linear(8, 2)};
  const Tensor X = numbers({5, 3}, 1, -1, 1).astype(float32);
  const Tensor labels({5}, std::vector<std::int64_t>{0, 1, 1, 0, 1});
  const auto before = model.parameters()[0].value();
  SECTION("loss(model(x), y)") {
    const auto loss = [](const Variable& logits, const Variable& y) {
      return mean(softmax_cross_entropy(logits, y));
    };
    const GradReport report = check_gradients(model, loss, std::pair(X, labels), {.order = 2});
    INFO(to_string(report));
    CHECK(report.passed);
    CHECK(names_of(report) == Names{"0.weight", "0.bias", "2.weight", "2.bias", "x"});
  }
  SECTION("loss(model, batch)") {
    const auto loss = [](const Sequential& m, const std::pair<Variable, Variable>& batch) {
      return mean(softmax_cross_entropy(m(batch.first), batch.second));
    };
    const GradReport report = check_gradients(model, loss, std::pair(X, labels));
    INFO(to_string(report));
    CHECK(report.passed);
    CHECK(names_of(report) == Names{"0.weight", "0.bias", "2.weight", "2.bias"});
  }
  SECTION("a wrong loss") {
    const auto loss = [](const Variable& logits, const Variable&) {
      return mean(square_with(logits, [](const Variable& v) { return 2.2 * v; }));
    };
    const GradReport report = check_gradients(model, loss, std::pair(X, labels), {.rtol = 1e-5});
    CHECK_FALSE(report.passed);
    REQUIRE(report.faults.size() == 1);
    CHECK(report.faults[0].op == "custom");
  }
  SECTION("a float32 gradient that is not the float64 one") {
    const auto loss = [](const Variable& logits, const Variable& y) {
      const Variable z = logits.dtype() == float32 ? scale_gradient(logits, 1.0001) : logits;
      return mean(softmax_cross_entropy(z, y));
    };
    const GradReport report = check_gradients(model, loss, std::pair(X, labels));
    CHECK_FALSE(report.passed);
    CHECK(report.failed == 0);
    REQUIRE(report.problems.size() == 4);
    CHECK_THAT(
        report.problems[0],
        Catch::StartsWith("the float32 gradient of 0.weight differs from the one in float64 by 5.0e-05;"
                          " its conditioning allows "));
  }
  CHECK(model.parameters()[0].value().shares_storage(before));
  CHECK(model.parameters()[0].dtype() == float32);
}

TEST_CASE("The matcher takes any nest", "[gradcheck][nest]") {
  const auto f = [](const std::pair<Variable, Variable>& x) { return x.first * exp(x.second); };
  CHECK_THAT(f, HasCorrectGradients(std::pair(numbers({2}), numbers({2}, 2))).order(2));
  CHECK_THAT([](const Variable& x) { return sin(x); }, HasCorrectGradients(numbers({3})).seed(9));
}
