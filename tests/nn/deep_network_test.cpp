#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <string>
#include <vector>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

Tensor random(const Shape& shape, std::uint64_t stream, double low = -1, double high = 1) {
  Generator generator(3, stream);
  return uniform(shape, generator, low, high, float64);
}

// Plain matrices of doubles, for the notes' formulas letter by letter.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> v;
  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), v(r * c, 0.0) {}
  explicit Matrix(const Tensor& t)
      : rows(static_cast<std::size_t>(t.shape()[0])),
        columns(static_cast<std::size_t>(t.shape()[1])),
        v(t.to_vector<double>()) {}
  double& operator()(std::size_t i, std::size_t j) { return v[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return v[i * columns + j]; }
};

void check_close(const Tensor& actual, const Matrix& expected) {
  REQUIRE(actual.shape() ==
          Shape{static_cast<std::int64_t>(expected.rows), static_cast<std::int64_t>(expected.columns)});
  const auto values = actual.to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i)
    CHECK(values[i] == Approx(expected.v[i]).epsilon(1e-11).margin(1e-15));
}

}  // namespace

TEST_CASE("A deep network has the shapes and names of the notes", "[deep_network]") {
  const DeepNetwork network({12, 20, 7, 5, 1});
  CHECK(network.layers() == 4);
  const auto all = network.parameters();
  REQUIRE(all.size() == 8);
  const std::vector<std::int64_t> n{12, 20, 7, 5, 1};
  for (std::size_t l = 1; l <= 4; ++l) {
    CHECK(network.W[l - 1].shape() == Shape{n[l], n[l - 1]});
    CHECK(network.b[l - 1].shape() == Shape{n[l], 1});
    CHECK(network.W[l - 1].name() == "W" + std::to_string(l));
    CHECK(network.b[l - 1].name() == "b" + std::to_string(l));
    CHECK(all[2 * l - 2].same_as(network.W[l - 1]));
    CHECK(all[2 * l - 1].same_as(network.b[l - 1]));
    CHECK(equal(network.b[l - 1].value(), zeros({n[l], 1})));
    Generator stream(1, l);
    CHECK(equal(network.W[l - 1].value(), he_init({n[l], n[l - 1]}, stream, float32)));
  }
  CHECK(network(ones({12, 50})).shape() == Shape{1, 50});
}

TEST_CASE("A deep network takes its options", "[deep_network]") {
  const DeepNetworkOptions options{.init = small_normal_init, .seed = 7, .dtype = float64};
  const DeepNetwork a({3, 4, 2}, relu, identity, options), b({3, 4, 2}, relu, identity, options),
      c({3, 4, 2}, relu, identity, {.init = small_normal_init, .seed = 8, .dtype = float64});
  CHECK(a.W[0].dtype() == float64);
  CHECK(a.b[0].dtype() == float64);
  CHECK(equal(a.W[0].value(), b.W[0].value()));
  CHECK(equal(a.W[1].value(), b.W[1].value()));
  CHECK_FALSE(equal(a.W[0].value(), c.W[0].value()));
  // identity leaves the last layer linear
  const Tensor X = random({3, 2}, 1);
  const Variable hidden = relu(matmul(a.W[0], X) + a.b[0]);
  CHECK(equal(a(X).value(), (matmul(a.W[1], hidden) + a.b[1]).value()));
  // any callable will do
  const DeepNetwork swish(
      {3, 4, 2}, [](const Variable& z) { return z * sigmoid(z); }, identity, options);
  const Variable Z = matmul(swish.W[0], X) + swish.b[0];
  CHECK(equal(swish(X).value(), (matmul(swish.W[1], Z * sigmoid(Z)) + swish.b[1]).value()));
}

TEST_CASE("Each layer records in a scope of its own", "[deep_network]") {
  const DeepNetwork network({3, 4, 2, 1});
  const Tape tape;
  const Scope scope("model");
  network(ones({3, 5}));
  std::vector<std::string> seen;
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.leaf(i) != nullptr) continue;
    const ScopeInfo& own = tape.scope(tape.node(i).scope);
    CHECK(tape.scope(own.parent).name == "model");
    if (seen.empty() || seen.back() != own.name) seen.push_back(own.name);
  }
  CHECK(seen == std::vector<std::string>{"layer1", "layer2", "layer3"});
  CHECK(Scope::path() == "model");
}

