#include <cstring>
#include <xgrad/autograd/parameter.hpp>

namespace xgrad {
namespace {

void require_floating(const std::string& name, DType dtype) {
  if (is_floating(dtype)) return;
  throw DTypeError("Parameter " + name + ": only float32 and float64 have derivatives, not " +
                   xgrad::name(dtype) + "; convert the value with astype(float32)");
}

}  // namespace

Parameter::Parameter(std::string name, Tensor value) {
  require_floating(name, value.dtype());
  cell_ = std::make_shared<Cell>(Cell{std::move(name), std::move(value), 0});
}

const Tensor& Parameter::captured() const {
  return detail::note_source(cell_->value, cell_.get(), [cell = cell_] { return cell->value; });
}

namespace {
void note_update() { detail::note_obstacle("it updates a parameter; leave that to the caller"); }
}  // namespace

void Parameter::set(Tensor value) {
  note_update();
  if (value.shape() != shape()) {
    throw ShapeError("Parameter " + name() + ": set: the shape differs: " + to_string(shape()) + " to " +
                     to_string(value.shape()));
  }
  if (value.dtype() != dtype()) {
    throw DTypeError("Parameter " + name() + ": set: the dtype differs: " + xgrad::name(dtype()) + " to " +
                     xgrad::name(value.dtype()) + "; use cast to change it");
  }
  cell_->value = std::move(value);
  ++cell_->version;
}

void Parameter::update_by(void (*write)(const void*, Tensor&), const void* f) {
  note_update();
  if (cell_->value.unique()) {
    ++cell_->version;
    write(f, cell_->value);
    return;
  }
  Tensor copy(shape(), dtype());
  if (copy.bytes() > 0) std::memcpy(detail::mutable_data<void>(copy), detail::address(value()), copy.bytes());
  write(f, copy);
  cell_->value = std::move(copy);
  ++cell_->version;
}

void Parameter::cast(DType dtype) {
  require_floating(name(), dtype);
  note_update();
  cell_->value = value().astype(dtype);
  ++cell_->version;
}

}  // namespace xgrad
