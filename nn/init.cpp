#include <cmath>
#include <xgrad/nn/init.hpp>

namespace xgrad {
namespace {

// Weights have at least the two axes (units, inputs); further ones count as inputs.
double inputs(const Shape& shape) {
  if (shape.rank() < 2) throw ShapeError("a weight has the axes (units, inputs), not " + to_string(shape));
  return static_cast<double>(std::max<std::int64_t>(shape.size() / std::max<std::int64_t>(shape[0], 1), 1));
}

template <class F>
Tensor fill(const Shape& shape, DType dtype, F f) {
  if (!is_floating(dtype))
    throw DTypeError(std::string("random values are float32 or float64, not ") + name(dtype));
  Tensor result(shape, dtype);
  detail::visit_floating(dtype, [&]<class T>(T) {
    f(std::span<T>(detail::mutable_data<T>(result), static_cast<std::size_t>(result.size())));
  });
  return result;
}

}  // namespace

Tensor normal(const Shape& shape, Generator& random, double mean, double stddev, DType dtype) {
  return fill(shape, dtype, [&](auto out) { random.fill_normal(out, mean, stddev); });
}
Tensor uniform(const Shape& shape, Generator& random, double low, double high, DType dtype) {
  return fill(shape, dtype, [&](auto out) { random.fill_uniform(out, low, high); });
}

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
