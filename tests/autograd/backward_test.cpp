#include <pthread.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <functional>
#include <string>
#include <vector>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/init.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/philox.hpp>

namespace {

using namespace xgrad;

Tensor random(const Shape& shape, std::uint64_t stream, double low = -1, double high = 1) {
  Generator generator(7, stream);
  return uniform(shape, generator, low, high, float64);
}

// y = f(x) and its first three derivatives at x.
struct Curve {
  const char* name;
  double x;
  std::function<Variable(const Variable&)> f;
  double first, second, third;
};

// g summed to `shape` by plain loops, axis sizes aligned at the last one.
std::vector<double> summed(const Tensor& g, const Shape& shape) {
  std::vector<double> result(static_cast<std::size_t>(shape.size()), 0.0);
  const auto values = g.to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), place = 0, stride = 1;
    for (int axis = g.rank() - 1, own = shape.rank() - 1; axis >= 0; --axis, --own) {
      const std::int64_t at = rest % g.shape()[axis];
      rest /= g.shape()[axis];
      if (own < 0) continue;
      if (shape[own] != 1) place += at * stride;
      stride *= shape[own];
    }
    result[static_cast<std::size_t>(place)] += values[i];
  }
  return result;
}

// An operation that hands the cotangent on, n times as large and perhaps of another shape or dtype.
struct Odd final : detail::Pullback {
  std::function<Variable(const Variable&)> f;
  explicit Odd(std::function<Variable(const Variable&)> pull) : f(std::move(pull)) {}
  Variable pull(const Variable& g, std::size_t) const override { return f(g); }
};

Variable odd(const Variable& x, std::function<Variable(const Variable&)> pull) {
  if (!detail::tracked(x)) return x;
  const Variable* inputs[] = {&x};
  Variable y(x.value(), detail::next_place);
  detail::record<Odd>("odd", std::source_location::current(), y, inputs, std::move(pull));
  return y;
}

}  // namespace

TEST_CASE("The gradient of a scalar", "[backward]") {
  const Parameter w("w", tensor({1, 2, 3})), b("b", 0.5);
  Tape tape;
  const Gradients grad = tape.backward(sum(w * w) * b);
  CHECK(grad.size() == 2);
  CHECK(equal(grad[w].value(), tensor({1, 2, 3})));
  CHECK(grad[b].item() == 14);
  CHECK(grad[w].is_constant());
}

TEST_CASE("A leaf's gradient with respect to itself is 1", "[backward]") {
  Tape tape;
  const Variable x = tape.watch(scalar(3, float64));
  CHECK(tape.backward(x)[x].item() == 1);
  CHECK(tape.backward(x)[x].dtype() == float64);
}

TEST_CASE("A seed is the result's cotangent", "[backward]") {
  Tape tape;
  const Variable x = tape.watch(tensor({1, 2, 3}));
  const Variable y = x * x;
  CHECK(equal(tape.backward(y, {.seed = tensor({1, 10, 100}), .retain = true})[x].value(),
              tensor({2, 40, 600})));
  CHECK(complaint<GraphError>([&] { tape.backward(y); }) ==
        "backward: the result (3,) has more than one element; reduce it with sum or mean, or pass a seed of "
        "its shape");
  CHECK(complaint<ShapeError>([&] {
          tape.backward(y, {.seed = ones({3, 1})});
        }) == "backward: the seed's shape differs from the result's: (3, 1) and (3,)");
  CHECK(complaint<DTypeError>([&] { tape.backward(y, {.seed = ones({3}, float64)}); }) ==
        "backward: the seed's dtype differs from the result's: float64 and float32");
  CHECK(equal(tape.backward(y, {.seed = ones({3})})[x].value(), tensor({2, 4, 6})));
}

TEST_CASE("One element needs no seed, whatever its rank", "[backward]") {
  Tape tape;
  const Variable x = tape.watch(full({1, 1, 1}, 3));
  const Variable gradient = tape.backward(x * x)[x];
  CHECK(gradient.shape() == Shape{1, 1, 1});
  CHECK(gradient.item() == 6);
}

