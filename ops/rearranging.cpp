#include <algorithm>
#include <xgrad/ops/moving.hpp>
#include <xgrad/ops/rearranging.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/gather.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::moved;
using kernel::Picked;

namespace {

using Runs = std::vector<Picked>;

// Runs of places along an axis, and the adjoint, are each other's pullbacks.
Variable ran(const Call& call, const Variable& x, const Runs& runs, int axis);

Variable ran_back(const Call& call, const Variable& x, const Shape& shape, const Runs& runs, int axis) {
  return moved(call, kernel::add_runs(x.value(), shape, runs, axis), x, [&] {
    return linear([=](const Variable& g) { return ran(call, g, runs, axis); },
                  [=](const Variable& t) { return ran_back(call, t, shape, runs, axis); });
  });
}

Variable ran(const Call& call, const Variable& x, const Runs& runs, int axis) {
  return moved(call, kernel::runs(x.value(), runs, axis), x, [&] {
    return linear([=, shape = x.shape()](const Variable& g) { return ran_back(call, g, shape, runs, axis); },
                  [=](const Variable& t) { return ran(call, t, runs, axis); });
  });
}

Variable flipped(const Call& call, const Variable& x, const std::vector<bool>& axes) {
  std::vector<Picked> places = detail::all_places(x.shape());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i]) places[i] = {places[i].count - 1, -1, places[i].count};
  }
  // The last axis alone is one run, which moves several elements at a time.
  const bool last = !axes.empty() && axes.back() && std::count(axes.begin(), axes.end(), true) == 1;
  Tensor value =
      last ? kernel::runs(x.value(), {&places.back(), 1}, x.rank() - 1) : kernel::slice(x.value(), places);
  return moved(call, std::move(value), x, [&] {
    const auto map = [=](const Variable& t) { return flipped(call, t, axes); };
    return linear(map, map);
  });
}

}  // namespace

Variable flip(Operand x, const Axes& axes) {
  const Call call("flip", x);
  std::vector<bool> chosen(static_cast<std::size_t>(x.rank()), axes.all());
  for (int axis : axes.list()) {
    const auto a = static_cast<std::size_t>(call.axis(axis, x));
    if (chosen[a]) call.fail<ShapeError>("axis " + std::to_string(axis) + " is named twice");
    chosen[a] = true;
  }
  return flipped(call, x.variable(), chosen);
}

namespace {

Variable rolled(const Call& call, const Variable& x, std::int64_t shift, int axis) {
  const std::int64_t size = x.shape()[axis];
  if (size == 0) return x;
  const std::int64_t back = (size - shift % size) % size;  // where the result begins
  const Runs runs{{back, 1, size - back}, {0, 1, back}};
  return moved(call, kernel::runs(x.value(), runs, axis), x, [&] {
    return linear([=](const Variable& g) { return rolled(call, g, back, axis); },
                  [=](const Variable& t) { return rolled(call, t, size - back, axis); });
  });
}

}  // namespace

Variable roll(Operand x, std::int64_t shift) {
  const Call call("roll", x);
  const Variable flat = detail::reshaped(call, x.variable(), {x.shape().size()});
  return detail::reshaped(call, rolled(call, flat, shift, 0), x.shape());
}

Variable roll(Operand x, std::int64_t shift, int axis) {
  return roll(std::move(x), std::vector{shift}, std::vector{axis});
}

Variable roll(Operand x, const std::vector<std::int64_t>& shifts, const std::vector<int>& axes) {
  const Call call("roll", x);
  if (shifts.size() != axes.size()) {
    call.fail<ShapeError>(std::to_string(shifts.size()) + " shifts for " + std::to_string(axes.size()) +
                          " axes of " + x.describe());
  }
  std::vector<int> resolved;
  for (int axis : axes) resolved.push_back(call.axis(axis, x));
  Variable v = x.variable();
  for (std::size_t i = 0; i < axes.size(); ++i) v = rolled(call, v, shifts[i], resolved[i]);
  return v;
}

