// Moving elements: reshape, transpose, broadcast_to, concat, slice.
#include <numeric>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>

#include "checks.hpp"

using namespace checks;

namespace {

Tensor counting(const Shape& shape, DType dtype = float64) {
  return arange(0, static_cast<double>(shape.size()), 1, dtype).reshape(shape);
}

// The indices of Python's range(*slice(start, stop, step).indices(size)).
std::vector<std::int64_t> python(const Range& range, std::int64_t size) {
  const bool forward = range.step > 0;
  const auto adjusted = [&](std::int64_t i) {
    if (i < 0) i += size;
    if (i < 0) return forward ? std::int64_t{0} : std::int64_t{-1};
    if (i >= size) return forward ? size : size - 1;
    return i;
  };
  const std::int64_t start = range.start ? adjusted(*range.start)
                             : forward   ? 0
                                         : size - 1,
                     stop = range.stop ? adjusted(*range.stop)
                            : forward  ? size
                                       : -1;
  std::vector<std::int64_t> indices;
  for (std::int64_t i = start; forward ? i < stop : i > stop; i += range.step) indices.push_back(i);
  return indices;
}

}  // namespace

TEST_CASE("slice: every start, stop and step as in Python", "[ops]") {
  std::vector<std::optional<std::int64_t>> bounds{std::nullopt};
  for (std::int64_t i = -4; i <= 4; ++i) bounds.emplace_back(i);
  for (std::int64_t size = 0; size <= 3; ++size) {
    const Tensor x = counting({size}), columns = counting({2, size});
    for (const auto& start : bounds) {
      for (const auto& stop : bounds) {
        for (std::int64_t step : {-4, -3, -2, -1, 1, 2, 3, 4}) {
          const Range range{start, stop, step};
          INFO("size " << size << " [" << (start ? std::to_string(*start) : "") << ":"
                       << (stop ? std::to_string(*stop) : "") << ":" << step << "]");
          const std::vector<std::int64_t> indices = python(range, size);
          const Result result = run([&](const Variables& v) { return slice(v[0], {range}); }, {x});
          CHECK(doubles(result.value) == Doubles(indices.begin(), indices.end()));
          Doubles expected(static_cast<std::size_t>(size), 0);
          for (std::int64_t i : indices) expected[static_cast<std::size_t>(i)] = 1;
          CHECK(doubles(result.gradients[0]) == expected);
          const Result second = run([&](const Variables& v) { return slice(v[0], 1, range); }, {columns});
          CHECK(second.value.shape() == Shape{2, static_cast<std::int64_t>(indices.size())});
          Doubles picked, twice = expected;
          for (std::int64_t row : {0, 1}) {
            for (std::int64_t i : indices) picked.push_back(static_cast<double>(row * size + i));
          }
          twice.insert(twice.end(), expected.begin(), expected.end());
          CHECK(doubles(second.value) == picked);
          CHECK(doubles(second.gradients[0]) == twice);
        }
      }
    }
  }
}