TEST_CASE("A tape is walked again only if it was retained", "[backward]") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable y = x * x;
  CHECK(tape.backward(y, {.retain = true})[x].item() == 6);
  CHECK(tape.backward(y, {.retain = true})[x].item() == 6);
  CHECK(tape.backward(y)[x].item() == 6);
  CHECK_THAT(
      complaint<GraphError>([&] { tape.backward(y); }),
      Catch::StartsWith("backward: the tape was walked already and what mul (at backward_test.cpp:") &&
          Catch::EndsWith(" saved is gone; pass .retain = true to the first backward to walk it again"));
  CHECK_THROWS_AS(tape.backward(y + x), GraphError);
  CHECK(tape.node(y.place().index).released);
  // What was not walked is still whole.
  const Variable z = x * 5;
  CHECK(tape.backward(z)[x].item() == 5);
}

TEST_CASE("A result must be of this tape", "[backward]") {
  const Parameter w("w", 3.0);
  Tape tape;
  CHECK(complaint<GraphError>([&] { tape.backward(Variable(1.0)); }) ==
        "backward: the result depends on no parameter and no watched variable of a recording tape; was it "
        "computed before the tape began, while it was paused, or behind stop_gradient?");
  CHECK_THROWS_AS(tape.backward(stop_gradient(w * 2)), GraphError);
  CHECK_THROWS_AS(tape.backward(w < 2), GraphError);
  const Variable y = w * w;
  Tape inner;
  CHECK(complaint<GraphError>([&] { inner.backward(y); }) ==
        "backward: the result was recorded on another tape");
  const Variable z = w * w;
  CHECK(complaint<GraphError>([&] { tape.backward(z); }) ==
        "backward: the result was recorded on another tape");
  CHECK(complaint<GraphError>([&] { tape.backward(y, {.wrt = {z}}); }) ==
        "backward: a variable in wrt is not of this tape");
  CHECK_THROWS_AS(tape.backward(y, {.wrt = {Variable(1.0)}}), GraphError);
  CHECK(complaint<GraphError>([&] { tape.backward(y, {.create_graph = true}); }) ==
        "backward: create_graph needs the tape to be recording; it is paused, or an inner tape records");
  CHECK(tape.backward(y)[w].item() == 6);  // an inner tape does not mind
}

TEST_CASE("A paused tape can be differentiated", "[backward]") {
  const Parameter w("w", 3.0);
  Tape tape;
  const Variable y = w * w;
  const Tape::Pause pause;
  CHECK(tape.backward(y)[w].item() == 6);
  CHECK(Tape::recording() == nullptr);
}

TEST_CASE("A variable of a dead tape is a constant", "[backward]") {
  const Parameter w("w", 3.0);
  Variable old;
  {
    const Tape tape;
    old = w * w;
  }
  Tape tape;
  const Variable y = old * w;
  CHECK(tape.backward(y)[w].item() == 9);
  CHECK_THROWS_AS(tape.backward(old), GraphError);
}

TEST_CASE("A variable of an outer tape is refused while an inner one records", "[backward]") {
  const Parameter w("w", 3.0);
  Tape outer;
  const Variable y = w * w;
  {
    Tape inner;
    const std::string line = std::to_string(__LINE__ + 1);
    const std::string text = complaint<GraphError>([&] { y + w; });
    CHECK(text ==
          "add: a variable of an outer tape is used while an inner tape records; use stop_gradient(x) to "
          "take its "
          "value as a constant (at backward_test.cpp:" +
              line + ")");
    CHECK_THROWS_AS(matmul(reshape(w, {1, 1}), reshape(y, {1, 1})), GraphError);
    const Variable z = stop_gradient(y) * w;
    CHECK(inner.backward(z)[w].item() == 9);
  }
  CHECK(outer.backward(y)[w].item() == 6);
}

