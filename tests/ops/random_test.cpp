// Random tensors and dropout: distribution, determinism, gradients, and where they must refuse.
#include <compiled.hpp>
#include <threads_scope.hpp>
#include <xgrad/ops/ops.hpp>

#include "push.hpp"

using namespace checks;

namespace {

// The mean of f over the values.
template <class F>
double average(const Tensor& x, const F& f) {
  double total = 0;
  for (double v : doubles(x)) total += f(v);
  return total / static_cast<double>(x.size());
}
double average(const Tensor& x) {
  return average(x, [](double v) { return v; });
}

constexpr std::int64_t many = 200'000;

}  // namespace

TEST_CASE("random: what a generator gives, element by element", "[ops]") {
  const Shape shape{3, 50'001};
  for (int threads : {1, 2, 5}) {
    const Threads scope(threads);
    Generator random(11), same(11);
    same.seek(5);
    random.seek(5);
    const Tensor u = uniform(shape, random, -1, 3), n = normal(shape, random, 2, 0.5, float64);
    CHECK(random.position() == 5 + 2 * static_cast<std::uint64_t>(shape.size()));
    std::vector<float> expected(static_cast<std::size_t>(shape.size()));
    same.fill_uniform(std::span<float>(expected), -1, 3);
    CHECK(u.to_vector<float>() == expected);
    Doubles wide(expected.size());
    same.fill_normal(std::span<double>(wide), 2, 0.5);
    CHECK(n.to_vector<double>() == wide);
    // True where the uniform number of the same place is below p.
    Generator again(11);
    Doubles unit(1000);
    Generator(11).fill_uniform(std::span<double>(unit), 0, 1);
    const Tensor b = bernoulli({1000}, again, 0.3);
    CHECK(b.dtype() == bool_);
    for (std::size_t i = 0; i < unit.size(); ++i) CHECK(doubles(b)[i] == (unit[i] < 0.3));
    CHECK(again.position() == 1000);
  }
}

TEST_CASE("random: moments", "[ops]") {
  Generator random(1);
  const double error = 5 / std::sqrt(static_cast<double>(many));  // five standard deviations of a unit one
  const Tensor u = uniform({many}, random, 2, 4, float64);
  CHECK(std::abs(average(u) - 3) < error);
  const Tensor n = normal({many}, random, 1, 2, float64);
  CHECK(std::abs(average(n) - 1) < 2 * error);
  CHECK(std::abs(average(n, [](double v) { return (v - 1) * (v - 1); }) - 4) < 8 * error);
  for (double p : {0.0, 0.2, 0.9, 1.0}) {
    INFO(p);
    const double share = average(bernoulli({many}, random, p));
    CHECK(std::abs(share - p) <= std::sqrt(p * (1 - p)) * error);
  }
}

TEST_CASE("bernoulli: a probability for each element", "[ops]") {
  Generator random(2);
  for (DType dtype : {float32, float64}) {
    const Tensor p = concat({zeros({many}, dtype), full({many}, 0.25, dtype), ones({many}, dtype)}).value();
    const Tensor b = bernoulli(p, random).reshape({3, many});
    CHECK(average(slice(b, 0, {0, 1}).value()) == 0);
    CHECK(std::abs(average(slice(b, 0, {1, 2}).value()) - 0.25) < 0.005);
    CHECK(average(slice(b, 0, {2, 3}).value()) == 1);
  }
}

TEST_CASE("permutation: every number once", "[ops]") {
  Generator random(3), same(3);
  const Tensor order = permutation(100, random);
  CHECK(order.dtype() == int64);
  CHECK(order.to_vector<std::int64_t>() == same.permutation(100));
  CHECK(doubles(sort(Variable(order))) == doubles(arange(0, 100)));
  CHECK(permutation(0, random).shape() == Shape{0});
}

TEST_CASE("dropout: scaled where it is kept", "[ops]") {
  for (DType dtype : {float32, float64}) {
    Generator random(4);
    const Tensor x = normal({many}, random, 1, 0.1, dtype);
    Tape tape;
    const Variable leaf = tape.watch(x), y = dropout(leaf, 0.25, random);
    CHECK(random.position() == 2 * static_cast<std::uint64_t>(many));
    CHECK(tape.size() == 2);
    CHECK(std::string(tape.node(1).op) == "dropout");
    const Doubles in = doubles(x), out = doubles(y), g = doubles(tape.backward(sum(y))[leaf]);
    std::int64_t kept = 0;
    bool right = true;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double scale = out[i] == 0 ? 0 : 1 / 0.75;
      kept += out[i] != 0;
      right &= std::abs(out[i] - in[i] * scale) < 1e-6 && std::abs(g[i] - scale) < 1e-6;
    }
    CHECK(right);
    CHECK(std::abs(static_cast<double>(kept) / many - 0.75) < 0.005);
  }
}

