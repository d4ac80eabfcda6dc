// docs/adding-an-op.md: an elementwise operation, from its formula to its row in the table of tests.
#include <cmath>
#include <cstdio>
#include <iostream>
#include <xgrad/ops/formula.hpp>
#include <xgrad/xgrad.hpp>

#include "ops/op_table.hpp"

namespace demo {

using namespace xgrad;

// [declaration]
/// x where x > 0, e^x - 1 elsewhere. Gradient: g or g (y + 1) (at 0: g).
Variable elu(Operand x);
// [/declaration]

using detail::of, detail::rule, detail::unary, detail::Y;

// clang-format off
// [rule]
//                              name   value                                             partial
inline constexpr auto elu_rule = rule("elu", [](auto x) { return where(x > 0, x, expm1(x)); }, of<Y>([](auto y) { return where(y > 0, 1, y + 1); }));
// [/rule]

// [operation]
Variable elu(Operand x) { return unary(elu_rule, x); }
// [/operation]
// clang-format on

op_table::Row row() {
  using op_table::Dual, op_table::unary;
  // clang-format off
  return
      // [row]
      unary("elu", [](const auto& x) { return elu(x); }, [](Dual x) { return x > 0 ? x : expm1(x); }, {-3, 3}, {.kinks = {0}, .ulp = 2})
      // [/row]
      ;
  // clang-format on
}

}  // namespace demo

namespace xgrad::dual {

using demo::elu_rule;
// clang-format off
// [dual]
template <class V, unsigned P> auto elu(const Dual<V, P>& x) { return apply(elu_rule, x); }
// [/dual]
// clang-format on

}  // namespace xgrad::dual

using demo::elu;

int main() {
  {
    // [use]
    xgrad::Tape tape;
    const auto x = tape.watch(xgrad::tensor({-400, -1, 0, 2, 400}), "x");
    const auto y = elu(x);
    const auto slope = tape.backward(sum(y), {.retain = true})[x];
    std::cout << y << "\n" << slope << "\n" << to_text(tape);
    // [/use]
  }
  // [check]
  const auto f = [](const xgrad::Variables& x) { return elu(x[0]); };
  const auto report = xgrad::gradcheck(f, {xgrad::tensor({-2.5, -1, -0.3, 0.4, 2})}, {.order = 2});
  std::cout << (report.passed ? "passed" : "failed") << ", " << report.probes
            << " slopes of orders 1 and 2\n";
  // [/check]

  {
    // [fused]
    const auto x = xgrad::tensor({-1, 0.5, 2});
    std::cout << xgrad::fuse([](auto x) { return 2 * elu(x); }, x) << "\n";
    // [/fused]
  }

  const op_table::Row row = demo::row();
  for (double x : {-checks::Inf, -2.0, 0.5, 3.0, checks::Inf}) {
    const double value = row.call({xgrad::Variable(xgrad::scalar(x, xgrad::float64))}).item();
    const auto truth = static_cast<double>(row.formula({x}).v);
    if (value != truth && !(std::abs(value - truth) < 1e-15)) return 1;
  }
  return report.passed ? 0 : 1;
}
