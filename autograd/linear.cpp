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
};

struct SumToPullback final : Pullback {
  Shape from;
  explicit SumToPullback(Shape shape) : from(std::move(shape)) {}
  Variable pull(const Variable& g, std::size_t) const override { return broadcast_to(g, from); }
};

struct BroadcastPullback final : Pullback {
  // The reverse loop sums the contribution to the input's shape.
  Variable pull(const Variable& g, std::size_t) const override { return g; }
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
  const bool records = tracked(a) || tracked(b);
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

}  // namespace xgrad::detail
