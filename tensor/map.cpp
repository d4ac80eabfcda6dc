#include <array>
#include <vector>
#include <xgrad/tensor/map.hpp>

namespace xgrad::kernel {
namespace {

constexpr int max_sources = 8;

// One axis of the collapsed loop nest.
struct Axis {
  std::int64_t size;
  std::array<std::int64_t, max_sources> strides;  // in elements, 0 where a source is broadcast
};

// The result's axes without those of size 1, neighbours merged where every source walks them as one.
std::vector<Axis> collapse(const Shape& shape, const Source* sources, int count) {
  std::vector<Axis> axes;
  std::array<std::int64_t, max_sources> stride;
  stride.fill(1);
  for (int back = 1; back <= shape.rank(); ++back) {  // from the last axis
    Axis axis{shape[shape.rank() - back], {}};
    for (int s = 0; s < count; ++s) {
      const Shape& source = *sources[s].shape;
      const std::int64_t size = back <= source.rank() ? source[source.rank() - back] : 1;
      const auto i = static_cast<std::size_t>(s);
      axis.strides[i] = size == 1 ? 0 : stride[i];
      stride[i] *= size;
    }
    if (axis.size == 1) continue;
    if (!axes.empty()) {
      Axis& inner = axes.back();
      bool merges = true;
      for (std::size_t s = 0; s < static_cast<std::size_t>(count); ++s) {
        merges = merges && axis.strides[s] == inner.strides[s] * inner.size;
      }
      if (merges) {
        inner.size *= axis.size;
        continue;
      }
    }
    axes.push_back(axis);
  }
  return axes;  // innermost first
}

}  // namespace

void for_rows(const Shape& shape, void* out, std::size_t element, const Source* sources, int count, Row row,
              const void* f) {
  const std::vector<Axis> axes = collapse(shape, sources, count);
  const std::int64_t n = axes.empty() ? 1 : axes[0].size;
  bool advances[max_sources];
  const void* in[max_sources];
  for (int s = 0; s < count; ++s) {
    in[s] = sources[s].data;
    advances[s] = !axes.empty() && axes[0].strides[static_cast<std::size_t>(s)] != 0;
  }
  std::vector<std::int64_t> index(axes.size(), 0);
  auto* target = static_cast<char*>(out);
  for (;;) {
    row(f, target, in, advances, n);
    target += static_cast<std::size_t>(n) * element;
    std::size_t a = 1;
    for (; a < axes.size(); ++a) {  // an odometer over the outer axes
      const bool wraps = ++index[a] == axes[a].size;
      const std::int64_t moves = wraps ? 1 - axes[a].size : 1;
      for (int s = 0; s < count; ++s) {
        const auto bytes = static_cast<std::int64_t>(sources[s].element);
        in[s] =
            static_cast<const char*>(in[s]) + moves * axes[a].strides[static_cast<std::size_t>(s)] * bytes;
      }
      if (!wraps) break;
      index[a] = 0;
    }
    if (a >= axes.size()) return;
  }
}

}  // namespace xgrad::kernel
