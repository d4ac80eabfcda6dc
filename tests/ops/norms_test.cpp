// Norms: every order, the edges of their range, 0, ties and derivatives.
#include "reduction_checks.hpp"

using namespace checks;

namespace {

Function norm_of(double p, Axes axes = {}, bool keepdims = false) {
  return [=](const Variables& x) { return norm(x[0], p, axes, keepdims); };
}

constexpr double orders[] = {1, 2, 3, 1.5, 0.5, -1, -2, Inf, -Inf};

}  // namespace

TEST_CASE("norms: values against the formula", "[ops][simd]") {
  const Doubles x{3, -1, 0.5, -2.5};
  for (double p : orders) {
    double total = 0, largest = 0, smallest = Inf;
    for (double v : x) {
      total += std::pow(std::abs(v), p);
      largest = std::max(largest, std::abs(v));
      smallest = std::min(smallest, std::abs(v));
    }
    const double expected = p == Inf ? largest : p == -Inf ? smallest : std::pow(total, 1 / p);
    INFO("p = " << p);
    CHECK(norm(Tensor(Shape{4}, x), p).item() == Approx(expected).epsilon(1e-14));
    CHECK(norm(Tensor(Shape{2, 2}, x), p, {0, -1}, true).shape() == Shape{1, 1});
  }
  CHECK(norm(tensor({3, 4})).item() == 5);
  CHECK(doubles(norm(tensor({{3, -4}, {0, 2}}), 2, 1)) == Doubles{5, 2});
  CHECK(doubles(norm(tensor({{3, -4}, {0, 2}}), 1, 0)) == Doubles{3, 6});
  CHECK(norm(tensor({0, 2, -0.0, 5}), 0).item() == 2);
  CHECK(norm(tensor({3, 4}, int64)).dtype() == float32);
  CHECK(norm(tensor({3, 4}, int64)).item() == 5);
  CHECK(norm(-7.0).item() == 7);
}

TEST_CASE("norms: nothing overflows or underflows on the way", "[ops][simd]") {
  for (double p : {2.0, 3.0, 1.5}) {
    CHECK(norm(tensor({3e30, 4e30}), p).item() ==
          Approx(1e30f * norm(tensor({3, 4}, float64), p).item()).epsilon(1e-6));
    CHECK(norm(tensor({3e-30, 4e-30}), p).item() ==
          Approx(1e-30f * norm(tensor({3, 4}, float64), p).item()).epsilon(1e-6));
    const Doubles large = doubles(run(norm_of(p), {tensor({3e30, -4e30})}).gradients[0]),
                  usual = doubles(run(norm_of(p), {tensor({3, -4})}).gradients[0]);
    for (std::size_t i = 0; i < 2; ++i) CHECK(large[i] == Approx(usual[i]).epsilon(1e-6));
  }
  CHECK(norm(tensor({3e-30, 4e30}), -2).item() == Approx(3e-30f));
  const std::int64_t n = 4'000'000;
  CHECK(norm(full({n}, 0.1)).item() == Approx(0.1f * std::sqrt(static_cast<double>(n))).epsilon(1e-6));
  CHECK(norm(full({n}, 0.1), 1).item() == Approx(0.1f * static_cast<double>(n)).epsilon(1e-6));
  CHECK(sum_squares(full({n}, 0.1)).item() == Approx(0.01f * static_cast<double>(n)).epsilon(1e-6));
}

TEST_CASE("norms: the slope at 0 is 0", "[ops][simd]") {
  for (double p : {1.0, 2.0, 3.0, 1.5, 0.5, -1.0, -2.0, 0.0, Inf, -Inf}) {
    for (DType dtype : {float32, float64}) {
      for (bool recorded : {false, true}) {
        INFO("p = " << p << " " << name(dtype));
        const Result result = run(norm_of(p), {zeros({3}, dtype)}, recorded);
        CHECK(result.value.item() == 0);
        CHECK(doubles(result.gradients[0]) == Doubles{0, 0, 0});
        // One element that is 0, beside others.
        const Doubles g = doubles(run(norm_of(p), {tensor({2, 0, -3}, dtype)}, recorded).gradients[0]);
        CHECK(g[1] == 0);
        for (double v : g) CHECK(std::isfinite(v));
      }
    }
    if (p == 0) continue;
    Tape tape;
    const Variable x = tape.watch(zeros({2}, float64));
    const Variable g = tape.backward(norm(x, p), {.create_graph = true})[x];
    if (!g.is_constant()) CHECK(doubles(tape.backward(sum(g)).or_zeros(x)) == Doubles{0, 0});
  }
}