TEST_CASE("A deep network has the gradient of the notes", "[deep_network]") {
  const std::vector<std::int64_t> n{12, 20, 7, 5, 1};
  constexpr std::size_t m = 50, L = 4;
  DeepNetwork network(n, relu, sigmoid, {.dtype = float64});
  for (std::size_t l = 0; l < L; ++l) network.b[l].set(random({n[l + 1], 1}, 10 + l, -0.5, 0.5));
  const Tensor X = random({n[0], m}, 1), Y = (Variable(random({1, m}, 2)) > 0).value().astype(float64);

  // Forward: Z[l] = W[l] A[l-1] + b[l], A[l] = g[l](Z[l]).
  std::vector<Matrix> A{Matrix(X)}, Z{Matrix(0, 0)};
  for (std::size_t l = 1; l <= L; ++l) {
    const Matrix W(network.W[l - 1].value()), b(network.b[l - 1].value());
    Matrix z(W.rows, m), a(W.rows, m);
    for (std::size_t i = 0; i < W.rows; ++i) {
      for (std::size_t j = 0; j < m; ++j) {
        z(i, j) = b(i, 0);
        for (std::size_t k = 0; k < W.columns; ++k) z(i, j) += W(i, k) * A[l - 1](k, j);
        a(i, j) = l == L ? 1 / (1 + std::exp(-z(i, j))) : std::max(0.0, z(i, j));
      }
    }
    Z.push_back(z);
    A.push_back(a);
  }
  const Matrix y(Y);
  double J = 0;
  for (std::size_t j = 0; j < m; ++j)
    J += -(y(0, j) * std::log(A[L](0, j)) + (1 - y(0, j)) * std::log(1 - A[L](0, j))) / m;

  Tape tape;
  const Variable output = network(X), cost = mean(binary_cross_entropy(output, Y));
  check_close(output.value(), A[L]);
  CHECK(cost.item() == Approx(J).epsilon(1e-13));
  const Gradients grad = tape.backward(cost);
  CHECK(grad.size() == 2 * L);

  // Backward: dZ[L] = A[L] - Y; dW[l] = dZ[l] A[l-1]^T / m; db[l] = sum(dZ[l]) / m; dA[l-1] = W[l]^T dZ[l];
  // dZ[l] = dA[l] * g[l]'(Z[l]).
  Matrix dZ(1, m);
  for (std::size_t j = 0; j < m; ++j) dZ(0, j) = A[L](0, j) - y(0, j);
  for (std::size_t l = L; l >= 1; --l) {
    const Matrix W(network.W[l - 1].value());
    Matrix dW(W.rows, W.columns), db(W.rows, 1), dA(W.columns, m);
    for (std::size_t i = 0; i < W.rows; ++i) {
      for (std::size_t j = 0; j < m; ++j) {
        db(i, 0) += dZ(i, j) / m;
        for (std::size_t k = 0; k < W.columns; ++k) {
          dW(i, k) += dZ(i, j) * A[l - 1](k, j) / m;
          dA(k, j) += W(i, k) * dZ(i, j);
        }
      }
    }
    CAPTURE(l);
    check_close(grad[network.W[l - 1]].value(), dW);
    check_close(grad[network.b[l - 1]].value(), db);
    if (l == 1) break;
    dZ = dA;
    for (std::size_t i = 0; i < dZ.v.size(); ++i) dZ.v[i] *= Z[l - 1].v[i] > 0 ? 1 : 0;
  }
}

TEST_CASE("The notes' network passes the gradient check", "[deep_network]") {
  const Activation hidden = GENERATE(Activation(relu), Activation(tanh));
  const DeepNetwork network({12, 20, 7, 5, 1}, hidden, sigmoid, {.dtype = float64});
  const Tensor X = random({12, 50}, 1), Y = (Variable(random({1, 50}, 2)) > 0).value().astype(float64);
  const GradReport report =
      gradcheck([&] { return mean(binary_cross_entropy(network(X), Y)); }, network.parameters());
  INFO(to_string(report));
  CHECK(report.passed);
  CHECK(report.relative_difference < 1e-7);
  CHECK(report.probes == 12 * 20 + 20 + 20 * 7 + 7 + 7 * 5 + 5 + 5 + 1);
}

TEST_CASE("The notes' network passes the gradient check of order 2", "[deep_network]") {
  const DeepNetwork network({4, 5, 3, 1}, tanh, sigmoid, {.dtype = float64});
  const Tensor X = random({4, 10}, 1), Y = random({1, 10}, 2, 0, 1);
  const GradReport report = gradcheck([&] { return mean(binary_cross_entropy(network(X), Y)); },
                                      network.parameters(), {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
}

TEST_CASE("float32 and float64 give the same network", "[deep_network]") {
  const DeepNetwork network({6, 8, 1}, tanh);
  const Tensor X = random({6, 10}, 1), Y = random({1, 10}, 2, 0, 1);
  const auto gradients = [&](DType dtype) {
    Tape tape;
    return tape.backward(mean(binary_cross_entropy(network(X.astype(dtype)), Y.astype(dtype))));
  };
  const Gradients narrow = gradients(float32);
  for (Parameter p : network.parameters()) p.cast(float64);
  const Gradients wide = gradients(float64);
  for (const Parameter& p : network.parameters())
    CHECK(allclose(narrow[p].value().astype(float64), wide[p].value(), 1e-4, 1e-6));
}

TEST_CASE("A deep network's errors", "[deep_network]") {
  CHECK(complaint<ShapeError>([] { DeepNetwork({}); }) ==
        "DeepNetwork: needs the sizes of the input and of at least one layer");
  CHECK_THROWS_AS(DeepNetwork({3}), ShapeError);
  CHECK(complaint<ShapeError>([] { DeepNetwork({3, 0, 1}); }) == "DeepNetwork: a layer's size is 0");
  CHECK_THROWS_AS(DeepNetwork({3, -1}), ShapeError);
  CHECK_THROWS_AS(DeepNetwork({3, 2}, relu, sigmoid, {.dtype = int64}), DTypeError);
  const DeepNetwork network({3, 4, 1});
  const auto line = __LINE__ + 1;
  const auto text = complaint<ShapeError>([&] { network(ones({4, 2})); });
  CHECK_THAT(text, Catch::Contains("(4, 3)") && Catch::Contains("(4, 2)") &&
                       Catch::EndsWith("(at deep_network_test.cpp:" + std::to_string(line) + ", in layer1)"));
  CHECK_THROWS_AS(network(ones({3, 2}, float64)), DTypeError);
  CHECK(Scope::path().empty());
  const Tape tape;
  CHECK_THAT(complaint<ShapeError>([&] { network(ones({4, 2})); }), Catch::Contains("W1 (4, 3)"));
}
