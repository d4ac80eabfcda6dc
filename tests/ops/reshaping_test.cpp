// flatten, expand_dims, squeeze, the ways to permute axes, tile, repeat and meshgrid.
#include <numeric>
#include <xgrad/ops/shaping.hpp>

#include "moving.hpp"

using namespace moving;

namespace {

Doubles in_order(const Shape& shape) { return doubles(counting(shape)); }

}  // namespace

TEST_CASE("flatten: every pair of axes", "[ops]") {
  const Shape from{2, 3, 1, 4};
  for (int start = -4; start < 4; ++start) {
    for (int end = -4; end < 4; ++end) {
      INFO(start << " to " << end);
      const int a = start < 0 ? start + 4 : start, b = end < 0 ? end + 4 : end;
      const auto f = [=](const Variable& x) { return flatten(x, start, end); };
      if (b < a) {
        CHECK_THROWS_AS(f(counting(from)), ShapeError);
        continue;
      }
      Numbers sizes;
      for (int axis = 0; axis < 4; ++axis) {
        if (axis > a && axis <= b) {
          sizes.back() *= from[axis];
        } else {
          sizes.push_back(from[axis]);
        }
      }
      check_moves(f, from, shape_of(sizes), in_order(from));
    }
  }
  CHECK(flatten(counting(from)).shape() == Shape{24});
  CHECK(flatten(scalar(3)).shape() == Shape{1});
  CHECK(flatten(3).shape() == Shape{1});
  CHECK(flatten(zeros({2, 0, 3})).shape() == Shape{0});
  CHECK(message<ShapeError>([] {
          flatten(zeros({2, 3}), 1, 0);
        }).find("flatten: axis 0 lies before axis 1 of (2, 3)") == 0);
  CHECK_THROWS_AS(flatten(zeros({2, 3}), 0, 2), ShapeError);
}

TEST_CASE("expand_dims and squeeze: one axis, several, all", "[ops]") {
  const Shape from{2, 3};
  const std::vector<std::pair<Axes, Shape>> cases{
      {0, {1, 2, 3}},  {1, {2, 1, 3}},         {2, {2, 3, 1}},          {-1, {2, 3, 1}},
      {-3, {1, 2, 3}}, {{0, 2}, {1, 2, 1, 3}}, {{-1, 0}, {1, 2, 3, 1}}, {{1, 2}, {2, 1, 1, 3}}};
  for (const auto& [axes, to] : cases) {
    check_moves([&a = axes](const Variable& x) { return expand_dims(x, a); }, from, to, in_order(from));
    check_moves([&a = axes](const Variable& x) { return squeeze(x, a); }, to, from, in_order(from));
    check_moves([](const Variable& x) { return squeeze(x); }, to, from, in_order(from));
  }
  CHECK(expand_dims(2, 0).shape() == Shape{1});
  CHECK(expand_dims(scalar(2), {0, 1}).shape() == Shape{1, 1});
  CHECK(squeeze(zeros({1, 0, 1})).shape() == Shape{0});
  CHECK(squeeze(zeros({1, 1, 3}), -3).shape() == Shape{1, 3});
  CHECK(squeeze(tensor({5})).rank() == 0);
  CHECK(squeeze(counting({2, 3})).value().shares_storage(squeeze(counting({2, 3})).value()) == false);
  const Tensor x = zeros({2, 1});
  CHECK(message<ShapeError>([&] { squeeze(x, 0); }).find("squeeze: axis 0 of (2, 1) has size 2, not 1") == 0);
  CHECK(message<ShapeError>([&] { squeeze(x, {1, -1}); }).find("squeeze: axis -1 is named twice") == 0);
  CHECK(message<ShapeError>([&] { squeeze(x, 2); }).find("squeeze: axis 2 is out of range for (2, 1)") == 0);
  CHECK(message<ShapeError>([&] {
          expand_dims(x, 3);
        }).find("expand_dims: axis 3 is out of range for a result of 3 axes") == 0);
  CHECK(message<ShapeError>([&] {
          expand_dims(x, {0, -4});
        }).find("expand_dims: axis -4 is named twice") == 0);
  CHECK_THROWS_AS(expand_dims(x, Axes()), ShapeError);
}

