// stack, split and unstack; concat is in shaping_test.cpp.
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>

#include "moving.hpp"

using namespace moving;

TEST_CASE("stack: every axis, values and gradients", "[ops]") {
  const Tensor a = counting({2, 3}), b = (a + 10).value(), c = (a + 20).value();
  for (int axis = -3; axis < 3; ++axis) {
    const int at = axis < 0 ? axis + 3 : axis;
    const Variable y = stack({a, b, c}, axis);
    Numbers sizes{2, 3};
    sizes.insert(sizes.begin() + at, 3);
    REQUIRE(y.shape() == shape_of(sizes));
    test::for_each_index(y.shape(), [&](const Numbers& index) {
      Numbers rest = index;
      rest.erase(rest.begin() + at);
      const double expected =
          static_cast<double>(10 * index[static_cast<std::size_t>(at)] + flat(rest, {2, 3}));
      CHECK(y.value().to_vector<double>()[static_cast<std::size_t>(flat(index, y.shape()))] == expected);
    });
    // One part among constants, and the same part twice.
    Doubles expected = places(y.shape(), {2, 3}, [&](Numbers index) {
      index.erase(index.begin() + at);
      return index;
    });
    Doubles once = expected;
    std::size_t i = 0;
    test::for_each_index(y.shape(), [&](const Numbers& index) {
      if (index[static_cast<std::size_t>(at)] != 1) once[i] = -1;
      ++i;
    });
    const auto zero = [](const Variable& x) { return zeros(x.shape(), x.dtype()); };
    check_moves(
        [&](const Variable& x) {
          return stack({zero(x), x, zero(x)}, axis);
        },
        {2, 3}, y.shape(), once);
    check_moves([&](const Variable& x) { return stack({x, x, x}, axis); }, {2, 3}, y.shape(), expected);
  }
  CHECK(stack({1, 2, 3}).shape() == Shape{3});
  CHECK(doubles(stack({1, 2, 3})) == Doubles{1, 2, 3});
  CHECK(stack({zeros({0, 2}), zeros({0, 2})}, 2).shape() == Shape{0, 2, 2});
  check_orders([](const Variables& v) { return stack({v[0], v[1], v[0]}, -1); }, {a, b});
}

TEST_CASE("concat: a part's forward map and replays", "[ops]") {
  for (int axis : {0, 1, -1}) {
    const bool first = axis == 0;
    const Shape result = first ? Shape{3, 2} : Shape{2, 3};
    const auto beside = [=](const Variable& x) {
      const Variable other = zeros(first ? Shape{1, 2} : Shape{2, 1}, x.dtype());
      return concat({other, x}, axis);
    };
    check_moves(beside, {2, 2}, result, first ? Doubles{-1, -1, 0, 1, 2, 3} : Doubles{-1, 0, 1, -1, 2, 3});
  }
  check_moves([](const Variable& x) { return concat({x, x}, 1); }, {2, 2}, {2, 4}, {0, 1, 0, 1, 2, 3, 2, 3});
}

TEST_CASE("concat: parameters, tensors and variables together", "[ops]") {
  const Parameter W("W", tensor({1, 2}));
  Tape tape;
  const Variable x = tape.watch(tensor({5}));
  const Variable y = concat({W, tensor({3, 4}), x});
  CHECK(doubles(y) == Doubles{1, 2, 3, 4, 5});
  const Gradients grad = tape.backward(sum(y * tensor({1, 2, 3, 4, 5})));
  CHECK(doubles(grad[W]) == Doubles{1, 2});
  CHECK(doubles(grad[x]) == Doubles{5});
}

