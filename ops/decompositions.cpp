#include <algorithm>
#include <limits>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/decompositions.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/matrices.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/decompositions.hpp>

namespace xgrad {

using detail::adjoint, detail::Call, detail::linear, detail::structural, detail::triangle_of;

namespace {

// The lower part with half of the diagonal.
Variable half_of(const Variable& x) {
  return 0.5 * (triangle_of(x, true, true) + triangle_of(x, true, false));
}

}  // namespace

Variable cholesky(Operand x) {
  const Call call("cholesky", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_square(call, x);
  const Variable& v = x.as(dtype);
  kernel::Solution factor = kernel::cholesky(v.value());
  detail::require_success(call, factor.info, v.shape(), x.describe(), "is not positive definite",
                          "its leading minor of order # is not positive");
  return structural<1>(
      call, std::move(factor.value), {&v},
      linear(
          [](const Variable& g, const Variable& l) {
            const Variable p = half_of(matmul(l, g, {.a = true}));
            const Variable left = triangular_solve(l, p, {.transposed = true});
            return detail::symmetric_part(triangular_solve(l, adjoint(left), {.transposed = true}));
          },
          [](const Variable& t, const Variable& l) {
            const Variable left = triangular_solve(l, detail::symmetric_part(t));
            return matmul(l, half_of(triangular_solve(l, adjoint(left))));
          }));
}

namespace {

// x[i, j] / (w[j] - w[i]), and 0 on the diagonal.
Variable over_gaps(const Variable& x, const Variable& w) {
  const Variable gaps = detail::per_column(w) - detail::per_row(w);
  return x / detail::with_diagonal(gaps, std::numeric_limits<double>::infinity());
}

Variable skew(const Variable& x) { return x - adjoint(x); }

// The vectors of (a + a') / 2. Their eigenvalues are taken from a, so that they are differentiated, too.
Variable eigenvectors(const Call& call, const Variable& a, Tensor value) {
  const auto values_of = [a](const Variable& v) { return sum(v * matmul(detail::symmetric_part(a), v), -2); };
  return structural<1>(
      call, std::move(value), {&a},
      linear(
          [values_of](const Variable& g, const Variable& v) {
            const Variable turn = over_gaps(0.5 * skew(matmul(v, g, {.a = true})), values_of(v));
            return matmul(matmul(v, turn), v, {.b = true});
          },
          [values_of](const Variable& t, const Variable& v) {
            const Variable mixed = matmul(matmul(v, detail::symmetric_part(t), {.a = true}), v);
            return matmul(v, over_gaps(mixed, values_of(v)));
          }));
}

}  // namespace

Eigh eigh(Operand x) {
  const Call call("eigh", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_square(call, x, 32'000);  // 2 n^2 + 6 n + 1 numbers of workspace
  const Variable& a = x.as(dtype);
  const kernel::Eigen factors = kernel::eigh(a.value());
  detail::require_success(call, factors.info, a.shape(), x.describe(), "has no eigenvalues",
                          "LAPACK's syevd did not converge");
  const Variable v = eigenvectors(Call("eigenvectors", call.where), a, factors.vectors);
  const Variable w = structural<1>(
      Call("eigenvalues", call.where), factors.values, {&a},
      linear([v](const Variable& g) { return matmul(v * detail::per_column(g), v, {.b = true}); },
             [v](const Variable& t) { return sum(v * matmul(detail::symmetric_part(t), v), -2); }));
  return {w, v};
}

namespace {

// The left singular vectors of `a`, from u and b = u' a = diag(s) Vh alone. For a (m, n) and u (m, k).
struct LeftVectors {
  Variable b, squares;  // s^2
  bool tall;            // m > k: u does not span the space
  LeftVectors(const Variable& a, const Variable& u)
      : b(matmul(u, a, {.a = true})),
        squares(sum(square(b), -1)),
        tall(u.shape()[u.rank() - 2] > u.shape()[u.rank() - 1]) {}

  Variable pull(const Variable& g, const Variable& u) const {
    const Variable inside = matmul(u, g, {.a = true});
    const Variable turned = matmul(u, matmul(over_gaps(skew(inside), squares), b));
    if (!tall) return turned;
    return turned + matmul(g - matmul(u, inside), b / detail::per_row(squares));
  }
  Variable push(const Variable& t, const Variable& u) const {
    const Variable moved = matmul(t, b, {.b = true}), inside = matmul(u, moved, {.a = true});
    const Variable turned = matmul(u, over_gaps(inside + adjoint(inside), squares));
    if (!tall) return turned;
    return turned + (moved - matmul(u, inside)) / detail::per_column(squares);
  }
};

}  // namespace

Svd svd(Operand x) {
  const Call call("svd", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_matrices(call, x);
  const double m = static_cast<double>(x.shape()[x.rank() - 2]),
               n = static_cast<double>(x.shape()[x.rank() - 1]);
  const double k = std::min(m, n), workspace = 4 * k * k + 200 * (m + n);
  if (workspace > 2e9)
    call.fail<ShapeError>(x.describe() + " is beyond LAPACK's limit of 2^31 numbers of workspace");
  const Variable& a = x.as(dtype);
  const kernel::Singular factors = kernel::svd(a.value());
  detail::require_success(call, factors.info, a.shape(), x.describe(), "has no singular values",
                          "LAPACK's gesdd did not converge");
  const Variable u = structural<1>(
      Call("svd_u", call.where), factors.u, {&a},
      linear([a](const Variable& g, const Variable& y) { return LeftVectors(a, y).pull(g, y); },
             [a](const Variable& t, const Variable& y) { return LeftVectors(a, y).push(t, y); }));
  const Variable vh = structural<1>(Call("svd_vh", call.where), factors.vh, {&a},
                                    linear(
                                        [a](const Variable& g, const Variable& y) {
                                          const Variable v = adjoint(y);
                                          return adjoint(LeftVectors(adjoint(a), v).pull(adjoint(g), v));
                                        },
                                        [a](const Variable& t, const Variable& y) {
                                          const Variable v = adjoint(y);
                                          return adjoint(LeftVectors(adjoint(a), v).push(adjoint(t), v));
                                        }));
  const Variable s =
      structural<1>(Call("singular_values", call.where), factors.s, {&a},
                    linear([u, vh](const Variable& g) { return matmul(u * detail::per_column(g), vh); },
                           [u, vh](const Variable& t) { return sum(u * matmul(t, vh, {.b = true}), -2); }));
  return {u, s, vh};
}

namespace {

// Q of a tall or square matrix.
Variable orthogonal_factor(const Call& call, const Variable& a, Tensor value) {
  return structural<1>(
      call, std::move(value), {&a},
      linear(
          [a](const Variable& g, const Variable& q) {
            const Variable r = matmul(q, a, {.a = true}), m = matmul(g, q, {.a = true});
            const Variable mirrored = triangle_of(m, true, true) + adjoint(triangle_of(m, true, false));
            return adjoint(triangular_solve(r, adjoint(g - matmul(q, mirrored)), {.lower = false}));
          },
          [a](const Variable& t, const Variable& q) {
            const Variable r = matmul(q, a, {.a = true});
            const Variable moved =
                adjoint(triangular_solve(r, adjoint(t), {.lower = false, .transposed = true}));
            const Variable inside = matmul(q, moved, {.a = true});
            return moved + matmul(q, skew(triangle_of(inside, true, false)) - inside);
          }));
}

}  // namespace

Qr qr(Operand x) {
  const Call call("qr", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_matrices(call, x);
  const Variable& a = x.as(dtype);
  const detail::At at(call.where);
  const std::int64_t m = a.shape()[a.rank() - 2], n = a.shape()[a.rank() - 1];
  const kernel::Orthogonal factors = kernel::qr(a.value());
  const Variable q = orthogonal_factor(call, n > m ? slice(a, -1, {0, m}) : a, factors.q);
  const Variable r = structural<2>(Call("qr_r", call.where), factors.r, {&q, &a},
                                   linear([a](const Variable& g) { return matmul(a, g, {.b = true}); },
                                          [a](const Variable& t) { return matmul(t, a, {.a = true}); }),
                                   linear([q](const Variable& g) { return matmul(q, g); },
                                          [q](const Variable& t) { return matmul(q, t, {.a = true}); }));
  return {q, r};
}

}  // namespace xgrad
