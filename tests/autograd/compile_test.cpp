// What may change between the calls of a compiled function, and what is then done.
#include <compiled.hpp>
#include <thread>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/philox.hpp>
#include <xgrad/tensor/threads.hpp>
#include <xgrad/tensor/xtensor.hpp>

namespace {

using namespace xgrad;
using Catch::Contains;
using test::check_call;

std::string counts(const CompileReport& report) {
  const std::string text = to_string(report);
  return text.substr(0, text.find_first_of("(;") - (report.reason.empty() ? 0 : 1));
}

// x -> the cost sum(tanh(w x)) and its gradient.
struct Step {
  Parameter w{"w", tensor({1, -2, 3})};
  std::pair<Variable, Gradients> operator()(const Variable& x) const {
    Tape tape;
    const Variable cost = sum(tanh(w * x));
    return {cost, tape.backward(cost)};
  }
};

Tensor ramp(const Shape& shape, double from) {
  std::vector<float> values(static_cast<std::size_t>(shape.size()));
  for (float& value : values) value = static_cast<float>(from += 0.37);
  return Tensor(shape, values);
}

}  // namespace

TEST_CASE("New shapes and dtypes are recorded, and the old recordings stay", "[compile]") {
  const auto f = [](const Variable& x, const Variable& y) { return sum(x * y, -1); };
  auto step = compile(f);
  CHECK(to_string(step.report()) == "0 replays, 0 recordings, 0 plain calls");
  for (int round = 0; round < 3; ++round) {
    check_call(f, step, ramp({3}, round), ramp({3}, 1));
    check_call(f, step, ramp({2, 3}, round), ramp({3}, 2));
    check_call(f, step, ramp({2, 3}, round).astype(float64), ramp({3}, 2).astype(float64));
    check_call(f, step, ramp({2, 3}, round).astype(int64), ramp({3}, 2).astype(int64));
    check_call(f, step, ramp({2, 0}, round), ramp({1}, 2));
  }
  CHECK(counts(step.report()) == "10 replays, 5 recordings, 0 plain calls");
  CHECK_THAT(step.report().reason, Contains("shapes or dtypes"));
  for (std::int64_t n = 1; n <= 40; ++n)
    check_call(f, step, ramp({n}, 0), ramp({n}, 1));  // more than are kept
  check_call(f, step, ramp({40}, 3), ramp({40}, 4));
  CHECK(step.report().replays == 12);  // and n = 3, which was there
}

TEST_CASE("Copies of a compiled function record for themselves", "[compile]") {
  const auto plain = [](double rate) { return [rate](const Variable& x) { return x * rate; }; };
  auto a = compile(plain(2));
  a(1.0);
  a(1.0);
  auto b = compile(plain(3));
  CHECK(a(2.0).item() == 4);
  CHECK(b(2.0).item() == 6);
  CHECK(counts(b.report()) == "0 replays, 1 recording, 0 plain calls");
}

TEST_CASE("A branch on an element is watched", "[compile]") {
  const auto f = [](const Variable& x) {
    const Variable positive = sum(x) > 0;
    return positive.item() != 0 ? exp(x) : x * 2;
  };
  auto step = compile(f);
  const Tensor up = tensor({1, 2}), down = tensor({-1, -2});
  for (const Tensor& x : {up, down, down, up, down, up}) check_call(f, step, x);
  CHECK(counts(step.report()) == "4 replays, 2 recordings, 0 plain calls");
  CHECK_THAT(step.report().reason, Contains("an element it looked at"));
  check_call(f, step, tensor({5, 6}));  // other elements, the same branch
  CHECK(step.report().replays == 5);
}

TEST_CASE("An element that always changes ends the recordings", "[compile]") {
  const auto f = [](const Variable& x) { return x * sum(x).item(); };
  auto step = compile(f);
  for (int i = 0; i < 30; ++i) check_call(f, step, full({3}, i));
  CHECK(step.report().recordings < 12);
  CHECK(step.report().replays == 0);
  CHECK_THAT(step.report().reason, Contains("keeps changing"));
}

