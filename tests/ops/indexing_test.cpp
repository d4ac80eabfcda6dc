// one_hot, argmax, argmin, nonzero and masked_fill.
#include <compiled.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/gathering.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/ops/reduction.hpp>

#include "checks.hpp"

using namespace checks;

TEST_CASE("one_hot: every axis", "[ops]") {
  const Tensor labels = tensor({2, 0, 1, 1}, int64);
  const Variable rows = one_hot(labels, 3), columns = one_hot(labels, 3, 0);
  CHECK(rows.shape() == Shape{4, 3});
  CHECK(columns.shape() == Shape{3, 4});
  CHECK(rows.dtype() == float32);
  CHECK(rows.is_constant());
  CHECK(doubles(rows) == Doubles{0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0});
  CHECK(doubles(columns) == Doubles{0, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0});
  const Tensor grid(Shape{2, 3}, std::vector<std::int64_t>{0, 1, 2, 3, 2, 1});
  for (int axis = -3; axis < 3; ++axis) {
    INFO(axis);
    const Variable hot = one_hot(grid, 4, axis);
    const int a = axis < 0 ? axis + 3 : axis;
    CHECK(hot.shape()[a] == 4);
    for (std::int64_t i = 0; i < 2; ++i) {
      for (std::int64_t j = 0; j < 3; ++j) {
        for (std::int64_t c = 0; c < 4; ++c) {
          const double there = a == 0   ? hot.value().at({c, i, j})
                               : a == 1 ? hot.value().at({i, c, j})
                                        : hot.value().at({i, j, c});
          CHECK(there == (grid.at({i, j}) == static_cast<double>(c) ? 1 : 0));
        }
      }
    }
  }
  CHECK(doubles(one_hot(scalar(1, int64), 3)) == Doubles{0, 1, 0});
  CHECK(one_hot(zeros({0}, int64), 3).shape() == Shape{0, 3});
  CHECK(one_hot(zeros({0}, int64), 0).shape() == Shape{0, 0});
  CHECK_THROWS_AS(one_hot(labels, 3, 2), ShapeError);
  CHECK_THROWS_AS(one_hot(labels, 3, -3), ShapeError);
  CHECK_THROWS_AS(one_hot(labels, -1), ShapeError);
  CHECK_THROWS_AS(one_hot(labels, 2), Error);
  CHECK_THROWS_AS(one_hot(labels.astype(float32), 3), DTypeError);
}

TEST_CASE("argmax: first maximum, first NaN, every dtype", "[ops][simd]") {
  CHECK(argmax(tensor({1, 5, 5, 2})).item() == 1);
  CHECK(argmax(tensor({1, 5, 5, 2})).dtype() == int64);
  CHECK(argmax(tensor({3, NaN, 5, NaN})).item() == 1);
  CHECK(argmax(tensor({NaN, 3, 5})).item() == 0);
  CHECK(argmax(tensor({-Inf, -Inf})).item() == 0);
  CHECK(argmax(tensor({-Inf, Inf, Inf})).item() == 1);
  CHECK(argmax(tensor({-0.0, 0.0})).item() == 0);
  CHECK(argmax(tensor({3, 9, 7}, int64)).item() == 1);
  CHECK(argmax(tensor({0, 1, 1}, bool_)).item() == 1);
  CHECK(argmax(tensor({3, 9, 7}, float64)).item() == 1);
  const Tensor x = tensor({{1, 9, 3}, {4, 0, 3}}, float64);
  CHECK(doubles(argmax(x)) == Doubles{1, 0});
  CHECK(doubles(argmax(x, 0)) == Doubles{1, 0, 0});
  CHECK(argmax(zeros({0, 3})).shape() == Shape{0});
  CHECK_THROWS_AS(argmax(zeros({0, 3}), 0), ShapeError);
  CHECK_THROWS_AS(argmax(scalar(1)), ShapeError);
  CHECK_THROWS_AS(argmax(x, 2), ShapeError);
  Doubles values(100, 1);  // longer than any vector
  for (std::size_t at : {0, 1, 31, 64, 99}) {
    values[at] = 2;
    CHECK(argmax(Tensor(Shape{100}, values).astype(float32)).item() == static_cast<double>(at));
    values[at] = NaN;
    CHECK(argmax(Tensor(Shape{100}, values).astype(float32)).item() == static_cast<double>(at));
    values[at] = 1;
  }
}

