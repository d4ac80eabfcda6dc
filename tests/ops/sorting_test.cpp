// sort, argsort and topk, against std::stable_sort.
#include <algorithm>
#include <numeric>
#include <threads_scope.hpp>
#include <xgrad/ops/gathering.hpp>
#include <xgrad/ops/slicing.hpp>
#include <xgrad/ops/sorting.hpp>

#include "moving.hpp"

using namespace moving;

namespace {

// Numbers with many ties; of floating dtypes NaN, infinities and both zeros, too.
Tensor ties(const Shape& shape, DType dtype, std::mt19937& random) {
  const Doubles special{NaN, -NaN, Inf, -Inf, -0.0, 0.0, 1.5};
  Doubles values(static_cast<std::size_t>(shape.size()));
  for (double& value : values) {
    value = between(random, -3, 3);
    if (is_floating(dtype) && below(random, 4) == 0)
      value = special[static_cast<std::size_t>(below(random, static_cast<int>(special.size())))];
  }
  return Tensor(shape, values).astype(dtype);
}

bool before(double a, double b) { return a < b || (std::isnan(b) && !std::isnan(a)); }

// For each index of the result (x's with `count` places of the axis), the place in the line that comes there.
Doubles ordered(const Tensor& x, int axis, bool descending, std::int64_t count) {
  const Doubles values = doubles(x);
  Numbers sizes(x.shape().begin(), x.shape().end());
  sizes[static_cast<std::size_t>(axis)] = count;
  Doubles expected;
  test::for_each_index(shape_of(sizes), [&](Numbers at) {
    auto& i = at[static_cast<std::size_t>(axis)];
    const std::int64_t rank = i;
    std::vector<std::int64_t> line(static_cast<std::size_t>(x.shape()[axis]));
    std::iota(line.begin(), line.end(), 0);
    const auto value = [&](std::int64_t place) {
      i = place;
      return values[static_cast<std::size_t>(flat(at, x.shape()))];
    };
    std::stable_sort(line.begin(), line.end(), [&](std::int64_t p, std::int64_t q) {
      return descending ? before(value(q), value(p)) : before(value(p), value(q));
    });
    expected.push_back(static_cast<double>(line[static_cast<std::size_t>(rank)]));
  });
  return expected;
}

}  // namespace

TEST_CASE("sort, argsort and topk: every dtype and axis, ties, NaN", "[ops]") {
  std::mt19937 random(14);
  for (int round = 0; round < 30; ++round) {
    const int rank = between(random, 1, 3), axis = below(random, rank);
    const Shape shape = random_shape(random, rank);
    const int k = below(random, static_cast<int>(shape[axis]) + 1);
    for (DType dtype : {float32, float64, int64, bool_}) {
      const Tensor x = ties(shape, dtype, random);
      INFO(to_string(shape) << " " << name(dtype) << " axis " << axis << "\n" << x);
      for (bool descending : {false, true}) {
        const Doubles expected = ordered(x, axis, descending, shape[axis]);
        const Variable index = argsort(x, axis - rank, descending), y = sort(x, axis, descending);
        CHECK(index.dtype() == int64);
        CHECK(doubles(index) == expected);
        CHECK(y.dtype() == dtype);
        CHECK(test::same_bits(y.value(), take_along_axis(x, index, axis).value()));
        const auto [values, indices] = topk(x, k, axis, descending);
        CHECK(doubles(indices) == ordered(x, axis, descending, k));
        CHECK(test::same_bits(values.value(), take_along_axis(x, indices, axis).value()));
      }
    }
  }
  CHECK(same(doubles(sort(tensor({3, NaN, -Inf, 1}))), {-Inf, 1, 3, NaN}));
  CHECK(same(doubles(sort(tensor({3, NaN, -Inf, 1}), 0, true)), {NaN, 3, 1, -Inf}));
  CHECK(std::isnan(topk(tensor({3, NaN, 1}), 1).values.item()));
  CHECK(doubles(argsort(tensor({0.0, -0.0, 0.0}))) == Doubles{0, 1, 2});
  constexpr double most = 0x1p62;
  CHECK(doubles(sort(tensor({most, -most, 0, -1}, int64))) == Doubles{-most, -1, 0, most});
}

