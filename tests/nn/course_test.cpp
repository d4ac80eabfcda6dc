// Training with xgrad against the course notes' own formulas in NumPy: tests/reference/course_costs.py.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

// The same generator as the script's: s := 1664525 s + 1013904223 mod 2^32.
class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed) {}
  Tensor matrix(std::int64_t rows, std::int64_t columns, double scale) {
    std::vector<double> values(static_cast<std::size_t>(rows * columns));
    for (double& value : values) {
      state_ = 1664525 * state_ + 1013904223;
      value = (state_ / 2147483648.0 - 1) * scale;
    }
    return Tensor({rows, columns}, values);
  }

 private:
  std::uint32_t state_;
};

// A column of the table, without its heading.
std::vector<double> reference(std::size_t column) {
  std::ifstream file(XGRAD_SOURCE_DIR "/tests/reference/course_costs.csv");
  std::vector<double> values;
  std::string line, cell;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    for (std::size_t i = 0; i <= column; ++i) std::getline(cells, cell, ',');
    values.push_back(std::stod(cell));
  }
  return values;
}

std::vector<double> costs(const std::function<Variable(const Tensor&)>& model,
                          const std::vector<Parameter>& parameters, const Tensor& X, const Tensor& Y) {
  Sgd sgd(parameters, {.learning_rate = 0.5});
  std::vector<double> result;
  for (int step = 0; step < 100; ++step) {
    Tape tape;
    const Variable cost = mean(binary_cross_entropy(model(X), Y));
    result.push_back(cost.item());
    sgd.step(tape.backward(cost));
  }
  return result;
}

void check_close(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(expected.size() == 100);
  REQUIRE(actual.size() == 100);
  double worst = 0;
  for (std::size_t i = 0; i < 100; ++i)
    worst = std::max(worst, std::abs(actual[i] - expected[i]) / std::abs(expected[i]));
  INFO("largest relative difference " << worst);
  CHECK(worst <= 1e-10);
  CHECK(expected.back() < 0.4 * expected.front());  // there was something to compare
}

Tensor row(const Tensor& X, std::int64_t i) { return slice(X, 0, {i, i + 1}).value(); }

}  // namespace

TEST_CASE("Logistic regression follows the notes for 100 steps", "[course]") {
  Random random(1);
  const Tensor X = random.matrix(12, 50, 1);
  const Tensor Y = (Variable(row(X, 0)) + row(X, 1) > row(X, 2)).value().astype(float64);
  const LogisticRegression model(12, float64);
  check_close(costs([&](const Tensor& x) { return model(x); }, model.parameters(), X, Y), reference(1));
}

TEST_CASE("The four-layer network follows the notes for 100 steps", "[course]") {
  const std::vector<std::int64_t> n{12, 20, 7, 5, 1};
  Random random(2);
  DeepNetwork model(n, relu, sigmoid, {.init = zeros_init, .dtype = float64});
  for (std::size_t l = 1; l < n.size(); ++l) model.W[l - 1].set(random.matrix(n[l], n[l - 1], 0.5));
  const Tensor X = random.matrix(12, 50, 1);
  const Tensor Y = (Variable(row(X, 0)) * row(X, 1) > 0).value().astype(float64);
  check_close(costs([&](const Tensor& x) { return model(x); }, model.parameters(), X, Y), reference(2));
}
