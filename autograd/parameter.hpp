// Parameter: a named cell that holds the current value of something that is learnt. The one mutable, shared
// thing.
//
// Thread safety: any number of threads may read the same Parameter, each on its own tape; updating needs
// exclusion from readers. Invariant: a value that somebody took from the cell never changes: update() writes
// in place only when nobody else holds the storage, into fresh storage otherwise. An old graph keeps giving
// old derivatives.
#pragma once

#include <memory>
#include <string>
#include <xgrad/autograd/variable.hpp>

namespace xgrad {

class Parameter {
 public:
  /// Throws DTypeError unless the value is float32 or float64.
  Parameter(std::string name, Tensor value);
  /// A 0-d parameter.
  template <Number T>
  Parameter(std::string name, T value, DType dtype = float32)
      : Parameter(std::move(name), scalar(static_cast<double>(value), dtype)) {}
  template <class E>
  requires detail::Convertible<E> Parameter(std::string name, E&& value)
      : Parameter(std::move(name), Tensor(std::forward<E>(value))) {}

  const std::string& name() const { return cell_->name; }
  void set_name(std::string name) { cell_->name = std::move(name); }
  const Tensor& value() const {
    if (detail::capturing != nullptr) [[unlikely]]
      return captured();
    return cell_->value;
  }
  const Shape& shape() const { return value().shape(); }
  DType dtype() const { return value().dtype(); }

  /// Replaces the value. Throws ShapeError or DTypeError if it differs from the current one in either.
  void set(Tensor value);
  /// Lets `write` change the elements of a tensor nobody else holds: the value itself, or a copy that becomes
  /// it. If `write` throws, a value that was shared stays as it was.
  template <class F>
  void update(const F& write) {
    update_by([](const void* f, Tensor& value) { (*static_cast<const F*>(f))(value); }, &write);
  }
  /// Converts the value to float32 or float64 (DTypeError otherwise); a model is rebuilt in another precision
  /// this way.
  void cast(DType dtype);

  /// Copies of a Parameter are the same cell.
  bool same_as(const Parameter& other) const { return cell_ == other.cell_; }
  /// The identity of the cell, and how often its value has changed.
  const void* id() const { return cell_.get(); }
  std::uint64_t version() const { return cell_->version; }

 private:
  const Tensor& captured() const;
  void update_by(void (*write)(const void* f, Tensor& value), const void* f);
  struct Cell {
    std::string name;
    Tensor value;
    std::uint64_t version = 0;
  };
  std::shared_ptr<Cell> cell_;
};

}  // namespace xgrad
