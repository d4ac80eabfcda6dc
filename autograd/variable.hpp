// Variable: a Tensor and its place on a tape, or no place: a constant.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <utility>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad {

class Index;
class Parameter;
class Variable;

namespace detail {
/// For who knows that nobody else holds the value's memory.
Tensor& mutable_value(Variable& variable);
}  // namespace detail

/// Where a value stands: node `index` of the tape with this number. Tape 0 means nowhere.
struct Place {
  std::uint64_t tape = 0;
  std::uint32_t index = 0;
};

namespace detail {

/// The dtype of a number alone, on this thread: float32, but that of the inputs where fuse runs a lambda on
/// Variables, whose numbers must not differ from those in the kernels.
inline constinit thread_local DType number_dtype = float32;

}  // namespace detail

/// An immutable value that may take part in differentiation. Cheap to copy; any thread may read it.
class Variable {
 public:
  Variable() = default;
  Variable(const Tensor& value) : value_(value) {}
  Variable(Tensor&& value) : value_(std::move(value)) {}
  /// A number alone is float32 (a bool is bool).
  template <Number T>
  Variable(T value)
      : value_(scalar(static_cast<double>(value), std::same_as<T, bool> ? bool_ : detail::number_dtype)) {}
  /// Any xtensor expression; see Tensor.
  template <class E>
  requires detail::Convertible<E> Variable(E&& expression) : value_(std::forward<E>(expression)) {}
  /// A snapshot of the parameter, a leaf of the tape that is recording.
  Variable(const Parameter& parameter);
  Variable(Tensor&& value, Place place) : value_(std::move(value)), place_(place) {}
  Variable(const Tensor& value, Place place) : value_(value), place_(place) {}

  const Tensor& value() const& { return value_; }
  Tensor value() && { return std::move(value_); }  // by value: a view of a temporary's tensor would dangle
  const Shape& shape() const { return value_.shape(); }
  DType dtype() const { return value_.dtype(); }
  int rank() const { return value_.rank(); }
  std::int64_t size() const { return value_.size(); }
  /// The value of a variable with one element. Throws ShapeError otherwise.
  template <Number T = double>
  T item() const {
    return value_.item<T>();
  }

  /// The part at these indices, x(range(0, 3), all(), 2): <xgrad/ops/slicing.hpp> has them.
  template <class... I>
  Variable operator()(const Index& first, const I&... rest) const {
    return view_at(*this, first, rest...);
  }

  Place place() const { return place_; }
  /// Whether it has no place on any tape.
  bool is_constant() const { return place_.tape == 0; }

 private:
  friend Tensor& detail::mutable_value(Variable& variable);
  Tensor value_;
  Place place_;
};

inline Tensor& detail::mutable_value(Variable& variable) { return variable.value_; }

std::ostream& operator<<(std::ostream& out, const Variable& variable);

}  // namespace xgrad