TEST_CASE("split and unstack: parts and their gradients", "[ops]") {
  std::mt19937 random(4);
  for (int round = 0; round < 20; ++round) {
    const int rank = between(random, 1, 3), axis = below(random, rank), count = between(random, 1, 3);
    Numbers sizes;
    for (int i = 0; i < rank; ++i) sizes.push_back(below(random, 4));
    const std::int64_t each = sizes[static_cast<std::size_t>(axis)];
    sizes[static_cast<std::size_t>(axis)] *= count;
    const Shape from = shape_of(sizes);
    for (int k = 0; k < count; ++k) {
      Numbers part = sizes;
      part[static_cast<std::size_t>(axis)] = each;
      check_moves(
          [&](const Variable& x) { return split(x, count, axis - rank)[static_cast<std::size_t>(k)]; }, from,
          shape_of(part), places(shape_of(part), from, [&](Numbers index) {
            index[static_cast<std::size_t>(axis)] += k * each;
            return index;
          }));
    }
    const auto rows = unstack(zeros(from), axis);
    REQUIRE(rows.size() == static_cast<std::size_t>(from[axis]));
    Numbers without = sizes;
    without.erase(without.begin() + axis);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      check_moves([&](const Variable& x) { return unstack(x, axis)[k]; }, from, shape_of(without),
                  places(shape_of(without), from, [&](Numbers index) {
                    index.insert(index.begin() + axis, static_cast<std::int64_t>(k));
                    return index;
                  }));
    }
  }
  const Tensor x = counting({7});
  const auto parts = split(x, {2, 5});
  REQUIRE(parts.size() == 3);
  CHECK(doubles(parts[0]) == Doubles{0, 1});
  CHECK(doubles(parts[1]) == Doubles{2, 3, 4});
  CHECK(doubles(parts[2]) == Doubles{5, 6});
  CHECK(split(x, {3}).size() == 2);  // a place, not a number of parts
  CHECK(doubles(split(x, {3})[0]) == Doubles{0, 1, 2});
  CHECK(split(x, {})[0].shape() == Shape{7});
  const auto odd = split(x, {5, 2, -1, 20});  // as numpy.split
  REQUIRE(odd.size() == 5);
  for (std::size_t i : {1, 4}) CHECK(odd[i].size() == 0);
  CHECK(doubles(odd[2]) == Doubles{2, 3, 4, 5});
  CHECK(doubles(odd[3]) == Doubles{6});
  // What is split and stacked again is as it was, with its gradient.
  check_orders([](const Variables& v) { return stack(unstack(v[0], 1), 0); }, {counting({2, 3})});
  check_orders(
      [](const Variables& v) {
        const auto p = split(v[0], {1, 3}, -1);
        return concat({p[2], p[0], square(p[1])}, 1);
      },
      {counting({2, 4})});
}

TEST_CASE("Many parts: cut from halves, which the reverse pass joins", "[ops]") {
  for (std::int64_t n : {8, 9, 17, 40}) {
    const Tensor x = counting({2, n, 3});
    const std::vector<Variable> constant = unstack(x, 1);
    Tape tape;
    const Variable leaf = tape.watch(x);
    const std::vector<Variable> parts = unstack(leaf, 1), pairs = split(leaf, n, -2);
    REQUIRE(parts.size() == constant.size());
    REQUIRE(pairs.size() == constant.size());
    Variable total = scalar(0, float64);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      INFO(n << ": " << i);
      CHECK(test::same_bits(parts[i].value(), constant[i].value()));
      CHECK(doubles(pairs[i]) == doubles(constant[i]));
      CHECK(pairs[i].shape() == Shape{2, 1, 3});
      total = total + sum(parts[i] * static_cast<double>(i)) + sum(pairs[i]);
    }
    Doubles expected;
    test::for_each_index(x.shape(),
                         [&](const Numbers& at) { expected.push_back(static_cast<double>(at[1]) + 1); });
    CHECK(doubles(tape.backward(total)[leaf]) == expected);
  }
}

TEST_CASE("stack, split and unstack: errors", "[ops]") {
  const Tensor x = zeros({7, 3}), v = zeros({3});
  CHECK(message<ShapeError>([] { stack({}); }).find("stack: there are no parts") == 0);
  CHECK(message<ShapeError>([&] {
          stack({x, v});
        }).find("stack: the shapes of the parts differ: (7, 3), (3,)") == 0);
  CHECK(message<ShapeError>([&] {
          stack({x, x}, 3);
        }).find("stack: axis 3 is out of range for a result of 3 axes") == 0);
  CHECK(message<DTypeError>([&] {
          stack({v, zeros({3}, int64)});
        }).find("stack: dtypes differ: (3,) is float32, (3,) is int64") == 0);
  CHECK(message<ShapeError>([&] { split(x, 2); })
            .find("split: axis 0 of (7, 3) has size 7, which is no multiple of 2; name the places instead: "
                  "split(x, {...})") == 0);
  CHECK(message<ShapeError>([&] { split(x, 0); }).find("split: the number of parts is not positive: 0") == 0);
  CHECK(message<ShapeError>([&] { split(x, 1, 2); }).find("split: axis 2 is out of range for (7, 3)") == 0);
  CHECK(message<ShapeError>([&] { split(x, {1}, -3); }).find("split: axis -3 is out of range for (7, 3)") ==
        0);
  CHECK(message<ShapeError>([] {
          unstack(scalar(1));
        }).find("unstack: axis 0 is out of range for (), which has 0 axes") == 0);
}