TEST_CASE("Loops over fixed data replay", "[compile]") {
  const Tensor layers = tensor({3, 5});
  const auto f = [&](const Variable& x) {
    Variable y = x;
    for (double k : layers.to_vector<double>()) y = tanh(y) * k;  // read, but the same each time
    return y;
  };
  auto step = compile(f);
  for (int i = 0; i < 3; ++i) check_call(f, step, full({4}, i));
  CHECK(step.report().replays == 2);
}

TEST_CASE("Threads and instruction sets may change", "[compile]") {
  struct Restore {
    int threads = num_threads();
    ~Restore() { set_num_threads(threads); }
  } restore;
  const auto f = [](const Variable& x) {
    Tape tape;
    const Variable leaf = tape.watch(x.value());
    const Variable cost = mean(sigmoid(leaf) * leaf);
    return std::pair(cost, tape.backward(cost));
  };
  auto step = compile(f);
  for (int threads : {1, 2, 1, 2}) {
    set_num_threads(threads);
    check_call(f, step, ramp({200'000}, 0));
  }
  CHECK(counts(step.report()) == "2 replays, 2 recordings, 0 plain calls");
  set_num_threads(restore.threads);
  test::on_each_simd_level([&] {
    for (int i = 0; i < 2; ++i) check_call(f, step, ramp({5000}, i));
  });
}

TEST_CASE("Inside a tape that records, the function is simply run", "[compile]") {
  const auto f = [](const Variable& x) { return sum(x * x); };
  auto step = compile(f);
  const Tensor at = tensor({1, 2, 3});
  for (int round = 0; round < 2; ++round) {
    step(at);
    Tape tape;
    const Variable x = tape.watch(at);
    CHECK(equal(tape.backward(step(x))[x].value(), tensor({2, 4, 6})));
    CHECK_THAT(step.report().reason, Contains("a tape was recording"));
    const Tape::Pause pause;
    CHECK(step(x).item() == 14);
  }
  CHECK(counts(step.report()) == "3 replays, 1 recording, 2 plain calls");
  CHECK(grad([&](const Variable& x) { return step(x) * x; })(2.0).item() == 12);
}

TEST_CASE("A compiled function may call another one", "[compile]") {
  auto inner = compile([](const Variable& x) { return tanh(x) + 1; });
  const auto f = [&](const Variable& x) { return inner(x) * inner(inner(x)); };
  auto outer = compile(f);
  for (int i = 0; i < 3; ++i) {
    const Tensor x = full({3}, i);
    const Tensor replayed = outer(x).value();
    CHECK(test::same_bits(replayed, f(x).value()));
  }
  CHECK(counts(outer.report()) == "2 replays, 1 recording, 0 plain calls");
  CHECK(inner.report().plain == 3);
  CHECK(inner.report().recordings == 1);
}

TEST_CASE("Errors are those of the function, and a good call follows", "[compile]") {
  const auto classify = [](const Variable& x, const Variable& labels) {
    const Scope scope("head");
    Tape tape;
    const Variable logits = tape.watch(x.value());
    const Variable cost = mean(softmax_cross_entropy(logits, labels));
    return std::pair(cost, tape.backward(cost));
  };
  const auto judge = [](const Variable& a, const Variable& y) {
    const Scope scope("head");
    return mean(binary_cross_entropy(a, y));
  };
  const Tensor x = tensor({{1, 2, 3}, {3, 1, 2}}), good = tensor({0, 2}, int64), bad = tensor({0, 3}, int64);
  const Tensor a = tensor({0.25, 0.75}), b = tensor({0.5, 1.5}), y = tensor({0, 1});
  const bool bad_first = GENERATE(true, false);
  auto classified = compile(classify);
  auto judged = compile(judge);
  for (bool fails : {bad_first, false, false, true, false}) {
    check_call(classify, classified, x, fails ? bad : good);
    check_call(judge, judged, fails ? b : a, y);
  }
  CHECK(classified.report().recordings == 1);
  CHECK(judged.report().recordings == 1);
  CHECK_THROWS_WITH(classified(x, bad), Contains("label 3 of example 1") && Contains("in head"));
  CHECK_THROWS_WITH(judged(b, y), Contains("1.5") && Contains("in head"));
  CHECK_THROWS_AS(classified(x, y), DTypeError);
  CHECK(classified(x, good).second.size() == 1);
}

TEST_CASE("An exception at the first call leaves nothing behind", "[compile]") {
  int calls = 0;
  auto step = compile([&](const Variable& x) {
    if (++calls == 1) throw std::runtime_error("not today");
    return x + 1;
  });
  CHECK_THROWS_AS(step(1.0), std::runtime_error);
  CHECK(counts(step.report()) == "0 replays, 0 recordings, 0 plain calls");
  CHECK(step(1.0).item() == 2);
  CHECK(step(2.0).item() == 3);
  CHECK(calls == 2);
}

TEST_CASE("What a replay would not repeat is run plainly, and the report says why", "[compile]") {
  Generator random(1);
  Parameter w("w", tensor({1, 2}));
  float kept[2] = {};
  const auto check = [](auto f, const char* reason) {
    INFO(reason);
    auto step = compile(f);
    for (int i = 1; i <= 3; ++i) step(full({2}, i));
    CHECK(counts(step.report()) == "0 replays, 0 recordings, 3 plain calls");
    CHECK_THAT(step.report().reason, Contains(reason));
    auto strict = compile(f, {.strict = true});
    CHECK_THROWS_WITH(strict(full({2}, 1)), Contains("cannot be replayed") && Contains(reason));
    CHECK_THROWS_AS(strict(full({2}, 1)), GraphError);
  };
  check([&](const Variable& x) { return x + uniform({2}, random); }, "random numbers");
  check([&](const Variable& x) { return x * static_cast<double>(random.next_index(5)); }, "random numbers");
  check(
      [&](const Variable& x) {
        w.set((x * 2).value());
        return Variable(w) + x;
      },
      "updates a parameter");
  check(
      [&](const Variable& x) {
        w.update([&](Tensor& value) { detail::mutable_data<float>(value)[0] += 1; });
        return Variable(w) + x;
      },
      "updates a parameter");
  check([](const Variable& x) { return x * x.value().data<float>()[0]; }, "reads elements");
  check([](const Variable& x) { return x * (x * 2).value().to_vector<double>()[1]; }, "reads elements");
  check([](const Variable& x) { return x * x.value().at({1}); }, "reads elements");
  check(
      [&](const Variable& x) {
        std::copy_n(w.value().data<float>(), 2, kept);
        return x * kept[0];
      },
      "reads elements");
  check([](const Variable& x) { return Variable(Tensor(2 * x.value().as<float>())); }, "reads elements");
  check(
      [](const Variable& x) {
        const Parameter own("own", (x * 2).value());
        return own * x;
      },
      "makes a parameter");
}

TEST_CASE("Plain calls do what the function does", "[compile]") {
  Parameter w("w", tensor({1, 2}));
  auto step = compile([&](const Variable& x) {
    Tape tape;
    const Variable cost = sum(w * x);
    const Gradients gradients = tape.backward(cost);
    w.set((w - gradients[w]).value());
    return std::pair(cost, Variable(w));
  });
  const Tensor x = tensor({1, -1});
  CHECK(step(x).first.item() == -1);
  CHECK(step(x).first.item() == -3);
  CHECK(equal(step(x).second.value(), tensor({-2, 5})));
}

TEST_CASE("A strict function throws where it would record again", "[compile]") {
  auto step =
      compile([](const Variable& x) { return (sum(x) > 0).item() != 0 ? x * 2 : x * 3; }, {.strict = true});
  CHECK(step(tensor({1, 2})).size() == 2);
  CHECK(step(tensor({1, 2, 3})).size() == 3);  // new shapes are recorded
  CHECK(step(tensor({3, 2})).size() == 2);
  CHECK_THROWS_AS(step(tensor({-1, -2})), GraphError);
  CHECK(step(tensor({3, 2})).size() == 2);
}

TEST_CASE("Each thread may compile for itself", "[compile]") {
  const Step f;
  std::vector<Tensor> results(2);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      auto step = compile(f);
      for (int k = 0; k < 20; ++k) results[i] = step(ramp({3}, k)).second[f.w].value();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& result : results) CHECK(test::same_bits(result, f(ramp({3}, 19)).second[f.w].value()));
}
