// det and its derivatives, which are polynomials of the elements: nothing here divides by the determinant
// unless it is far from 0.
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/matrices.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/batched.hpp>
#include <xgrad/tensor/decompositions.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::per_matrix, detail::structural;

namespace {

std::int64_t side(const Variable& x) { return x.shape()[x.rank() - 1]; }

// A = U diag(s) Vh. Its cofactors are turn U diag(p) Vh, where p[i] is the product of all s but s[i] and turn
// = det U det V. Seen from U and V, a change B of diag(s) changes them by the products of all s but two.
struct Spectrum {
  Tensor u, s, vh, turn;

  Spectrum(const Call& call, const Variable& a) {
    const kernel::Singular factors = kernel::svd(a.value());
    detail::require_success(call, factors.info, a.shape(), Operand(a).describe(), "has no singular values",
                            "LAPACK's gesdd did not converge");
    u = factors.u, s = factors.s, vh = factors.vh;
    const Tape::Pause pause;
    turn =
        per_matrix(Variable(kernel::lu_determinant(kernel::lu(u))) * kernel::lu_determinant(kernel::lu(vh)))
            .value();
  }
  Tensor cofactors() const {
    const Tape::Pause pause;
    return matmul(Variable(u) * turn * detail::per_column(kernel::products_without_one(s)), vh).value();
  }
  /// Their derivative in the direction g, of plain numbers.
  Variable slope(const Variable& g) const {
    const Variable two = kernel::products_without_two(s);
    const Variable b = matmul(matmul(u, g, {.a = true}), vh, {.b = true});
    const Variable diagonal = sum(b - detail::with_diagonal(b, 0), -2);
    const Variable along = sum(two * detail::per_column(diagonal), -1);
    const Variable inside = eye(side(b), b.dtype()) * detail::per_row(along) - two * detail::adjoint(b);
    return matmul(matmul(Variable(u) * turn, inside), vh);
  }
  /// Whether every matrix may be divided by its determinant.
  bool is_regular() const {
    if (s.size() == 0) return true;
    const Tape::Pause pause;
    const Variable ratio = slice(s, -1, {.start = -1}) / slice(s, -1, {0, 1});
    return (min(ratio) > 1e-3).item() != 0;
  }
};

Variable cofactors(const Call& call, const Variable& a);

// The derivative of the cofactors, for the graph. Where the matrix is far from singular: with C the
// cofactors, (C tr(C' g) - C g' C) / det.
Variable regular_slope(const Call& call, const Variable& a, const Variable& g) {
  const Variable c = cofactors(call, a);
  const Variable along = sum(c * g, {-2, -1}, true);
  return (c * along - matmul(matmul(c, g, {.b = true}), c)) / per_matrix(det(a));
}

// Elsewhere: cofactor (i, j) is the determinant of the minor K[i] A K[j]', up to its sign, where K[i] is the
// identity without row i. In O(n^5): for third derivatives of matrices that are nearly singular.
Variable slope_by_minors(const Call& call, const Variable& a, const Variable& g) {
  const std::int64_t n = side(a);
  std::vector<double> without(static_cast<std::size_t>(n * (n - 1) * n), 0), signs;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t p = 0; p < n - 1; ++p) {
      without[static_cast<std::size_t>((i * (n - 1) + p) * n + p + (p >= i ? 1 : 0))] = 1;
    }
    for (std::int64_t j = 0; j < n; ++j) signs.push_back((i + j) % 2 == 0 ? 1 : -1);
  }
  const Tensor kj = Tensor(Shape{n, n - 1, n}, without).astype(a.dtype()), ki = kj.reshape({n, 1, n - 1, n});
  const Variable minors = matmul(
      matmul(ki, reshape(a, kernel::with_batch(kernel::batch_of(a.shape()), {1, 1, n, n}))), kj, {.b = true});
  const Variable weights = per_matrix(g * Tensor(Shape{n, n}, signs).astype(a.dtype()));
  return sum(matmul(matmul(ki, weights * cofactors(call, minors), {.a = true}), kj), {-4, -3});
}

// Of order 2 they are J A J', of order 3 a product of the matrix with itself whose derivatives are such
// products.
Variable cofactors_of_2(const Variable& a) {
  const Variable j = tensor({{0, 1}, {-1, 0}}, a.dtype());
  return matmul(matmul(j, a), j, {.b = true});
}

Variable mixed_cofactors(const Call& call, const Variable& a, const Variable& b) {
  const auto with = [call](const Variable& x) {
    return [call, x](const Variable& g) { return mixed_cofactors(call, g, x); };
  };
  return structural<2>(call, kernel::mixed_cofactors(a.value(), b.value()), {&a, &b},
                       linear(with(b), with(b)), linear(with(a), with(a)));
}

// The matrix of cofactors, the gradient of det. Its own derivative is symmetric: the same map both ways.
Variable cofactors(const Call& call, const Variable& a) {
  if (side(a) == 1) return ones(a.shape(), a.dtype());
  if (side(a) == 2) return cofactors_of_2(a);
  if (side(a) == 3) return 0.5 * mixed_cofactors(call, a, a);
  const Spectrum spectrum(call, a);
  const auto slope = [call, a, spectrum](const Variable& g) {
    if (Tape::recording() == nullptr) return spectrum.slope(g);
    return spectrum.is_regular() ? regular_slope(call, a, g) : slope_by_minors(call, a, g);
  };
  return structural<1>(call, spectrum.cofactors(), {&a}, linear(slope, slope));
}

}  // namespace

Variable det(Operand x) {
  const Call call("det", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_square(call, x, 16'000);  // svd's workspace
  const Variable& v = x.as(dtype);
  const Call inner("cofactors", call.where);
  return structural<1>(call, kernel::lu_determinant(kernel::lu(v.value())), {&v},
                       linear([inner, v](const Variable& g) { return per_matrix(g) * cofactors(inner, v); },
                              [inner, v](const Variable& t) {
                                return sum(cofactors(inner, v) * t, {-2, -1});
                              }));
}

}  // namespace xgrad
