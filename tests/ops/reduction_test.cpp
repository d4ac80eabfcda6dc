// Reductions and softmax: values against loops, empty ones, ties, NaN and infinities.
#include <numeric>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>

#include "reduction_checks.hpp"

using namespace checks;

namespace {

Tensor counting(const Shape& shape, DType dtype = float64) {
  Doubles values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i * 7) % 11) - 5;
  return Tensor(shape, values).astype(dtype);
}

// The groups of elements of a (2, 3, 4) tensor that the axes in `reduced` bring together.
std::vector<Doubles> groups(const Doubles& x, const bool (&reduced)[3]) {
  const std::size_t size[3] = {2, 3, 4};
  std::vector<Doubles> result;
  std::size_t count[3];
  for (int a = 0; a < 3; ++a) count[a] = reduced[a] ? 1 : size[a];
  result.resize(count[0] * count[1] * count[2]);
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 4; ++k) {
        const std::size_t p = reduced[0] ? 0 : i, q = reduced[1] ? 0 : j, r = reduced[2] ? 0 : k;
        result[(p * count[1] + q) * count[2] + r].push_back(x[(i * 3 + j) * 4 + k]);
      }
    }
  }
  return result;
}

bool same_numbers(const Variable& y, const Tensor& expected) {
  return y.shape() == expected.shape() && doubles(y) == doubles(expected);
}

double total(const Doubles& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

const auto sum_all = [](const Variables& x) { return sum(x[0]); };
const auto max_all = [](const Variables& x) { return max(x[0]); };
const auto min_all = [](const Variables& x) { return min(x[0]); };

}  // namespace

TEST_CASE("reduction: every set of axes against loops", "[ops][simd]") {
  const Tensor x = counting({2, 3, 4});
  for (unsigned bits = 1; bits < 8; ++bits) {
    const bool reduced[3] = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
    std::vector<int> positive, negative;
    std::vector<std::int64_t> kept, dropped;
    for (int a = 0; a < 3; ++a) {
      kept.push_back(reduced[a] ? 1 : x.shape()[a]);
      if (!reduced[a]) dropped.push_back(x.shape()[a]);
      if (reduced[a]) positive.insert(positive.begin(), a), negative.push_back(a - 3);
    }
    Doubles sums, means, maxima, minima, logs, products, counts, some, every;
    for (const Doubles& group : groups(doubles(x), reduced)) {
      sums.push_back(total(group));
      means.push_back(total(group) / static_cast<double>(group.size()));
      maxima.push_back(*std::max_element(group.begin(), group.end()));
      minima.push_back(*std::min_element(group.begin(), group.end()));
      products.push_back(std::accumulate(group.begin(), group.end(), 1.0, std::multiplies<>()));
      const auto zeros = std::count(group.begin(), group.end(), 0.0), n = std::ssize(group);
      counts.push_back(static_cast<double>(n - zeros));
      some.push_back(zeros < n);
      every.push_back(zeros == 0);
      double exponentials = 0;
      for (double v : group) exponentials += std::exp(v);
      logs.push_back(std::log(exponentials));
    }
    for (const std::vector<int>& axes : {positive, negative}) {
      for (bool keepdims : {false, true}) {
        INFO("axes " << bits << ", keepdims " << keepdims);
        const Shape shape{std::span<const std::int64_t>(keepdims ? kept : dropped)};
        CHECK(sum(x, axes, keepdims).shape() == shape);
        CHECK(doubles(sum(x, axes, keepdims)) == sums);
        CHECK(doubles(mean(x, axes, keepdims)) == means);
        CHECK(doubles(max(x, axes, keepdims)) == maxima);
        CHECK(doubles(min(x, axes, keepdims)) == minima);
        CHECK(allclose(logsumexp(x, axes, keepdims).value(), Tensor(shape, logs), 1e-14));
        CHECK(allclose(
            logmeanexp(x, axes, keepdims).value(),
            (Variable(Tensor(shape, logs)) - std::log(24.0 / static_cast<double>(logs.size()))).value(),
            1e-13, 1e-14));
        CHECK(same_numbers(prod(x, axes, keepdims), Tensor(shape, products)));
        CHECK(equal(amax(x, axes, keepdims).value(), max(x, axes, keepdims).value()));
        CHECK(equal(amin(x, axes, keepdims).value(), min(x, axes, keepdims).value()));
        CHECK(same_numbers(count_nonzero(x, axes, keepdims), Tensor(shape, counts)));
        CHECK(same_numbers(any(x, axes, keepdims), Tensor(shape, some)));
        CHECK(same_numbers(all(x, axes, keepdims), Tensor(shape, every)));
        CHECK(mean(x, axes, keepdims).shape() == shape);
        CHECK(max(x, axes, keepdims).shape() == shape);
        CHECK(min(x, axes, keepdims).shape() == shape);
      }
    }
  }
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x, {}, true).shape() == Shape{1, 1, 1});
  CHECK(sum(x, Axes{std::vector<int>{}}).shape() == Shape{2, 3, 4});  // no axes: nothing to do
  CHECK(sum(scalar(3)).item() == 3);
  CHECK(max(scalar(3)).item() == 3);
}