TEST_CASE("Derivatives of order 1, 2 and 3 against closed forms", "[backward]") {
  const double s = 1 / (1 + std::exp(-0.7)), e = std::exp(0.25), t = std::tanh(0.3), q = 1 - t * t;
  const Curve curve = GENERATE_COPY(values<Curve>({
      {"x x x", 2, [](const Variable& x) { return x * x * x; }, 12, 12, 6},
      {"pow(x, 3)", 2, [](const Variable& x) { return pow(x, 3); }, 12, 12, 6},
      {"exp(x x)", 0.5, [](const Variable& x) { return exp(x * x); }, e, 3 * e, 7 * e},
      {"sigmoid", 0.7, [](const Variable& x) { return sigmoid(x); }, s * (1 - s), s * (1 - s) * (1 - 2 * s),
       s * (1 - s) * (1 - 6 * s + 6 * s * s)},
      {"tanh", 0.3, [](const Variable& x) { return tanh(x); }, q, -2 * t * q, q * (6 * t * t - 2)},
      {"log", 0.5, [](const Variable& x) { return log(x); }, 2, -4, 16},
      {"1 / x", 0.5, [](const Variable& x) { return 1 / x; }, -4, 16, -96},
      {"sqrt", 4, [](const Variable& x) { return sqrt(x); }, 1. / 4, -1. / 32, 3. / 256},
      {"x exp(x)", 1, [](const Variable& x) { return x * exp(x); }, 2 * M_E, 3 * M_E, 4 * M_E},
      {"relu(x)^3", 2, [](const Variable& x) { return pow(relu(x), 3); }, 12, 12, 6},
      {"(sum of x x)^2", 1, [](const Variable& x) { return square(sum(x * x)); }, 4, 12, 24},
  }));
  CAPTURE(curve.name);
  Tape tape;
  const Variable x = tape.watch(scalar(curve.x, float64)), y = curve.f(x);
  const Variable first = tape.backward(y, {.create_graph = true})[x];
  const Variable second = tape.backward(first, {.create_graph = true})[x];
  const Variable third = tape.backward(second, {.retain = true})[x];
  CHECK(first.item() == Approx(curve.first).epsilon(1e-13));
  CHECK(second.item() == Approx(curve.second).epsilon(1e-12));
  CHECK(third.item() == Approx(curve.third).epsilon(1e-12));
  // create_graph implies retain
  CHECK(tape.backward(y, {.retain = true})[x].item() == Approx(first.item()).epsilon(1e-14));
}

TEST_CASE("Mixed second derivatives", "[backward]") {
  // f = sum(x x y): d2f/dxdy = 2 x
  Tape tape;
  const Tensor at = random({3, 4}, 1);
  const Variable x = tape.watch(at), y = tape.watch(random({4}, 2));
  const Gradients first = tape.backward(sum(x * x * y), {.create_graph = true});
  const Gradients second = tape.backward(sum(first[x]));
  CHECK(second[y].shape() == Shape{4});
  const auto expected = summed((Variable(at) * 2).value(), {4});
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(second[y].value().to_vector<double>()[i] == Approx(expected[i]).epsilon(1e-14));
}

TEST_CASE("wrt asks for leaves and for what lies between", "[backward]") {
  Tape tape;
  const Variable x = tape.watch(scalar(2)), y = tape.watch(scalar(3));
  const Variable z = x * y, r = z * z + x, unused = x * 7;
  const auto ask = [&](std::vector<Variable> wrt) {
    return tape.backward(r, {.retain = true, .wrt = std::move(wrt)});
  };
  CHECK(ask({x}).size() == 1);
  CHECK(ask({x})[x].item() == 37);
  CHECK(ask({z}).size() == 1);
  CHECK(ask({z})[z].item() == 12);
  const Gradients several = ask({z, y, r, x});
  CHECK(several.size() == 4);
  CHECK(several[z].item() == 12);
  CHECK(several[y].item() == 24);
  CHECK(several[x].item() == 37);
  CHECK(several[r].item() == 1);
  CHECK(ask({unused}).size() == 0);
  CHECK(ask({unused, y})[y].item() == 24);
  CHECK(ask({x, x}).size() == 1);
  CHECK(tape.backward(r).size() == 2);
}

TEST_CASE("wrt leaves the rest of the tape whole", "[backward]") {
  const Parameter w("w", 3.0), v("v", 2.0);
  Tape tape;
  const Variable a = exp(w), b = exp(v), y = a * b;
  tape.backward(y, {.wrt = {Variable(v)}});
  CHECK(tape.backward(a)[w].item() == Approx(std::exp(3)));
  CHECK_THROWS_AS(tape.backward(b), GraphError);
}

