// Running sums, products and extrema: gradients through zeros, ties and infinities, and of every order.
#include "reduction_checks.hpp"

using namespace checks;

namespace {

constexpr ScanOrder orders[] = {
    {}, {.reverse = true}, {.exclusive = true}, {.reverse = true, .exclusive = true}};

const auto products = [](const Variables& x) { return cumprod(x[0]); };

// The running products' slopes of their sum, one factor left out at a time.
Doubles product_slopes(const Doubles& x) {
  Doubles slopes(x.size(), 0);
  for (std::size_t j = 0; j < x.size(); ++j) {
    double product = 1;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (i != j) product *= x[i];
      if (i >= j) slopes[j] += product;
    }
  }
  return slopes;
}

}  // namespace

TEST_CASE("scans: values, dtypes and shapes", "[ops]") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, float64);
  CHECK(doubles(cumsum(x)) == Doubles{1, 3, 6, 4, 9, 15});
  CHECK(doubles(cumsum(x, 0)) == Doubles{1, 2, 3, 5, 7, 9});
  CHECK(doubles(cumsum(x, -1, {.reverse = true})) == Doubles{6, 5, 3, 15, 11, 6});
  CHECK(doubles(cumsum(x, 1, {.exclusive = true})) == Doubles{0, 1, 3, 0, 4, 9});
  CHECK(doubles(cumprod(x)) == Doubles{1, 2, 6, 4, 20, 120});
  CHECK(doubles(cumprod(x, 1, {.reverse = true, .exclusive = true})) == Doubles{6, 3, 1, 30, 6, 1});
  CHECK(doubles(cummax(tensor({1, 3, 2, 3, 5}))) == Doubles{1, 3, 3, 3, 5});
  CHECK(doubles(cummin(tensor({{4, 1}, {3, 2}}), 0)) == Doubles{4, 1, 3, 1});
  CHECK(doubles(logcumsumexp(tensor({0, 0}, float64)))[1] == std::log(2.0));
  CHECK(cumsum(tensor({1, 2}, int64)).dtype() == int64);
  CHECK(cumsum(tensor({1, 1, 0}, bool_)).dtype() == int64);
  CHECK(doubles(cumprod(tensor({1, 1, 0}, bool_))) == Doubles{1, 1, 0});
  CHECK(cummax(tensor({2, 1}, int64)).dtype() == int64);
  CHECK(logcumsumexp(tensor({2, 1}, int64)).dtype() == float32);
  CHECK(cumsum(zeros({0, 3}), 0).shape() == Shape{0, 3});
  CHECK(cumprod(zeros({3, 0}), 0).shape() == Shape{3, 0});
  CHECK(message<ShapeError>([] { cumsum(2.0); }).find("cumsum: ") == 0);
  CHECK_THROWS_AS(cumprod(tensor({1, 2}), 1), ShapeError);
  CHECK_THROWS_AS(cummax(tensor({1, 2}), -2), ShapeError);
}

TEST_CASE("scans: gradients of running products through zeros", "[ops][simd]") {
  for (const Doubles& x : {Doubles{2, 3, 4}, Doubles{2, 0, 4, -1}, Doubles{0, 3, 0, 2, 5}, Doubles{0, 0, 0},
                           Doubles{-1, 2, 0}, Doubles{7}}) {
    const Tensor t(Shape{static_cast<std::int64_t>(x.size())}, x);
    INFO(t);
    for (bool recorded : {false, true}) {
      CHECK(doubles(run(products, {t}, recorded).gradients[0]) == product_slopes(x));
    }
    for (ScanOrder order : orders) {
      const auto f = [order](const Variables& v) { return cumprod(v[0], -1, order); };
      if (order.exclusive && x.size() == 1) {  // the empty product
        CHECK(doubles(run(f, {t}).gradients[0]) == Doubles{0});
      } else {
        check_slopes(f, t);
      }
    }
  }
  // Of an infinite factor beside 0, only what depends on both is NaN.
  const Doubles g = doubles(run(products, {tensor({Inf, 2}, float64)}).gradients[0]);
  CHECK(g == Doubles{3, Inf});
}

