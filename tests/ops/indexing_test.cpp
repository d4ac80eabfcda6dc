// one_hot and argmax.
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/indexing.hpp>

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
