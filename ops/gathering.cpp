#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/gathering.hpp>
#include <xgrad/ops/indexing.hpp>
#include <xgrad/ops/moving.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/gather.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::moved, detail::structural;

namespace {

// "(1, 2)": an element's place.
std::string place_of(std::int64_t element, const Shape& shape) {
  std::vector<std::int64_t> place(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    place[static_cast<std::size_t>(axis)] = element % shape[axis];
    element /= shape[axis];
  }
  return to_string(detail::shape_of(place));
}

// What take and take_along_axis have in common: their indices, and each other's adjoints.
struct Taking {
  Call call;
  Tensor index;
  int axis;
  bool along;  // an index for each element
};

Variable taken(const Taking& how, const Variable& x);
Variable added(const Taking& how, const Variable& g, const Shape& shape);

struct Take {
  Taking how;
  Shape from;
  Variable pull(const Variable& g) const { return added(how, g, from); }
  Variable push(const Variable& t) const { return taken(how, t); }
};

struct Add {
  Taking how;
  Variable pull(const Variable& g) const { return taken(how, g); }
  Variable push(const Variable& t, const Shape& to) const { return added(how, t, to); }
};

Variable taken(const Taking& how, const Variable& x) {
  const auto take = how.along ? kernel::take_along : kernel::take;
  return moved(how.call, take(x.value(), how.index, how.axis), x, [&] { return Take{how, x.shape()}; });
}

Variable added(const Taking& how, const Variable& g, const Shape& shape) {
  const auto add = how.along ? kernel::add_along : kernel::add_at;
  const Call adjoint(how.along ? "scatter_add" : "index_add", how.call.where);
  return moved(adjoint, add(nullptr, shape, how.index, g.value(), how.axis), g, [&] { return Add{how}; });
}

}  // namespace

Variable detail::taken(const Call& call, const Variable& x, const Tensor& index, int axis) {
  return xgrad::taken({call, index, axis, false}, x);
}

Variable detail::taken_along(const Call& call, const Variable& x, const Tensor& index, int axis) {
  return xgrad::taken({call, index, axis, true}, x);
}

Tensor detail::require_indices(const Call& call, Operand& indices, const Operand& x, int axis,
                               bool signed_ones) {
  const bool integer = indices.weak() == Operand::Weak::integer;
  const Tensor index = (integer ? indices.as(int64) : indices.variable()).value();
  if (index.dtype() != int64) {
    call.fail<DTypeError>("the indices " + indices.describe() + " are " + name(index.dtype()) + ", not int64",
                          "convert them with astype(int64)");
  }
  // In a replay the operand is gone: what errors say of it is made now.
  const auto check = [call, axis, shape = index.shape(), size = x.shape()[axis], signed_ones, live = &x,
                      described = capturing == nullptr ? std::string() : x.describe(),
                      scope = CapturedScope()](void* const*, const void* const* in) {
    const auto* at = static_cast<const std::int64_t*>(in[0]);
    const std::int64_t low = signed_ones ? -size : 0, n = shape.size();
    bool bad = false;
    for (std::int64_t i = 0; i < n; ++i) bad |= at[i] < low || at[i] >= size;
    for (std::int64_t i = 0; bad; ++i) {
      if (at[i] >= low && at[i] < size) continue;
      scope.enter([&] {
        call.fail<Error>(
            "index " + std::to_string(at[i]) + (shape.rank() == 0 ? "" : " at " + place_of(i, shape)) +
            " is out of range for axis " + std::to_string(axis) + " of " +
            (described.empty() ? live->describe() : described) + ", which has size " + std::to_string(size));
      });
    }
  };
  launch({}, {&index}, check);
  return index;
}

Variable take(Operand x, Operand indices, int axis) {
  const Call call("take", x);
  axis = call.axis(axis, x);
  const Tensor index = detail::require_indices(call, indices, x, axis);
  return detail::taken(call, x.variable(), index, axis);
}

namespace {

// The shape of which `axis` has the size that `from` has there.
Shape with_axis_of(const Shape& shape, const Shape& from, int axis) {
  std::vector<std::int64_t> sizes = detail::sizes_of(shape);
  sizes[static_cast<std::size_t>(axis)] = from[axis];
  return detail::shape_of(sizes);
}

void require_rank(const Call& call, const Operand& x, const Operand& indices) {
  if (x.rank() == indices.rank()) return;
  call.fail<ShapeError>("the numbers of axes differ: " + x.describe() + " and the indices " +
                        indices.describe());
}

}  // namespace

