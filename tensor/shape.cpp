#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/shape.hpp>

namespace xgrad {

Shape::Shape(std::span<const std::int64_t> sizes) : inline_{} {
  std::int64_t nonzero = 1;
  for (std::int64_t s : sizes) {
    if (s < 0) throw ShapeError("a size is negative: " + std::to_string(s));
    // Zero sizes are left out of the overflow check's product, so that (0, 2^40, 2^40) does not depend on
    // their order.
    if (__builtin_mul_overflow(nonzero, s == 0 ? 1 : s, &nonzero)) {
      throw ShapeError("the number of elements overflows 64 bits");
    }
  }
  auto rank = static_cast<int>(sizes.size());
  if (rank > inline_axes) heap_ = new std::int64_t[sizes.size()];
  rank_ = rank;
  std::copy(sizes.begin(), sizes.end(), rank_ <= inline_axes ? inline_ : heap_);
}

void Shape::copy_heap(const Shape& other) {
  heap_ = new std::int64_t[static_cast<std::size_t>(rank_)];
  std::copy_n(other.heap_, rank_, heap_);
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + (shape.rank() == 1 ? ",)" : ")");
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  if (a == b || b.rank() == 0) return a;
  if (a.rank() == 0) return b;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  std::int64_t buffer[64];
  if (longer.rank() > 64) return std::nullopt;
  std::copy(longer.begin(), longer.end(), buffer);
  const int shift = longer.rank() - shorter.rank();
  for (int axis = 0; axis < shorter.rank(); ++axis) {
    std::int64_t& size = buffer[axis + shift];
    if (size == 1) {
      size = shorter[axis];
    } else if (shorter[axis] != 1 && shorter[axis] != size) {
      return std::nullopt;
    }
  }
  return Shape(std::span<const std::int64_t>(buffer, static_cast<std::size_t>(longer.rank())));
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  const int shift = to.rank() - from.rank();
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (from[axis] != 1 && from[axis] != to[axis + shift]) return false;
  }
  return true;
}

}  // namespace xgrad