TEST_CASE("Long lines: by digits, and by keeping the best", "[ops]") {
  std::mt19937 random(15);
  for (DType dtype : {float32, float64, int64, bool_}) {
    for (std::int64_t n : {1023, 1024, 5000}) {
      const Tensor x = ties({2, n}, dtype, random);
      for (bool descending : {false, true}) {
        INFO(name(dtype) << " " << n << (descending ? " descending" : ""));
        const Variable all_of = argsort(x, 1, descending);
        std::vector<std::int64_t> line(static_cast<std::size_t>(n));
        std::iota(line.begin(), line.end(), 0);
        const Doubles values = doubles(x);
        std::stable_sort(line.begin(), line.end(), [&](std::int64_t p, std::int64_t q) {
          const double a = values[static_cast<std::size_t>(p)], b = values[static_cast<std::size_t>(q)];
          return descending ? before(b, a) : before(a, b);
        });
        const auto index = all_of.value().to_vector<std::int64_t>();
        CHECK(std::equal(line.begin(), line.end(), index.begin()));
        for (std::int64_t k : {1, 7, 200, 900}) {
          CHECK(doubles(topk(x, k, 1, descending).indices) == doubles(slice(all_of, 1, {0, k})));
        }
      }
    }
  }
}

TEST_CASE("Orders are the same for any number of threads", "[ops]") {
  std::mt19937 random(16);
  const Tensor x = ties({40, 600, 3}, float32, random);
  const Threads one(1);
  const Variable alone = argsort(x, 1), best = topk(x, 9, 1).indices;
  for (int n : {2, 5}) {
    const Threads many(n);
    CHECK(test::same_bits(argsort(x, 1).value(), alone.value()));
    CHECK(test::same_bits(topk(x, 9, 1).indices.value(), best.value()));
  }
}

TEST_CASE("sort and topk: gradients go back where elements came from", "[ops]") {
  const Tensor x = tensor({{3, 1, 2}, {-1, 5, 0}}, float64);
  const Result sorted = run([](const Variables& v) { return sort(v[0]) * tensor({1, 2, 3}, float64); }, {x});
  CHECK(doubles(sorted.gradients[0]) == Doubles{3, 1, 2, 1, 3, 2});
  const Result top = run([](const Variables& v) { return topk(v[0], 1).values; }, {x});
  CHECK(doubles(top.gradients[0]) == Doubles{1, 0, 0, 0, 1, 0});
  check_orders([](const Variables& v) { return sort(v[0], 0, true); }, {x});
  check_orders([](const Variables& v) { return topk(v[0], 2, 1, false).values; }, {x});
  Tape tape;
  const Variable leaf = tape.watch(x), y = sort(leaf);
  CHECK(doubles(forward(tape, leaf, counting({2, 3}), y)) == Doubles{1, 2, 0, 3, 5, 4});
  CHECK(argsort(leaf).is_constant());
  CHECK(topk(leaf, 2).indices.is_constant());
}

TEST_CASE("sort and topk: replays order other numbers", "[ops]") {
  std::mt19937 random(17);
  const auto f = [](const Variable& x) {
    Tape tape;
    const Variable leaf = tape.watch(x.value()), y = sort(leaf, 0) + topk(leaf, 4, 0).values;
    return std::tuple(y, argsort(leaf, 0, true), tape.backward(y, {.seed = ones({4, 3})})[leaf]);
  };
  auto compiled = compile(f);
  for (int i = 0; i < 4; ++i) test::check_call(f, compiled, ties({4, 3}, float32, random));
  CHECK(compiled.report().replays == 3);
}

TEST_CASE("sort and topk: errors", "[ops]") {
  const Tensor x = zeros({2, 3});
  CHECK(message<ShapeError>([&] {
          sort(x, 2);
        }).find("sort: axis 2 is out of range for (2, 3), which has 2 axes") == 0);
  CHECK(message<ShapeError>([&] { argsort(scalar(1)); }).find("argsort: axis -1 is out of range for ()") ==
        0);
  CHECK(message<ShapeError>([&] {
          topk(x, 4);
        }).find("topk: 4 elements of axis 1 of (2, 3), which has size 3") == 0);
  CHECK(message<ShapeError>([&] {
          topk(x, -1, 0);
        }).find("topk: -1 elements of axis 0 of (2, 3), which has size 2") == 0);
}
