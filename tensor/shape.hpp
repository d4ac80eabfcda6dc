// The sizes of a tensor's axes, and NumPy's broadcasting rules.
//
// Invariants: (1) every size is >= 0; (2) the product of the sizes fits into std::int64_t; (3) up to six axes
// live inside the object: no allocation. A Shape is a value; different objects may be used by different
// threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace xgrad {

class Shape {
 public:
  static constexpr int inline_axes = 6;

  /// The shape of a scalar: no axes, one element.
  Shape() noexcept : inline_{} {}
  /// The shape (0,): no elements.
  static Shape empty() noexcept {
    Shape shape;
    shape.rank_ = 1;
    return shape;
  }
  /// Throws ShapeError if a size is negative or the number of elements overflows.
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const std::int64_t> sizes);

  Shape(const Shape& other) : rank_(other.rank_) {
    if (rank_ <= inline_axes) {
      copy_inline(other);
    } else {
      copy_heap(other);
    }
  }
  Shape(Shape&& other) noexcept : rank_(other.rank_) { steal(other); }
  Shape& operator=(const Shape& other) {
    if (this != &other) *this = Shape(other);
    return *this;
  }
  Shape& operator=(Shape&& other) noexcept {
    if (this != &other) {
      free_heap();
      rank_ = other.rank_;
      steal(other);
    }
    return *this;
  }
  ~Shape() { free_heap(); }

  int rank() const { return rank_; }
  /// The size of one axis; 0 <= axis < rank().
  std::int64_t operator[](int axis) const { return data()[axis]; }
  /// The number of elements: the product of the sizes, 1 for a scalar.
  std::int64_t size() const {
    std::int64_t n = 1;
    for (std::int64_t s : *this) n *= s;
    return n;
  }
  const std::int64_t* begin() const { return data(); }
  const std::int64_t* end() const { return data() + rank_; }
  const std::int64_t* data() const { return rank_ <= inline_axes ? inline_ : heap_; }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    const std::int64_t *p = a.data(), *q = b.data();
    for (int axis = 0; axis < a.rank_; ++axis) {
      if (p[axis] != q[axis]) return false;
    }
    return true;
  }

 private:
  // Two axes number by number: a wide load of what was just written in two halves waits for the stores. The asm
  // keeps the compiler from making one load of them.
  void copy_inline(const Shape& other) noexcept {
    if (rank_ > 2) {
      std::memcpy(inline_, other.inline_, sizeof inline_);  // of fixed size: a few moves, no loop
      return;
    }
    std::int64_t first = other.inline_[0], second = other.inline_[1];
    asm("" : "+r"(first), "+r"(second));
    inline_[0] = first;
    inline_[1] = second;
  }
  void copy_heap(const Shape& other);
  void steal(Shape& other) noexcept {
    if (rank_ <= inline_axes) {
      copy_inline(other);
    } else {
      heap_ = other.heap_;
      other.rank_ = 0;
    }
  }
  void free_heap() {
    if (rank_ > inline_axes) delete[] heap_;
  }

  union {
    std::int64_t inline_[inline_axes];
    std::int64_t* heap_;
  };
  int rank_ = 0;
};

/// NumPy's spelling: "()", "(3,)", "(20, 12288)".
std::string to_string(const Shape& shape);

/// The shape that both broadcast to (aligned at the last axis; a size of 1 stretches), or nothing if they do
/// not match.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);

/// Whether `from` can be stretched to exactly `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

}  // namespace xgrad
