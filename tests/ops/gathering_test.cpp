// take, take_along_axis, pick and embedding, against loops.
#include <xgrad/ops/gathering.hpp>
#include <xgrad/ops/reduction.hpp>

#include "moving.hpp"

using namespace moving;

TEST_CASE("take: indices of any shape, every axis", "[ops]") {
  std::mt19937 random(10);
  for (int round = 0; round < 60; ++round) {
    const int rank = between(random, 1, 3), axis = below(random, rank);
    Shape from = random_shape(random, rank, 1);
    if (round % 5 == 0) from = Shape{between(random, 1, 3), 3, between(random, 5, 70)};
    const int a = std::min(axis, from.rank() - 1);
    const Tensor index = random_indices(random, random_shape(random, below(random, 3)), from[a]);
    Numbers sizes(from.begin(), from.begin() + a);
    sizes.insert(sizes.end(), index.shape().begin(), index.shape().end());
    sizes.insert(sizes.end(), from.begin() + a + 1, from.end());
    check_moves([&](const Variable& x) { return take(x, index, a - from.rank()); }, from, shape_of(sizes),
                places(shape_of(sizes), from, [&](const Numbers& at) {
                  const auto begin = at.begin() + a, end = begin + index.rank();
                  Numbers source(at.begin(), begin);
                  source.push_back(wrapped(index, Numbers(begin, end), from[a]));
                  source.insert(source.end(), end, at.end());
                  return source;
                }));
  }
  const Tensor x = tensor({{1, 2}, {3, 4}, {5, 6}});
  CHECK(doubles(take(x, 2)) == Doubles{5, 6});
  CHECK(doubles(take(x, -1, 1)) == Doubles{2, 4, 6});
  CHECK(take(x, zeros({0}, int64)).shape() == Shape{0, 2});
  CHECK(take(zeros({0, 2}), zeros({0}, int64)).shape() == Shape{0, 2});
  check_orders(
      [](const Variables& v) {
        return take(v[0], tensor({0, 2, 0}, int64), 1);
      },
      {counting({2, 3})});
}

TEST_CASE("take_along_axis and pick: against loops", "[ops]") {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    const int rank = between(random, 1, 3), axis = below(random, rank);
    const Shape from = random_shape(random, rank, 1);
    Numbers sizes(from.begin(), from.end());
    sizes[static_cast<std::size_t>(axis)] = below(random, 5);
    const Tensor index = random_indices(random, shape_of(sizes), from[axis]);
    check_moves([&](const Variable& x) { return take_along_axis(x, index, axis - rank); }, from,
                index.shape(), places(index.shape(), from, [&](Numbers at) {
                  const std::int64_t place = wrapped(index, at, from[axis]);
                  at[static_cast<std::size_t>(axis)] = place;
                  return at;
                }));
    Numbers without(from.begin(), from.end());
    without.erase(without.begin() + axis);
    const Tensor labels = random_indices(random, shape_of(without), from[axis], false);
    check_moves([&](const Variable& x) { return pick(x, labels, axis); }, from, labels.shape(),
                places(labels.shape(), from, [&](Numbers at) {
                  const std::int64_t place = wrapped(labels, at, from[axis]);
                  at.insert(at.begin() + axis, place);
                  return at;
                }));
  }
  // Beside the axis both broadcast.
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, float64), one = tensor({{2, 0}}, int64);
  CHECK(doubles(take_along_axis(x, one)) == Doubles{3, 1, 6, 4});
  CHECK(doubles(take_along_axis(tensor({{7, 8, 9}}), tensor({{0}, {2}}, int64))) == Doubles{7, 9});
  CHECK(doubles(run([&](const Variables& v) { return take_along_axis(v[0], one); }, {x}).gradients[0]) ==
        Doubles{1, 0, 1, 1, 0, 1});
  check_orders(
      [](const Variables& v) {
        return take_along_axis(v[0], tensor({{0}, {2}}, int64), 1);
      },
      {counting({1, 3})});
  check_orders([](const Variables& v) { return pick(v[0], tensor({2, 0}, int64)); }, {x});
  CHECK(pick(tensor({3, 4, 5}), 1).item() == 4);
}

TEST_CASE("embedding: rows, and the gradient that adds them up", "[ops]") {
  const Tensor words = tensor({{2, 0, 2}, {1, 2, 2}}, int64);
  const auto f = [&](const Variable& W) { return embedding(W, words); };
  check_moves(f, {3, 2}, {2, 3, 2}, {4, 5, 0, 1, 4, 5, 2, 3, 4, 5, 4, 5});
  const Parameter W("W", counting({3, 2}, float32));
  Tape tape;
  CHECK(doubles(tape.backward(sum(embedding(W, words)))[W]) == Doubles{1, 1, 1, 1, 4, 4});
  CHECK(embedding(zeros({0, 2}), zeros({0}, int64)).shape() == Shape{0, 2});
}