TEST_CASE("scans: derivatives along every axis, and replays", "[ops]") {
  const Tensor x = spread_out({3, 4, 2});
  for (int axis = 0; axis < 3; ++axis) {
    INFO("axis " << axis);
    for (ScanOrder order : orders) {
      check_slopes([=](const Variables& v) { return cumsum(v[0], axis, order); }, x);
      check_slopes([=](const Variables& v) { return cumprod(v[0], axis, order); }, x);
      check_replay([=](const Variable& v) { return cumsum(v, axis, order); },
                   {x, x, spread_out({3, 4, 2}, 5)});
      check_replay([=](const Variable& v) { return cumprod(v, axis, order); },
                   {x, x, spread_out({3, 4, 2}, 5)});
    }
    for (bool reverse : {false, true}) {
      check_slopes([=](const Variables& v) { return logcumsumexp(v[0], axis, reverse); }, x);
    }
    check_slopes([=](const Variables& v) { return cummax(v[0], axis); }, x);
    check_slopes([=](const Variables& v) { return cummin(v[0], axis); }, x);
    check_replay([=](const Variable& v) { return logcumsumexp(v, axis); }, {x, x, spread_out({3, 4, 2}, 5)});
    check_replay([=](const Variable& v) { return cummax(v, axis); }, {x, x, spread_out({3, 4, 2}, 5)});
  }
}

TEST_CASE("scans: the gradient's gradient of a running product", "[ops]") {
  // To order 3, where two zeros leave one slope only.
  const auto f = [](Variable x) { return sum(cumprod(x)); };
  const auto third = [&](const Tensor& at) {
    Tape tape;
    const Variable x = tape.watch(at);
    Variable y = f(x);
    for (const Tensor& weights : {tensor({1, 0, 0}, float64), tensor({0, 1, 0}, float64)}) {
      y = sum(tape.backward(y, {.create_graph = true})[x] * weights);
    }
    return doubles(tape.backward(y)[x]);
  };
  CHECK(third(tensor({0, 0, 5}, float64)) == Doubles{0, 0, 1});  // x0 x1 + x0 x1 x2, by x0 and x1: 1 + x2
  CHECK(third(tensor({2, 3, 5}, float64)) == Doubles{0, 0, 1});
}

TEST_CASE("scans: logarithms of sums at their extremes", "[ops][simd]") {
  const auto f = [](const Variables& x) { return logcumsumexp(x[0]); };
  for (DType dtype : {float32, float64}) {
    const Result low = run(f, {tensor({-Inf, -Inf, 2, -Inf}, dtype)});
    CHECK(doubles(low.value) == Doubles{-Inf, -Inf, 2, 2});
    CHECK(doubles(low.gradients[0]) == Doubles{0, 0, 2, 0});
    const Result far = run(f, {tensor({-1000, 1000, 0}, dtype)});
    CHECK(doubles(far.value) == Doubles{-1000, 1000, 1000});
    CHECK(doubles(far.gradients[0]) == Doubles{1, 2, 0});
    CHECK(same(doubles(logcumsumexp(tensor({1, NaN, 2}, dtype))), {1, NaN, NaN}));
  }
  Tape tape;  // nothing infinite is multiplied by 0 in the second derivative
  const Variable x = tape.watch(tensor({-Inf, -2000, 2000}, float64));
  const Variable g = tape.backward(sum(logcumsumexp(x)), {.create_graph = true})[x];
  for (double v : doubles(tape.backward(sum(square(g)))[x])) CHECK(v == 0);
}

TEST_CASE("scans: running extrema pass g to the first of equals", "[ops]") {
  const auto largest = [](const Variables& x) { return cummax(x[0]); };
  const auto smallest = [](const Variables& x) { return cummin(x[0]); };
  CHECK(doubles(run(largest, {tensor({1, 3, 3, 2, 3}, float64)}).gradients[0]) == Doubles{1, 4, 0, 0, 0});
  CHECK(doubles(run(smallest, {tensor({2, 2, 1, 1}, float64)}).gradients[0]) == Doubles{2, 0, 2, 0});
  CHECK(same(doubles(cummax(tensor({1, NaN, 3}))), {1, NaN, NaN}));
  CHECK(same(doubles(cummin(tensor({1, NaN, 0}))), {1, NaN, NaN}));
}
