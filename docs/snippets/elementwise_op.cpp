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
/// log(1 + x) where x > 0, -log(1 - x) elsewhere. Gradient: g / (1 + |x|).
Variable symlog(Operand x);
// [/declaration]

using detail::of, detail::rule, detail::unary, detail::X;

// clang-format off
// [rule]
//                                       name      value                                                       partial
inline constexpr auto symlog_rule = rule("symlog", [](auto x) { return where(x > 0, log1p(x), -log1p(-x)); }, of<X>([](auto x) { return 1 / (1 + abs(x)); }));
// [/rule]

// [operation]
Variable symlog(Operand x) { return unary(symlog_rule, x); }
// [/operation]
// clang-format on

op_table::Row row() {
  using op_table::Dual, op_table::unary;
  // clang-format off
  return
      // [row]
      unary("symlog", [](const auto& x) { return symlog(x); }, [](Dual x) { return x > 0 ? log1p(x) : -log1p(-x); }, {-3, 3}, {.kinks = {0}, .ulp = 2})
      // [/row]
      ;
  // clang-format on
}

}  // namespace demo

namespace xgrad::dual {

using demo::symlog_rule;
// clang-format off
// [dual]
template <class V, unsigned P> auto symlog(const Dual<V, P>& x) { return apply(symlog_rule, x); }
// [/dual]
// clang-format on

}  // namespace xgrad::dual

using demo::symlog;

int main() {
  {
    // [use]
    xgrad::Tape tape;
    const auto x = tape.watch(xgrad::tensor({-400, -1, 0, 2, 400}), "x");
    const auto y = symlog(x);
    const auto slope = tape.backward(sum(y), {.retain = true})[x];
    std::cout << y << "\n" << slope << "\n" << to_text(tape);
    // [/use]
  }
  // [check]
  const auto f = [](const xgrad::Variables& x) { return symlog(x[0]); };
  const auto report = xgrad::gradcheck(f, {xgrad::tensor({-2.5, -1, -0.3, 0.4, 2})}, {.order = 2});
  std::cout << (report.passed ? "passed" : "failed") << ", " << report.probes
            << " slopes of orders 1 and 2\n";
  // [/check]

  {
    // [fused]
    const auto x = xgrad::tensor({-1, 0.5, 2});
    std::cout << xgrad::fuse([](auto x) { return 2 * symlog(x); }, x) << "\n";
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
