// logmeanexp, softmax behind a mask, and forward mode.
#include "reduction_checks.hpp"

using namespace checks;

TEST_CASE("softmax: logmeanexp", "[ops]") {
  CHECK(logmeanexp(tensor({1000, 1000}, float64)).item() == Approx(1000).epsilon(1e-15));
  CHECK(logmeanexp(tensor({-Inf, -Inf})).item() == -Inf);
  CHECK(std::isnan(logmeanexp(zeros({0})).item()));
  CHECK(doubles(
            run([](const Variables& x) { return logmeanexp(x[0]); }, {tensor({-Inf, -Inf})}).gradients[0]) ==
        Doubles{0, 0});
  CHECK(logmeanexp(tensor({1, 2}, int64)).dtype() == float32);
}

TEST_CASE("softmax: softmax behind a mask", "[ops][simd]") {
  const Tensor x = tensor({{1, 2, 3}, {4, NaN, Inf}, {7, 8, 9}}, float64);
  const Tensor mask = tensor({{1, 1, 0}, {0, 0, 0}, {1, 1, 1}}, bool_);
  const auto f = [&](const Variables& v) { return masked_softmax(v[0], mask); };
  const Doubles part = doubles(softmax(tensor({1, 2}, float64))),
                whole = doubles(softmax(tensor({7, 8, 9}, float64)));
  const Doubles expected{part[0], part[1], 0, 0, 0, 0, whole[0], whole[1], whole[2]};
  for (bool recorded : {false, true}) {
    const Result result = run(f, {x}, recorded);
    for (std::size_t i = 0; i < 9; ++i) CHECK(doubles(result.value)[i] == Approx(expected[i]).epsilon(1e-14));
    for (double g : doubles(result.gradients[0])) CHECK(g == Approx(0).margin(1e-15));
  }
  const Tensor y = spread_out({3, 3});
  check_slopes(f, y);
  check_slopes([](const Variables& v) { return masked_softmax(v[0], tensor({1, 0, 1}, bool_), 0); }, y);
  check_replay([&](const Variable& v) { return masked_softmax(v, mask, 0); }, {y, y, spread_out({3, 3}, 4)});
  CHECK(masked_softmax(zeros({0, 3}), tensor({1, 0, 1}, bool_)).shape() == Shape{0, 3});
  CHECK(doubles(masked_softmax(tensor({1, 1}, int64), true)) == Doubles{0.5, 0.5});
  CHECK(message<DTypeError>([&] {
          masked_softmax(x, x);
        }).find("masked_softmax: the mask (3, 3) is float64, not bool") == 0);
  CHECK_THROWS_AS(masked_softmax(x, ones({2}, bool_)), ShapeError);
  CHECK_THROWS_AS(masked_softmax(tensor({1, 2}), ones({3, 2}, bool_)), ShapeError);
}

TEST_CASE("softmax: forward mode of softmax and its relatives", "[ops]") {
  const Tensor x = spread_out({3, 4});
  for (int axis : {0, 1}) {
    check_slopes([axis](const Variables& v) { return softmax(v[0], axis); }, x);
    check_slopes([axis](const Variables& v) { return log_softmax(v[0], axis); }, x);
  }
  // Ties and NaN have the shares that the gradient has.
  check_push([](const Variables& v) { return max(v[0], 1); }, {tensor({{1, 2, 2}, {3, 3, 3}}, float64)});
  check_push([](const Variables& v) { return min(v[0]); }, {tensor({{1, 2, 1}, {3, 3, 3}}, float64)});
}
