#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/gemm.hpp>

namespace xgrad {

using detail::Call;

namespace {

// y = op(a) op(b) for matrices. The products of this family are closed under differentiation.
Variable product(const Call& call, const Variable& a, const Variable& b, bool ta, bool tb);

// The cotangents of the factors of op(a) op(b).
struct ProductPulls {
  Call call;
  Variable a, b;
  bool ta, tb;
  Variable to_a(const Variable& g) const {
    return ta ? product(call, b, g, tb, true) : product(call, g, b, false, !tb);
  }
  Variable to_b(const Variable& g) const {
    return tb ? product(call, g, a, true, ta) : product(call, a, g, !ta, false);
  }
};

Variable product(const Call& call, const Variable& a, const Variable& b, bool ta, bool tb) {
  const ProductPulls pulls{call, a, b, ta, tb};
  return detail::structural<2>(
      call, kernel::matmul(a.value(), b.value(), ta, tb), {&a, &b},
      [pulls](const Variable& g) { return pulls.to_a(g); },
      [pulls](const Variable& g) { return pulls.to_b(g); });
}

// op(a) op(b) + c; the reverse loop sums g to c's shape.
Variable product_add(const Call& call, const Variable& a, const Variable& b, const Variable& c, bool ta,
                     bool tb) {
  const ProductPulls pulls{call, a, b, ta, tb};
  return detail::structural<3>(
      call, kernel::matmul_add(a.value(), b.value(), c.value(), ta, tb), {&a, &b, &c},
      [pulls](const Variable& g) { return pulls.to_a(g); },
      [pulls](const Variable& g) { return pulls.to_b(g); }, [](const Variable& g) { return g; });
}

std::string shown(const Operand& x, bool transposed) { return x.describe() + (transposed ? "^T" : ""); }

// The checks that every product makes.
struct Sizes {
  bool row, column;  // whether a, b is a vector
  std::int64_t m, inner, n;

  Sizes(const Call& call, Operand& a, Operand& b, Transposed transposed) {
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
    const Shape &s = a.shape(), &t = b.shape();
    row = s.rank() == 1, column = t.rank() == 1;
    if ((row && transposed.a) || (column && transposed.b)) call.fail<ShapeError>("a vector has no transpose");
    m = row ? 1 : s[transposed.a ? 1 : 0], inner = row ? s[0] : s[transposed.a ? 0 : 1];
    n = column ? 1 : t[transposed.b ? 0 : 1];
    const std::int64_t inner_b = column ? t[0] : t[transposed.b ? 1 : 0];
    if (inner == inner_b) return;
    std::string hint;
    const auto transposing = [](Operand& x, bool already, const char* which) {
      const std::string name = detail::name_of(x.variable());
      return std::string("did you mean ") + (already ? "not " : "") + "to transpose " +
             (name.empty() ? which : name) + "?";
    };
    if (!column && n == inner) hint = transposing(b, transposed.b, "the second operand");
    if (!row && m == inner_b) hint = transposing(a, transposed.a, "the first operand");
    call.fail<ShapeError>("inner sizes differ: " + shown(a, transposed.a) + " x " + shown(b, transposed.b),
                          hint);
  }
};

DType product_dtype(const Call& call, std::initializer_list<const Operand*> operands) {
  const DType common = call.common_dtype(operands);
  return common == bool_ ? int64 : common;
}

}  // namespace

Variable matmul(Operand a, Operand b, Transposed transposed) {
  const Call call("matmul", a);
  const DType dtype = product_dtype(call, {&a, &b});
  const Sizes sizes(call, a, b, transposed);
  const Variable &va = a.as(dtype), &vb = b.as(dtype);
  if (!sizes.row && !sizes.column) return product(call, va, vb, transposed.a, transposed.b);
  const detail::At at(call.where);
  const Variable y = product(call, sizes.row ? reshape(va, {1, sizes.inner}) : va,
                             sizes.column ? reshape(vb, {sizes.inner, 1}) : vb, transposed.a, transposed.b);
  return sizes.row && sizes.column ? reshape(y, Shape{}) : reshape(y, {sizes.row ? sizes.n : sizes.m});
}

Variable matmul_add(Operand a, Operand b, Operand c, Transposed transposed) {
  const Call call("matmul_add", a);
  const DType dtype = product_dtype(call, {&a, &b, &c});
  const Sizes sizes(call, a, b, transposed);
  const Shape shape = sizes.row && sizes.column ? Shape{}
                      : sizes.row               ? Shape{sizes.n}
                      : sizes.column            ? Shape{sizes.m}
                                                : Shape{sizes.m, sizes.n};
  if (!broadcasts_to(c.shape(), shape)) {
    call.fail<ShapeError>(
        "the third operand " + c.describe() + " does not broadcast to the product " + to_string(shape),
        c.rank() == 1 && shape.rank() == 2 && c.shape()[0] == shape[0]
            ? "reshape it to (" + std::to_string(shape[0]) + ", 1) for a column"
            : "");
  }
  const Variable &va = a.as(dtype), &vb = b.as(dtype), &vc = c.as(dtype);
  if (!sizes.row && !sizes.column) return product_add(call, va, vb, vc, transposed.a, transposed.b);
  const detail::At at(call.where);
  return matmul(va, vb, transposed) + vc;
}

}  // namespace xgrad
