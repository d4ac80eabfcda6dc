// Operand: what an operation takes. Made implicitly from a Variable, Parameter, Tensor, number or xtensor
// expression, it also remembers the line of the program where that happened: the user's call.
#pragma once

#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <xgrad/autograd/parameter.hpp>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/autograd/variable.hpp>

namespace xgrad {

/// An argument of one call: it may refer to the caller's Variable, so it must not outlive the call.
class Operand {
 public:
  using Location = std::source_location;

  Operand(const Variable& variable, Location where = Location::current())
      : reference_(&variable), where_(where) {}
  Operand(Variable&& variable, Location where = Location::current())
      : own_(std::move(variable)), reference_(&*own_), where_(where) {}
  Operand(const Parameter& parameter, Location where = Location::current())
      : parameter_(&parameter), where_(where) {}
  Operand(const Tensor& tensor, Location where = Location::current())
      : own_(tensor), reference_(&*own_), where_(where) {}
  Operand(Tensor&& tensor, Location where = Location::current())
      : own_(std::move(tensor)), reference_(&*own_), where_(where) {}
  template <Number T>
  Operand(T number, Location where = Location::current())
      : where_(where),
        number_(static_cast<double>(number)),
        weak_(std::is_same_v<T, bool> ? Weak::boolean
              : std::is_integral_v<T> ? Weak::integer
                                      : Weak::real) {}
  template <class E>
  requires detail::Convertible<E> Operand(E&& expression, Location where = Location::current())
      : own_(Tensor(std::forward<E>(expression))), reference_(&*own_), where_(where) {}

  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;
  Operand(Operand&& other) noexcept
      : own_(std::move(other.own_)),
        reference_(own_ ? &*own_ : other.reference_),
        parameter_(other.parameter_),
        where_(other.where_),
        number_(other.number_),
        weak_(other.weak_) {}

  /// How weakly a C++ number is typed: it takes the dtype of what it meets, unless that cannot hold its kind.
  enum class Weak : std::uint8_t { no, boolean, integer, real };
  Weak weak() const { return weak_; }
  /// The variable, where the operand is just that; nullptr for numbers and parameters.
  const Variable* plain() const { return weak_ == Weak::no && parameter_ == nullptr ? reference_ : nullptr; }
  /// The number itself, where weak() is not `no`.
  double number() const { return number_; }
  /// The dtype alone: a number's is float32, or bool.
  DType dtype() const {
    return weak_ == Weak::no ? tensor().dtype() : weak_ == Weak::boolean ? bool_ : detail::number_dtype;
  }
  const Shape& shape() const { return weak_ == Weak::no ? tensor().shape() : scalar_shape; }
  int rank() const { return shape().rank(); }
  Location where() const { return where_; }

  /// The value as it is; of a number, a 0-d tensor of dtype(). A Parameter becomes a leaf here, not before:
  /// leaves stand on the tape in the order of their use, whatever order the compiler evaluates arguments in.
  const Variable& variable() { return as(dtype()); }
  /// The value in this dtype: numbers take it, constants are converted. Precondition: a recorded value has it
  /// already.
  const Variable& as(DType dtype) {
    if (weak_ != Weak::no || parameter_ != nullptr || tensor().dtype() != dtype) become(dtype);
    return *reference_;
  }

  /// The value as variable() gave it last, out of the operand where it is a temporary: for the last use.
  Variable give() { return own_ ? *std::move(own_) : *reference_; }
  /// The value of a temporary that nobody else will see: a result may overwrite it. Else nullptr.
  Tensor* disposable() { return own_ && own_->value().unique() ? &detail::mutable_value(*own_) : nullptr; }

  /// "W1 (20, 12288)", "(20, 5)" or "0.5": for error messages.
  std::string describe() const;

 private:
  const Tensor& tensor() const { return parameter_ != nullptr ? parameter_->value() : reference_->value(); }
  void become(DType dtype);
  inline static const Shape scalar_shape;

  std::optional<Variable> own_;
  const Variable* reference_ = nullptr;  // to own_, or to the caller's; none of a number and of a parameter
  const Parameter* parameter_ = nullptr;
  Location where_;
  double number_ = 0;
  Weak weak_ = Weak::no;
};

namespace detail {

/// The operation that is being called, for its errors.
struct Call {
  const char* op;
  std::source_location where;
  Call(const char* name, const Operand& first) : op(name), where(place(first.where())) {}
  Call(const char* name, std::source_location at) : op(name), where(place(at)) {}
  static std::source_location place(std::source_location otherwise) { return At::or_else(otherwise); }

  /// "op: what; hint (at train.cpp:31, in layer1)"
  std::string message(const std::string& what, const std::string& hint = {}) const;
  template <class E>
  [[noreturn]] void fail(const std::string& what, const std::string& hint = {}) const {
    throw E(message(what, hint));
  }

  /// The dtype in which operands meet. Numbers are weak; bool gives way to int64 and int64 to floating.
  /// Throws DTypeError for float32 with float64.
  DType common_dtype(std::span<const Operand* const> operands) const;
  DType common_dtype(std::initializer_list<const Operand*> operands) const {
    return common_dtype(std::span(operands.begin(), operands.size()));
  }
  /// The broadcast shape. Throws ShapeError with all operands.
  Shape common_shape(const Operand& a, const Operand& b) const;
  Shape common_shape(std::span<const Operand* const> operands) const;
  /// 0 <= axis < rank from an axis that may be negative. Throws ShapeError.
  int axis(int axis, const Operand& x) const;
};

}  // namespace detail
}  // namespace xgrad