TEST_CASE("dropout: all, nothing, NaN and integers", "[ops]") {
  Generator random(5);
  const Tensor x = tensor({1, -2, 3});
  CHECK(doubles(dropout(x, 0, random)) == Doubles{1, -2, 3});
  CHECK(doubles(dropout(x, 1, random)) == Doubles{0, 0, 0});
  CHECK(random.position() == 6);
  CHECK(std::isnan(doubles(dropout(NaN, 1, random))[0]));
  CHECK(dropout(ones({2}, int64), 0.5, random).dtype() == float32);
  CHECK(dropout(zeros({0, 3}), 0.5, random).shape() == Shape{0, 3});
}

TEST_CASE("dropout: the mask is a constant, forward and in higher orders", "[ops]") {
  const auto f = [](const Variables& v) {
    Generator random(6);
    return dropout(v[0], 0.5, random);
  };
  const Tensor x = arange(1, 21, 1, float64);
  check_push(f, {x});
  const GradReport report = gradcheck([&](const Variables& v) { return square(f(v)); }, {x}, {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
}

TEST_CASE("random: a compiled function is not replayed", "[ops]") {
  Generator random(7);
  auto compiled = compile([&](const Variable& x) { return dropout(x, 0.5, random); });
  for (int i = 0; i < 3; ++i) compiled(ones({4}));
  CHECK(compiled.report().replays == 0);
  INFO(to_string(compiled.report()));
  CHECK(to_string(compiled.report()).find("draws random numbers") != std::string::npos);
}

TEST_CASE("random: what it refuses, with the generator where it was", "[ops]") {
  Generator random(8);
  random.seek(3);
  const auto text = [](auto call) {
    const std::string whole = message<Error>(call);
    return whole.substr(0, whole.rfind(" (at random_test.cpp:"));
  };
  CHECK(text([&] { uniform({2}, random, 0, 1, int64); }) ==
        "random values are float32 or float64, not int64");
  CHECK(text([&] { uniform({2}, random, 1, 0); }) ==
        "fill_uniform: the interval must be finite and not reversed: [1, 0)");
  CHECK_THROWS_AS(normal({2}, random, 0, -1), Error);
  CHECK(text([&] { bernoulli({2}, random, 1.5); }) ==
        "bernoulli: the probability must be within [0, 1], not 1.5");
  CHECK(text([&] {
          bernoulli(tensor({0.5, NaN}), random);
        }) == "bernoulli: the probability of element 1 must be within [0, 1], not nan: (2,)");
  CHECK(text([&] { bernoulli(ones({2}, int64), random); }) ==
        "bernoulli: the probabilities (2,) are int64, not float32 or float64");
  CHECK_THROWS_AS(permutation(-1, random), Error);
  CHECK(text([&] {
          dropout(ones({2, 3}), -0.5, random);
        }) == "dropout: the probability must be within [0, 1], not -0.5: (2, 3)");
  CHECK(text([&] {
          dropout(ones({2, 3}), NaN, random);
        }) == "dropout: the probability must be within [0, 1], not nan: (2, 3)");
  CHECK(random.position() == 3);
}
