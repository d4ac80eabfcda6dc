#include <cstring>
#include <xgrad/tensor/around.hpp>
#include <xgrad/tensor/copy.hpp>
#include <xgrad/tensor/strided.hpp>
#include <xgrad/tensor/triangle.hpp>

namespace xgrad::kernel {
namespace {

// The diagonal of an array, as a strided one: its shape, the steps and where it begins.
struct Line {
  Shape shape;
  std::vector<std::int64_t> strides;
  std::int64_t begin = 0;

  Line(const Shape& from, std::int64_t offset, int first, int second) {
    std::vector<std::int64_t> sizes;
    const std::int64_t length = diagonal_size(from, offset, first, second);
    if (length == 0) offset = 0;  // it may be too large to multiply
    std::int64_t stride = 1, along = 0;
    for (int axis = from.rank() - 1; axis >= 0; --axis) {
      if (axis == first || axis == second) {
        along += stride;
        if (axis == first && offset < 0) begin -= offset * stride;
        if (axis == second && offset > 0) begin += offset * stride;
      } else {
        sizes.insert(sizes.begin(), from[axis]);
        strides.insert(strides.begin(), stride);
      }
      stride *= from[axis];
    }
    sizes.push_back(length);
    strides.push_back(along);
    shape = Shape(std::span<const std::int64_t>(sizes));
  }
};

}  // namespace

std::int64_t diagonal_size(const Shape& shape, std::int64_t offset, int first, int second) {
  const std::int64_t rows = shape[first], columns = shape[second];
  if (offset <= -rows || offset >= columns) return 0;
  return offset < 0 ? std::min(rows + offset, columns) : std::min(rows, columns - offset);
}

Tensor diagonal(const Tensor& x, std::int64_t offset, int first, int second) {
  const Line line(x.shape(), offset, first, second);
  const Tensor result(line.shape, x.dtype());
  if (result.size() == 0) return result;
  const auto run = [line, size = size_of(x.dtype())](void* const* out, const void* const* in) {
    gather(out[0], static_cast<const char*>(in[0]) + static_cast<std::size_t>(line.begin) * size, size,
           line.shape, line.strides);
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

Tensor on_diagonal(const Tensor& x, const Shape& shape, std::int64_t offset, int first, int second) {
  if (x.size() == 0) return zeros(shape, x.dtype());
  const Tensor result(shape, x.dtype());
  const auto run = [line = Line(shape, offset, first, second), bytes = result.bytes(),
                    size = size_of(x.dtype())](void* const* out, const void* const* in) {
    std::memset(out[0], 0, bytes);
    scatter(static_cast<char*>(out[0]) + static_cast<std::size_t>(line.begin) * size, in[0], size, line.shape,
            line.strides);
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

Tensor triangle(const Tensor& x, std::int64_t offset, bool lower) {
  const Tensor result(x.shape(), x.dtype());
  if (result.size() == 0) return result;
  const std::int64_t rows = x.shape()[x.rank() - 2], columns = x.shape()[x.rank() - 1];
  // Out of range is all or nothing, and must not overflow.
  const std::int64_t shift = std::clamp(offset, -rows, columns);
  const auto run = [=, count = x.size() / columns, size = size_of(x.dtype())](void* const* out,
                                                                              const void* const* in) {
    detail::visit_size(size, [&]<class T>(T) {
      detail::in_rows(count, columns, [&](std::int64_t begin, std::int64_t end) {
        const T* from = static_cast<const T*>(in[0]) + begin * columns;
        T* to = static_cast<T*>(out[0]) + begin * columns;
        for (std::int64_t r = begin; r < end; ++r, from += columns, to += columns) {
          const std::int64_t edge = std::clamp<std::int64_t>(r % rows + shift + (lower ? 1 : 0), 0, columns);
          if (lower) {
            detail::copy_few(to, from, edge);
            detail::fill_few(to + edge, T(0), columns - edge);
          } else {
            detail::fill_few(to, T(0), edge);
            detail::copy_few(to + edge, from + edge, columns - edge);
          }
        }
      });
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace xgrad::kernel
