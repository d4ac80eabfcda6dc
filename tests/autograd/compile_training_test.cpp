// Compiled training steps: the parameters they lead to, and the memory they take.
#include <compiled.hpp>
#include <cstdlib>
#include <functional>
#include <new>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/philox.hpp>

namespace {

thread_local std::size_t news = 0;

}  // namespace

// Counts what this thread allocates. Not inlined: the compiler would see a free() of what new gave.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++news;
  if (void* p = std::malloc(bytes > 0 ? bytes : 1)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++news;
  return std::malloc(bytes > 0 ? bytes : 1);
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using namespace xgrad;
using test::check_call, test::same_bits;

using Cost = std::function<Variable(const Variable& X, const Variable& Y)>;

auto gradients_of(const Cost& cost) {
  return [cost](const Variable& X, const Variable& Y) {
    Tape tape;
    const Variable J = cost(X, Y);
    return std::pair(J, tape.backward(J));
  };
}

// Trains two models of the same initial values, one plainly and one compiled: the same bits after each step.
template <class Model, class MakeCost>
void check_training(const std::function<Model()>& make, const MakeCost& cost, const std::vector<Tensor>& X,
                    const std::vector<Tensor>& Y, const SgdOptions& options) {
  const Model a = make(), b = make();
  const auto plain = gradients_of(cost(a));
  auto step = compile(gradients_of(cost(b)));
  Sgd plain_sgd(a.parameters(), options), sgd(b.parameters(), options);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto expected = plain(X[i % X.size()], Y[i % Y.size()]);
    const auto result = step(X[i % X.size()], Y[i % Y.size()]);
    REQUIRE(same_bits(expected.first.value(), result.first.value()));
    plain_sgd.step(expected.second);
    sgd.step(result.second);
    for (std::size_t k = 0; k < a.parameters().size(); ++k) {
      REQUIRE(same_bits(a.parameters()[k].value(), b.parameters()[k].value()));
    }
  }
  CHECK(step.report().replays == 19);
}

struct Data {
  std::vector<Tensor> X, rows, one, labels;
  explicit Data(DType dtype) {
    Generator random(7);
    for (int i = 0; i < 3; ++i) {
      X.push_back(normal({6, 32}, random, 0, 1, dtype));
      rows.push_back(transpose(X.back()).value());
      one.push_back((Variable(uniform({1, 32}, random, 0, 1, dtype)) > 0.5).value().astype(dtype));
      labels.push_back((Variable(uniform({32}, random)) * 4).value().astype(int64));
    }
  }
};

}  // namespace

TEST_CASE("Compiled training gives the same parameters", "[compile]") {
  const DType dtype = GENERATE(float32, float64);
  const Data data(dtype);
  const double momentum = GENERATE(0.0, 0.9);
  const SgdOptions options{.learning_rate = 0.2, .momentum = momentum, .weight_decay = 0.01};
  check_training<LogisticRegression>([&] { return LogisticRegression(6, dtype); },
                                     [](const auto& model) -> Cost {
                                       return [model](const auto& X, const auto& Y) {
                                         return mean(binary_cross_entropy(model(X), Y));
                                       };
                                     },
                                     data.X, data.one, options);
  check_training<DeepNetwork>(
      [&] {
        return DeepNetwork({6, 8, 5, 1}, tanh, sigmoid, {.dtype = dtype});
      },
      [](const auto& model) -> Cost {
        return [model](const auto& X, const auto& Y) {
          return mean(binary_cross_entropy(model(X), Y)) + 0.01 * sum(square(model.W[0]));
        };
      },
      data.X, data.one, options);
  check_training<Sequential>(
      [&] {
        return Sequential{Linear(6, 10, {.dtype = dtype}), relu, Linear(10, 4, {.seed = 2, .dtype = dtype})};
      },
      [](const auto& model) -> Cost {
        return [model](const auto& X, const auto& Y) { return mean(softmax_cross_entropy(model(X), Y)); };
      },
      data.rows, data.labels, options);
}