TEST_CASE("slice: several axes, extreme bounds", "[ops]") {
  const Tensor x = counting({4, 5});
  CHECK(doubles(slice(x, {{1, 3}, {std::nullopt, std::nullopt, -2}})) == Doubles{9, 7, 5, 14, 12, 10});
  CHECK(slice(x, std::vector<Range>{}).shape() == Shape{4, 5});
  CHECK(doubles(slice(x, -2, {3, 4})) == Doubles{15, 16, 17, 18, 19});
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  CHECK(doubles(slice(counting({3}), 0, {least, most, 1})) == Doubles{0, 1, 2});
  CHECK(doubles(slice(counting({3}), 0, {most, least, -1})) == Doubles{2, 1, 0});
  CHECK(doubles(slice(counting({3}), 0, {0, most, most})) == Doubles{0});
  CHECK(doubles(slice(counting({3}), 0, {std::nullopt, std::nullopt, least})) == Doubles{2});
  CHECK(slice(scalar(1), std::vector<Range>{}).shape() == Shape{});
  for (DType dtype : {float32, int64, bool_}) CHECK(slice(x.astype(dtype), 0, {1, 2}).dtype() == dtype);
  const GradReport report = gradcheck(
      [](const Variables& v) {
        return square(slice(v[0], {{3, 0, -2}, {0, 5, 3}})) * slice(v[0], {{1, 3}, {3, 5}});
      },
      {x}, {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
}

TEST_CASE("reshape: inferred sizes, shared storage", "[ops]") {
  const Tensor x = counting({2, 3, 4});
  CHECK(reshape(x, {-1}).shape() == Shape{24});
  CHECK(reshape(x, {4, -1}).shape() == Shape{4, 6});
  CHECK(reshape(x, {-1, 24}).shape() == Shape{1, 24});
  CHECK(reshape(x, {2, -1, 2, 1}).shape() == Shape{2, 6, 2, 1});
  CHECK(reshape(x, {6, 4}).value().shares_storage(x));
  CHECK(doubles(reshape(x, {4, 6})) == doubles(x));
  CHECK(reshape(scalar(3), {-1}).shape() == Shape{1});
  CHECK(reshape(tensor({3}), Shape{}).shape() == Shape{});
  CHECK(reshape(tensor({3}), {}).rank() == 0);
  CHECK(reshape(zeros({0, 3}), {-1, 3}).shape() == Shape{0, 3});
  CHECK(reshape(zeros({0, 3}), {7, 0}).shape() == Shape{7, 0});
  CHECK_THROWS_AS(reshape(zeros({0, 3}), {-1, 0}), ShapeError);  // any size would fit
  CHECK_THROWS_AS(reshape(x, {-1, -1}), ShapeError);
  CHECK_THROWS_AS(reshape(x, {5, -1}), ShapeError);
  CHECK_THROWS_AS(reshape(x, {-2, -12}), ShapeError);
  CHECK_THROWS_AS(reshape(x, {4, 5}), ShapeError);
  CHECK(run(
            [](const Variables& v) {
              return reshape(v[0], {6, -1});
            },
            {x})
            .gradients[0]
            .shape() == x.shape());
  CHECK(reshape(2.5, {1, 1}).shape() == Shape{1, 1});
}

TEST_CASE("transpose: every order against loops", "[ops]") {
  const Tensor x = counting({2, 3, 4});
  std::vector<int> order{0, 1, 2};
  do {
    for (int shift : {0, -3}) {
      std::vector<int> given;
      for (int axis : order) given.push_back(axis + shift);
      const Variable y = transpose(x, given);
      CHECK(y.shape() == Shape{x.shape()[order[0]], x.shape()[order[1]], x.shape()[order[2]]});
      for (std::int64_t i = 0; i < y.shape()[0]; ++i) {
        for (std::int64_t j = 0; j < y.shape()[1]; ++j) {
          for (std::int64_t k = 0; k < y.shape()[2]; ++k) {
            std::int64_t index[3];
            index[order[0]] = i, index[order[1]] = j, index[order[2]] = k;
            CHECK(y.value().at({i, j, k}) == x.at({index[0], index[1], index[2]}));
          }
        }
      }
      // Contracted with a tensor of its own shape, the gradient is that tensor, back in x's order.
      const Tensor weights = counting(y.shape());
      const Result result = run([&](const Variables& v) { return transpose(v[0], given) * weights; }, {x});
      CHECK(equal(transpose(Variable(result.gradients[0]), given).value(), weights));
    }
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(transpose(x).shape() == Shape{4, 3, 2});
  CHECK(transpose(x).value().at({3, 1, 0}) == x.at({0, 1, 3}));
  CHECK(transpose(scalar(2)).item() == 2);
  CHECK(doubles(transpose(counting({3}))) == Doubles{0, 1, 2});
  CHECK(transpose(zeros({0, 3})).shape() == Shape{3, 0});
  const std::vector<std::vector<int>> wrong{{0, 1}, {0, 1, 1}, {0, 1, 3}, {0, 1, -4}, {0, 1, 2, 0}, {}};
  for (const std::vector<int>& bad : wrong) CHECK_THROWS_AS(transpose(x, bad), ShapeError);
  const Tensor large = counting({67, 41}, float32);  // beyond one block
  for (std::int64_t i = 0; i < 41; ++i)
    CHECK(transpose(large).value().at({i, 66 - i}) == large.at({66 - i, i}));
}

TEST_CASE("broadcast_to: values and sums", "[ops]") {
  CHECK(doubles(broadcast_to(tensor({{1}, {2}}), {2, 3})) == Doubles{1, 1, 1, 2, 2, 2});
  CHECK(doubles(broadcast_to(tensor({1, 2}), {2, 2})) == Doubles{1, 2, 1, 2});
  CHECK(doubles(broadcast_to(5, {2})) == Doubles{5, 5});
  CHECK(broadcast_to(tensor({1}), {0}).shape() == Shape{0});
  CHECK(broadcast_to(tensor({1, 0}, bool_), {2, 2}).dtype() == bool_);
  const Result result = run(
      [](const Variables& x) {
        return broadcast_to(x[0], {2, 3});
      },
      {tensor({{1}, {2}})});
  CHECK(doubles(result.gradients[0]) == Doubles{3, 3});
  for (const Shape& wrong : {Shape{3}, Shape{2, 2}, Shape{}, Shape{2}}) {
    CHECK_THROWS_AS(broadcast_to(counting({3, 1}), wrong), ShapeError);
  }
  CHECK_THROWS_AS(broadcast_to(counting({2}), {1}), ShapeError);
}

TEST_CASE("concat: values, slices of the gradient", "[ops]") {
  const Tensor a = counting({2, 2}), b = counting({2, 1}), c = zeros({2, 0}, float64);
  CHECK(doubles(concat({a, b, c}, 1)) == Doubles{0, 1, 0, 2, 3, 1});
  CHECK(doubles(concat({a, b}, -1)) == doubles(concat({a, b}, 1)));
  CHECK(doubles(concat({a, a})) == Doubles{0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(doubles(concat({a})) == doubles(a));
  CHECK(concat({tensor({1}, int64), tensor({2}, int64)}).dtype() == int64);
  CHECK_THROWS_AS(concat({scalar(1), scalar(2)}), ShapeError);
  const Tensor weights = tensor({{1, 2, 3, 4}, {5, 6, 7, 8}}, float64);
  const Result result = run(
      [&](const Variables& x) {
        return concat({x[0], x[1], Tensor(b)}, 1) * weights;
      },
      {a, b});
  CHECK(doubles(result.gradients[0]) == Doubles{1, 2, 5, 6});
  CHECK(doubles(result.gradients[1]) == Doubles{3, 7});
  const GradReport report = gradcheck(
      [](const Variables& x) {
        return square(concat({x[0], x[1], x[0]}, 1));
      },
      {a, b}, {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
}