Variable take_along_axis(Operand x, Operand indices, int axis) {
  const Call call("take_along_axis", x);
  axis = call.axis(axis, x);
  require_rank(call, x, indices);
  const auto common = broadcast(with_axis_of(x.shape(), indices.shape(), axis), indices.shape());
  if (!common) {
    call.fail<ShapeError>("the shapes do not broadcast beside axis " + std::to_string(axis) + ": " +
                          x.describe() + " and the indices " + indices.describe());
  }
  Tensor index = detail::require_indices(call, indices, x, axis);
  if (index.shape() != *common) index = kernel::broadcast_to(index, *common);
  const Shape wide = with_axis_of(*common, x.shape(), axis);
  const Variable& v = x.variable();
  return detail::taken_along(call, v.shape() == wide ? v : detail::broadcast_to(v, wide), index, axis);
}

namespace {

// x and updates in the dtype where they meet; bool counts as int64.
DType meeting_dtype(const Call& call, const Operand& x, const Operand& updates) {
  const DType dtype = call.common_dtype({&x, &updates});
  return dtype == bool_ ? int64 : dtype;
}

// The updates in the shape of what the indices name.
Variable stretched(const Call& call, Operand& updates, DType dtype, const Shape& shape, const Operand& x,
                   const Operand& indices) {
  const Variable& u = updates.as(dtype);
  if (u.shape() == shape) return u;
  if (!broadcasts_to(u.shape(), shape)) {
    call.fail<ShapeError>("the updates " + updates.describe() + " do not broadcast to " + to_string(shape) +
                          ", which the indices " + indices.describe() + " name in " + x.describe());
  }
  return detail::broadcast_to(u, shape);
}

}  // namespace

namespace {

// x with the updates added: both gradients are known.
Variable added_to(const Taking& how, const Variable& x, const Variable& updates) {
  const auto add = how.along ? kernel::add_along : kernel::add_at;
  const auto same = [](const Variable& g) { return g; };
  return structural<2>(how.call, add(&x.value(), x.shape(), how.index, updates.value(), how.axis),
                       {&x, &updates}, linear(same, same),
                       linear([how](const Variable& g) { return taken(how, g); },
                              [how, shape = x.shape()](const Variable& t) { return added(how, t, shape); }));
}

}  // namespace

Variable index_add(Operand x, Operand indices, Operand updates, int axis) {
  const Call call("index_add", x);
  const detail::At at(call.where);
  const DType dtype = meeting_dtype(call, x, updates);
  axis = call.axis(axis, x);
  std::vector<std::int64_t> sizes = detail::sizes_of(x.shape());
  sizes.erase(sizes.begin() + axis);
  sizes.insert(sizes.begin() + axis, indices.shape().begin(), indices.shape().end());
  const Variable u = stretched(call, updates, dtype, detail::shape_of(sizes), x, indices);
  const Tensor index = detail::require_indices(call, indices, x, axis);
  return added_to({call, index, axis, false}, x.as(dtype), u);
}

Variable scatter_add(Operand x, Operand indices, Operand updates, int axis) {
  const Call call("scatter_add", x);
  const detail::At at(call.where);
  const DType dtype = meeting_dtype(call, x, updates);
  axis = call.axis(axis, x);
  require_rank(call, x, indices);
  if (with_axis_of(x.shape(), indices.shape(), axis) != indices.shape()) {
    call.fail<ShapeError>("the shapes differ beside axis " + std::to_string(axis) + ": " + x.describe() +
                          " and the indices " + indices.describe());
  }
  const Variable u = stretched(call, updates, dtype, indices.shape(), x, indices);
  const Tensor index = detail::require_indices(call, indices, x, axis);
  return added_to({call, index, axis, true}, x.as(dtype), u);
}

Variable pick(Operand x, Operand labels, int axis) {
  const Call call("pick", x);
  axis = call.axis(axis, x);
  std::vector<std::int64_t> sizes = detail::sizes_of(x.shape());
  sizes.erase(sizes.begin() + axis);
  if (labels.shape() != detail::shape_of(sizes)) {
    call.fail<ShapeError>("the labels " + labels.describe() + " do not have the shape of " + x.describe() +
                          " without axis " + std::to_string(axis));
  }
  if (labels.weak() == Operand::Weak::integer) labels.as(int64);
  const Tensor& index = detail::require_labels(call, labels, x.shape()[axis]);
  sizes.insert(sizes.begin() + axis, 1);
  const Variable lines =
      detail::taken_along(call, x.variable(), index.reshape(detail::shape_of(sizes)), axis);
  return detail::reshaped(call, lines, index.shape());
}

Variable embedding(Operand weights, Operand indices) {
  const Call call("embedding", weights);
  if (weights.rank() != 2) call.fail<ShapeError>("the weights are no matrix: " + weights.describe());
  const Tensor index = detail::require_indices(call, indices, weights, 0, false);
  return detail::taken(call, weights.variable(), index, 0);
}

}  // namespace xgrad