TEST_CASE("reduction: the gradient of every set of axes", "[ops]") {
  for (unsigned bits = 1; bits < 8; ++bits) {
    std::vector<int> axes;
    for (int a = 0; a < 3; ++a) {
      if (bits >> a & 1) axes.push_back(a);
    }
    for (bool keepdims : {false, true}) {
      INFO("axes " << bits << ", keepdims " << keepdims);
      const auto squares = [&](auto reduce) {
        return [&, reduce](const Variables& x) { return square(reduce(x[0], axes, keepdims)); };
      };
      Doubles values(24);
      for (std::size_t i = 0; i < 24; ++i) values[i] = static_cast<double>((i * 7) % 24) / 8 - 1.3;
      const Tensor x(Shape{2, 3, 4}, values);
      for (const Function& f : {Function(squares([](auto&&... a) { return sum(a...); })),
                                Function(squares([](auto&&... a) { return mean(a...); })),
                                Function(squares([](auto&&... a) { return max(a...); })),
                                Function(squares([](auto&&... a) { return min(a...); })),
                                Function(squares([](auto&&... a) { return prod(a...); })),
                                Function(squares([](auto&&... a) { return amax(a...); })),
                                Function(squares([](auto&&... a) { return logmeanexp(a...); })),
                                Function(squares([](auto&&... a) { return logsumexp(a...); }))}) {
        const GradReport report = gradcheck(f, {x}, {.order = 2});
        INFO(to_string(report));
        CHECK(report.passed);
        check_push(f, {x});
      }
    }
  }
}

TEST_CASE("reduction: no elements", "[ops]") {
  const Tensor empty = zeros({0, 3}, float64);
  CHECK(sum(empty).item() == 0);
  CHECK(doubles(sum(empty, 0)) == Doubles{0, 0, 0});
  CHECK(sum(empty, 1).shape() == Shape{0});
  CHECK(std::isnan(mean(empty).item()));
  CHECK(same(doubles(mean(empty, 0)), {NaN, NaN, NaN}));
  CHECK(logsumexp(empty).item() == -Inf);
  CHECK(doubles(logsumexp(empty, 0)) == Doubles{-Inf, -Inf, -Inf});
  CHECK_THROWS_AS(max(empty), ShapeError);
  CHECK_THROWS_AS(min(empty), ShapeError);
  CHECK_THROWS_AS(max(empty, 0), ShapeError);
  CHECK(max(empty, 1).shape() == Shape{0});  // no maximum of nothing is taken
  CHECK(min(empty, 1).shape() == Shape{0});
  CHECK(softmax(empty).shape() == Shape{0, 3});
  CHECK(softmax(empty, 0).shape() == Shape{0, 3});
  CHECK(log_softmax(empty, 0).shape() == Shape{0, 3});
  const Function functions[] = {sum_all,
                                [](const Variables& x) { return mean(x[0], 0); },
                                [](const Variables& x) { return logsumexp(x[0], 0); },
                                [](const Variables& x) { return max(x[0], 1); },
                                [](const Variables& x) { return min(x[0], 1); },
                                [](const Variables& x) { return softmax(x[0], 0); },
                                [](const Variables& x) { return log_softmax(x[0]); }};
  for (const Function& f : functions) CHECK(run(f, {empty}).gradients[0].shape() == Shape{0, 3});
}

