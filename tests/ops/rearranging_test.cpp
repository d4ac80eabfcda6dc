// flip, roll and pad, diagonals and triangles, against loops.
#include <xgrad/ops/rearranging.hpp>
#include <xgrad/ops/triangle.hpp>

#include "moving.hpp"

using namespace moving;

TEST_CASE("flip and roll: against loops", "[ops]") {
  std::mt19937 random(5);
  for (int rank = 0; rank <= 3; ++rank) {
    for (int round = 0; round < 8; ++round) {
      const Shape from = random_shape(random, rank);
      std::vector<int> axes, given, all_axes;
      std::vector<std::int64_t> shifts;
      for (int axis = 0; axis < rank; ++axis) {
        all_axes.push_back(axis);
        if (below(random, 2) == 0) continue;
        axes.push_back(axis);
        given.push_back(axis - (below(random, 2) == 0 ? rank : 0));
        shifts.push_back(between(random, -9, 9));
      }
      const auto mirrored = [&](const std::vector<int>& which) {
        return places(from, from, [&](Numbers index) {
          for (int axis : which) {
            auto& i = index[static_cast<std::size_t>(axis)];
            i = from[axis] - 1 - i;
          }
          return index;
        });
      };
      check_moves([&](const Variable& x) { return flip(x, given); }, from, from, mirrored(axes));
      check_moves([&](const Variable& x) { return flip(x); }, from, from, mirrored(all_axes));
      const auto moved = [&](std::int64_t i, std::int64_t shift, std::int64_t n) {
        return ((i - shift) % n + n) % n;
      };
      check_moves([&](const Variable& x) { return roll(x, shifts, given); }, from, from,
                  places(from, from, [&](Numbers index) {
                    for (std::size_t k = 0; k < axes.size(); ++k) {
                      auto& i = index[static_cast<std::size_t>(axes[k])];
                      i = moved(i, shifts[k], from[axes[k]]);
                    }
                    return index;
                  }));
      const std::int64_t shift = between(random, -9, 9), n = from.size();
      Doubles flat_places;
      for (std::int64_t i = 0; i < n; ++i) flat_places.push_back(static_cast<double>(moved(i, shift, n)));
      check_moves([&](const Variable& x) { return roll(x, shift); }, from, from, flat_places);
      if (rank > 0) {
        CHECK(doubles(roll(counting(from), 2, -1)) == doubles(roll(counting(from), {1, 1}, {rank - 1, -1})));
      }
    }
  }
  CHECK(doubles(roll(counting({3}), std::numeric_limits<std::int64_t>::min(), 0)).size() == 3);
  const Tensor x = zeros({2, 3});
  CHECK(message<ShapeError>([&] { flip(x, {0, -2}); }).find("flip: axis -2 is named twice") == 0);
  CHECK(message<ShapeError>([&] { flip(x, 2); }).find("flip: axis 2 is out of range for (2, 3)") == 0);
  CHECK(message<ShapeError>([&] { roll(x, {1, 2}, {0}); }).find("roll: 2 shifts for 1 axes of (2, 3)") == 0);
  CHECK(message<ShapeError>([&] { roll(x, 1, 2); }).find("roll: axis 2 is out of range for (2, 3)") == 0);
}

namespace {

// numpy.pad, place by place: the place of an axis of n that place i outside of it repeats.
std::int64_t repeated(PadMode mode, std::int64_t i, std::int64_t n) {
  while (i < 0 || i >= n) {
    if (mode == PadMode::edge) return i < 0 ? 0 : n - 1;
    if (mode == PadMode::wrap) {
      i += i < 0 ? n : -n;
    } else if (n == 1) {
      return 0;
    } else {
      i = i < 0 ? -i : 2 * (n - 1) - i;
    }
  }
  return i;
}

}  // namespace

TEST_CASE("pad: every mode against loops", "[ops]") {
  std::mt19937 random(6);
  for (PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::edge, PadMode::wrap}) {
    for (int round = 0; round < 20; ++round) {
      const int rank = below(random, 4);
      const Shape from = random_shape(random, rank, mode == PadMode::constant ? 0 : 1);
      std::vector<PadWidth> widths;
      Numbers sizes;
      for (int axis = 0; axis < rank; ++axis) {
        if (below(random, 3) == 0) {
          widths.push_back({});
        } else {
          widths.push_back({below(random, 7), below(random, 7)});
        }
        sizes.push_back(widths.back().before + from[axis] + widths.back().after);
      }
      Doubles expected;
      test::for_each_index(shape_of(sizes), [&](Numbers index) {
        bool outside = false;
        for (int axis = 0; axis < rank; ++axis) {
          auto& i = index[static_cast<std::size_t>(axis)];
          i -= widths[static_cast<std::size_t>(axis)].before;
          outside |= i < 0 || i >= from[axis];
          if (mode != PadMode::constant) i = repeated(mode, i, from[axis]);
        }
        expected.push_back(mode == PadMode::constant && outside ? -1
                                                                : static_cast<double>(flat(index, from)));
      });
      check_moves([&](const Variable& x) { return pad(x, widths, mode, 7); }, from, shape_of(sizes), expected,
                  7);
    }
  }
  const Tensor x = counting({2, 3});
  CHECK(doubles(pad(counting({3}), {{2, 1}}, PadMode::reflect)) == Doubles{2, 1, 0, 1, 2, 1});
  CHECK(doubles(pad(counting({3}), {{2, 1}}, PadMode::edge)) == Doubles{0, 0, 0, 1, 2, 2});
  CHECK(doubles(pad(counting({3}), {{2, 1}}, PadMode::wrap)) == Doubles{1, 2, 0, 1, 2, 0});
  CHECK(doubles(pad(counting({2}), 1, PadMode::constant, -0.5)) == Doubles{-0.5, 0, 1, -0.5});
  CHECK(pad(x, 1).shape() == Shape{4, 5});
  CHECK(pad(3, 5).item() == 3);
  CHECK(doubles(pad(zeros({0}), {{1, 2}}, PadMode::constant, 4)) == Doubles{4, 4, 4});
  CHECK(std::isnan(pad(counting({2}), 1, PadMode::constant, NaN).value().at({0})));
  check_orders([](const Variables& v) { return pad(v[0], {{1, 2}, {3, 1}}, PadMode::reflect); }, {x});
  check_orders([](const Variables& v) { return pad(v[0], 2, PadMode::wrap); }, {x});
  CHECK(message<ShapeError>([&] { pad(x, {{1, 1}}); }).find("pad: 1 widths for (2, 3)") == 0);
  CHECK(message<ShapeError>([&] {
          pad(x, {{1, 1}, {0, -1}});
        }).find("pad: the widths of axis 1 are negative: 0 and -1; slice takes places away") == 0);
  CHECK(message<ShapeError>([&] {
          pad(zeros({2, 0}), 1, PadMode::edge);
        }).find("pad: axis 1 of (2, 0) has no places to extend it from") == 0);
}

