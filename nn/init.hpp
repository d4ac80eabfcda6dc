// Initial values of weights, drawn from a Generator: the same bits on every machine and with any number of
// threads.
//
// A weight's shape is (units, inputs), as in the course notes: W[l] is (n[l], n[l-1]).
#pragma once

#include <functional>
#include <xgrad/ops/random.hpp>  // normal, uniform

namespace xgrad {

/// Makes a weight of this shape and dtype.
using Initializer = std::function<Tensor(const Shape& shape, Generator& random, DType dtype)>;

/// All 0: right for biases and logistic regression; hidden units would stay copies of each other.
Tensor zeros_init(const Shape& shape, Generator& random, DType dtype);
/// Normal with standard deviation 0.01, the course's randn(...) * 0.01.
Tensor small_normal_init(const Shape& shape, Generator& random, DType dtype);
/// Normal with variance 2 / (inputs + units): for sigmoid and tanh (Glorot and Bengio 2010).
Tensor xavier_init(const Shape& shape, Generator& random, DType dtype);
/// Normal with variance 2 / inputs: for relu (He et al. 2015).
Tensor he_init(const Shape& shape, Generator& random, DType dtype);

}  // namespace xgrad
