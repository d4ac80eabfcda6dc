#include <algorithm>
#include <limits>
#include <xgrad/ops/moving.hpp>
#include <xgrad/ops/slicing.hpp>

namespace xgrad {

using detail::Call, detail::moved;
using kernel::Picked;

Picked detail::resolve(const Range& range, std::int64_t size) {
  const bool forward = range.step > 0;
  const auto bound = [&](std::optional<std::int64_t> value, std::int64_t otherwise) {
    if (!value) return otherwise;
    const std::int64_t from_start = *value < 0 ? *value + size : *value;
    return std::clamp<std::int64_t>(from_start, forward ? 0 : -1, forward ? size : size - 1);
  };
  const std::int64_t first = bound(range.start, forward ? 0 : size - 1),
                     stop = bound(range.stop, forward ? size : -1);
  const std::int64_t distance = forward ? stop - first : first - stop,
                     step = forward ? range.step
                                    : -std::max(range.step, -std::numeric_limits<std::int64_t>::max());
  return {first, range.step, distance <= 0 ? 0 : (distance - 1) / step + 1};
}

std::vector<Picked> detail::all_places(const Shape& shape) {
  std::vector<Picked> places;
  places.reserve(static_cast<std::size_t>(shape.rank()));
  for (std::int64_t size : shape) places.push_back({0, 1, size});
  return places;
}

namespace {

Shape shape_of(const std::vector<Picked>& places) {
  std::int64_t sizes[64];
  for (std::size_t i = 0; i < places.size(); ++i) sizes[i] = places[i].count;
  return Shape(std::span<const std::int64_t>(sizes, places.size()));
}

void require_step(const Call& call, const Range& range, int axis) {
  if (range.step == 0) call.fail<ShapeError>("the step of axis " + std::to_string(axis) + " is 0");
}

}  // namespace

namespace {

struct Part {
  Call call;
  std::vector<Picked> places;
  Shape from;
  Variable pull(const Variable& g) const { return detail::placed(call, g, from, places); }
  Variable push(const Variable& t, const Shape& to) const { return detail::picked(call, t, places, to); }
};

struct Placing {
  Call call;
  std::vector<Picked> places;
  Shape from;
  Variable pull(const Variable& g) const { return detail::picked(call, g, places, from); }
  Variable push(const Variable& t, const Shape& to) const { return detail::placed(call, t, to, places); }
};

}  // namespace

Variable detail::picked(const Call& call, const Variable& x, std::vector<Picked> places,
                        const Shape& result) {
  Tensor value = kernel::slice(x.value(), places);
  if (value.shape() != result) value = value.reshape(result);
  return moved(call, std::move(value), x, [&] { return Part{call, std::move(places), x.shape()}; });
}

Variable detail::placed(const Call& call, const Variable& x, const Shape& shape, std::vector<Picked> places) {
  Tensor value = kernel::unslice(x.value().reshape(shape_of(places)), shape, places);
  return moved(Call("unslice", call.where), std::move(value), x, [&] {
    return Placing{call, std::move(places), x.shape()};
  });
}

Variable detail::part(const Call& call, const Variable& x, int axis, std::int64_t start, std::int64_t stop,
                      bool drop) {
  std::vector<Picked> places = all_places(x.shape());
  places[static_cast<std::size_t>(axis)] = {start, 1, stop - start};
  std::vector<std::int64_t> sizes(x.shape().begin(), x.shape().end());
  if (drop) {
    sizes.erase(sizes.begin() + axis);
  } else {
    sizes[static_cast<std::size_t>(axis)] = stop - start;
  }
  return picked(call, x, std::move(places), Shape(std::span<const std::int64_t>(sizes)));
}

Variable slice(Operand x, const std::vector<Range>& ranges) {
  const Call call("slice", x);
  if (ranges.size() > static_cast<std::size_t>(x.rank())) {
    call.fail<ShapeError>(std::to_string(ranges.size()) + " ranges for " + x.describe());
  }
  std::vector<Picked> places = detail::all_places(x.shape());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    require_step(call, ranges[i], static_cast<int>(i));
    places[i] = detail::resolve(ranges[i], x.shape()[static_cast<int>(i)]);
  }
  const Shape result = shape_of(places);
  return detail::picked(call, x.variable(), std::move(places), result);
}

Variable slice(Operand x, int axis, Range range) {
  const Call call("slice", x);
  axis = call.axis(axis, x);
  require_step(call, range, axis);
  std::vector<Picked> places = detail::all_places(x.shape());
  places[static_cast<std::size_t>(axis)] = detail::resolve(range, x.shape()[axis]);
  const Shape result = shape_of(places);
  return detail::picked(call, x.variable(), std::move(places), result);
}

Variable view(Operand x, std::initializer_list<Index> indices) {
  const Call call("view", x);
  using enum Index::Kind;
  const auto count = [&](Index::Kind kind) {
    return std::count_if(indices.begin(), indices.end(), [&](const Index& i) { return i.kind() == kind; });
  };
  const std::int64_t named = count(place) + count(Index::Kind::range);
  if (count(ellipsis) > 1) call.fail<ShapeError>("there is more than one ellipsis");
  if (named > x.rank()) {
    call.fail<ShapeError>(std::to_string(named) + " indices for " + x.describe() + ", which has " +
                          std::to_string(x.rank()) + (x.rank() == 1 ? " axis" : " axes"));
  }
  std::vector<Picked> places = detail::all_places(x.shape());
  std::vector<std::int64_t> sizes;
  int axis = 0;
  const auto keep = [&](int end) {
    for (; axis < end; ++axis) sizes.push_back(x.shape()[axis]);
  };
  for (const Index& index : indices) {
    if (index.kind() == newaxis) sizes.push_back(1);
    if (index.kind() == ellipsis) keep(axis + x.rank() - static_cast<int>(named));
    if (index.kind() == newaxis || index.kind() == ellipsis) continue;
    const std::int64_t size = x.shape()[axis];
    Picked& picked = places[static_cast<std::size_t>(axis)];
    if (index.kind() == place) {
      if (index.place() < -size || index.place() >= size) {
        call.fail<ShapeError>("index " + std::to_string(index.place()) + " is out of range for axis " +
                              std::to_string(axis) + " of " + x.describe() + ", which has size " +
                              std::to_string(size));
      }
      picked = {index.place() < 0 ? index.place() + size : index.place(), 1, 1};
    } else {
      require_step(call, index.range(), axis);
      picked = detail::resolve(index.range(), size);
      sizes.push_back(picked.count);
    }
    ++axis;
  }
  keep(x.rank());
  return detail::picked(call, x.variable(), std::move(places), Shape(std::span<const std::int64_t>(sizes)));
}

}  // namespace xgrad
