#include <algorithm>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/batched.hpp>
#include <xgrad/tensor/gemm.hpp>

namespace xgrad {

using detail::Call;

namespace {

// y = op(a) op(b) for matrices, or for batches of them. These products are closed under differentiation.
Variable product(const Call& call, const Variable& a, const Variable& b, bool ta, bool tb);

// Of op(a) op(b), or of op(a) op(b) + c. What broadcast, c or batch axes, is summed by the reverse loop.
struct ProductPullback final : detail::Pullback {
  Call call;
  Variable a, b;
  bool ta, tb;
  ProductPullback(const Call& c, const Variable& x, const Variable& y, bool tx, bool ty)
      : call(c), a(x), b(y), ta(tx), tb(ty) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    if (k == 0) return ta ? product(call, b, g, tb, true) : product(call, g, b, false, !tb);
    if (k == 1) return tb ? product(call, g, a, true, ta) : product(call, a, g, !ta, false);
    return g;
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    if (k == 0) return product(call, t, b, ta, tb);
    if (k == 1) return product(call, a, t, ta, tb);
    return t;
  }
};

template <std::size_t N>
Variable recorded(const Call& call, Tensor value, const std::array<const Variable*, N>& inputs, bool ta,
                  bool tb) {
  bool any = false;
  for (const Variable* x : inputs) any |= detail::tracked(*x, &call);
  if (!any || !is_floating(value.dtype())) return Variable(std::move(value));
  Variable y(std::move(value), detail::next_place);
  detail::record<ProductPullback>(call.op, call.where, y, inputs, call, *inputs[0], *inputs[1], ta, tb);
  return y;
}

Variable product(const Call& call, const Variable& a, const Variable& b, bool ta, bool tb) {
  Tensor value = a.rank() == 2 && b.rank() == 2 ? kernel::matmul(a.value(), b.value(), ta, tb)
                                                : kernel::matmul_batched(a.value(), b.value(), ta, tb);
  return recorded<2>(call, std::move(value), {&a, &b}, ta, tb);
}

// op(a) op(b) + c for matrices.
Variable product_add(const Call& call, const Variable& a, const Variable& b, const Variable& c, bool ta,
                     bool tb) {
  return recorded<3>(call, kernel::matmul_add(a.value(), b.value(), c.value(), ta, tb), {&a, &b, &c}, ta, tb);
}

std::string shown(const Operand& x, bool transposed) { return x.describe() + (transposed ? "^T" : ""); }

constexpr std::int64_t blas_limit = std::int64_t{1} << 31;

// The checks that every product makes.
struct Sizes {
  bool row, column;  // whether a, b is a vector
  std::int64_t m, inner, n;
  Shape batch_a, batch_b, batch;  // the axes before the last two

  Sizes(const Call& call, Operand& a, Operand& b, Transposed transposed) {
    if (a.rank() == 0 || b.rank() == 0) {
      call.fail<ShapeError>("operands are matrices or vectors: " + a.describe() + " x " + b.describe(),
                            "use * for a scalar");
    }
    const Shape &s = a.shape(), &t = b.shape();
    row = s.rank() == 1, column = t.rank() == 1;
    if ((row && transposed.a) || (column && transposed.b)) call.fail<ShapeError>("a vector has no transpose");
    const auto side = [](const Shape& shape, bool last) { return shape[shape.rank() - (last ? 1 : 2)]; };
    m = row ? 1 : side(s, transposed.a), inner = row ? s[0] : side(s, !transposed.a);
    n = column ? 1 : side(t, !transposed.b);
    const std::int64_t inner_b = column ? t[0] : side(t, transposed.b);
    if (inner != inner_b) {
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
    for (std::int64_t size : {m, inner, n}) {
      if (size < blas_limit) continue;
      call.fail<ShapeError>("a size of " + (size == n ? b : a).describe() + " reaches 2^31, BLAS's limit");
    }
    if (s.rank() <= 2 && t.rank() <= 2) return;
    if (!row) batch_a = kernel::batch_of(s);
    if (!column) batch_b = kernel::batch_of(t);
    const auto both = broadcast(batch_a, batch_b);
    if (!both) {
      call.fail<ShapeError>("the axes before the last two do not broadcast: " + shown(a, transposed.a) +
                            " x " + shown(b, transposed.b));
    }
    batch = *both;
  }

  /// Many matrices times the same one: they are one matrix of many rows.
  bool is_tall(Transposed transposed) const {
    return batch_a.rank() > 0 && batch_b.rank() == 0 && !transposed.a &&
           batch_a.size() < blas_limit / std::max<std::int64_t>(m, 1);
  }
  Shape tall() const { return {batch_a.size() * m, inner}; }
  Shape matrices() const { return kernel::with_batch(batch, {m, n}); }
  /// Of the result: the axis of a vector is dropped.
  Shape result() const {
    return row && column ? batch
           : row         ? kernel::with_batch(batch, {n})
           : column      ? kernel::with_batch(batch, {m})
                         : matrices();
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
  const bool tall = sizes.is_tall(transposed);
  if (!sizes.row && !sizes.column && !tall) return product(call, va, vb, transposed.a, transposed.b);
  const detail::At at(call.where);
  const Variable left = tall ? reshape(va, sizes.tall()) : sizes.row ? reshape(va, {1, sizes.inner}) : va;
  const Variable right = sizes.column ? reshape(vb, {sizes.inner, 1}) : vb;
  return reshape(product(call, left, right, transposed.a, transposed.b), sizes.result());
}

Variable matmul_add(Operand a, Operand b, Operand c, Transposed transposed) {
  const Call call("matmul_add", a);
  const DType dtype = product_dtype(call, {&a, &b, &c});
  const Sizes sizes(call, a, b, transposed);
  const Shape shape = sizes.result();
  if (!broadcasts_to(c.shape(), shape)) {
    call.fail<ShapeError>(
        "the third operand " + c.describe() + " does not broadcast to the product " + to_string(shape),
        c.rank() == 1 && shape.rank() == 2 && c.shape()[0] == shape[0]
            ? "reshape it to (" + std::to_string(shape[0]) + ", 1) for a column"
            : "");
  }
  const Variable &va = a.as(dtype), &vb = b.as(dtype), &vc = c.as(dtype);
  const bool vectors = sizes.row || sizes.column;
  if (!vectors && va.rank() == 2 && vb.rank() == 2)
    return product_add(call, va, vb, vc, transposed.a, transposed.b);
  const detail::At at(call.where);
  if (!vectors && vc.rank() < 2 && sizes.is_tall(transposed)) {
    return reshape(product_add(call, reshape(va, sizes.tall()), vb, vc, false, transposed.b), shape);
  }
  return matmul(va, vb, transposed) + vc;
}

}  // namespace xgrad
