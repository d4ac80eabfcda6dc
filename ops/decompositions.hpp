// Factors of matrices: the last two axes are the matrix, those before them the batch.
//
// Integers and bools become float32. Every function throws ShapeError for what is no matrix, or not square
// where it must be, or beyond the 32-bit sizes of LAPACK's workspace, and Error if LAPACK does not converge.
// A matrix with a NaN or an infinity gives NaN. g is the cotangent of a factor, F an antisymmetric matrix.
//
// Factors are functions of the matrix only where they are unique. Where they are not, the gradients below
// divide by 0: they are infinite, NaN or, since numbers that should be equal differ by a rounding, huge. That
// holds for what is made of vectors that coincide, also if it does not depend on their choice. The
// eigenvalues and singular values themselves have the right gradient all the same.
#pragma once

#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// L, lower triangular with zeros above, of (x + x') / 2 = L L'. Gradient: the symmetric part of L^-T P L^-1,
/// where P is the lower part of L' g with half of its diagonal (I. Murray, Differentiation of the Cholesky
/// decomposition, arXiv:1602.07527). Throws Error with its place for a matrix that is not positive definite.
Variable cholesky(Operand x);

/// (x + x') / 2 = V diag(w) V', w ascending, the eigenvectors the columns of V, each with LAPACK's sign.
/// Gradients (Giles 2008): by w, V diag(g) V'; by V, the symmetric part of V (F * V' g) V' with F[i, j] = 1 /
/// (w[j] - w[i]). Eigenvalues that coincide have no gradient by V.
struct Eigh {
  Variable values, vectors;
};
Eigh eigh(Operand x);

/// The thin decomposition: x (m, n) = U diag(s) Vh, U (m, k), s (k) descending, Vh (k, n), k = min(m, n).
/// Gradients (J. Townsend, Differentiating the singular value decomposition, 2016): by s, U diag(g) Vh; by U,
/// U (F * (U' g - g' U)) diag(s) Vh + (1 - U U') g diag(1 / s) Vh with F[i, j] = 1 / (s[j]^2 - s[i]^2); by Vh
/// the same of x'. Singular values that coincide have no gradient by U and Vh, nor has 0 by the longer one.
struct Svd {
  Variable u, s, vh;
};
Svd svd(Operand x);

/// The reduced decomposition: x (m, n) = Q R, Q (m, k) with orthonormal columns, R (k, n) upper triangular
/// with zeros below, k = min(m, n), with LAPACK's signs. Gradients (S. Walter, L. Lehmann, Algorithmic
/// differentiation of linear algebra functions with application in optimum experimental design,
/// arXiv:1001.1654): by Q, for m >= n, (g - Q copyltu(g' Q)) R^-T, where copyltu mirrors the lower part; R is
/// differentiated as Q' x, and a wide x through its first m columns. They throw Error if the first k columns
/// depend on each other exactly.
struct Qr {
  Variable q, r;
};
Qr qr(Operand x);

}  // namespace xgrad
