// Linear algebra: products, solutions, determinants and norms of matrices.
//
// Of an operand with more than two axes the last two are the matrix, those before them the batch. Integers
// and bools become float32; float32 with float64 throws DTypeError; what is no matrix, or not square where it
// must be, throws ShapeError. A matrix with a NaN or an infinity gives NaN. g is the cotangent of the result
// y.
//
// Derivatives: M. Giles, An extended collection of matrix derivative results for forward and reverse mode
// algorithmic differentiation, Oxford University Computing Laboratory, NA-08/01, 2008.
#pragma once

#include <limits>
#include <string_view>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/tensor/lu.hpp>

namespace xgrad {

/// The products of all elements of two vectors: y[i, j] = a[i] b[j]. Gradients: g b and g' a. Throws
/// ShapeError unless both have one axis.
Variable outer(Operand a, Operand b);

/// The sum of the diagonal of two axes, the last two unless said: y = sum of x[..., i, i]. bool counts as
/// int64. Gradient: g on the diagonal. Throws ShapeError if an axis is out of range or both are the same.
Variable trace(Operand x, int axis1 = -2, int axis2 = -1);

/// x with a x = b, for a (..., n, n) and b (..., n, k) or (n,); batches broadcast, and a matrix is factored
/// once for all right sides it meets. Gradients: w = a^-T g to b, -w y' to a. Throws ShapeError if the sizes
/// do not fit, Error with its place for a matrix that is exactly singular.
Variable solve(Operand a, Operand b);

using kernel::Triangular;
/// op(a)^-1 b where a is triangular: its other part is not read and gets gradient 0, like a diagonal of ones.
/// op transposes if asked to. Gradients: w = op(a)^-T g to b, that part of -w y' (transposed: -y w') to a.
/// Throws as solve; here NaN and infinities are numbers as others.
Variable triangular_solve(Operand a, Operand b, Triangular kind = {});

/// x^-1. Gradient: -y' g y'. Throws Error with its place for a matrix that is exactly singular.
Variable inverse(Operand x);

/// The determinant: 0 of a singular matrix, 1 of one without elements. Gradient: g times the cofactors, which
/// are found without a division: right for singular matrices, too, to any order.
Variable det(Operand x);

/// The determinant's sign, a constant, and the logarithm of its size: 0 and -inf for a singular matrix.
/// Gradient of the logarithm: g x^-T; Error for a singular matrix.
struct Slogdet {
  Variable sign, logabsdet;
};
Slogdet slogdet(Operand x);
/// The logarithm of the determinant: NaN where that is negative, -inf where it is 0. Gradient as slogdet's.
Variable logdet(Operand x);

/// Which norm of a matrix, by NumPy's names: "fro" or "nuc"; 1, 2, inf and their negatives.
class MatrixNorm {
 public:
  enum class Kind { frobenius, nuclear, one, two, infinity, unknown };
  MatrixNorm(const char* name)
      : kind_(std::string_view(name) == "fro"   ? Kind::frobenius
              : std::string_view(name) == "nuc" ? Kind::nuclear
                                                : Kind::unknown) {}
  template <Number T>
  MatrixNorm(T order)
      : kind_(order == 1 || order == -1   ? Kind::one
              : order == 2 || order == -2 ? Kind::two
              : static_cast<double>(order) == infinity || static_cast<double>(order) == -infinity
                  ? Kind::infinity
                  : Kind::unknown),
        smallest_(order < 0) {}
  Kind kind() const { return kind_; }
  bool smallest() const { return smallest_; }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  Kind kind_;
  bool smallest_ = false;
};

/// A norm of each matrix. "fro": the root of the sum of squares, without overflow; gradient g x / y, 0 for x
/// = 0. "nuc": the sum of the singular values, 2 and -2: the largest and smallest one; gradients by svd's (a
/// matrix without full rank has many for "nuc": it gets one). 1 and -1: the largest and smallest sum of a
/// column of |x|, inf and -inf: of a row; ties share. With `keepdims` the two axes stay, with size 1. Throws
/// Error for another order, ShapeError for a largest or smallest of nothing.
Variable matrix_norm(Operand x, MatrixNorm order = "fro", bool keepdims = false);

}  // namespace xgrad
