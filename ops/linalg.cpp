#include <algorithm>
#include <limits>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/decompositions.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/matrices.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/batched.hpp>

namespace xgrad {

using detail::adjoint, detail::Call, detail::linear, detail::per_matrix, detail::structural;

Variable outer(Operand a, Operand b) {
  const Call call("outer", a);
  const DType dtype = call.common_dtype({&a, &b});
  if (a.rank() != 1 || b.rank() != 1) {
    call.fail<ShapeError>("operands are vectors: " + a.describe() + " x " + b.describe());
  }
  const Variable va = a.as(dtype), vb = b.as(dtype);
  const detail::At at(call.where);
  return reshape(va, {va.size(), 1}) * vb;
}

Variable trace(Operand x, int axis1, int axis2) {
  const Call call("trace", x);
  const Variable& v = x.variable();
  const int row = call.axis(axis1, x), column = call.axis(axis2, x);
  if (row == column) call.fail<ShapeError>("the two axes of " + x.describe() + " are the same");
  const detail::At at(call.where);
  return sum(detail::diagonal_of(v, row, column), -1);
}

namespace {

Variable inverse_of(const Call& call, const Variable& x) {
  kernel::Solution solution = kernel::inverse(x.value());
  detail::require_success(call, solution.info, x.shape(), Operand(x).describe(), "is singular",
                          "pivot # is 0");
  return structural<1>(
      call, std::move(solution.value), {&x},
      linear([](const Variable& g,
                const Variable& y) { return -matmul(matmul(y, g, {.a = true}), y, {.b = true}); },
             [](const Variable& t, const Variable& y) { return -matmul(matmul(y, t), y); }));
}

}  // namespace

Variable inverse(Operand x) {
  const Call call("inverse", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_square(call, x);
  return inverse_of(call, x.as(dtype));
}

namespace {

// The logarithm of |det x|, and the sign.
Slogdet sign_and_log(const Call& call, const Variable& x, bool negative_is_nan) {
  const kernel::SignAndLog parts = kernel::lu_sign_and_log(kernel::lu(x.value()));
  Tensor value = parts.log;
  if (negative_is_nan) {
    const Tape::Pause pause;
    value = where(Variable(parts.sign) < 0, std::numeric_limits<double>::quiet_NaN(), value).value();
  }
  const Variable log = structural<1>(
      call, std::move(value), {&x},
      linear([call, x](const Variable& g) { return per_matrix(g) * adjoint(inverse_of(call, x)); },
             [call, x](const Variable& t) {
               return sum(adjoint(inverse_of(call, x)) * t, {-2, -1});
             }));
  return {Variable(parts.sign), log};
}

}  // namespace

Slogdet slogdet(Operand x) {
  const Call call("slogdet", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_square(call, x);
  return sign_and_log(call, x.as(dtype), false);
}

Variable logdet(Operand x) {
  const Call call("logdet", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_square(call, x);
  return sign_and_log(call, x.as(dtype), true).logabsdet;
}

namespace {

// A root of a sum of squares that neither overflows nor divides by 0.
Tensor frobenius(const Variable& x) {
  const Tape::Pause pause;
  if (x.size() == 0) return sqrt(sum(x, {-2, -1}, true)).value();
  const Variable top = max(abs(x), {-2, -1}, true);
  const Variable scale = where((top > 0) & (top < std::numeric_limits<double>::infinity()), top, 1);
  return (scale * sqrt(sum(square(x / scale), {-2, -1}, true))).value();
}

Variable frobenius_norm(const Call& call, const Variable& x) {
  const auto direction = [x](const Variable& y) { return where(y == 0, 0, x / where(y == 0, 1, y)); };
  return structural<1>(call, frobenius(x), {&x},
                       linear([direction](const Variable& g, const Variable& y) { return g * direction(y); },
                              [direction](const Variable& t, const Variable& y) {
                                return sum(t * direction(y), {-2, -1}, true);
                              }));
}

}  // namespace

Variable matrix_norm(Operand x, MatrixNorm order, bool keepdims) {
  using Kind = MatrixNorm::Kind;
  const Call call("matrix_norm", x);
  const DType dtype = detail::floating_dtype(call, {&x});
  detail::require_matrices(call, x);
  const std::int64_t rows = x.shape()[x.rank() - 2], columns = x.shape()[x.rank() - 1];
  const Kind kind = order.kind();
  if (kind == Kind::unknown)
    call.fail<Error>("the order is \"fro\", \"nuc\", 1, 2 or inf, or a negative one");
  const bool nothing = kind == Kind::one        ? columns == 0
                       : kind == Kind::two      ? rows == 0 || columns == 0
                       : kind == Kind::infinity ? rows == 0
                                                : false;
  if (nothing) call.fail<ShapeError>("a largest or smallest of nothing: " + x.describe());
  const Variable& v = x.as(dtype);
  const detail::At at(call.where);
  const auto extreme = [&](const Variable& of) { return order.smallest() ? min(of, -1) : max(of, -1); };
  const Variable y = kind == Kind::frobenius ? frobenius_norm(call, v)
                     : kind == Kind::nuclear ? sum(svd(v).s, -1)
                     : kind == Kind::two     ? extreme(svd(v).s)
                     : kind == Kind::one     ? extreme(sum(abs(v), -2))
                                             : extreme(sum(abs(v), -1));
  const Shape batch = kernel::batch_of(v.shape());
  return reshape(y, keepdims ? kernel::with_batch(batch, {1, 1}) : batch);
}

}  // namespace xgrad
