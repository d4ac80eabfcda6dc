#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/gemm.hpp>

namespace xgrad {

using detail::Call;

namespace {

// y = op(a) op(b) for matrices. The products of this family are closed under differentiation.
Variable product(const Call& call, const Variable& a, const Variable& b, bool ta, bool tb) {
  const auto again = [call](const Variable& p, const Variable& q, bool tp, bool tq) {
    return product(call, p, q, tp, tq);
  };
  return detail::structural<2>(
      call, kernel::matmul(a.value(), b.value(), ta, tb), {&a, &b},
      [=](const Variable& g) { return ta ? again(b, g, tb, true) : again(g, b, false, !tb); },
      [=](const Variable& g) { return tb ? again(g, a, true, ta) : again(a, g, !ta, false); });
}

std::string shown(const Operand& x, bool transposed) { return x.describe() + (transposed ? "^T" : ""); }

}  // namespace

Variable matmul(Operand a, Operand b, Transposed transposed) {
  const Call call("matmul", a);
  const DType common = call.common_dtype({&a, &b});
  const DType dtype = common == bool_ ? int64 : common;
  for (const Operand* x : {&a, &b}) {
    if (x->rank() == 0 || x->rank() > 2) {
      call.fail<ShapeError>("operands are matrices or vectors: " + a.describe() + " x " + b.describe(),
                            x->rank() == 0 ? "use * for a scalar" : "");
    }
    for (std::int64_t size : x->shape()) {
      if (size >= std::int64_t{1} << 31)
        call.fail<ShapeError>("a size of " + x->describe() + " reaches 2^31, BLAS's limit");
    }
  }
  const Shape s = a.shape(), t = b.shape();
  const bool row = s.rank() == 1, column = t.rank() == 1;
  if ((row && transposed.a) || (column && transposed.b)) call.fail<ShapeError>("a vector has no transpose");
  const std::int64_t m = row ? 1 : s[transposed.a ? 1 : 0], inner_a = row ? s[0] : s[transposed.a ? 0 : 1];
  const std::int64_t inner_b = column ? t[0] : t[transposed.b ? 1 : 0],
                     n = column ? 1 : t[transposed.b ? 0 : 1];
  if (inner_a != inner_b) {
    std::string hint;
    const auto transposing = [](Operand& x, bool already, const char* which) {
      const std::string name = detail::name_of(x.variable());
      return std::string("did you mean ") + (already ? "not " : "") + "to transpose " +
             (name.empty() ? which : name) + "?";
    };
    if (!column && n == inner_a) hint = transposing(b, transposed.b, "the second operand");
    if (!row && m == inner_b) hint = transposing(a, transposed.a, "the first operand");
    call.fail<ShapeError>("inner sizes differ: " + shown(a, transposed.a) + " x " + shown(b, transposed.b),
                          hint);
  }
  const Variable &va = a.as(dtype), &vb = b.as(dtype);
  if (!row && !column) return product(call, va, vb, transposed.a, transposed.b);
  const detail::At at(call.where);
  const Variable y = product(call, row ? reshape(va, {1, inner_a}) : va,
                             column ? reshape(vb, {inner_b, 1}) : vb, transposed.a, transposed.b);
  return row && column ? reshape(y, Shape{}) : reshape(y, {row ? n : m});
}

}  // namespace xgrad
