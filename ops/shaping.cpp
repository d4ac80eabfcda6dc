#include <algorithm>
#include <numeric>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/moving.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/strided.hpp>

namespace xgrad {

using detail::Call, detail::moved, detail::shape_of, detail::sizes_of;

namespace {

struct Reshape {
  Call call;
  Shape from;
  Variable pull(const Variable& g) const { return detail::reshaped(call, g, from); }
  Variable push(const Variable& t, const Shape& to) const { return detail::reshaped(call, t, to); }
};

}  // namespace

Variable detail::reshaped(const Call& call, const Variable& x, const Shape& shape) {
  if (shape == x.shape()) return x;
  return moved(call, x.value().reshape(shape), x, [&] { return Reshape{call, x.shape()}; });
}

Variable reshape(Operand x, const Shape& shape) {
  const Call call("reshape", x);
  if (shape.size() != x.shape().size()) {
    call.fail<ShapeError>("the number of elements differs: " + x.describe() + " to " + to_string(shape));
  }
  return detail::reshaped(call, x.variable(), shape);
}

Variable reshape(Operand x, std::initializer_list<std::int64_t> sizes) {
  Shape shape;
  x.variable();
  try {
    shape = detail::infer_shape(std::span(sizes.begin(), sizes.size()), x.shape());
  } catch (const ShapeError& error) {
    Call("reshape", x).fail<ShapeError>(error.what());
  }
  return reshape(std::move(x), shape);
}

Variable flatten(Operand x, int start, int end) {
  const Call call("flatten", x);
  if (x.rank() == 0) return detail::reshaped(call, x.variable(), {1});
  const int first = call.axis(start, x), last = call.axis(end, x);
  if (last < first) {
    call.fail<ShapeError>("axis " + std::to_string(end) + " lies before axis " + std::to_string(start) +
                          " of " + x.describe());
  }
  std::vector<std::int64_t> sizes = sizes_of(x.shape());
  const auto from = sizes.begin() + first, to = sizes.begin() + last + 1;
  *from = std::accumulate(from, to, std::int64_t{1}, std::multiplies<>());
  sizes.erase(from + 1, to);
  return detail::reshaped(call, x.variable(), shape_of(sizes));
}

Variable expand_dims(Operand x, const Axes& axes) {
  const Call call("expand_dims", x);
  if (axes.all()) call.fail<ShapeError>("no axes are named");
  const int rank = x.rank() + static_cast<int>(axes.list().size());
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(rank), -1);
  for (int axis : axes.list()) {
    if (axis < -rank || axis >= rank) {
      call.fail<ShapeError>("axis " + std::to_string(axis) + " is out of range for a result of " +
                            std::to_string(rank) + (rank == 1 ? " axis" : " axes"));
    }
    std::int64_t& size = sizes[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
    if (size == 1) call.fail<ShapeError>("axis " + std::to_string(axis) + " is named twice");
    size = 1;
  }
  auto next = x.shape().begin();
  for (std::int64_t& size : sizes) size = size == 1 ? 1 : *next++;
  return detail::reshaped(call, x.variable(), shape_of(sizes));
}

Variable squeeze(Operand x, const Axes& axes) {
  const Call call("squeeze", x);
  std::vector<std::int64_t> sizes = sizes_of(x.shape());
  for (std::int64_t& size : sizes) size = axes.all() && size == 1 ? -1 : size;
  for (int axis : axes.list()) {
    const int a = call.axis(axis, x);
    std::int64_t& size = sizes[static_cast<std::size_t>(a)];
    if (size == -1) call.fail<ShapeError>("axis " + std::to_string(axis) + " is named twice");
    if (size != 1) {
      call.fail<ShapeError>("axis " + std::to_string(axis) + " of " + x.describe() + " has size " +
                            std::to_string(size) + ", not 1");
    }
    size = -1;
  }
  sizes.erase(std::remove(sizes.begin(), sizes.end(), -1), sizes.end());
  return detail::reshaped(call, x.variable(), shape_of(sizes));
}

namespace {

// `order` is a permutation of the axes of x.
Variable permuted(const Call& call, const Variable& x, std::vector<int> order);

struct Permutation {
  Call call;
  std::vector<int> order;
  Variable pull(const Variable& g) const {
    std::vector<int> inverse(order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      inverse[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
    return permuted(call, g, std::move(inverse));
  }
  Variable push(const Variable& t) const { return permuted(call, t, order); }
};

Variable permuted(const Call& call, const Variable& x, std::vector<int> order) {
  return moved(call, kernel::permute(x.value(), order), x, [&] {
    return Permutation{call, std::move(order)};
  });
}

std::vector<int> axes_of(int rank) {
  std::vector<int> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::string list_of(const std::vector<int>& numbers) {
  std::string list;
  for (int number : numbers) list += (list.empty() ? "{" : ", ") + std::to_string(number);
  return list.empty() ? "{}" : list + "}";
}

Variable reordered(const Call& call, Operand& x, const std::vector<int>& order) {
  std::vector<int> axes;
  for (int axis : order) axes.push_back(call.axis(axis, x));
  std::vector<int> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != axes_of(x.rank())) {
    call.fail<ShapeError>(list_of(order) + " is no order of the axes of " + x.describe());
  }
  return permuted(call, x.variable(), std::move(axes));
}

Variable exchanged(const Call& call, const Variable& x, int first, int second) {
  std::vector<int> order = axes_of(x.rank());
  std::swap(order[static_cast<std::size_t>(first)], order[static_cast<std::size_t>(second)]);
  return permuted(call, x, std::move(order));
}

}  // namespace

Variable transpose(Operand x) {
  const Call call("transpose", x);
  std::vector<int> order = axes_of(x.rank());
  std::reverse(order.begin(), order.end());
  return permuted(call, x.variable(), std::move(order));
}

Variable transpose(Operand x, const std::vector<int>& order) {
  return reordered(Call("transpose", x), x, order);
}

Variable permute_dims(Operand x, const std::vector<int>& order) {
  return reordered(Call("permute_dims", x), x, order);
}

Variable matrix_transpose(Operand x) {
  const Call call("matrix_transpose", x);
  if (x.rank() < 2) call.fail<ShapeError>("there are fewer than two axes: " + x.describe());
  return exchanged(call, x.variable(), x.rank() - 2, x.rank() - 1);
}

Variable swapaxes(Operand x, int first, int second) {
  const Call call("swapaxes", x);
  return exchanged(call, x.variable(), call.axis(first, x), call.axis(second, x));
}

Variable moveaxis(Operand x, int source, int destination) {
  return moveaxis(std::move(x), std::vector{source}, std::vector{destination});
}

Variable moveaxis(Operand x, const std::vector<int>& source, const std::vector<int>& destination) {
  const Call call("moveaxis", x);
  if (source.size() != destination.size()) {
    call.fail<ShapeError>(list_of(source) + " and " + list_of(destination) + " differ in length");
  }
  std::vector<int> order(static_cast<std::size_t>(x.rank()), -1), rest = axes_of(x.rank());
  for (std::size_t i = 0; i < source.size(); ++i) {
    const int from = call.axis(source[i], x);
    int& place = order[static_cast<std::size_t>(call.axis(destination[i], x))];
    const auto left = std::find(rest.begin(), rest.end(), from);
    if (left == rest.end() || place >= 0) {
      call.fail<ShapeError>("an axis is named twice: " + list_of(source) + " to " + list_of(destination));
    }
    rest.erase(left);
    place = from;
  }
  auto next = rest.begin();
  for (int& place : order) place = place < 0 ? *next++ : place;
  return permuted(call, x.variable(), std::move(order));
}

Variable broadcast_to(Operand x, const Shape& shape) {
  const Call call("broadcast_to", x);
  const detail::At at(call.where);
  if (!broadcasts_to(x.shape(), shape)) {
    call.fail<ShapeError>(x.describe() + " does not broadcast to " + to_string(shape));
  }
  return detail::broadcast_to(x.variable(), shape);
}

}  // namespace xgrad