TEST_CASE("Broadcasting is undone", "[backward]") {
  using Binary = std::function<Variable(const Variable&, const Variable&)>;
  struct Row {
    const char* name;
    Binary f;
  };
  const Row row = GENERATE(values<Row>({
      {"add", [](const Variable& a, const Variable& b) { return a + b; }},
      {"sub", [](const Variable& a, const Variable& b) { return a - b; }},
      {"mul", [](const Variable& a, const Variable& b) { return a * b; }},
      {"div", [](const Variable& a, const Variable& b) { return a / b; }},
      {"pow", [](const Variable& a, const Variable& b) { return pow(a, b); }},
      {"maximum", [](const Variable& a, const Variable& b) { return maximum(a, b); }},
      {"minimum", [](const Variable& a, const Variable& b) { return minimum(a, b); }},
      {"where", [](const Variable& a, const Variable& b) { return where(a < b, a, b); }},
  }));
  const std::vector<std::pair<Shape, Shape>> shapes{
      {{3, 4}, {4}}, {{3, 4}, {}},           {{3, 1}, {1, 4}}, {{3, 4}, {3, 4}},  {{2, 1, 3}, {4, 1}},
      {{1}, {3}},    {{1, 1, 1}, {2, 3, 5}}, {{0, 4}, {4}},    {{5, 33}, {5, 1}}, {{2, 3, 4, 5}, {3, 1, 5}}};
  for (const auto& [first, second] : shapes) {
    for (const bool swapped : {false, true}) {
      const Shape &s = swapped ? second : first, &t = swapped ? first : second;
      CAPTURE(row.name, to_string(s), to_string(t));
      const Shape full = *broadcast(s, t);
      const Tensor a = random(s, 1, 0.5, 2), b = random(t, 2, 0.5, 2), seed = random(full, 3);
      Tape tape;
      const Variable x = tape.watch(a), y = tape.watch(b);
      const Variable X = tape.watch(broadcast_to(a, full).value()),
                     Y = tape.watch(broadcast_to(b, full).value());
      const Gradients small = tape.backward(row.f(x, y), {.seed = seed});
      const Gradients large = tape.backward(row.f(X, Y), {.seed = seed});
      for (const auto& [own, whole] : {std::pair(x, X), std::pair(y, Y)}) {
        REQUIRE(small[own].shape() == own.shape());
        const auto expected = summed(large[whole].value(), own.shape());
        const auto actual = small[own].value().to_vector<double>();
        for (std::size_t i = 0; i < expected.size(); ++i)
          CHECK(actual[i] == Approx(expected[i]).epsilon(1e-12).margin(1e-13));
      }
    }
  }
}

TEST_CASE("Several uses of one variable add up", "[backward]") {
  Tape tape;
  const Variable x = tape.watch(tensor({2, 3}));
  const auto gradient = [&](const Variable& y) { return tape.backward(sum(y))[x].value(); };
  CHECK(equal(gradient(x + x), tensor({2, 2})));
  CHECK(equal(gradient(x - x), tensor({0, 0})));
  CHECK(equal(gradient(x * x), tensor({4, 6})));
  CHECK(equal(gradient(x / x), tensor({0, 0})));
  CHECK(equal(gradient(x + x * x + x), tensor({6, 8})));
  const Variable y = x * 2;
  CHECK(equal(gradient(y * y + y), tensor({18, 26})));
  CHECK(equal(gradient(concat({x, x * 3, x})), tensor({5, 5})));
  const Variable X = reshape(x, {1, 2});
  CHECK(equal(gradient(matmul(X, X, {.b = true})), tensor({4, 6})));
}

TEST_CASE("A cotangent that is shared is not written to", "[backward]") {
  // Both inputs of an add get the very same cotangent; what is added to one must not reach the other.
  Tape tape;
  const Variable x = tape.watch(tensor({1, 2})), y = tape.watch(tensor({3, 4})), a = x * 1, b = y * 1;
  const Tensor seed = ones({2});
  const Variable late = a + a + b;
  const Gradients grad = tape.backward(late + b, {.seed = seed});
  CHECK(equal(grad[x].value(), tensor({2, 2})));
  CHECK(equal(grad[y].value(), tensor({2, 2})));
  CHECK(equal(seed, ones({2})));
}

TEST_CASE("Gradients outlive their tape and later steps", "[backward]") {
  const Parameter w("w", tensor({1, 2}));
  Gradients first;
  {
    Tape tape;
    first = tape.backward(sum(w * w));
  }
  {
    Tape tape;
    tape.backward(sum(exp(w) * 3));
  }
  CHECK(equal(first[w].value(), tensor({2, 4})));
}