TEST_CASE("reduction: ties split the gradient evenly", "[ops]") {
  CHECK(doubles(run(max_all, {tensor({1, 3, 3, 3}, float64)}).gradients[0]) ==
        Doubles{0, 1. / 3, 1. / 3, 1. / 3});
  CHECK(doubles(run(min_all, {tensor({2, 1, 1, 5}, float64)}).gradients[0]) == Doubles{0, 0.5, 0.5, 0});
  CHECK(doubles(run(max_all, {tensor({0.0, -0.0}, float64)}).gradients[0]) == Doubles{0.5, 0.5});
  CHECK(doubles(run(max_all, {tensor({Inf, 1, Inf}, float64)}).gradients[0]) == Doubles{0.5, 0, 0.5});
  CHECK(doubles(run(max_all, {tensor({-Inf, -Inf}, float64)}).gradients[0]) == Doubles{0.5, 0.5});
  CHECK(doubles(run(min_all, {tensor({-Inf, 1, Inf}, float64)}).gradients[0]) == Doubles{1, 0, 0});
  const Result rows =
      run([](const Variables& x) { return max(x[0], 1); }, {tensor({{1, 1}, {2, 3}}, float64)});
  CHECK(doubles(rows.gradients[0]) == Doubles{0.5, 0.5, 0, 1});
}

TEST_CASE("reduction: NaN makes the result NaN", "[ops][simd]") {
  for (std::size_t n : {1, 2, 9, 40}) {
    for (std::size_t at = 0; at < n; ++at) {
      Doubles values(n, 1);
      values[at] = NaN;
      for (DType dtype : {float32, float64}) {
        const Tensor x = Tensor(Shape{static_cast<std::int64_t>(n)}, values).astype(dtype);
        for (const Function& f : {Function(max_all), Function(min_all)}) {
          const Result result = run(f, {x});
          CHECK(std::isnan(result.value.item()));
          CHECK(std::isnan(doubles(result.gradients[0])[at]));
        }
        CHECK(std::isnan(sum(x).item()));
        CHECK(std::isnan(mean(x).item()));
        CHECK(std::isnan(logsumexp(x).item()));
        for (double v : doubles(softmax(x))) CHECK(std::isnan(v));
        for (double v : doubles(log_softmax(x))) CHECK(std::isnan(v));
      }
    }
  }
}

TEST_CASE("reduction: softmax at its extremes", "[ops][simd]") {
  for (DType dtype : {float32, float64}) {
    const auto soft = [](const Variables& x) { return softmax(x[0]); };
    const auto log_soft = [](const Variables& x) { return log_softmax(x[0]); };
    const Result wide = run(soft, {tensor({1000, 0, -1000}, dtype)});
    CHECK(doubles(wide.value) == Doubles{1, 0, 0});
    CHECK(doubles(wide.gradients[0]) == Doubles{0, 0, 0});
    CHECK(doubles(softmax(tensor({3e38, -3e38}, dtype))) == Doubles{1, 0});
    CHECK(doubles(softmax(tensor({5, 5}, dtype))) == Doubles{0.5, 0.5});
    CHECK(doubles(softmax(tensor({-Inf, 0}, dtype))) == Doubles{0, 1});
    for (double v : doubles(softmax(tensor({Inf, 0}, dtype)))) CHECK((std::isnan(v) || v == 0));
    CHECK(std::isnan(doubles(softmax(tensor({Inf, 0}, dtype)))[0]));
    CHECK(same(doubles(softmax(tensor({-Inf, -Inf}, dtype))), {NaN, NaN}));
    const Result logs = run(log_soft, {tensor({1e4, -1e4}, dtype)});
    CHECK(doubles(logs.value) == Doubles{0, -2e4});
    CHECK(doubles(logs.gradients[0]) == Doubles{-1, 1});
    CHECK(doubles(log_softmax(tensor({-Inf, 0}, dtype))) == Doubles{-Inf, 0});
    CHECK(softmax(scalar(3, dtype).reshape({1})).item() == 1);
  }
  CHECK_THROWS_AS(softmax(scalar(1)), ShapeError);  // there is no axis
}

