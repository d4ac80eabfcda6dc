#include <numeric>
#include <xgrad/autograd/linear.hpp>
#include <xgrad/ops/gathering.hpp>
#include <xgrad/ops/moving.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/strided.hpp>

namespace xgrad {

using detail::Call, detail::moved, detail::shape_of, detail::sizes_of;
using Sizes = std::vector<std::int64_t>;

namespace {

struct Spread {
  Call call;
  Shape from, narrow, wide;
  Variable pull(const Variable& g) const { return reshape(detail::sum_to(reshape(g, wide), narrow), from); }
  Variable push(const Variable& t, const Shape& to) const {
    return detail::spread(call, t, narrow, wide, to);
  }
};

}  // namespace

Variable detail::spread(const Call& call, const Variable& x, const Shape& narrow, const Shape& wide,
                        const Shape& result) {
  Tensor value = kernel::broadcast_to(x.value().reshape(narrow), wide).reshape(result);
  return moved(call, std::move(value), x, [&] { return Spread{call, x.shape(), narrow, wide}; });
}

Variable tile(Operand x, const std::vector<std::int64_t>& times) {
  const Call call("tile", x);
  Sizes sizes = sizes_of(x.shape()), counts = times;
  for (std::int64_t count : counts) {
    if (count < 0) call.fail<ShapeError>("the number of copies is negative: " + std::to_string(count));
  }
  const std::size_t rank = std::max(sizes.size(), counts.size());
  sizes.insert(sizes.begin(), rank - sizes.size(), 1);
  counts.insert(counts.begin(), rank - counts.size(), 1);
  // (a, b) tiled (m, n) times is (1, a, 1, b) broadcast to (m, a, n, b).
  Sizes narrow, wide, result;
  for (std::size_t i = 0; i < rank; ++i) {
    if (counts[i] != 1) narrow.push_back(1), wide.push_back(counts[i]);
    narrow.push_back(sizes[i]), wide.push_back(sizes[i]);
    result.push_back(counts[i] * sizes[i]);
  }
  return detail::spread(call, x.variable(), shape_of(narrow), shape_of(wide), shape_of(result));
}

namespace {

// x and the axis along which it is repeated.
std::pair<Variable, int> along(const Call& call, Operand& x, std::optional<int> axis) {
  if (axis) {
    const int a = call.axis(*axis, x);
    return {x.variable(), a};
  }
  return {detail::reshaped(call, x.variable(), {x.shape().size()}), 0};
}

void require_count(const Call& call, std::int64_t times) {
  if (times < 0) call.fail<ShapeError>("the number of copies is negative: " + std::to_string(times));
}

}  // namespace

Variable repeat(Operand x, std::int64_t times, std::optional<int> axis) {
  const Call call("repeat", x);
  require_count(call, times);
  const auto [v, a] = along(call, x, axis);
  Sizes narrow = sizes_of(v.shape()), result = narrow;
  narrow.insert(narrow.begin() + a + 1, 1);
  Sizes wide = narrow;
  wide[static_cast<std::size_t>(a) + 1] = times;
  result[static_cast<std::size_t>(a)] *= times;
  return detail::spread(call, v, shape_of(narrow), shape_of(wide), shape_of(result));
}

Variable repeat(Operand x, const std::vector<std::int64_t>& times, std::optional<int> axis) {
  const Call call("repeat", x);
  for (std::int64_t count : times) require_count(call, count);
  const auto [v, a] = along(call, x, axis);
  const std::int64_t size = v.shape()[a];
  if (static_cast<std::int64_t>(times.size()) != size) {
    call.fail<ShapeError>(std::to_string(times.size()) + " numbers of copies for the " +
                          std::to_string(size) + " places of axis " + std::to_string(a) + " of " +
                          Operand(v).describe());
  }
  Sizes places;
  for (std::int64_t i = 0; i < size; ++i) places.insert(places.end(), times[static_cast<std::size_t>(i)], i);
  return detail::taken(call, v, Tensor({static_cast<std::int64_t>(places.size())}, places), a);
}

std::vector<Variable> meshgrid(const std::vector<Variable>& parts, Indexing indexing,
                               std::source_location where) {
  const Call call("meshgrid", where);
  std::vector<int> axes(parts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (indexing == Indexing::xy && parts.size() > 1) std::swap(axes[0], axes[1]);
  Sizes sizes(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].rank() > 1) {
      call.fail<ShapeError>("part " + std::to_string(i) + " is no vector: " + Operand(parts[i]).describe());
    }
    sizes[static_cast<std::size_t>(axes[i])] = parts[i].size();
  }
  std::vector<Variable> grids;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Sizes narrow(parts.size(), 1);
    narrow[static_cast<std::size_t>(axes[i])] = parts[i].size();
    grids.push_back(detail::spread(call, parts[i], shape_of(narrow), shape_of(sizes), shape_of(sizes)));
  }
  return grids;
}

}  // namespace xgrad
