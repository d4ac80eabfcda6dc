#include <algorithm>
#include <array>
#include <vector>
#include <xgrad/ops/fuse_walk.hpp>

namespace xgrad::kernel::detail {

namespace {

constexpr std::int64_t chunk_elements = 32768;  // fewer than for_rows would give to other threads
static_assert(chunk_elements < parallel_elements);

}  // namespace

Chunks::Chunks(const Shape& shape, std::span<const Shape> inputs) : shape_(shape), inputs_(inputs) {
  if (shape.size() == 0) return;
  axis_ = shape.rank() - 1;
  while (axis_ > 0 && inner_ * shape[axis_] <= chunk_elements) inner_ *= shape[axis_--];
  steps_ = std::clamp<std::int64_t>(chunk_elements / inner_, 1, shape[axis_]);
  cuts_ = (shape[axis_] + steps_ - 1) / steps_;
  count_ = cuts_;
  for (int a = 0; a < axis_; ++a) count_ *= shape[a];
}

void Chunks::run(std::int64_t chunk, void* out, std::size_t element, const void* const* in, Row row,
                 const void* state) const {
  const std::int64_t outer = chunk / cuts_, first = chunk % cuts_ * steps_;
  std::vector<std::int64_t> sizes(shape_.begin() + axis_, shape_.end());
  sizes[0] = std::min(steps_, shape_[axis_] - first);
  const Shape part(sizes);

  std::array<Shape, 8> shapes;
  std::array<Source, 8> sources;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Shape& input = inputs_[i];
    const int missing = shape_.rank() - input.rank();
    std::int64_t offset = 0, stride = 1, rest = outer;
    std::fill(sizes.begin(), sizes.end(), 1);
    for (int a = shape_.rank() - 1; a >= 0; --a) {
      const std::int64_t own = a < missing ? 1 : input[a - missing];
      const std::int64_t index = a > axis_ ? 0 : a == axis_ ? first : rest % shape_[a];
      if (a < axis_) rest /= shape_[a];
      if (own == 1) continue;
      if (a >= axis_) sizes[static_cast<std::size_t>(a - axis_)] = part[a - axis_];
      offset += index * stride;
      stride *= own;
    }
    shapes[i] = Shape(sizes);
    sources[i] = {static_cast<const unsigned char*>(in[i]) + offset * static_cast<std::int64_t>(element),
                  &shapes[i], element};
  }
  const std::int64_t start = (outer * shape_[axis_] + first) * inner_;
  for_rows(part, static_cast<unsigned char*>(out) + start * static_cast<std::int64_t>(element), element,
           sources.data(), static_cast<int>(inputs_.size()), row, state);
}

}  // namespace xgrad::kernel::detail
