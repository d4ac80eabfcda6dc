// docs/adding-an-op.md: an operation that is not elementwise.
#include <iostream>
#include <xgrad/ops/structural.hpp>
#include <xgrad/xgrad.hpp>

namespace demo {

using namespace xgrad;

// [declaration]
/// The running sums along the last axis: y[..., i] = x[..., 0] + ... + x[..., i]. Gradient: the running sums of
/// g from the other end. Throws ShapeError if x has no axes, DTypeError unless it is floating.
Variable prefix_sum(Operand x);
// [/declaration]

// [value]
Tensor running_sums(const Tensor& x) {
  Tensor y(x.shape(), x.dtype());
  const std::int64_t n = x.shape()[x.rank() - 1];
  detail::visit_floating(x.dtype(), [&]<class T>(T) {
    const T* in = x.data<T>();
    T* out = detail::mutable_data<T>(y);
    for (std::int64_t i = 0; i < x.size(); ++i) out[i] = i % n == 0 ? in[i] : out[i - 1] + in[i];
  });
  return y;
}
// [/value]

// [operation]
Variable prefix_sum(Operand x) {
  const detail::Call call("prefix_sum", x);  // what errors say: the name, the user's line, the scope
  if (x.rank() == 0) call.fail<ShapeError>("a number has no axis: " + x.describe());
  if (!is_floating(x.dtype())) {
    call.fail<DTypeError>(x.describe() + " is " + name(x.dtype()), "convert it with astype(float32)");
  }
  const Variable& v = x.variable();
  return detail::structural<1>(call, running_sums(v.value()), {&v}, [](const Variable& g) {
    const auto reversed = [](const Variable& t) { return slice(t, -1, {.step = -1}); };
    return reversed(prefix_sum(reversed(g)));
  });
}
// [/operation]

}  // namespace demo

using demo::prefix_sum;

int main() {
  // [use]
  xgrad::Tape tape;
  const auto x = tape.watch(xgrad::tensor({{1, 2, 3}, {4, 5, 6}}), "x");
  const auto y = prefix_sum(x);
  std::cout << y << "\n" << tape.backward(sum(y))[x] << "\n";
  // [/use]
  // [check]
  const auto f = [](const xgrad::Variables& x) { return square(prefix_sum(x[0])); };
  const auto report = xgrad::gradcheck(f, {xgrad::tensor({{1, -2, 3}, {0.5, 5, -6}})}, {.order = 2});
  std::cout << (report.passed ? "passed" : "failed") << ", " << report.probes
            << " slopes of orders 1 and 2\n";
  // [/check]
  // [complaint]
  try {
    prefix_sum(2.0);
  } catch (const xgrad::ShapeError& error) {
    std::cout << error.what() << "\n";
  }
  // [/complaint]
  return report.passed ? 0 : 1;
}
