// Square matrices as P L U, and what follows from that: solutions, inverses, determinants; and triangular
// ones.
//
// The last two axes are the matrix, those before them the batch. The operands are float32 or float64, sizes
// below 2^31 (preconditions). A matrix with a NaN or an infinity gives NaN everywhere. What went wrong stands
// in `info`, int64, one number for each matrix in the order of the batch: 0 for success.
#pragma once

#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel {

/// Square matrices as LAPACK's P L U of their transposes. info = i: the i-th pivot (from 1) is 0.
struct Lu {
  Tensor factors, pivots, info;  // pivots int64, from 1
};
Lu lu(const Tensor& a);
/// A^-1 b, or A'^-1 b, for b (..., n, k), whose batch broadcasts with A's. Where info is not 0: undefined.
Tensor lu_solve(const Lu& lu, const Tensor& b, bool transposed);
/// The determinant, of the shape of the batch: exactly 0 where info is not 0.
Tensor lu_determinant(const Lu& lu);
/// Its sign (-1, 0, 1 or NaN) and the logarithm of its size, -inf where it is 0.
struct SignAndLog {
  Tensor sign, log;
};
SignAndLog lu_sign_and_log(const Lu& lu);

struct Solution {
  Tensor value, info;
};
/// A^-1. info = i: the i-th pivot is 0.
Solution inverse(const Tensor& a);

/// How the triangular matrix A is meant.
struct Triangular {
  bool lower = true, transposed = false, unit_diagonal = false;
};
/// op(A)^-1 b with broadcast batches; the other part of A is not read, nor the diagonal if it is of ones.
/// info = i: the i-th element of the diagonal is 0. NaN and infinities are numbers as others here.
Solution triangular_solve(const Tensor& a, const Tensor& b, Triangular kind);

}  // namespace xgrad::kernel
