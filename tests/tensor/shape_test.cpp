// Sizes, their limits, and NumPy's broadcasting.
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/shape.hpp>

using namespace xgrad;

namespace {

std::vector<std::int64_t> sizes_of(const Shape& shape) { return {shape.begin(), shape.end()}; }

// 1, 2, ..., rank.
Shape counting(int rank) {
  std::vector<std::int64_t> sizes;
  for (int axis = 1; axis <= rank; ++axis) sizes.push_back(axis);
  return Shape(std::span<const std::int64_t>(sizes));
}

bool inside(const Shape& shape) {
  const auto *begin = reinterpret_cast<const char*>(&shape),
             *data = reinterpret_cast<const char*>(shape.data());
  return data >= begin && data < begin + sizeof(Shape);
}

}  // namespace

TEST_CASE("Shape: rank, sizes and number of elements") {
  const Shape none;
  CHECK(none.rank() == 0);
  CHECK(none.size() == 1);
  CHECK(none.begin() == none.end());
  const Shape shape{2, 3, 4};
  CHECK(shape.rank() == 3);
  CHECK(shape.size() == 24);
  CHECK(shape[0] == 2);
  CHECK(shape[2] == 4);
  CHECK(sizes_of(shape) == std::vector<std::int64_t>{2, 3, 4});
  CHECK(Shape{5, 0, 7}.size() == 0);
}

TEST_CASE("Shape: up to six axes live inside the object") {
  for (int rank = 0; rank <= 8; ++rank) {
    INFO("rank " << rank);
    const Shape shape = counting(rank);
    CHECK(shape.rank() == rank);
    CHECK(inside(shape) == (rank <= Shape::inline_axes));
    for (int axis = 0; axis < rank; ++axis) CHECK(shape[axis] == axis + 1);
  }
}

TEST_CASE("Shape: copies and moves between ranks on both sides of the limit") {
  const int ranks[] = {0, 1, 6, 7, 8};
  for (int from : ranks) {
    const Shape original = counting(from);
    Shape copied(original);
    CHECK(copied == original);
    const Shape moved(std::move(copied));
    CHECK(moved == original);
    for (int to : ranks) {
      INFO("from rank " << from << " to rank " << to);
      Shape by_copy = counting(to), by_move = counting(to), source = original;
      by_copy = original;
      CHECK(by_copy == original);
      by_move = std::move(source);
      CHECK(by_move == original);
      const Shape of_moved_from = source;  // holds something, or nothing
      CHECK(of_moved_from == source);
      source = counting(to);  // a moved-from shape can be assigned to
      CHECK(source == counting(to));

      Shape a = original, b = counting(to);
      std::swap(a, b);
      CHECK(a == counting(to));
      CHECK(b == original);
    }
  }
}

TEST_CASE("Shape: a copy does not share memory with the original") {
  Shape first = counting(8);
  const Shape second = first;
  CHECK(first.data() != second.data());
  first = counting(7);
  CHECK(second == counting(8));
}

TEST_CASE("Shape: assigning to itself keeps the sizes") {
  for (int rank : {0, 3, 6, 7, 8}) {
    Shape shape = counting(rank);
    Shape& same = shape;
    shape = same;
    CHECK(shape == counting(rank));
    shape = std::move(same);
    CHECK(shape == counting(rank));
  }
}

TEST_CASE("Shape: equality compares rank and sizes") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
  CHECK(Shape{} != Shape{1});
  CHECK(counting(7) != counting(8));
  CHECK(counting(8) == counting(8));
}

TEST_CASE("Shape: negative sizes are refused") {
  CHECK_THROWS_WITH((Shape{2, -3}), "a size is negative: -3");
  CHECK_THROWS_AS((Shape{-1}), ShapeError);
  CHECK_THROWS_AS((Shape{0, -1}), ShapeError);
  CHECK_THROWS_AS((Shape{std::numeric_limits<std::int64_t>::min()}), ShapeError);
}