TEST_CASE("norms: ties, NaN, infinities and no elements", "[ops][simd]") {
  CHECK(doubles(run(norm_of(Inf), {tensor({2, -3, 3}, float64)}).gradients[0]) == Doubles{0, -0.5, 0.5});
  CHECK(doubles(run(norm_of(-Inf), {tensor({-2, 5, 2}, float64)}).gradients[0]) == Doubles{-0.5, 0, 0.5});
  for (double p : {1.0, 2.0, 3.0, 0.5, -1.0, 0.0, Inf, -Inf}) {
    INFO("p = " << p);
    const Result result = run(norm_of(p), {tensor({1, NaN, 2})});
    CHECK(std::isnan(result.value.item()));
    if (p != 0) CHECK(std::isnan(doubles(result.gradients[0])[1]));
    if (p > 0) CHECK(norm(tensor({1, -Inf}), p).item() == Inf);
    if (p > 0 && p < Inf) CHECK(norm(zeros({0}), p).item() == 0);
    if (p >= 0 && p < Inf) CHECK(doubles(norm(zeros({2, 0}), p, 1)) == Doubles{0, 0});
  }
  CHECK(norm(zeros({0}), -1).item() == Inf);
  CHECK(sum_squares(zeros({0})).item() == 0);
  CHECK_THROWS_AS(norm(zeros({0}), Inf), ShapeError);
  CHECK_THROWS_AS(norm(zeros({0, 2}), -Inf, 0), ShapeError);
  const auto text = message([] { norm(1.0, NaN); });
  CHECK(text.find("norm: p is NaN (at norms_test.cpp:") == 0);
}

TEST_CASE("norms: derivatives and replays", "[ops]") {
  const Tensor x = spread_out({3, 2, 4});
  for (double p : orders) {
    INFO("p = " << p);
    for (const Axes& axes : {Axes{}, Axes{1}, Axes{-1, 0}}) {
      check_slopes(norm_of(p, axes), x);
      check_slopes(norm_of(p, axes, true), x);
    }
    check_replay([=](const Variable& v) { return norm(v, p, {0, 2}); }, {x, x, spread_out({3, 2, 4}, 5)});
  }
  check_slopes([](const Variables& v) { return sum_squares(v[0], {0, 1}); }, x);
  CHECK(sum_squares(tensor({1, 2}, int64)).dtype() == int64);
  CHECK(sum_squares(tensor({1, 2, 0}, bool_)).item() == 2);
}

TEST_CASE("norms: normalize", "[ops][simd]") {
  CHECK(allclose(normalize(tensor({{3, 4}, {0, -2}}, float64)).value(),
                 tensor({{0.6, 0.8}, {0, -1}}, float64), 1e-15));
  CHECK(allclose(normalize(tensor({{3, 4}, {1, -4}}, float64), 1, 0).value(),
                 tensor({{0.75, 0.5}, {0.25, -0.5}}, float64), 1e-15));
  CHECK(allclose(normalize(tensor({3, -6}, float64), Inf).value(), tensor({0.5, -1}, float64), 1e-15));
  // Almost 0: a division by eps.
  const auto f = [](const Variables& x) { return normalize(x[0], 2, 0, 0.5); };
  const Result zero = run(f, {zeros({2}, float64)});
  CHECK(doubles(zero.value) == Doubles{0, 0});
  CHECK(doubles(zero.gradients[0]) == Doubles{2, 2});
  CHECK(doubles(normalize(zeros({2}))) == Doubles{0, 0});
  for (double p : {1.0, 2.0, 3.0, Inf}) {
    check_slopes([p](const Variables& v) { return normalize(v[0], p, 1); }, spread_out({2, 5}));
  }
  CHECK_THROWS_AS(normalize(1.0), ShapeError);
  CHECK_THROWS_AS(normalize(tensor({1, 2}), 2, 1), ShapeError);
  CHECK_THROWS_AS(normalize(tensor({1, 2}), 2, 0, 0), Error);
  CHECK_THROWS_AS(normalize(tensor({1, 2}), NaN), Error);
  CHECK(message([] { normalize(tensor({1, 2}), 2, 3); }).find("normalize: axis 3 ") == 0);
}
