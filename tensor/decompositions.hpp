// Factors of many matrices at once: the last two axes are the matrix, those before them the batch.
//
// The operands are float32 or float64; sizes are below 2^31, those of `eigh` and `svd` small enough for the
// 32-bit size of their workspace (preconditions). A matrix with a NaN or an infinity gives NaN in all of its
// results: some of LAPACK's routines would not return. What went wrong stands in `info`, int64, one number
// for each matrix in the order of the batch: 0 for success.
#pragma once

#include <xgrad/tensor/lu.hpp>

namespace xgrad::kernel {

/// L, lower triangular with zeros above, of (A + A') / 2 = L L'. info = i: the leading minor of order i is
/// not positive.
Solution cholesky(const Tensor& a);

/// (A + A') / 2 = V diag(w) V', w ascending. info > 0: no convergence.
struct Eigen {
  Tensor values, vectors, info;
};
Eigen eigh(const Tensor& a);

/// A (m, n) = U diag(s) Vh with U (m, k), s (k), Vh (k, n), k = min(m, n), s descending. info > 0: no
/// convergence.
struct Singular {
  Tensor u, s, vh, info;
};
Singular svd(const Tensor& a);

/// A (m, n) = Q R with Q (m, k), R (k, n) upper triangular with zeros below.
struct Orthogonal {
  Tensor q, r;
};
Orthogonal qr(const Tensor& a);

/// Of matrices (..., 3, 3) with one batch: the part of cofactors(a + b) that is linear in both, symmetric in
/// a, b and what the result is multiplied with. That of a and a is twice a's cofactors.
Tensor mixed_cofactors(const Tensor& a, const Tensor& b);

/// p[i] = the product of all s but s[i] along the last axis, and p[i, j] = that of all but s[i] and s[j], 0
/// for i = j. Nothing is divided, so zeros are as good as other numbers.
Tensor products_without_one(const Tensor& s);
Tensor products_without_two(const Tensor& s);

}  // namespace xgrad::kernel
