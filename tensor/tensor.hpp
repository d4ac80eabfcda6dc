// Tensor: an immutable dense array, {dtype, shape, storage}.
//
// Thread safety: any number of threads may read and copy the same Tensor. Invariants: (1) the values of a
// tensor that somebody can see never change; (2) elements are row-major and contiguous; (3) copying shares
// the storage.
#pragma once

#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <type_traits>
#include <vector>
#include <xgrad/tensor/capture.hpp>
#include <xgrad/tensor/dtype.hpp>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/shape.hpp>
#include <xgrad/tensor/storage.hpp>

namespace xgrad {

class Tensor;

/// What makes a Tensor of a foreign array type: specialised for xtensor's expressions by
/// <xgrad/tensor/xtensor.hpp>.
template <class E>
struct ToTensor;

namespace detail {

template <class E>
concept Convertible = requires {
  sizeof(ToTensor<std::remove_cvref_t<E>>);
};

template <class T>
struct AsXtensor;  // defined by the bridge

}  // namespace detail

class Tensor {
 public:
  /// An empty float32 tensor of shape (0,).
  Tensor() : shape_(Shape::empty()) {}
  /// Uninitialised elements. For kernels: fill them through detail::mutable_data before anybody else sees the
  /// tensor.
  Tensor(const Shape& shape, DType dtype)
      : shape_(shape), storage_(bytes_for(shape_, dtype)), dtype_(dtype) {}
  /// Copies `values` in row-major order. Throws ShapeError if there are not shape.size() of them.
  template <Element T>
  Tensor(Shape shape, std::span<const T> values) : Tensor(std::move(shape), dtype_of<T>) {
    copy_in(values.data(), values.size());
  }
  template <Element T>
  requires(!std::same_as<T, bool>)  // std::vector<bool> has no data()
      Tensor(Shape shape, const std::vector<T>& values)
      : Tensor(std::move(shape), std::span<const T>(values)) {}
  /// Any xtensor expression, once <xgrad/tensor/xtensor.hpp> is included: evaluated and copied, or moved in
  /// without a copy when it is an rvalue xt::xarray or xt::xtensor in row-major order.
  template <class E>
  requires detail::Convertible<E> Tensor(E&& expression)
      : Tensor(ToTensor<std::remove_cvref_t<E>>::convert(std::forward<E>(expression))) {}
  /// Shares `storage`, which holds shape.size() elements of `dtype`. For bridges and reshape.
  Tensor(Shape shape, DType dtype, detail::Storage storage)
      : shape_(std::move(shape)), storage_(std::move(storage)), dtype_(dtype) {}

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  int rank() const { return shape_.rank(); }
  std::int64_t size() const { return shape_.size(); }
  std::size_t bytes() const { return storage_.bytes(); }

  /// The elements, row-major. Throws DTypeError if T is not this tensor's type. Valid while a tensor shares
  /// the storage.
  template <Element T>
  const T* data() const {
    if (dtype_of<T> != dtype_) wrong_type(dtype_of<T>);
    return static_cast<const T*>(raw());
  }
  const void* raw() const {
    if (detail::capturing != nullptr) [[unlikely]]
      detail::note_read(storage_);
    return storage_.data();
  }

  /// The value of a tensor with one element, converted to T. Throws ShapeError otherwise.
  template <Number T = double>
  T item() const {
    if constexpr (std::is_integral_v<T>) {
      if (dtype_ == DType::int64) return static_cast<T>(only_int());  // a double holds 53 bits of it
    }
    return static_cast<T>(only());
  }
  /// One element as double; indices may be negative. Throws ShapeError when there are too few, too many or
  /// one is out of range.
  double at(std::initializer_list<std::int64_t> index) const;
  /// The elements, row-major, converted to T.
  template <class T>
  std::vector<T> to_vector() const {
    std::vector<T> values(static_cast<std::size_t>(size()));
    detail::visit(dtype_, [&](auto zero) {
      const auto* p = static_cast<const decltype(zero)*>(raw());
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(p[i]);
    });
    return values;
  }

  /// The same elements in another shape, sharing the storage; one size may be -1 (inferred). Throws
  /// ShapeError.
  Tensor reshape(const Shape& shape) const;
  Tensor reshape(std::initializer_list<std::int64_t> sizes) const;
  /// Converted element by element as by static_cast (to bool: != 0); the tensor itself if it has that dtype
  /// already.
  Tensor astype(DType dtype) const;