TEST_CASE("Axes in another order: against loops", "[ops]") {
  std::mt19937 random(1);
  for (int rank = 0; rank <= 4; ++rank) {
    for (int round = 0; round < 6; ++round) {
      const Shape from = random_shape(random, rank);
      std::vector<int> order(static_cast<std::size_t>(rank));
      std::iota(order.begin(), order.end(), 0);
      std::shuffle(order.begin(), order.end(), random);
      const auto check = [&](const auto& f, const std::vector<int>& axes) {
        Numbers sizes;
        for (int axis : axes) sizes.push_back(from[axis]);
        const Doubles expected = places(shape_of(sizes), from, [&](const Numbers& index) {
          Numbers source(index.size());
          for (std::size_t i = 0; i < index.size(); ++i) source[static_cast<std::size_t>(axes[i])] = index[i];
          return source;
        });
        check_moves(f, from, shape_of(sizes), expected);
      };
      check([&](const Variable& x) { return permute_dims(x, order); }, order);
      check([&](const Variable& x) { return transpose(x, order); }, order);
      std::vector<int> axes(order.size());
      std::iota(axes.begin(), axes.end(), 0);
      // Several axes moved: what stands in place i of the result is known one by one, as NumPy says it.
      std::vector<int> source = order, moved(order.size(), -1), rest;
      std::vector<int> destination = axes;
      std::shuffle(destination.begin(), destination.end(), random);
      const std::size_t some = rank == 0 ? 0 : random() % static_cast<unsigned>(rank + 1);
      source.resize(some), destination.resize(some);
      for (std::size_t i = 0; i < some; ++i) moved[static_cast<std::size_t>(destination[i])] = source[i];
      for (int axis : axes) {
        if (std::find(source.begin(), source.end(), axis) == source.end()) rest.push_back(axis);
      }
      for (std::size_t i = 0, next = 0; i < moved.size(); ++i)
        moved[i] = moved[i] < 0 ? rest[next++] : moved[i];
      for (std::size_t i = 0; i < some; ++i) source[i] -= round % 2 == 0 ? 0 : rank;
      check([&](const Variable& x) { return moveaxis(x, source, destination); }, moved);
      if (rank == 0) continue;
      const int a = below(random, rank), b = below(random, rank);
      std::vector<int> swapped = axes;
      std::swap(swapped[static_cast<std::size_t>(a)], swapped[static_cast<std::size_t>(b)]);
      check([&](const Variable& x) { return swapaxes(x, a, b - rank); }, swapped);
      std::vector<int> one = axes;
      one.erase(one.begin() + a);
      one.insert(one.begin() + b, a);
      check([&](const Variable& x) { return moveaxis(x, a - rank, b); }, one);
      if (rank < 2) continue;
      std::swap(axes[axes.size() - 2], axes.back());
      check([](const Variable& x) { return matrix_transpose(x); }, axes);
    }
  }
  const Tensor x = zeros({2, 3});
  CHECK(message<ShapeError>([&] {
          permute_dims(x, {0, 0});
        }).find("permute_dims: {0, 0} is no order of the axes of (2, 3)") == 0);
  CHECK(message<ShapeError>([&] {
          transpose(x, {0});
        }).find("transpose: {0} is no order of the axes of (2, 3)") == 0);
  CHECK(message<ShapeError>([&] {
          transpose(x, {});
        }).find("transpose: {} is no order of the axes of (2, 3)") == 0);
  CHECK(message<ShapeError>([&] {
          matrix_transpose(zeros({3}));
        }).find("matrix_transpose: there are fewer than two axes: (3,)") == 0);
  CHECK(message<ShapeError>([&] {
          swapaxes(x, 0, 2);
        }).find("swapaxes: axis 2 is out of range for (2, 3), which has 2 axes") == 0);
  CHECK(message<ShapeError>([&] {
          moveaxis(x, {0, 1}, {1});
        }).find("moveaxis: {0, 1} and {1} differ in length") == 0);
  CHECK(message<ShapeError>([&] {
          moveaxis(x, {0, -2}, {0, 1});
        }).find("moveaxis: an axis is named twice: {0, -2} to {0, 1}") == 0);
  CHECK_THROWS_AS(moveaxis(x, {0, 1}, {1, -1}), ShapeError);
}

