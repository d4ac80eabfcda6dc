#include <xgrad/autograd/scope.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/matrices.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/batched.hpp>

namespace xgrad {

using detail::Call;

namespace {

// op(A)^-1 b by factors that are at hand: solutions of this family are closed under differentiation.
Variable solved(const Call& call, const Variable& a, const Variable& b, const kernel::Lu& lu,
                bool transposed);

struct SolvePullback final : detail::Pullback {
  static constexpr bool joint = true;
  Call call;
  Variable a, y;
  kernel::Lu lu;
  bool transposed;
  SolvePullback(const Call& c, const Variable& matrix, const Variable& solution, const kernel::Lu& factors,
                bool t)
      : call(c), a(matrix), y(solution), lu(factors), transposed(t) {}

  void pull_all(const Variable& g, std::uint64_t wanted, Variable* contributions) const override {
    const Variable w = solved(call, a, g, lu, !transposed);
    if ((wanted & 1) != 0) {
      contributions[0] = -(transposed ? matmul(y, w, {.b = true}) : matmul(w, y, {.b = true}));
    }
    if ((wanted & 2) != 0) contributions[1] = w;
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    return solved(call, a, k == 1 ? t : -matmul(t, y, {.a = transposed}), lu, transposed);
  }
};

Variable solved(const Call& call, const Variable& a, const Variable& b, const kernel::Lu& lu,
                bool transposed) {
  Tensor value = kernel::lu_solve(lu, b.value(), transposed);
  const bool any = detail::tracked(a, &call) | detail::tracked(b, &call);
  if (!any) return Variable(std::move(value));
  const Variable y(std::move(value), detail::next_place);
  const Variable* inputs[] = {&a, &b};
  detail::record<SolvePullback>(call.op, call.where, y, inputs, call, a, y, lu, transposed);
  return y;
}

// What is checked of both sides.
void require_fitting(const Call& call, const Operand& a, const Operand& b) {
  const bool vector = b.rank() == 1;
  detail::require_matrices(call, a);
  if (!vector) detail::require_matrices(call, b);
  const std::string both = a.describe() + " and " + b.describe();
  const std::int64_t n = a.shape()[a.rank() - 1], rows = b.shape()[vector ? 0 : b.rank() - 2];
  if (a.shape()[a.rank() - 2] != n) call.fail<ShapeError>("the first operand is not square: " + both);
  if (rows != n) call.fail<ShapeError>("the numbers of rows differ: " + both);
  if (!vector && !broadcast(kernel::batch_of(a.shape()), kernel::batch_of(b.shape()))) {
    call.fail<ShapeError>("the axes before the last two do not broadcast: " + both);
  }
}

// A vector as a column, and a column as a vector again.
Variable as_column(const Variable& b) { return b.rank() == 1 ? reshape(b, {b.size(), 1}) : b; }
Variable without_column(const Variable& y) { return reshape(y, kernel::batch_of(y.shape(), 1)); }

}  // namespace

Variable solve(Operand a, Operand b) {
  const Call call("solve", a);
  const DType dtype = detail::floating_dtype(call, {&a, &b});
  require_fitting(call, a, b);
  const Variable &va = a.as(dtype), &vb = b.as(dtype);
  const kernel::Lu lu = kernel::lu(va.value());
  detail::require_success(call, lu.info, va.shape(), a.describe(), "is singular", "pivot # is 0");
  const detail::At at(call.where);
  const Variable y = solved(call, va, as_column(vb), lu, false);
  return vb.rank() == 1 ? without_column(y) : y;
}

namespace {

Variable triangular(const Call& call, const Variable& a, const Variable& b, Triangular kind);

struct TriangularPullback final : detail::Pullback {
  static constexpr bool joint = true;
  Call call;
  Variable a, y;
  Triangular kind;
  TriangularPullback(const Call& c, const Variable& matrix, const Variable& solution, Triangular k)
      : call(c), a(matrix), y(solution), kind(k) {}

  Variable part(const Variable& x) const { return detail::triangle_of(x, kind.lower, !kind.unit_diagonal); }
  void pull_all(const Variable& g, std::uint64_t wanted, Variable* contributions) const override {
    Triangular other = kind;
    other.transposed = !kind.transposed;
    const Variable w = triangular(call, a, g, other);
    if ((wanted & 1) != 0) {
      contributions[0] = part(-(kind.transposed ? matmul(y, w, {.b = true}) : matmul(w, y, {.b = true})));
    }
    if ((wanted & 2) != 0) contributions[1] = w;
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    return triangular(call, a, k == 1 ? t : -matmul(part(t), y, {.a = kind.transposed}), kind);
  }
};

Tensor triangular_value(const Call& call, const Variable& a, const Tensor& b, Triangular kind) {
  const kernel::Solution solution = kernel::triangular_solve(a.value(), b, kind);
  detail::require_success(call, solution.info, a.shape(), Operand(a).describe(), "is singular",
                          "element # of the diagonal is 0");
  return solution.value;
}

Variable recorded(const Call& call, const Variable& a, const Variable& b, Tensor value, Triangular kind) {
  if (!(detail::tracked(a, &call) | detail::tracked(b, &call))) return Variable(std::move(value));
  const Variable y(std::move(value), detail::next_place);
  const Variable* inputs[] = {&a, &b};
  detail::record<TriangularPullback>(call.op, call.where, y, inputs, call, a, y, kind);
  return y;
}

Variable triangular(const Call& call, const Variable& a, const Variable& b, Triangular kind) {
  return recorded(call, a, b, triangular_value(call, a, b.value(), kind), kind);
}

}  // namespace

Variable triangular_solve(Operand a, Operand b, Triangular kind) {
  const Call call("triangular_solve", a);
  const DType dtype = detail::floating_dtype(call, {&a, &b});
  require_fitting(call, a, b);
  const Variable &va = a.as(dtype), &vb = b.as(dtype);
  const bool vector = vb.rank() == 1;
  Tensor value = triangular_value(call, va, vector ? vb.value().reshape({vb.size(), 1}) : vb.value(), kind);
  const detail::At at(call.where);
  const Variable y = recorded(call, va, as_column(vb), std::move(value), kind);
  return vector ? without_column(y) : y;
}

}  // namespace xgrad
