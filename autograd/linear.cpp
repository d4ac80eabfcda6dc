#include <xgrad/autograd/linear.hpp>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/reduce.hpp>
#include <xgrad/tensor/strided.hpp>

namespace xgrad::detail {
namespace {

struct AddPullback final : Pullback {
  Variable pull(const Variable& g, std::size_t) const override { return g; }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape&) const override { return t; }
};

struct SumToPullback final : Pullback {
  Shape from;
  explicit SumToPullback(Shape shape) : from(std::move(shape)) {}
  Variable pull(const Variable& g, std::size_t) const override { return broadcast_to(g, from); }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape& output) const override {
    return sum_to(t, output);
  }
};

struct BroadcastPullback final : Pullback {
  // The reverse loop sums the contribution to the input's shape.
  Variable pull(const Variable& g, std::size_t) const override { return g; }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape&) const override { return t; }
};

struct RowPullback final : Pullback {
  std::int64_t index;
  Shape from;
  RowPullback(std::int64_t i, Shape shape) : index(i), from(std::move(shape)) {}
  Variable pull(const Variable& g, std::size_t) const override { return in_row(g, index, from); }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape& output) const override {
    return row(t, index, output);
  }
};

struct InRowPullback final : Pullback {
  std::int64_t index;
  Shape from;
  InRowPullback(std::int64_t i, Shape shape) : index(i), from(std::move(shape)) {}
  Variable pull(const Variable& g, std::size_t) const override { return row(g, index, from); }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape& output) const override {
    return in_row(t, index, output);
  }
};

struct StackPullback final : Pullback {
  Shape part;
  explicit StackPullback(Shape shape) : part(std::move(shape)) {}
  Variable pull(const Variable& g, std::size_t k) const override {
    return row(g, static_cast<std::int64_t>(k), part);
  }
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape& output) const override {
    return in_row(t, static_cast<std::int64_t>(k), output);
  }
};

struct TransposePullback final : Pullback {
  std::int64_t rows, columns;
  Shape from;
  TransposePullback(std::int64_t m, std::int64_t n, Shape shape)
      : rows(m), columns(n), from(std::move(shape)) {}
  Variable pull(const Variable& g, std::size_t) const override { return transpose_as(g, columns, from); }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape& output) const override {
    return transpose_as(t, rows, output);
  }
};

template <class P, class... A>
Variable linear(const char* op, Tensor value, const Variable& x, A&&... arguments) {
  if (!tracked(x)) return Variable(std::move(value));
  const Variable* inputs[] = {&x};
  Variable y(std::move(value), next_place);
  record<P>(op, At::or_else(std::source_location::current()), y, inputs, std::forward<A>(arguments)...);
  return y;
}

constexpr auto plus = [](auto a, auto b) { return a + b; };

}  // namespace

Variable accumulate(Variable a, const Variable& b) {
  const bool records = tracked(a) | tracked(b);  // both: a tape that borrows must see them
  // A capture takes what it did not see made for a constant, which must stay as it is.
  const bool may_write = detail::capturing == nullptr || !detail::is_fixed(a.value());
  if (!records && a.value().unique() && may_write) {
    Tensor sum = a.value();
    a = Variable();  // `sum` is the only owner now
    visit_floating(sum.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernel::map_over<T, T>(plus, sum, sum, b.value());
    });
    return Variable(std::move(sum));
  }
  Tensor sum = visit_floating(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return kernel::map<T, T>(plus, a.shape(), a.value(), b.value());
  });
  if (!records) return Variable(std::move(sum));
  const Variable* inputs[] = {&a, &b};
  Variable y(std::move(sum), next_place);
  record<AddPullback>("add", At::or_else(std::source_location::current()), y, inputs);
  return y;
}

Variable sum_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return linear<SumToPullback>("sum_to", kernel::sum_to(x.value(), shape), x, x.shape());
}

Variable broadcast_to(const Variable& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return linear<BroadcastPullback>("broadcast_to", kernel::broadcast_to(x.value(), shape), x);
}

Variable row(const Variable& x, std::int64_t i, const Shape& shape) {
  const std::int64_t n = shape.size();
  if (n == 0) return Variable(zeros(shape, x.dtype()));
  const kernel::Picked picked[] = {{i, 1, 1}, {0, 1, n}};
  Tensor value = kernel::slice(x.value().reshape({x.size() / n, n}), picked).reshape(shape);
  return linear<RowPullback>("slice", std::move(value), x, i, x.shape());
}

Variable in_row(const Variable& x, std::int64_t i, const Shape& shape) {
  const std::int64_t n = x.size();
  if (n == 0) return Variable(zeros(shape, x.dtype()));
  const kernel::Picked picked[] = {{i, 1, 1}, {0, 1, n}};
  const Tensor one_row = x.value().reshape({1, n});
  Tensor value = kernel::unslice(one_row, {shape.size() / n, n}, picked).reshape(shape);
  return linear<InRowPullback>("unslice", std::move(value), x, i, x.shape());
}

Variable stack_rows(std::span<const Variable> parts, const Shape& shape) {
  std::vector<Tensor> flat;
  std::vector<const Variable*> inputs;
  bool records = false;
  for (const Variable& part : parts) {
    flat.push_back(part.value().reshape({part.size()}));
    inputs.push_back(&part);
    records |= tracked(part);
  }
  Tensor value = kernel::concat(flat, 0).reshape(shape);
  if (!records) return Variable(std::move(value));
  Variable y(std::move(value), next_place);
  record<StackPullback>("stack", At::or_else(std::source_location::current()), y, inputs, parts[0].shape());
  return y;
}

Variable transpose_as(const Variable& x, std::int64_t rows, const Shape& shape) {
  const std::int64_t columns = rows == 0 ? 0 : x.size() / rows;
  constexpr int swapped[] = {1, 0};
  Tensor value = kernel::permute(x.value().reshape({rows, columns}), swapped).reshape(shape);
  return linear<TransposePullback>("transpose", std::move(value), x, rows, columns, x.shape());
}

}  // namespace xgrad::detail
