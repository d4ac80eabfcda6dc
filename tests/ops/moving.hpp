// Operations that only move elements, checked against the places that plain loops give.
#pragma once

#include <compiled.hpp>
#include <random>
#include <tensor/support.hpp>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/ops/arithmetic.hpp>

#include "checks.hpp"

namespace moving {

using namespace checks;
using Numbers = std::vector<std::int64_t>;

/// 0, 1, 2, ...
inline Tensor counting(const Shape& shape, DType dtype = float64) {
  return arange(0, static_cast<double>(shape.size()), 1, dtype).reshape(shape);
}

inline Shape shape_of(const Numbers& sizes) { return Shape(std::span<const std::int64_t>(sizes)); }

/// A shape of `rank` axes with sizes from `least` to 4.
inline Shape random_shape(std::mt19937& random, int rank, int least = 0) {
  Numbers sizes;
  for (int axis = 0; axis < rank; ++axis)
    sizes.push_back(least + static_cast<int>(random() % static_cast<unsigned>(5 - least)));
  return shape_of(sizes);
}

/// A number in [0, n), and one in [low, high].
inline int below(std::mt19937& random, int n) {
  return static_cast<int>(random() % static_cast<unsigned>(n));
}
inline int between(std::mt19937& random, int low, int high) { return low + below(random, high - low + 1); }

/// The flat place of an index in an array of `shape`.
inline std::int64_t flat(const Numbers& index, const Shape& shape) {
  std::int64_t place = 0;
  for (int axis = 0; axis < shape.rank(); ++axis)
    place = place * shape[axis] + index[static_cast<std::size_t>(axis)];
  return place;
}

/// For every index of `result`, the index in an array of shape `from` that `source` gives: its flat place.
template <class F>
Doubles places(const Shape& result, const Shape& from, const F& source) {
  Doubles expected;
  test::for_each_index(result, [&](const Numbers& index) {
    expected.push_back(static_cast<double>(flat(source(index), from)));
  });
  return expected;
}

/// Indices of an axis of n places, negative ones among them.
inline Tensor random_indices(std::mt19937& random, const Shape& shape, std::int64_t n, bool negative = true) {
  Numbers values;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    const auto place = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
    values.push_back(negative && random() % 2 == 0 ? place - n : place);
  }
  return Tensor(shape, values);
}

/// The place that the index at `at` names on an axis of n.
inline std::int64_t wrapped(const Tensor& index, const Numbers& at, std::int64_t n) {
  const auto i = index.to_vector<std::int64_t>()[static_cast<std::size_t>(flat(at, index.shape()))];
  return i < 0 ? i + n : i;
}

/// The tangent of `y` for tangent t of leaf x, node by node, by the operations' own forward maps.
inline Tensor forward(const Tape& tape, const Variable& x, const Tensor& t, const Variable& y) {
  std::vector<std::optional<Variable>> tangents(tape.size());
  tangents[x.place().index] = Variable(t);
  const std::size_t last = y.place().index;
  const Tape::Pause pause;
  for (std::size_t i = x.place().index + 1; i <= last; ++i) {
    const Node& node = tape.node(i);
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      if (node.inputs[k] < 0 || !tangents[static_cast<std::size_t>(node.inputs[k])]) continue;
      const Variable& tangent = *tangents[static_cast<std::size_t>(node.inputs[k])];
      INFO(node.op);
      auto part = node.pullback->push(tangent, k, node.shape);
      // Adding cotangents and summing to a shape are the reverse pass's own.
      const std::string op = node.op;
      if (!part && (op == "add" || op == "sum_to")) part = detail::sum_to(tangent, node.shape);
      REQUIRE(part.has_value());
      CHECK(part->shape() == node.shape);
      tangents[i] = tangents[i] ? *tangents[i] + *part : *part;
    }
  }
  REQUIRE(tangents[last].has_value());
  return tangents[last]->value();
}

/// The derivatives of check_moves: the gradient, the forward map, and the gradient's own forward map.
template <class F>
void check_derivatives(const F& f, const Shape& from, const Shape& result, const Doubles& expected,
                       std::mt19937& random) {
  const auto pushed = [&](const Tensor& t) {
    const Doubles values = doubles(t);
    Doubles moved;
    for (double place : expected) moved.push_back(place < 0 ? 0 : values[static_cast<std::size_t>(place)]);
    return moved;
  };
  const auto pulled = [&](const Tensor& g) {
    const Doubles values = doubles(g);
    Doubles back(static_cast<std::size_t>(from.size()), 0);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (expected[i] >= 0) back[static_cast<std::size_t>(expected[i])] += values[i];
    }
    return back;
  };
  Tape tape;
  const auto whole = [&](const Shape& shape) { return test::random_whole(shape, float64, random); };
  const Variable seed = tape.watch(whole(result)), x = tape.watch(whole(from)), y = f(x);
  if (y.place().index == x.place().index) return;  // x itself
  const Tensor t = whole(from), u = whole(result);
  CHECK(doubles(forward(tape, x, t, y)) == pushed(t));
  const Variable gradient = tape.backward(y, {.seed = seed, .create_graph = true}).or_zeros(x);
  CHECK(doubles(gradient) == pulled(seed.value()));
  if (!gradient.is_constant()) CHECK(doubles(forward(tape, seed, u, gradient)) == pulled(u));
}

/// Checks that f(x) is of shape `result` and holds the elements of x at the flat places `expected`, `other` at
/// places -1: its value for every dtype, its gradient, its forward map and its replays.
template <class F>
void check_moves(const F& f, const Shape& from, const Shape& result, const Doubles& expected,
                 double other = 0) {
  INFO("from " << to_string(from) << " to " << to_string(result));
  std::mt19937 random(7);
  for (DType dtype : {float32, float64, int64, bool_}) {
    const Tensor x = test::random_whole(from, dtype, random);
    const Doubles in = doubles(x);
    const Variable y = f(Variable(x));
    CHECK(y.dtype() == dtype);
    CHECK(y.is_constant());
    REQUIRE(y.shape() == result);
    Doubles wanted;
    for (double place : expected) {
      wanted.push_back(place >= 0       ? in[static_cast<std::size_t>(place)]
                       : dtype == bool_ ? static_cast<double>(other != 0)
                                        : other);
    }
    CHECK(doubles(y) == wanted);
  }
  check_derivatives(f, from, result, expected, random);

  const auto both = [&f](const Variable& v) {
    Tape inner;
    const Variable leaf = inner.watch(v.value());
    const Variable z = f(leaf);
    const Tensor seed = full(z.shape(), 2, z.dtype());
    return std::pair(z, inner.backward(z, {.seed = seed}).or_zeros(leaf));
  };
  auto compiled = compile(both);
  for (int i = 0; i < 3; ++i) test::check_call(both, compiled, test::random_whole(from, float32, random));
  INFO(to_string(compiled.report()));
  CHECK(compiled.report().replays == 2);
}

/// Gradients of orders 1 and 2 of the square of f(x...).
template <class F>
void check_orders(const F& f, const std::vector<Tensor>& inputs) {
  const GradReport report = gradcheck([&](const Variables& v) { return square(f(v)); }, inputs, {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
}

}  // namespace moving
