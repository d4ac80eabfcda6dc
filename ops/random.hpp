// Random tensors, and dropout. Every function draws from the Generator it is given, and from nothing else: the same
// seed and position give the same bits on every machine and with any number of threads. A generator moves on by the
// number of elements made (permutation: at least by one less), and stays where it is if the call throws.
//
//   Generator random(7);
//   const Tensor noise = normal({20, 3}, random, 0, 0.1);
//   auto h = dropout(relu(z), 0.2, random);
#pragma once

#include <xgrad/autograd/operand.hpp>
#include <xgrad/tensor/philox.hpp>

namespace xgrad {

/// Uniform values in [low, high), float32 or float64. Throws DTypeError for another dtype, Error unless the bounds
/// are finite and in order.
Tensor uniform(const Shape& shape, Generator& random, double low = 0, double high = 1, DType dtype = float32);
/// Normal values. Throws DTypeError as uniform does, Error unless both arguments are finite and stddev is not negative.
Tensor normal(const Shape& shape, Generator& random, double mean = 0, double stddev = 1,
              DType dtype = float32);
/// Bools: true with probability p. Throws Error unless p is within [0, 1].
Tensor bernoulli(const Shape& shape, Generator& random, double p = 0.5);
/// Bools: each true with its own probability. Throws Error, naming the first element that is not within [0, 1],
/// DTypeError unless p is floating.
Tensor bernoulli(const Tensor& p, Generator& random);
/// 0 ... n - 1 in random order, as int64. Throws Error if n is negative.
Tensor permutation(std::int64_t n, Generator& random);

/// x with each element 0 with probability p, and else divided by 1 - p, so that its mean stays: for training alone. The
/// generator moves on by x's size, whatever p is. NaN and infinities that are dropped become NaN. Integers become
/// float32. Gradient: g where x was kept, divided by 1 - p; the choice is a constant. Throws Error unless p is within
/// [0, 1].
Variable dropout(Operand x, double p, Generator& random);

}  // namespace xgrad
