// view: numbers, ranges, all, newaxis and ellipsis, as xtensor and NumPy have them.
#include <xgrad/ops/slicing.hpp>

#include "moving.hpp"

using namespace moving;

namespace {

// What one index keeps of an axis: the places, and whether the axis stays; newaxis has no axis.
struct Kept {
  Numbers places;
  bool stays = true, is_new = false;
};

// The places that a list of kept ones names, axis by axis.
Doubles expected_of(const std::vector<Kept>& kept, const Shape& from, Shape& result) {
  Numbers sizes, all_sizes;
  std::vector<const Kept*> of_axes;
  for (const Kept& k : kept) {
    if (k.stays) sizes.push_back(k.is_new ? 1 : static_cast<std::int64_t>(k.places.size()));
    if (k.is_new) continue;
    of_axes.push_back(&k);
    all_sizes.push_back(static_cast<std::int64_t>(k.places.size()));
  }
  result = shape_of(sizes);
  return places(shape_of(all_sizes), from, [&](Numbers index) {
    for (std::size_t axis = 0; axis < index.size(); ++axis)
      index[axis] = of_axes[axis]->places[static_cast<std::size_t>(index[axis])];
    return index;
  });
}

}  // namespace

TEST_CASE("view: as written", "[ops]") {
  const Variable x = counting({2, 3, 4});
  CHECK(doubles(x(1)) == doubles(slice(x, {{1, 2}})));
  CHECK(x(1).shape() == Shape{3, 4});
  CHECK(x(1, 2, 3).shape() == Shape{});
  CHECK(x(1, 2, 3).item() == 23);
  CHECK(x(-1, -3, -4).item() == 12);
  CHECK(doubles(x(0, range(0, 2), 1)) == Doubles{1, 5});
  CHECK(x(range(0, 1), all(), 2).shape() == Shape{1, 3});
  CHECK(x(all(), newaxis(), 1).shape() == Shape{2, 1, 4});
  CHECK(x(ellipsis(), 0).shape() == Shape{2, 3});
  CHECK(doubles(x(ellipsis(), 0)) == Doubles{0, 4, 8, 12, 16, 20});
  CHECK(x(newaxis(), ellipsis(), newaxis()).shape() == Shape{1, 2, 3, 4, 1});
  CHECK(x(0, ellipsis(), 0).shape() == Shape{3});
  CHECK(x(0, 0, 0, ellipsis()).shape() == Shape{});
  CHECK(x(ellipsis()).shape() == x.shape());
  using namespace placeholders;
  CHECK(doubles(x(0, 0, range(1, _))) == Doubles{1, 2, 3});
  CHECK(doubles(x(0, 0, range(_, 2))) == Doubles{0, 1});
  CHECK(doubles(x(0, 0, range(2))) == Doubles{0, 1});
  CHECK(doubles(x(0, 0, range(_, _, -1))) == Doubles{3, 2, 1, 0});
  CHECK(doubles(x(0, 0, range(-2, _))) == Doubles{2, 3});
  CHECK(doubles(x(0, 0, Range{.start = 1, .stop = 9, .step = 2})) == Doubles{1, 3});
  CHECK(x(range(5, 9)).shape() == Shape{0, 3, 4});
  CHECK(doubles(view(tensor({1, 2, 3}), {range(1, 3)})) == Doubles{2, 3});
  CHECK(view(2.5, {newaxis()}).shape() == Shape{1});
  CHECK(view(x, {}).shape() == x.shape());
  const std::size_t unsigned_place = 1;
  CHECK(x(unsigned_place, std::int8_t{-1}, 0).item() == 20);
  const Parameter W("W", counting({2, 2}));
  Tape tape;
  CHECK(doubles(tape.backward(square(Variable(W)(1, 0)))[W]) == Doubles{0, 0, 4, 0});
}

