// LAPACK on one matrix at a time, for float and double: its Fortran interface is known to lapack.cpp alone.
//
// Matrices are column-major, as LAPACK has them: a row-major matrix is its transpose. Leading dimensions are
// the numbers of rows. Workspace comes from the pool. No size is 0, and all, the workspace's included, are
// below 2^31 (preconditions). Results named `info` are LAPACK's: 0 for success.
//
// Thread safety: calls on distinct memory do not meet. Callers hold a OneThread (tensor/blas.hpp).
#pragma once

#include <cstdint>

namespace xgrad::lapack {

enum class Part : char { upper = 'U', lower = 'L' };

/// A (n, n) = P L U in place; pivots count from 1. info = i: the i-th pivot is 0.
template <class T>
int getrf(std::int64_t n, T* a, int* pivots);
/// The inverse in place of getrf's factors. info = i: the i-th pivot is 0.
template <class T>
int getri(std::int64_t n, T* a, const int* pivots);

/// B (m, n) becomes B op(A)^-1, where A is triangular and its other part is not read.
template <class T>
void solve_from_right(Part part, bool transposed, bool unit_diagonal, std::int64_t m, std::int64_t n,
                      const T* a, T* b);

/// The factor U of A = U' U in the upper part of A; the lower one is not read. info = i: the leading minor of
/// order i is not positive.
template <class T>
int potrf(std::int64_t n, T* a);

/// The eigenvalues of a symmetric A (n, n), ascending, and its eigenvectors as columns in place; only the
/// upper part is read. info > 0: no convergence.
template <class T>
int syevd(std::int64_t n, T* a, T* values);

/// A (m, n) = U diag(s) V' with U (m, k), V' (k, n), k = min(m, n), s descending. A is destroyed. info > 0:
/// no convergence.
template <class T>
int gesdd(std::int64_t m, std::int64_t n, T* a, T* s, T* u, T* vt);

/// A (m, n) = L Q: L in the lower part of A in place, Q as reflectors in the rest and in tau (k).
template <class T>
void gelqf(std::int64_t m, std::int64_t n, T* a, T* tau);
/// The k rows of Q (k, n) from the reflectors of gelqf, in place.
template <class T>
void orglq(std::int64_t k, std::int64_t n, T* q, const T* tau);

}  // namespace xgrad::lapack
