#include <algorithm>
#include <span>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>

namespace xgrad {

using detail::Call;

namespace {

// Any number of inputs: each gets its own part of the cotangent, in its own shape.
struct JoinPullback final : detail::Pullback {
  Call call;
  int axis;
  bool stacked;  // along an axis that the parts do not have
  std::vector<std::int64_t> starts;
  JoinPullback(const Call& c, int a, bool is_new, std::vector<std::int64_t> s)
      : call(c), axis(a), stacked(is_new), starts(std::move(s)) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    const Call slice("slice", call.where);
    return detail::part(slice, g, axis, starts[k], starts[k + 1], stacked);
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape& output) const override {
    std::vector<kernel::Picked> places = detail::all_places(output);
    places[static_cast<std::size_t>(axis)] = {starts[k], 1, starts[k + 1] - starts[k]};
    return detail::placed(call, t, output, places);
  }
};

std::string list_of(const std::vector<Variable>& parts) {
  std::string text;
  for (const Variable& part : parts) text += (text.empty() ? "" : ", ") + Operand(part).describe();
  return text;
}

void require_dtypes(const Call& call, const std::vector<Variable>& parts) {
  for (const Variable& part : parts) {
    if (part.dtype() == parts[0].dtype()) continue;
    call.fail<DTypeError>(std::string("dtypes differ: ") + Operand(parts[0]).describe() + " is " +
                          name(parts[0].dtype()) + ", " + Operand(part).describe() + " is " +
                          name(part.dtype()));
  }
}

// The parts' values, each as it stands in the result, one after the other.
Variable joined(const Call& call, const std::vector<Variable>& parts, const std::vector<Tensor>& values,
                int axis, bool stacked) {
  bool any = false;
  for (const Variable& part : parts) any |= detail::tracked(part, &call);
  Tensor value = kernel::concat(values, axis);
  if (!any) return Variable(std::move(value));
  std::vector<std::int64_t> starts{0};
  std::vector<const Variable*> inputs;
  starts.reserve(parts.size() + 1);
  inputs.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    starts.push_back(starts.back() + values[i].shape()[axis]);
    inputs.push_back(&parts[i]);
  }
  Variable y(std::move(value), detail::next_place);
  detail::record<JoinPullback>(call.op, call.where, y, inputs, call, axis, stacked, std::move(starts));
  return y;
}

}  // namespace

Variable concat(const std::vector<Variable>& parts, int axis, std::source_location where) {
  const Call call("concat", where);
  if (parts.empty()) call.fail<ShapeError>("there are no parts");
  axis = call.axis(axis, Operand(parts[0]));
  std::vector<Tensor> values;
  values.reserve(parts.size());
  for (const Variable& part : parts) {
    bool fits = part.rank() == parts[0].rank();
    for (int i = 0; fits && i < part.rank(); ++i) fits = i == axis || part.shape()[i] == parts[0].shape()[i];
    if (!fits)
      call.fail<ShapeError>("the parts differ beside axis " + std::to_string(axis) + ": " + list_of(parts));
    values.push_back(part.value());
  }
  require_dtypes(call, parts);
  return joined(call, parts, values, axis, false);
}

Variable stack(const std::vector<Variable>& parts, int axis, std::source_location where) {
  const Call call("stack", where);
  if (parts.empty()) call.fail<ShapeError>("there are no parts");
  const int rank = parts[0].rank() + 1;
  if (axis < -rank || axis >= rank) {
    call.fail<ShapeError>("axis " + std::to_string(axis) + " is out of range for a result of " +
                          std::to_string(rank) + (rank == 1 ? " axis" : " axes"));
  }
  axis = axis < 0 ? axis + rank : axis;
  std::vector<std::int64_t> sizes = detail::sizes_of(parts[0].shape());
  sizes.insert(sizes.begin() + axis, 1);
  const Shape expanded = detail::shape_of(sizes);
  std::vector<Tensor> values;
  values.reserve(parts.size());
  for (const Variable& part : parts) {
    if (part.shape() != parts[0].shape())
      call.fail<ShapeError>("the shapes of the parts differ: " + list_of(parts));
    values.push_back(part.value().reshape(expanded));
  }
  require_dtypes(call, parts);
  return joined(call, parts, values, axis, true);
}

namespace {

// Adds the parts of x between neighbouring bounds, which cover the axis. The pullback of a part is as large as
// what it was cut from: many parts are cut from halves of halves, or the reverse pass of n parts would take n
// times x and not log2(n) times.
void cut(const Call& call, const Variable& x, int axis, std::span<const std::int64_t> bounds, bool drop,
         std::vector<Variable>& parts) {
  constexpr std::size_t few = 8;
  const std::size_t count = bounds.size() - 1;
  if (count > few && detail::tracked(x, &call)) {
    const std::size_t half = count / 2;
    for (const auto side : {bounds.first(half + 1), bounds.subspan(half)}) {
      const std::int64_t start = side.front() - bounds.front(), stop = side.back() - bounds.front();
      cut(call, detail::part(call, x, axis, start, stop), axis, side, drop, parts);
    }
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t start = bounds[i] - bounds.front(), stop = bounds[i + 1] - bounds.front();
    parts.push_back(detail::part(call, x, axis, start, stop, drop));
  }
}

std::vector<Variable> equal_parts(const Call& call, const Variable& x, int axis, std::int64_t count,
                                  bool drop) {
  std::vector<std::int64_t> bounds;
  for (std::int64_t i = 0; i <= count; ++i)
    bounds.push_back(i * (x.shape()[axis] / std::max<std::int64_t>(count, 1)));
  std::vector<Variable> parts;
  parts.reserve(static_cast<std::size_t>(count));
  cut(call, x, axis, bounds, drop, parts);
  return parts;
}

}  // namespace

std::vector<Variable> split(Operand x, std::int64_t count, int axis) {
  const Call call("split", x);
  axis = call.axis(axis, x);
  const std::int64_t size = x.shape()[axis];
  if (count < 1) call.fail<ShapeError>("the number of parts is not positive: " + std::to_string(count));
  if (size % count != 0) {
    call.fail<ShapeError>("axis " + std::to_string(axis) + " of " + x.describe() + " has size " +
                              std::to_string(size) + ", which is no multiple of " + std::to_string(count),
                          "name the places instead: split(x, {...})");
  }
  return equal_parts(call, x.variable(), axis, count, false);
}

std::vector<Variable> split(Operand x, std::initializer_list<std::int64_t> places, int axis) {
  return split(std::move(x), std::vector(places), axis);
}

std::vector<Variable> split(Operand x, const std::vector<std::int64_t>& places, int axis) {
  const Call call("split", x);
  axis = call.axis(axis, x);
  std::vector<Variable> parts;
  std::optional<std::int64_t> start;
  for (std::size_t i = 0; i <= places.size(); ++i) {
    const auto stop = i < places.size() ? std::optional(places[i]) : std::nullopt;
    const kernel::Picked range = detail::resolve({start, stop, 1}, x.shape()[axis]);
    parts.push_back(detail::part(call, x.variable(), axis, range.first, range.first + range.count));
    start = stop;
  }
  return parts;
}

std::vector<Variable> unstack(Operand x, int axis) {
  const Call call("unstack", x);
  axis = call.axis(axis, x);
  return equal_parts(call, x.variable(), axis, x.shape()[axis], true);
}

}  // namespace xgrad