TEST_CASE("view: random indices against loops", "[ops]") {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    const Shape from = random_shape(random, between(random, 1, 3), 1);
    std::vector<Kept> kept;
    std::vector<Index> indices;
    const int named = between(random, 0, from.rank()), dots = below(random, named + 2);
    const auto rest = [&](int first, int count) {
      for (int axis = first; axis < first + count; ++axis) {
        kept.push_back({});
        for (std::int64_t i = 0; i < from[axis]; ++i) kept.back().places.push_back(i);
      }
    };
    int axis = 0;
    for (int i = 0; i < named; ++i) {
      if (below(random, 4) == 0) {
        indices.push_back(newaxis());
        kept.push_back({{}, true, true});
      }
      if (i == dots) {
        indices.push_back(ellipsis());
        rest(axis, from.rank() - named);
        axis += from.rank() - named;
      }
      const auto size = static_cast<int>(from[axis]);
      kept.push_back({});
      if (below(random, 2) == 0) {
        const int place = below(random, size);
        indices.emplace_back(below(random, 2) == 0 ? place : place - size);
        kept.back() = {{place}, false};
      } else {
        const int start = below(random, size),
                  step = between(random, 1, 2) * (below(random, 2) == 0 ? 1 : -1),
                  stop = between(random, 0, size);
        indices.emplace_back(range(start, stop, step));
        for (int p = start; step > 0 ? p < stop : p > stop; p += step) kept.back().places.push_back(p);
      }
      ++axis;
    }
    if (axis < from.rank()) rest(axis, from.rank() - axis);
    Shape result;
    const Doubles expected = expected_of(kept, from, result);
    // An initializer_list cannot be made of a vector: by the number of indices.
    const auto f = [&](const Variable& x) {
      const auto& i = indices;
      switch (i.size()) {
        case 0:
          return view(x, {});
        case 1:
          return x(i[0]);
        case 2:
          return x(i[0], i[1]);
        case 3:
          return x(i[0], i[1], i[2]);
        case 4:
          return x(i[0], i[1], i[2], i[3]);
        case 5:
          return x(i[0], i[1], i[2], i[3], i[4]);
        case 6:
          return x(i[0], i[1], i[2], i[3], i[4], i[5]);
        default:
          return x(i[0], i[1], i[2], i[3], i[4], i[5], i[6]);
      }
    };
    check_moves(f, from, result, expected);
  }
}

TEST_CASE("view: gradients of order 1 and 2", "[ops]") {
  check_orders(
      [](const Variables& v) { return v[0](range(0, 3, 2), newaxis(), -1) * v[0](1, ellipsis(), 0); },
      {counting({3, 2, 2})});
}

TEST_CASE("view: errors name the axis, its size and the line", "[ops]") {
  const Variable x = zeros({3, 4});
  const auto says = [](const std::string& text, const std::string& what) {
    INFO(text);
    CHECK(text.rfind("view: " + what + " (at view_test.cpp:", 0) == 0);
  };
  says(message<ShapeError>([&] { x(3); }), "index 3 is out of range for axis 0 of (3, 4), which has size 3");
  says(message<ShapeError>([&] { x(0, -5); }),
       "index -5 is out of range for axis 1 of (3, 4), which has size 4");
  says(message<ShapeError>([&] { x(ellipsis(), 4); }),
       "index 4 is out of range for axis 1 of (3, 4), which has size 4");
  says(message<ShapeError>([&] { x(0, 0, 0); }), "3 indices for (3, 4), which has 2 axes");
  says(message<ShapeError>([&] { x(all(), all(), newaxis(), all()); }),
       "3 indices for (3, 4), which has 2 axes");
  says(message<ShapeError>([&] { x(ellipsis(), ellipsis()); }), "there is more than one ellipsis");
  says(message<ShapeError>([&] { x(0, range(0, 2, 0)); }), "the step of axis 1 is 0");
  says(message<ShapeError>([&] {
         view(x, {0, 9});
       }),
       "index 9 is out of range for axis 1 of (3, 4), which has size 4");
  Tape tape;
  const Variable W = tape.watch(zeros({2}), "W");
  says(message<ShapeError>([&] { W(2); }), "index 2 is out of range for axis 0 of W (2,), which has size 2");
  CHECK(tape.size() == 1);
  W(1);
  CHECK(tape.node(1).where.line() == __LINE__ - 1);
}