TEST_CASE("Shape: as many elements as 64 bits count, and not one more") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(Shape{most}.size() == most);
  CHECK(Shape{most, 1, 0}.size() == 0);
  const char* text = "the number of elements overflows 64 bits";
  CHECK_THROWS_WITH((Shape{most, 2}), text);
  CHECK_THROWS_WITH((Shape{std::int64_t{1} << 32, std::int64_t{1} << 31}), text);
  CHECK(Shape{std::int64_t{1} << 32, (std::int64_t{1} << 31) - 1}.size() > 0);
  // The order of the sizes does not matter, not even that of a zero.
  CHECK_THROWS_WITH((Shape{0, most, most}), text);
  CHECK_THROWS_WITH((Shape{most, 0, most}), text);
  CHECK_THROWS_WITH((Shape{most, most, 0}), text);
}

TEST_CASE("Shape: printed as NumPy does") {
  CHECK(to_string(Shape{}) == "()");
  CHECK(to_string(Shape{3}) == "(3,)");
  CHECK(to_string(Shape{0}) == "(0,)");
  CHECK(to_string(Shape{20, 12288}) == "(20, 12288)");
  CHECK(to_string(counting(8)) == "(1, 2, 3, 4, 5, 6, 7, 8)");
}

TEST_CASE("Shape: broadcasting, as NumPy does it") {
  struct Pair {
    Shape a, b, result;
  };
  const Pair good[] = {
      {{}, {}, {}},
      {{}, {3}, {3}},
      {{}, {0}, {0}},
      {{1}, {3}, {3}},
      {{1}, {0}, {0}},
      {{3}, {3}, {3}},
      {{0}, {0}, {0}},
      {{2, 3}, {3}, {2, 3}},
      {{2, 3}, {1}, {2, 3}},
      {{2, 3}, {2, 1}, {2, 3}},
      {{2, 1}, {3}, {2, 3}},
      {{2, 1}, {1, 3}, {2, 3}},
      {{1, 1}, {3}, {1, 3}},
      {{0, 3}, {3}, {0, 3}},
      {{0, 3}, {1, 1}, {0, 3}},
      {{1, 3}, {0, 1}, {0, 3}},
      {{2, 0}, {2, 1}, {2, 0}},
      {{8, 1, 6, 1}, {7, 1, 5}, {8, 7, 6, 5}},
      {{2, 1, 1, 1, 1, 1, 1}, {3, 1, 1, 1, 1, 1}, {2, 3, 1, 1, 1, 1, 1}},
      {counting(8), {}, counting(8)},
  };
  for (const Pair& row : good) {
    INFO(to_string(row.a) << " with " << to_string(row.b));
    CHECK(broadcast(row.a, row.b) == row.result);
    CHECK(broadcast(row.b, row.a) == row.result);
    CHECK(broadcasts_to(row.a, row.result));
    CHECK(broadcasts_to(row.b, row.result));
    CHECK(broadcasts_to(row.result, row.a) == (row.result == row.a));
  }
  const std::pair<Shape, Shape> bad[] = {
      {{2}, {3}}, {{0}, {3}}, {{2, 3}, {2}}, {{2, 3}, {3, 2}}, {{2, 3}, {0, 3}}, {{2, 1, 4}, {3, 1, 4}},
  };
  for (const auto& [a, b] : bad) {
    INFO(to_string(a) << " with " << to_string(b));
    CHECK_FALSE(broadcast(a, b).has_value());
    CHECK_FALSE(broadcast(b, a).has_value());
    CHECK_FALSE(broadcasts_to(a, b));
    CHECK_FALSE(broadcasts_to(b, a));
  }
}

TEST_CASE("Shape: broadcasts_to neither drops an axis nor shrinks one") {
  CHECK(broadcasts_to({}, {2, 3}));
  CHECK(broadcasts_to({1, 3}, {2, 3}));
  CHECK_FALSE(broadcasts_to({2, 3}, {3}));
  CHECK_FALSE(broadcasts_to({1, 3}, {3}));
  CHECK_FALSE(broadcasts_to({2, 3}, {1, 3}));
  CHECK_FALSE(broadcasts_to({0}, {1}));
}

TEST_CASE("Shape: a broadcast whose elements cannot be counted is an error") {
  const std::int64_t big = std::int64_t{1} << 40;
  CHECK_THROWS_AS(broadcast({big, 1}, {1, big}), ShapeError);
}