TEST_CASE("Parameters may be set, updated in place, held and shared", "[compile]") {
  const Tensor both = tensor({1, 2});
  Parameter p("p", both), q("q", both);  // the same memory, and `both` holds it, too
  const auto f = [&](const Variable& x) {
    Tape tape;
    const Variable cost = sum(p * p * x + q * both + (Variable(p.value()) - both) * x);
    return std::pair(cost, tape.backward(cost));
  };
  const auto g = [&](const Variable& x) { return p * 2 + q.value() * 3.0F + x; };
  auto step = compile(f);
  auto other = compile(g);
  const auto check = [&] {
    check_call(f, step, tensor({3, 4}));
    check_call(g, other, tensor({3, 4}));
  };
  const auto write = [](double k) {
    return [k](Tensor& value) { detail::mutable_data<float>(value)[0] = static_cast<float>(k); };
  };
  check();
  p.set(tensor({5, 6}));
  check();
  p.update(write(7));
  check();
  const Tensor held = q.value();
  q.update(write(8));  // a copy
  check();
  CHECK(equal(held, both));
  const Variable snapshot = p;
  p.update(write(9));
  check();
  CHECK(equal(snapshot.value(), tensor({7, 6})));
  q.set(p.value());  // shared again
  check();
  q.update(write(1));
  check();
  CHECK(equal(p.value(), tensor({9, 6})));
  CHECK(step.report().replays == 6);
  CHECK(other.report().replays == 6);

  p.cast(float64);
  q.cast(float64);
  const Tensor x = tensor({3, 4}, float64);
  auto wide = compile([&](const Variable& y) { return p * q + y; });
  for (int i = 0; i < 2; ++i) CHECK(same_bits(wide(x).value(), (p * q + x).value()));
  p.cast(float32);
  q.cast(float32);
  CHECK_THROWS_AS(wide(x), DTypeError);
  CHECK(equal(wide(tensor({3, 4})).value(), (p * q + tensor({3, 4})).value()));
}

TEST_CASE("A parameter is updated in place between replays", "[compile]") {
  const Parameter p("p", ones({1000}));
  auto step = compile(gradients_of([&](const auto& X, const auto&) { return mean(square(p * X)); }));
  Sgd sgd({p}, {.learning_rate = 0.1});
  const Tensor X = full({1000}, 0.5);
  const void* place = nullptr;
  for (int i = 0; i < 5; ++i) {
    sgd.step(step(X, X).second);
    if (i == 1) place = p.value().storage().data();
  }
  CHECK(p.value().storage().data() == place);
}

TEST_CASE("A steady replay allocates nothing", "[compile]") {
  const Data data(float32);
  const DeepNetwork network({6, 8, 5, 1});
  Sgd sgd(network.parameters(), {.learning_rate = 0.1, .momentum = 0.9});
  auto step = compile(
      gradients_of([&](const auto& X, const auto& Y) { return mean(binary_cross_entropy(network(X), Y)); }));
  std::size_t before = 0;
  std::int64_t misses = 0;
  for (int i = 0; i < 30; ++i) {
    if (i == 3) misses = memory_stats().misses;
    if (i == 3) before = news;
    const auto [cost, gradients] = step(data.X[0], data.one[0]);
    if (i >= 3 && news != before)
      FAIL("replay " << i << " called operator new " << news - before << " times");
    sgd.step(gradients);
    before = news;
  }
  CHECK(memory_stats().misses == misses);
  CHECK(step.report().replays == 29);
}

TEST_CASE("The plan takes less memory than the tape, and less passes", "[compile]") {
  const std::int64_t n = GENERATE(100, 50'000);
  const auto f = [](const Variable& x) {
    Tape tape;
    const Variable leaf = tape.watch(x.value());
    Variable y = leaf;
    for (int i = 0; i < 20; ++i) y = tanh(y * 0.9 + 0.1);
    const Variable cost = mean(y);
    return std::pair(cost, tape.backward(cost)[leaf]);
  };
  auto step = compile(f);
  for (double k : {0.1, 0.2, 0.3}) check_call(f, step, full({n}, k));
  const CompileReport report = step.report();
  CHECK(report.planned_bytes < report.temporary_bytes);
  CHECK(report.kernel_calls >= 100);
  if (n > 10'000) CHECK(report.passes < 10);
  CHECK_THAT(to_string(report), Catch::Contains(std::to_string(report.kernel_calls) + " kernel calls in "));
}

TEST_CASE("A compiled function gives back what it held", "[compile]") {
  const auto work = [] {
    const Parameter p("p", ones({1000}));
    auto step = compile(gradients_of([&](const auto& X, const auto&) { return mean(square(p * X)); }));
    for (int i = 0; i < 3; ++i) step(full({1000}, i), 1.0);
    CHECK(step.report().replays == 2);
  };
  work();
  const MemoryStats before = memory_stats();
  work();
  CHECK(memory_stats().live_blocks == before.live_blocks);
}

TEST_CASE("A recorded step allocates nothing from its third time on", "[memory]") {
  const DeepNetwork network({6, 20, 4, 1});
  Sgd sgd(network.parameters(), {.learning_rate = 0.01, .momentum = GENERATE(0.0, 0.9)});
  const Tensor X = full({6, 33}, 0.5), Y = full({1, 33}, 0.25);
  const auto step = [&] {
    Tape tape;
    const Variable cost = mean(binary_cross_entropy(network(X), Y));
    sgd.step(tape.backward(cost));
  };
  for (int i = 0; i < 2; ++i) step();
  const std::size_t before = news;
  const std::int64_t misses = memory_stats().misses;
  for (int i = 0; i < 5; ++i) step();
  CHECK(news == before);
  CHECK(memory_stats().misses == misses);
}