TEST_CASE("reduction: logsumexp at its extremes", "[ops][simd]") {
  const auto f = [](const Variables& x) { return logsumexp(x[0]); };
  for (DType dtype : {float32, float64}) {
    const Result none = run(f, {tensor({-Inf, -Inf, -Inf}, dtype)});
    CHECK(none.value.item() == -Inf);
    CHECK(doubles(none.gradients[0]) == Doubles{0, 0, 0});
    const Result one = run(f, {tensor({-Inf, 2, -Inf}, dtype)});
    CHECK(one.value.item() == 2);
    CHECK(doubles(one.gradients[0]) == Doubles{0, 1, 0});
    CHECK(logsumexp(tensor({1000, 1000}, dtype)).item() == Approx(1000 + std::log(2.0)));
    CHECK(logsumexp(tensor({-1000, -1000}, dtype)).item() == Approx(-1000 + std::log(2.0)));
    CHECK(logsumexp(tensor({Inf, 0}, dtype)).item() == Inf);
    CHECK(logsumexp(tensor({Inf, -Inf}, dtype)).item() == Inf);
    CHECK(logsumexp(tensor({5}, dtype)).item() == 5);
    CHECK(std::isnan(logsumexp(tensor({-Inf, NaN}, dtype)).item()));
  }
  // A row of -inf among others: each stands for itself, in the second derivative, too.
  Tape tape;
  const Variable x = tape.watch(tensor({{-Inf, -Inf}, {0, 0}}, float64));
  const Variable y = logsumexp(x, 1);
  const Variable g = tape.backward(sum(y), {.create_graph = true})[x];
  CHECK(doubles(g) == Doubles{0, 0, 0.5, 0.5});
  CHECK(doubles(tape.backward(sum(g * tensor({{1, 2}, {3, 5}}, float64)))[x]) == Doubles{0, 0, -0.5, 0.5});
}

TEST_CASE("reduction: dtypes", "[ops]") {
  const Tensor i = tensor({1, 2, 4}, int64), b = tensor({1, 0, 1}, bool_);
  CHECK(sum(i).dtype() == int64);
  CHECK(sum(i).item() == 7);
  CHECK(sum(b).dtype() == int64);
  CHECK(sum(b).item() == 2);
  CHECK(mean(i).dtype() == float32);
  CHECK(mean(b).item() == Approx(2.0 / 3));
  CHECK(max(i).dtype() == int64);
  CHECK(max(i).item() == 4);
  CHECK(min(i).item() == 1);
  // -INT64_MIN overflows, so the minimum may not be -max(-x).
  const std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  CHECK(min(Tensor({2}, std::vector<std::int64_t>{lowest, 5})).item<std::int64_t>() == lowest);
  CHECK(max(b).dtype() == int64);
  CHECK(logsumexp(i).dtype() == float32);
  CHECK(softmax(i).dtype() == float32);
  CHECK(log_softmax(i).dtype() == float32);
  CHECK(sum(2.5).item() == 2.5);
  CHECK(sum(tensor({1, 2}, float64)).dtype() == float64);
  CHECK(mean(tensor({1, 2}, float64)).dtype() == float64);
}

TEST_CASE("reduction: a sum is pairwise", "[ops][simd]") {
  const std::int64_t n = 10'000'000;
  CHECK(sum(full({n}, 0.1)).item() == Approx(0.1f * double(n)).epsilon(1e-6));
  CHECK(mean(full({n}, 0.1)).item() == Approx(0.1f).epsilon(1e-6));
  CHECK(sum(full({n / 10, 10}, 0.1), 0).value().at({3}) == Approx(0.1f * double(n / 10)).epsilon(1e-6));
  CHECK(sum(full({10, n / 10}, 0.1), 1).value().at({3}) == Approx(0.1f * double(n / 10)).epsilon(1e-6));
}

TEST_CASE("reduction: replays", "[ops]") {
  const Tensor x = spread_out({3, 2, 4}), y = spread_out({3, 2, 4}, 5);
  for (const Axes& axes : {Axes{}, Axes{1}, Axes{0, 2}}) {
    check_replay([&](const Variable& v) { return max(v, axes); }, {x, x, y});
    check_replay([&](const Variable& v) { return mean(v, axes); }, {x, x, y});
    check_replay([&](const Variable& v) { return logmeanexp(v, axes); }, {x, x, y});
    check_replay([&](const Variable& v) { return where(any(v > 1.5, axes, true), v, 3 * v); }, {x, x, y});
    check_replay([&](const Variable& v) { return v * count_nonzero(v > 0, axes, true); }, {x, x, y});
  }
}
