// What a compiled function may return.
#include <array>
#include <compiled.hpp>
#include <functional>
#include <tuple>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;
using test::check_call, test::same_bits;

// Three calls on different data, which must be one recording and two replays.
template <class F>
void check_replays(const F& f) {
  auto step = compile(f);
  for (double k : {1.0, 2.0, -3.0}) {
    check_call(f, step, full({2, 3}, k), full({3}, k + 0.5));
  }
  CHECK_THAT(to_string(step.report()), Catch::StartsWith("2 replays, 1 recording, 0 plain calls"));
}

using V = const Variable&;

}  // namespace

TEST_CASE("Results of every kind are replayed", "[compile]") {
  check_replays([](V x, V y) { return x * y; });
  check_replays([](V x, V y) { return (x * y).value(); });
  check_replays([](V x, V y) { return std::pair(x * y, (x + y).value()); });
  check_replays([](V x, V y) { return std::tuple(x * y, x.value(), std::vector{y, x + 1}); });
  check_replays([](V x, V y) { return std::array{x * y, x - y}; });
  check_replays([](V x, V y) { return std::vector{x * y, x - y, y}; });
  check_replays([](V x, V y) { return std::vector<std::pair<Tensor, Variable>>{{x.value(), exp(y)}}; });
  check_replays([](V, V) { return std::vector<Variable>{}; });
  check_replays([](V x, V y) { return value_and_grad([](V a, V b) { return sum(a * b * b); })(x, y); });
  check_replays([](V x, V y) { return value_and_grad<0, 1>([](V a, V b) { return sum(a * b * b); })(x, y); });
  check_replays([](V x, V y) {
    const auto f = [&](V b) { return sum(x * b * b * b); };
    return std::pair(grad(f)(y), grad([&](V b) { return sum(grad(f)(b)); })(y));
  });
}

TEST_CASE("Results that nothing computes are replayed", "[compile]") {
  const Parameter p("p", tensor({7, 8, 9}));
  const Tensor outside = tensor({1, 2});
  check_replays([](V x, V y) { return std::pair(x, y); });
  check_replays([](V x, V) { return std::pair(x, x); });
  check_replays([](V x, V) { return reshape(x, {3, 2}); });
  check_replays([](V x, V y) { return std::pair(broadcast_to(x, x.shape()), y.value().astype(float32)); });
  check_replays([&](V, V) { return p.value(); });
  check_replays([&](V, V y) { return std::array<Variable, 3>{p, reshape(p, {3, 1}), p + y}; });
  check_replays([&](V, V) { return std::pair(outside, Variable(3.0)); });
  check_replays([](V x, V y) { return std::pair(zeros({2}), x + y); });
}

TEST_CASE("Results that share their memory still do", "[compile]") {
  const auto f = [](V x, V y) {
    const Variable z = x * y;
    return std::array{z, reshape(z, {6}), z, reshape(z, {3, 2})};
  };
  check_replays(f);
  auto step = compile(f);
  for (int i = 0; i < 2; ++i) {
    const auto z = step(full({2, 3}, i), ones({3}));
    CHECK(z[0].value().shares_storage(z[1].value()));
    CHECK(z[0].value().shares_storage(z[3].value()));
  }
}

TEST_CASE("Results may have no elements, and keep their dtype", "[compile]") {
  const auto f = [](V x, V y) {
    return Variables{x, y, x > 0, x.value().astype(int64), concat({x, x}), Variable(Tensor()), sum(x) + y};
  };
  auto step = compile(f);
  for (double k : {1.0, 2.0, 3.0}) check_call(f, step, zeros({0, 3}), full({}, k));
  for (double k : {1.0, 2.0}) check_call(f, step, zeros({0, 3}, float64), full({0}, k, float64));
  CHECK(step.report().replays == 3);
}

TEST_CASE("Results that are kept stay as they are", "[compile]") {
  Parameter p("p", tensor({1, 2, 3}));
  const auto f = [&](V x) {
    Tape tape;
    const Variable y = p * x, cost = sum(y * y);
    return std::tuple(y, cost, tape.backward(cost), p.value());
  };
  auto step = compile(f);
  std::vector<decltype(f(Variable()))> results;
  std::vector<std::vector<Tensor>> copies;
  for (int i = 0; i < 5; ++i) {
    results.push_back(step(full({3}, i)));
    copies.push_back(test::outcome([&] { return f(full({3}, i)); }).tensors);
    p.set((p * 2).value());
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::size_t k = 0;
    detail::each_tensor(results[i], [&](const Tensor& t) { CHECK(same_bits(t, copies[i][k++])); });
    CHECK(std::get<2>(results[i])[p].is_constant());
  }
  CHECK(step.report().replays == 4);
}

TEST_CASE("Arguments may be anything that makes a Variable", "[compile]") {
  Parameter p("p", tensor({1, 2}));
  auto none = compile([&] { return sum(p * 2); });
  auto two = compile([](V x, V y) { return x * y; });
  for (int i = 1; i <= 3; ++i) {
    CHECK(none().item() == 6 * i);
    CHECK(two(2.0, i).item() == 2 * i);
    CHECK(equal(two(p, p).value(), tensor({i * i, 4 * i * i})));
    CHECK(equal(two(p.value(), Variable(i)).value(), tensor({i * i, 2 * i * i})));
    p.set(tensor({i + 1, 2 * (i + 1)}));
  }
  CHECK(none.report().replays == 2);
  CHECK(two.report().replays == 6);
}

TEST_CASE("The same tensor may be given twice, and be a parameter's value", "[compile]") {
  Parameter p("p", tensor({1, 2}));
  const auto f = [&](V x, V y) { return x * 2 + y * 3 + p * 5; };
  auto step = compile(f);
  step(p.value(), p.value());
  const Tensor x = tensor({1, 0}), y = tensor({0, 1});
  check_call(f, step, x, y);
  check_call(f, step, y, y);
  CHECK(step.report().replays == 2);
}

TEST_CASE("A function of many arguments is replayed", "[compile]") {
  const auto f = [](V a, V b, V c, V d, V e, const auto&... more) {
    Variable total = a - b * c + d / e;
    ((total = total * 2 + more), ...);
    return concat({total, more...});
  };
  auto step = compile(f);
  for (int i = 1; i < 4; ++i) {
    const auto t = [&](double k) { return full({2}, k + i); };
    check_call(f, step, t(1), t(2), t(3), t(4), t(5), t(6), t(7), t(8), t(9), t(10), t(11), t(12), t(13),
               t(14), t(15), t(16), t(17), t(18), t(19), t(20));
  }
  CHECK(step.report().replays == 2);
}
