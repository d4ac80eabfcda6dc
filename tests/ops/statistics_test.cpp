// var and std: accuracy, equal elements, what the correction leaves, derivatives.
#include "reduction_checks.hpp"

using namespace checks;

namespace {

const auto variance = [](const Variables& x) { return var(x[0]); };
const auto deviation = [](const Variables& x) { return xgrad::std(x[0]); };

}  // namespace

TEST_CASE("statistics: values", "[ops][simd]") {
  const Tensor x = tensor({{1, 2, 4}, {0, 0, 6}}, float64);
  CHECK(allclose(var(x, 1).value(), tensor({14. / 9, 8}, float64), 1e-15));
  CHECK(allclose(var(x, 1, {.correction = 1}).value(), tensor({7. / 3, 12}, float64), 1e-15));
  CHECK(allclose(var(x, 0, {.correction = 0.5}).value(), tensor({1. / 3, 4. / 3, 4. / 3}, float64), 1e-15));
  CHECK(var(x, {0, 1}, {.keepdims = true}).shape() == Shape{1, 1});
  CHECK(var(x).item() == Approx(173. / 36).epsilon(1e-14));
  CHECK(xgrad::std(x, {-1}).value().at({1}) == Approx(std::sqrt(8.0)).epsilon(1e-15));
  CHECK(var(tensor({1, 3}, int64)).dtype() == float32);
  CHECK(var(tensor({1, 3}, int64)).item() == 1);
  CHECK(var(scalar(3)).item() == 0);
  CHECK(var(zeros({0, 3}, float64), 1).shape() == Shape{0});
  CHECK(std::isnan(var(tensor({1, NaN})).item()));
  CHECK(std::isnan(xgrad::std(tensor({1, Inf})).item()));
}

TEST_CASE("statistics: far from 0, and of many elements", "[ops][simd]") {
  // The spread of a formula with the mean of squares would be lost in the digits of the mean.
  const Tensor far = tensor({16777210, 16777212, 16777214, 16777216});
  CHECK(var(far).item() == 5);
  CHECK(doubles(run(variance, {far}).gradients[0]) == Doubles{-1.5, -0.5, 0.5, 1.5});
  const std::int64_t n = 4'000'000;
  const Variable x = remainder(arange(0, static_cast<double>(n), 1, float64), 1000).value().astype(float32);
  CHECK(var(x).item() == Approx((1e6 - 1) / 12).epsilon(1e-6));
  CHECK(xgrad::std(x + 1000).item() == Approx(std::sqrt((1e6 - 1) / 12)).epsilon(1e-6));
  CHECK(var(reshape(x, {-1, 4}), 0).value().at({1}) == Approx(4 * (62500 - 1) * 4 / 12.0).epsilon(1e-6));
}

TEST_CASE("statistics: equal elements have no spread, and no slope", "[ops][simd]") {
  for (DType dtype : {float32, float64}) {
    for (double value : {0.1, -1e30, 3e-30, 0.0, 1.0 / 3}) {
      for (std::int64_t n : {1, 2, 3, 7, 100, 10007}) {
        INFO(name(dtype) << " " << value << ", " << n << " of them");
        for (const Function& f : {Function(variance), Function(deviation)}) {
          for (bool recorded : {false, true}) {
            const Result result = run(f, {full({n}, value, dtype)}, recorded);
            CHECK(result.value.item() == 0);
            CHECK(doubles(result.gradients[0]) == Doubles(static_cast<std::size_t>(n), 0.0));
          }
        }
      }
    }
  }
  // The second derivative of std there is 0, too: nothing divides by 0.
  Tape tape;
  const Variable x = tape.watch(tensor({2, 2, 2}, float64));
  const Variable g = tape.backward(xgrad::std(x), {.create_graph = true})[x];
  CHECK(doubles(tape.backward(sum(square(g))).or_zeros(x)) == Doubles{0, 0, 0});
}

TEST_CASE("statistics: the correction must leave something", "[ops]") {
  const Tensor one = tensor({3}), three = tensor({1, 2, 3});
  const auto text = message<ShapeError>([&] { var(one, {}, {.correction = 1}); });
  INFO(text);
  CHECK(text.find("var: the correction 1") == 0);
  CHECK(text.find("1 element: (1,); one element has no spread (at statistics_test.cpp:") !=
        std::string::npos);
  CHECK_THROWS_AS(xgrad::std(three, 0, {.correction = 3}), ShapeError);
  CHECK_THROWS_AS(xgrad::std(three, 0, {.correction = NaN}), ShapeError);
  CHECK_THROWS_AS(var(zeros({0})), ShapeError);
  CHECK_NOTHROW(var(three, 0, {.correction = 2}));
  CHECK_NOTHROW(var(three, 0, {.correction = -1}));
  CHECK_THROWS_AS(var(three, 1), ShapeError);
  CHECK_THROWS_AS(var(three, {0, -1}), ShapeError);
  Tape tape;
  const Variable x = tape.watch(one);
  CHECK_THROWS_AS(var(x, {}, {.correction = 1}), ShapeError);
  CHECK(tape.size() == 1);
}

TEST_CASE("statistics: derivatives and replays", "[ops]") {
  for (const Axes& axes : {Axes{}, Axes{0}, Axes{-1}, Axes{0, 2}}) {
    for (bool keepdims : {false, true}) {
      const SpreadOptions options{.correction = 1, .keepdims = keepdims};
      const auto squares = [=](const Variables& x) { return var(x[0], axes, options); };
      const auto roots = [=](const Variables& x) { return xgrad::std(x[0], axes, options); };
      const Tensor x = spread_out({3, 2, 4});
      check_slopes(squares, x);
      check_slopes(roots, x);
      check_replay([&](const Variable& v) { return squares({v}); }, {x, x, spread_out({3, 2, 4}, 5)});
      check_replay([&](const Variable& v) { return roots({v}); }, {x, x, spread_out({3, 2, 4}, 5)});
    }
  }
}