  /// An xt::xarray_adaptor over the elements, without a copy, usable in any xtensor expression while this
  /// tensor lives. Needs <xgrad/tensor/xtensor.hpp>. Throws DTypeError if T is not this tensor's type.
  template <Element T>
  auto as() const& {
    return detail::AsXtensor<T>::view(*this);
  }
  template <Element T>
  auto as() const&& = delete;  // would dangle

  /// Whether no other tensor shares the storage.
  bool unique() const { return storage_.unique(); }
  /// Whether both are the very same memory.
  bool shares_storage(const Tensor& other) const {
    return storage_.data() != nullptr && storage_.data() == other.storage_.data();
  }
  const detail::Storage& storage() const { return storage_; }

 private:
  static std::size_t bytes_for(const Shape& shape, DType dtype) {
    std::size_t bytes;
    if (__builtin_mul_overflow(static_cast<std::size_t>(shape.size()), size_of(dtype), &bytes))
      too_large(shape);
    return bytes;
  }
  [[noreturn]] static void too_large(const Shape& shape);
  [[noreturn]] void wrong_type(DType wanted) const;
  void copy_in(const void* values, std::size_t count);
  double only() const;
  std::int64_t only_int() const;

  Shape shape_;
  detail::Storage storage_;
  DType dtype_ = DType::float32;
};

namespace detail {
/// For the code that has just made the tensor, or is its unique() owner.
template <class T>
T* mutable_data(Tensor& tensor) {
  return static_cast<T*>(tensor.storage().data());
}
/// For kernels, whose calls a capture notes as a whole.
template <class T = void>
const T* address(const Tensor& tensor) {
  return static_cast<const T*>(tensor.storage().data());
}

inline constexpr std::size_t launch_arguments = 16;  // more take memory of their own

template <class F>
void launch(std::initializer_list<const Tensor*> out, std::initializer_list<const Tensor*> in, const F& f) {
  launch(std::span(out.begin(), out.size()), std::span(in.begin(), in.size()), f);
}
template <class F>
void launch(std::span<const Tensor* const> out, std::span<const Tensor* const> in, const F& f) {
  const void* few[launch_arguments];
  std::vector<const void*> many(in.size() > launch_arguments ? in.size() : 0);
  const void** sources = many.empty() ? few : many.data();
  void* results[launch_arguments];
  for (std::size_t i = 0; i < out.size(); ++i) results[i] = out[i]->storage().data();
  for (std::size_t i = 0; i < in.size(); ++i) sources[i] = in[i]->storage().data();
  f(results, sources);
  if (capturing != nullptr) [[unlikely]]
    capture(out, in, Kernel::of(f));
}
/// {2, -1} against 6 elements: (2, 3). Throws ShapeError with the rule and both shapes.
Shape infer_shape(std::span<const std::int64_t> sizes, const Shape& from);

/// A number of tensor({...}). A class, so that {{1}, {2}} is two rows of one and not two numbers.
struct Entry {
  double value;
  template <Number T>
  Entry(T number) : value(static_cast<double>(number)) {}
};
}  // namespace detail

Tensor zeros(const Shape& shape, DType dtype = float32);
Tensor ones(const Shape& shape, DType dtype = float32);
Tensor full(const Shape& shape, double value, DType dtype = float32);
/// A 0-d tensor.
Tensor scalar(double value, DType dtype = float32);
/// start, start + step, ... while before stop, as numpy.arange. Throws Error if step is 0 or a bound is not
/// finite.
Tensor arange(double start, double stop, double step = 1, DType dtype = float32);
/// `count` evenly spaced values from start to stop, both included. Throws Error if count < 0.
Tensor linspace(double start, double stop, std::int64_t count, DType dtype = float32);
/// The identity matrix (n, n).
Tensor eye(std::int64_t n, DType dtype = float32);
/// tensor({1, 2, 3}) and tensor({{1, 2}, {3, 4}}). Throws ShapeError if the rows differ in length.
Tensor tensor(std::initializer_list<detail::Entry> values, DType dtype = float32);
Tensor tensor(std::initializer_list<std::initializer_list<double>> rows, DType dtype = float32);

/// Same dtype, shape and values; NaN differs from NaN.
bool equal(const Tensor& a, const Tensor& b);
/// |a - b| <= atol + rtol |b| for all elements of two tensors of the same shape; two NaN at one place are
/// close.
bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8);

/// As NumPy prints arrays: nested brackets, the middle of long axes left out.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);
std::string to_string(const Tensor& tensor);

}  // namespace xgrad