TEST_CASE("argmin: first minimum, first NaN, every dtype", "[ops]") {
  CHECK(argmin(tensor({4, 1, 1, 2})).item() == 1);
  CHECK(argmin(tensor({4, 1, 1, 2})).dtype() == int64);
  CHECK(argmin(tensor({3, NaN, -5, NaN})).item() == 1);
  CHECK(argmin(tensor({Inf, Inf})).item() == 0);
  CHECK(argmin(tensor({0.0, -0.0})).item() == 0);
  CHECK(argmin(tensor({Inf, -Inf, -Inf})).item() == 1);
  CHECK(argmin(tensor({1, 0, 0}, bool_)).item() == 1);
  CHECK(argmin(tensor({3, -9, 7}, float64)).item() == 1);
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  CHECK(argmin(Tensor(Shape{3}, std::vector<std::int64_t>{most, least, least + 1})).item() == 1);
  const Tensor x = tensor({{1, 9, 3}, {4, 0, 3}}, float64);
  CHECK(doubles(argmin(x)) == Doubles{0, 1});
  CHECK(doubles(argmin(x, 0)) == Doubles{0, 1, 0});
  CHECK(argmin(zeros({0, 3})).shape() == Shape{0});
  Tape tape;
  CHECK(argmin(tape.watch(x)).is_constant());
  CHECK(tape.size() == 1);
  CHECK(message<ShapeError>([] {
          argmin(zeros({0, 3}), 0);
        }).find("argmin: the minimum of no elements: (0, 3)") == 0);
  CHECK(message<ShapeError>([&] { argmin(x, 2); }).find("argmin: axis 2 is out of range for (2, 3)") == 0);
  CHECK_THROWS_AS(argmin(scalar(1)), ShapeError);
}

TEST_CASE("nonzero: the places, one list for each axis", "[ops]") {
  const auto places = nonzero(tensor({{0, 3}, {NaN, 0}, {-0.0, -1}}));
  REQUIRE(places.size() == 2);
  CHECK(places[0].dtype() == int64);
  CHECK(doubles(places[0]) == Doubles{0, 1, 2});
  CHECK(doubles(places[1]) == Doubles{1, 0, 1});
  CHECK(doubles(nonzero(tensor({0, 1, 1}, bool_))[0]) == Doubles{1, 2});
  CHECK(doubles(nonzero(tensor({0, -4}, int64))[0]) == Doubles{1});
  CHECK(nonzero(zeros({2, 3}))[1].shape() == Shape{0});
  CHECK(nonzero(zeros({0, 3}))[1].shape() == Shape{0});
  CHECK(message<ShapeError>([] { nonzero(2); }).find("nonzero: a number has no axis: 2") == 0);
  Tape tape;
  const Variable x = tape.watch(tensor({0, 5, 0, 7}));
  CHECK(nonzero(x)[0].is_constant());
  const Variable kept = take(x, nonzero(x)[0]);
  CHECK(doubles(tape.backward(sum(kept))[x]) == Doubles{0, 1, 0, 1});
}

TEST_CASE("nonzero: a replay is right while the number of places is the same", "[ops]") {
  const auto f = [](const Variable& x) { return nonzero(x); };
  auto compiled = compile(f);
  for (const Tensor& x :
       {tensor({0, 5, 0, 7}), tensor({1, 1, 0, 0}), tensor({0, 0, 0, 2}), tensor({3, 0, 0, 4})})
    xgrad::test::check_call(f, compiled, x);
  CHECK(compiled.report().replays == 2);
}

TEST_CASE("masked_fill: values, gradients, errors", "[ops]") {
  const Tensor x = tensor({{1, 2, 3}, {4, NaN, 6}}, float64), mask = tensor({0, 1, 0}, bool_);
  CHECK(doubles(masked_fill(x, mask, 9)) == Doubles{1, 9, 3, 4, 9, 6});
  CHECK(doubles(masked_fill(x, true, tensor({7, 8, 9}, float64))) == Doubles{7, 8, 9, 7, 8, 9});
  CHECK(masked_fill(x, mask, -Inf).value().at({0, 1}) == -Inf);
  CHECK(masked_fill(tensor({1, 2, 3}, int64), mask, 5).dtype() == int64);
  const Result result = run(
      [&](const Variables& v) {
        return masked_fill(v[0], mask, v[1]) * tensor({{1, 2, 3}, {4, 5, 6}}, float64);
      },
      {x, tensor({8, 8, 8}, float64)});
  CHECK(doubles(result.gradients[0]) == Doubles{1, 0, 3, 4, 0, 6});  // and no NaN from what is hidden
  CHECK(doubles(result.gradients[1]) == Doubles{0, 7, 0});
  CHECK(message<DTypeError>([&] {
          masked_fill(x, x, 0);
        }).find("masked_fill: the mask (2, 3) is float64, not bool; compare it: x != 0") == 0);
  CHECK(message<ShapeError>([&] {
          masked_fill(mask, x != 0, 0);
        }).find("masked_fill: the mask (2, 3) does not broadcast to (3,)") == 0);
  CHECK(message<ShapeError>([&] {
          masked_fill(x, mask, zeros({2}, float64));
        }).find("masked_fill: the value (2,) does not broadcast to (2, 3)") == 0);
  CHECK(message<DTypeError>([&] { masked_fill(x, mask, zeros({3})); }).find("masked_fill: dtypes differ") ==
        0);
}