TEST_CASE("A pullback of another shape or dtype is named", "[backward]") {
  Tape tape;
  const Variable x = tape.watch(ones({2, 3}));
  const auto gradient = [&](std::function<Variable(const Variable&)> pull) {
    return tape.backward(sum(odd(x, std::move(pull))))[x];
  };
  CHECK_THAT(complaint<GraphError>([&] { gradient([](const Variable& g) { return transpose(g); }); }),
             Catch::StartsWith("backward: odd (at backward_test.cpp:") &&
                 Catch::EndsWith(") pulled back (3, 2) float32 for an input (2, 3) float32"));
  CHECK_THAT(complaint<GraphError>(
                 [&] { gradient([](const Variable& g) { return Variable(g.value().astype(float64)); }); }),
             Catch::EndsWith("pulled back (2, 3) float64 for an input (2, 3) float32"));
  CHECK_THAT(complaint<GraphError>([&] { gradient([](const Variable& g) { return sum(g); }); }),
             Catch::Contains("pulled back () float32"));
  // A broadcast shape is fine: it is summed.
  CHECK(equal(gradient([](const Variable& g) {
                return broadcast_to(g, {5, 2, 3});
              }).value(),
              full({2, 3}, 5)));
}

TEST_CASE("A backward pass that throws returns nothing and leaves the tape as it was", "[backward]") {
  const bool create_graph = GENERATE(false, true);
  const Parameter w("w", tensor({1, 2})), v("v", tensor({3, 4}));
  bool fails = true;
  Tape tape;
  const Variable y = odd(exp(w) * v, [&](const Variable& g) {
    if (fails) throw std::runtime_error("no");
    return g;
  });
  const Variable cost = sum(square(y * v));
  const std::size_t size = tape.size();
  const BackwardOptions options{.retain = true, .create_graph = create_graph};
  CHECK(complaint<std::runtime_error>([&] { tape.backward(cost, options); }) == "no");
  CHECK(tape.size() == size);
  CHECK(Tape::recording() == &tape);
  CHECK(detail::At::or_else({}).line() == 0);
  CHECK((w + 1).place().index == size);
  fails = false;
  const Gradients grad = tape.backward(cost, options);
  CHECK(grad.size() == 2);
  // cost = sum(e^2w v^4): dw = 2 e^2w v^4
  for (std::size_t i = 0; i < 2; ++i) {
    const double e = std::exp(2.0 * static_cast<double>(i + 1)), b = static_cast<double>(i + 3);
    CHECK(grad[w].value().to_vector<double>()[i] == Approx(2 * e * std::pow(b, 4)));
    CHECK(grad[v].value().to_vector<double>()[i] == Approx(4 * e * std::pow(b, 3)));
  }
}

TEST_CASE("A backward pass that throws has released what it passed, unless retained", "[backward]") {
  const Parameter w("w", 2.0);
  bool fails = true;
  Tape tape;
  const Variable y = exp(odd(w * w, [&](const Variable& g) {
    if (fails) throw std::runtime_error("no");
    return g;
  }));
  CHECK_THROWS_AS(tape.backward(y), std::runtime_error);
  fails = false;
  CHECK_THAT(complaint<GraphError>([&] { tape.backward(y); }), Catch::Contains("what exp"));
}

TEST_CASE("A chain of a million nodes lives on a stack of 256 KiB", "[backward]") {
  struct Result {
    std::size_t size = 0;
    double value = 0, gradient = 0;
    std::string error;
  } result;
  const auto run = [](void* argument) -> void* {
    auto& out = *static_cast<Result*>(argument);
    try {
      Tape tape;
      const Variable x = tape.watch(scalar(1, float64));
      Variable y = x;
      for (int i = 0; i < 250'000; ++i) y = -(-(y * 1.0 + 1e-6));
      out.size = tape.size();
      out.value = y.item();
      out.gradient = tape.backward(y)[x].item();
    } catch (const std::exception& error) {
      out.error = error.what();
    }
    return nullptr;
  };
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attributes, run, &result) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  CHECK(result.error.empty());
  CHECK(result.size == 1'000'001);
  CHECK(result.value == Approx(1.25));
  CHECK(result.gradient == 1);
}