TEST_CASE("tile and repeat: against loops", "[ops]") {
  std::mt19937 random(2);
  for (int rank = 0; rank <= 3; ++rank) {
    for (int round = 0; round < 6; ++round) {
      const Shape from = random_shape(random, rank);
      Numbers times;
      for (int i = below(random, 5); i > 0; --i) times.push_back(below(random, 4));
      Numbers sizes, every = times;
      const std::size_t longer = std::max(times.size(), static_cast<std::size_t>(rank));
      every.insert(every.begin(), longer - times.size(), 1);
      const std::size_t shift = longer - static_cast<std::size_t>(rank);
      for (std::size_t i = 0; i < longer; ++i)
        sizes.push_back(every[i] * (i < shift ? 1 : from[static_cast<int>(i - shift)]));
      check_moves([&](const Variable& x) { return tile(x, times); }, from, shape_of(sizes),
                  places(shape_of(sizes), from, [&](const Numbers& index) {
                    Numbers source;
                    for (int axis = 0; axis < rank; ++axis)
                      source.push_back(index[static_cast<std::size_t>(axis) + shift] % from[axis]);
                    return source;
                  }));

      // Each element, of x flattened and along an axis.
      const std::int64_t count = below(random, 4);
      check_moves([&](const Variable& x) { return repeat(x, count); }, from, {from.size() * count},
                  places({from.size() * count}, {from.size()},
                         [&](const Numbers& index) { return Numbers{index[0] / count}; }));
      if (rank == 0) continue;
      const int axis = below(random, rank);
      Numbers repeated(from.begin(), from.end()), counts, origin;
      for (std::int64_t i = 0; i < from[axis]; ++i) {
        counts.push_back(below(random, 4));
        origin.insert(origin.end(), static_cast<std::size_t>(counts.back()), i);
      }
      repeated[static_cast<std::size_t>(axis)] *= count;
      check_moves([&](const Variable& x) { return repeat(x, count, axis); }, from, shape_of(repeated),
                  places(shape_of(repeated), from, [&](Numbers index) {
                    index[static_cast<std::size_t>(axis)] /= count;
                    return index;
                  }));
      repeated[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(origin.size());
      check_moves([&](const Variable& x) { return repeat(x, counts, axis - rank); }, from, shape_of(repeated),
                  places(shape_of(repeated), from, [&](Numbers index) {
                    auto& i = index[static_cast<std::size_t>(axis)];
                    i = origin[static_cast<std::size_t>(i)];
                    return index;
                  }));
    }
  }
  CHECK(doubles(tile(tensor({{1, 2}, {3, 4}}), {2})) == Doubles{1, 2, 1, 2, 3, 4, 3, 4});
  CHECK(doubles(repeat(tensor({{1, 2}, {3, 4}}), 2)) == Doubles{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(doubles(repeat(tensor({{1, 2}, {3, 4}}), {1, 2}, 0)) == Doubles{1, 2, 3, 4, 3, 4});
  const Tensor x = zeros({2, 3});
  CHECK(message<ShapeError>([&] {
          tile(x, {1, -1});
        }).find("tile: the number of copies is negative: -1") == 0);
  CHECK(message<ShapeError>([&] { repeat(x, -2, 0); }).find("repeat: the number of copies is negative: -2") ==
        0);
  CHECK(message<ShapeError>([&] {
          repeat(x, {1, 2}, 1);
        }).find("repeat: 2 numbers of copies for the 3 places of axis 1 of (2, 3)") == 0);
  CHECK(message<ShapeError>([&] { repeat(x, 2, 2); }).find("repeat: axis 2 is out of range for (2, 3)") == 0);
}

TEST_CASE("meshgrid: coordinates along their axes", "[ops]") {
  const Tensor a = tensor({1, 2, 3}), b = tensor({4, 5}), c = tensor({6, 7});
  const auto xy = meshgrid({a, b}), ij = meshgrid({a, b}, Indexing::ij);
  CHECK(xy[0].shape() == Shape{2, 3});
  CHECK(doubles(xy[0]) == Doubles{1, 2, 3, 1, 2, 3});
  CHECK(doubles(xy[1]) == Doubles{4, 4, 4, 5, 5, 5});
  CHECK(ij[0].shape() == Shape{3, 2});
  CHECK(doubles(ij[0]) == Doubles{1, 1, 2, 2, 3, 3});
  CHECK(doubles(ij[1]) == Doubles{4, 5, 4, 5, 4, 5});
  const auto cube = meshgrid({a, b, c});
  CHECK(cube.size() == 3);
  for (const Variable& grid : cube) CHECK(grid.shape() == Shape{2, 3, 2});
  CHECK(cube[2].value().at({1, 2, 0}) == 6);
  CHECK(cube[0].value().at({1, 2, 0}) == 3);
  CHECK(cube[1].value().at({1, 2, 0}) == 5);
  CHECK(meshgrid({}).empty());
  CHECK(meshgrid({scalar(3), b})[0].shape() == Shape{2, 1});
  CHECK(meshgrid({zeros({0}), b})[1].shape() == Shape{2, 0});
  for (Indexing indexing : {Indexing::xy, Indexing::ij}) {
    check_moves(
        [&](const Variable& x) {
          return meshgrid({x, b}, indexing)[0];
        },
        {3}, indexing == Indexing::xy ? Shape{2, 3} : Shape{3, 2},
        indexing == Indexing::xy ? Doubles{0, 1, 2, 0, 1, 2} : Doubles{0, 0, 1, 1, 2, 2});
  }
  CHECK(message<ShapeError>([&] {
          meshgrid({a, zeros({2, 2})});
        }).find("meshgrid: part 1 is no vector: (2, 2)") == 0);
}