namespace {

// The place of an axis of `size` that stands for place i, which may lie outside.
std::int64_t source(PadMode mode, std::int64_t i, std::int64_t size) {
  if (mode == PadMode::edge) return std::clamp<std::int64_t>(i, 0, size - 1);
  const std::int64_t period = mode == PadMode::wrap ? size : std::max<std::int64_t>(2 * (size - 1), 1);
  const std::int64_t place = (i % period + period) % period;
  return place < size ? place : period - place;
}

Variable padded(const Call& call, const Variable& x, const std::vector<std::int64_t>& before,
                const Shape& shape, double value);

struct Padding {
  Call call;
  std::vector<std::int64_t> before;
  Shape from;
  Variable pull(const Variable& g) const {
    std::vector<Picked> places = detail::all_places(from);
    for (std::size_t i = 0; i < before.size(); ++i) places[i].first = before[i];
    return detail::picked(call, g, std::move(places), from);
  }
  Variable push(const Variable& t, const Shape& to) const { return padded(call, t, before, to, 0); }
};

Variable padded(const Call& call, const Variable& x, const std::vector<std::int64_t>& before,
                const Shape& shape, double value) {
  return moved(call, kernel::pad(x.value(), shape, before, value), x, [&] {
    return Padding{call, before, x.shape()};
  });
}

Variable extended(const Call& call, Variable x, const std::vector<PadWidth>& widths, PadMode mode) {
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto [before, after] = widths[static_cast<std::size_t>(axis)];
    if (before == 0 && after == 0) continue;
    const std::int64_t size = x.shape()[axis];
    const auto outside = [mode = mode, size](std::int64_t first, std::int64_t count) {
      std::vector<std::int64_t> places;
      for (std::int64_t i = first; i < first + count; ++i) places.push_back(source(mode, i, size));
      return kernel::runs_of(places);
    };
    Runs runs = outside(-before, before);
    runs.push_back({0, 1, size});
    const Runs behind = outside(size, after);
    runs.insert(runs.end(), behind.begin(), behind.end());
    x = ran(call, x, runs, axis);
  }
  return x;
}

Variable padded(const Call& call, Operand& x, const std::vector<PadWidth>& widths, PadMode mode,
                double value) {
  std::vector<std::int64_t> before, sizes;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const PadWidth& width = widths[static_cast<std::size_t>(axis)];
    if (width.before < 0 || width.after < 0) {
      call.fail<ShapeError>("the widths of axis " + std::to_string(axis) + " are negative: " +
                                std::to_string(width.before) + " and " + std::to_string(width.after),
                            "slice takes places away");
    }
    if (mode != PadMode::constant && x.shape()[axis] == 0 && width.before + width.after > 0) {
      call.fail<ShapeError>("axis " + std::to_string(axis) + " of " + x.describe() +
                            " has no places to extend it from");
    }
    before.push_back(width.before);
    sizes.push_back(width.before + x.shape()[axis] + width.after);
  }
  if (mode != PadMode::constant) return extended(call, x.variable(), widths, mode);
  return padded(call, x.variable(), before, detail::shape_of(sizes), value);
}

}  // namespace

Variable pad(Operand x, const std::vector<PadWidth>& widths, PadMode mode, double value) {
  const Call call("pad", x);
  if (widths.size() != static_cast<std::size_t>(x.rank())) {
    call.fail<ShapeError>(std::to_string(widths.size()) + " widths for " + x.describe());
  }
  return padded(call, x, widths, mode, value);
}

Variable pad(Operand x, std::int64_t width, PadMode mode, double value) {
  const Call call("pad", x);
  return padded(call, x, std::vector<PadWidth>(static_cast<std::size_t>(x.rank()), {width, width}), mode,
                value);
}

}  // namespace xgrad
