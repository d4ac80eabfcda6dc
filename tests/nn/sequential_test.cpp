#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <string>
#include <vector>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

std::vector<std::string> names(const std::vector<Parameter>& parameters) {
  std::vector<std::string> result;
  for (const Parameter& p : parameters) result.push_back(p.name());
  return result;
}

Variable doubled(const Variable& x) { return x * 2; }

struct Shift {
  Parameter by{"by", 1.0};
  Variable operator()(const Variable& x) const { return x + by; }
  std::vector<Parameter> parameters() const { return {by}; }
};

}  // namespace

TEST_CASE("Sequential applies its parts in order", "[sequential]") {
  const Linear first(3, 4), second(4, 2, {.bias = false});
  const Sequential net{first, relu, second, doubled, [](const Variable& x) { return x - 1; }, Shift()};
  Generator random(3);
  const Tensor x = normal({5, 3}, random);
  const Variable expected = (second(relu(first(x))) * 2 - 1) + 1;
  CHECK(equal(net(x).value(), expected.value()));
  CHECK(equal(Sequential(std::vector<Sequential::Part>{})(x).value(), x));
}

TEST_CASE("The parts' parameters are named by their place", "[sequential]") {
  const Sequential net{Linear(3, 4), relu, Linear(4, 2, {.bias = false}), Shift()};
  CHECK(names(net.parameters()) == std::vector<std::string>{"0.weight", "0.bias", "2.weight", "3.by"});
  const Sequential nested{tanh, Sequential{Linear(3, 4), relu}, DeepNetwork({4, 5})};
  CHECK(names(nested.parameters()) == std::vector<std::string>{"1.0.weight", "1.0.bias", "2.W1", "2.b1"});
}

TEST_CASE("The parts' parameters are the modules' own", "[sequential]") {
  const Linear layer(3, 2);
  const Sequential net{layer};
  CHECK(net.parameters()[0].same_as(layer.parameters()[0]));
  CHECK(net.parameters()[1].same_as(layer.parameters()[1]));
}

TEST_CASE("Each part records in a scope of its own", "[sequential]") {
  const Sequential net{Linear(3, 4), relu, Sequential{Linear(4, 2)}};
  const Tape tape;
  net(ones({5, 3}));
  std::vector<std::string> seen;
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.leaf(i) != nullptr) continue;
    std::string path;
    for (std::uint32_t s = tape.node(i).scope; s != 0; s = tape.scope(s).parent)
      path = tape.scope(s).name + (path.empty() ? "" : "/" + path);
    seen.push_back(std::string(tape.node(i).op) + " in " + path);
  }
  CHECK(seen == std::vector<std::string>{"matmul_add in 0", "relu in 1", "matmul_add in 2/0"});
}

TEST_CASE("Sequential passes the gradient check and learns", "[sequential]") {
  const Sequential net{Linear(2, 8), tanh, Linear(8, 1)};
  Generator random(3);
  const Tensor x = normal({20, 2}, random, 0, 1, float64);
  const Tensor y = (slice(x, 1, {0, 1}) * slice(x, 1, {1, 2})).value();
  const auto cost = [&] { return mean(squared_error(net(x), y)); };
  const GradReport report = gradcheck(cost, net.parameters(), {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);

  for (Parameter p : net.parameters()) p.cast(float64);
  const double before = cost().item();
  Sgd sgd(net.parameters(), {.learning_rate = 0.1, .momentum = 0.9});
  for (int step = 0; step < 200; ++step) {
    Tape tape;
    sgd.step(tape.backward(cost()));
  }
  CHECK(cost().item() < 0.1 * before);
}

TEST_CASE("An error inside of Sequential tells the part", "[sequential]") {
  const Sequential net{Linear(3, 4), relu, Linear(5, 2)};
  const auto line = __LINE__ + 1;
  const auto text = complaint<ShapeError>([&] { net(ones({6, 3})); });
  CHECK_THAT(text, Catch::EndsWith("(at sequential_test.cpp:" + std::to_string(line) + ", in 2)"));
  CHECK(Scope::path().empty());
}