TEST_CASE("Indices: errors name the index, its place and the axis", "[ops]") {
  const Tensor x = zeros({5, 3}), bad = tensor({{0, 1}, {-6, 2}}, int64), real = zeros({2});
  const Parameter W("W", x);
  CHECK(message<Error>([&] { take(W, bad); })
            .find("take: index -6 at (1, 0) is out of range for axis 0 of W (5, 3), which has size 5 (at "
                  "gathering_test.cpp:") == 0);
  CHECK(message<Error>([&] {
          take(x, 3, 1);
        }).find("take: index 3 is out of range for axis 1 of (5, 3), which has size 3 (") == 0);
  CHECK(message<Error>([&] {
          take(zeros({0, 3}), tensor({0}, int64));
        }).find("take: index 0 at (0,) is out of range for axis 0 of (0, 3), which has size 0") == 0);
  CHECK(message<DTypeError>([&] {
          take(x, real);
        }).find("take: the indices (2,) are float32, not int64; convert them with astype(int64)") == 0);
  CHECK_THROWS_AS(take(x, 1.5), DTypeError);
  CHECK(message<ShapeError>([&] { take(x, bad, 2); }).find("take: axis 2 is out of range for (5, 3)") == 0);
  CHECK(
      message<Error>([&] {
        take_along_axis(x, tensor({{7, 0, 1}}, int64), 0);
      }).find("take_along_axis: index 7 at (0, 0) is out of range for axis 0 of (5, 3), which has size 5") ==
      0);
  CHECK(
      message<ShapeError>([&] {
        take_along_axis(x, bad, 0);
      }).find("take_along_axis: the shapes do not broadcast beside axis 0: (5, 3) and the indices (2, 2)") ==
      0);
  CHECK(message<ShapeError>([&] {
          take_along_axis(x, tensor({0}, int64));
        }).find("take_along_axis: the numbers of axes differ: (5, 3) and the indices (1,)") == 0);
  CHECK(message<ShapeError>([&] {
          index_add(x, tensor({0, 1}, int64), zeros({3, 3}));
        })
            .find("index_add: the updates (3, 3) do not broadcast to (2, 3), which the indices (2,) name in "
                  "(5, 3)") == 0);
  CHECK(message<Error>([&] { index_add(x, bad, 1); }).find("index_add: index -6 at (1, 0) is out of range") ==
        0);
  CHECK(message<DTypeError>([&] { index_add(x, 0, zeros({3}, float64)); }).find("index_add: dtypes differ") ==
        0);
  CHECK(message<ShapeError>([&] {
          scatter_add(x, bad, 1);
        }).find("scatter_add: the shapes differ beside axis 0: (5, 3) and the indices (2, 2)") == 0);
  CHECK(message<ShapeError>([&] {
          scatter_add(x, zeros({2, 3}, int64), zeros({4, 3}));
        })
            .find("scatter_add: the updates (4, 3) do not broadcast to (2, 3), which the indices (2, 3) name "
                  "in (5, 3)") == 0);
  CHECK(message<Error>([&] {
          pick(x, tensor({0, 1, 2, 3, 0}, int64));
        }).find("pick: label 3 of example 3 is not in [0, 3)") == 0);
  CHECK(message<ShapeError>([&] {
          pick(x, tensor({0, 1}, int64));
        }).find("pick: the labels (2,) do not have the shape of (5, 3) without axis 1") == 0);
  CHECK(message<Error>([&] {
          embedding(W, tensor({0, -1}, int64));
        }).find("embedding: index -1 at (1,) is out of range for axis 0 of W (5, 3), which has size 5") == 0);
  CHECK(message<ShapeError>([&] {
          embedding(zeros({3}), tensor({0}, int64));
        }).find("embedding: the weights are no matrix: (3,)") == 0);

  // A replay sees other indices: the same error, and the next call is as good as ever.
  const auto f = [&](const Variable& at) {
    const Scope scope("words");
    return embedding(W, at);
  };
  auto compiled = compile(f);
  const Tensor good = tensor({0, 4}, int64);
  for (const Tensor& at : {good, good, tensor({1, 5}, int64), tensor({3, 3}, int64)})
    test::check_call(f, compiled, at);
  CHECK(compiled.report().replays == 2);
}