TEST_CASE("Diagonals: against loops", "[ops]") {
  std::mt19937 random(8);
  for (int round = 0; round < 60; ++round) {
    const int rank = between(random, 2, 4), first = below(random, rank);
    const int second = (first + 1 + below(random, rank - 1)) % rank;
    const Shape from = random_shape(random, rank);
    const std::int64_t offset = between(random, -5, 5);
    std::int64_t length = 0;
    while (length + std::max<std::int64_t>(-offset, 0) < from[first] &&
           length + std::max<std::int64_t>(offset, 0) < from[second]) {
      ++length;
    }
    Numbers sizes;
    for (int axis = 0; axis < rank; ++axis) {
      if (axis != first && axis != second) sizes.push_back(from[axis]);
    }
    sizes.push_back(length);
    check_moves([&](const Variable& x) { return diagonal(x, offset, first, second - rank); }, from,
                shape_of(sizes), places(shape_of(sizes), from, [&](const Numbers& index) {
                  Numbers source;
                  std::size_t next = 0;
                  for (int axis = 0; axis < rank; ++axis) {
                    const std::int64_t along = index.back();
                    source.push_back(axis == first    ? along + std::max<std::int64_t>(-offset, 0)
                                     : axis == second ? along + std::max<std::int64_t>(offset, 0)
                                                      : index[next++]);
                  }
                  return source;
                }));
    const std::int64_t n = below(random, 4), side = n + std::abs(offset);
    Doubles laid(static_cast<std::size_t>(side * side), -1);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t row = i + std::max<std::int64_t>(-offset, 0),
                         column = i + std::max<std::int64_t>(offset, 0);
      laid[static_cast<std::size_t>(row * side + column)] = static_cast<double>(i);
    }
    check_moves([&](const Variable& x) { return diag(x, offset); }, {n}, {side, side}, laid);
  }
  CHECK(doubles(diag(tensor({{1, 2}, {3, 4}}))) == Doubles{1, 4});
  CHECK(doubles(diag(tensor({{1, 2}, {3, 4}}), 1)) == Doubles{2});
  CHECK(diagonal(zeros({2, 3}), std::numeric_limits<std::int64_t>::min()).shape() == Shape{0});
  CHECK(message<ShapeError>([] { diagonal(zeros({3})); }).find("diagonal: axis 1 is out of range for (3,)") ==
        0);
  CHECK(message<ShapeError>([] {
          diagonal(zeros({3, 2}), 0, 1, -1);
        }).find("diagonal: axis 1 of (3, 2) is named twice") == 0);
  CHECK(message<ShapeError>([] {
          diag(zeros({2, 2, 2}));
        }).find("diag: neither a vector nor a matrix: (2, 2, 2)") == 0);
  CHECK_THROWS_AS(diag(scalar(1)), ShapeError);
  CHECK_THROWS_AS(diag(zeros({1}), std::numeric_limits<std::int64_t>::max()), ShapeError);
}

TEST_CASE("Triangles: against loops", "[ops]") {
  std::mt19937 random(9);
  for (int round = 0; round < 40; ++round) {
    const Shape from = random_shape(random, between(random, 2, 4));
    const std::int64_t offset = between(random, -5, 5);
    const auto kept = [&](bool lower) {
      Doubles expected;
      test::for_each_index(from, [&](const Numbers& index) {
        const std::int64_t above = index[index.size() - 1] - index[index.size() - 2];
        const bool inside = lower ? above <= offset : above >= offset;
        expected.push_back(inside ? static_cast<double>(flat(index, from)) : -1);
      });
      return expected;
    };
    check_moves([&](const Variable& x) { return tril(x, offset); }, from, from, kept(true));
    check_moves([&](const Variable& x) { return triu(x, offset); }, from, from, kept(false));
  }
  const Tensor x = counting({2, 3});
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(doubles(tril(x, most)) == doubles(x));
  CHECK(doubles(triu(x, most)) == Doubles(6, 0));
  CHECK(doubles(tril(x, -most)) == Doubles(6, 0));
  CHECK(doubles(triu(tensor({{NaN, 1}, {NaN, 2}}))).back() == 2);
  CHECK(doubles(triu(tensor({{1, 1}, {NaN, 2}}))) == Doubles{1, 1, 0, 2});  // dropped, not multiplied by 0
  CHECK(message<ShapeError>([] { tril(zeros({3})); }).find("tril: there are fewer than two axes: (3,)") == 0);
  CHECK(message<ShapeError>([] { triu(1); }).find("triu: there are fewer than two axes: 1") == 0);
}
