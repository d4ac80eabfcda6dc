#include <cmath>
#include <xgrad/nn/init.hpp>

namespace xgrad {
namespace {

// Weights have at least the two axes (units, inputs); further ones count as inputs.
double inputs(const Shape& shape) {
  if (shape.rank() < 2) throw ShapeError("a weight has the axes (units, inputs), not " + to_string(shape));
  return static_cast<double>(std::max<std::int64_t>(shape.size() / std::max<std::int64_t>(shape[0], 1), 1));
}

}  // namespace

Tensor zeros_init(const Shape& shape, Generator&, DType dtype) { return zeros(shape, dtype); }
Tensor small_normal_init(const Shape& shape, Generator& random, DType dtype) {
  return normal(shape, random, 0, 0.01, dtype);
}
Tensor xavier_init(const Shape& shape, Generator& random, DType dtype) {
  return normal(shape, random, 0, std::sqrt(2 / (inputs(shape) + static_cast<double>(shape[0]))), dtype);
}
Tensor he_init(const Shape& shape, Generator& random, DType dtype) {
  return normal(shape, random, 0, std::sqrt(2 / inputs(shape)), dtype);
}

}  // namespace xgrad
