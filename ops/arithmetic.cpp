#include <limits>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/structural.hpp>

namespace xgrad {

using detail::A, detail::B, detail::X, detail::Y;
using detail::binary, detail::comparison, detail::negated, detail::of, detail::same, detail::unary;
using enum detail::Domain;

// clang-format off

// The formula table:      name      value                                    partials
Variable add(Operand a, Operand b) {
  return binary<numbers>("add", a, b, [](auto a, auto b) { return a + b; },   same, same);
}
Variable sub(Operand a, Operand b) {
  return binary<numbers>("sub", a, b, [](auto a, auto b) { return a - b; },   same, negated);
}
Variable mul(Operand a, Operand b) {
  return binary<numbers>("mul", a, b, [](auto a, auto b) { return a * b; },   of<B>([](auto b) { return b; }),
                                                                              of<A>([](auto a) { return a; }));
}
Variable div(Operand a, Operand b) {
  return binary("div", a, b,          [](auto a, auto b) { return a / b; },   of<B>([](auto b) { return 1 / b; }),
                                                                              of<B, Y>([](auto b, auto y) { return -y / b; }));
}
Variable neg(Operand x) {
  return unary<numbers>("neg", x,     [](auto x) { return -x; },              negated);
}
Variable square(Operand x) {
  return unary<numbers>("square", x,  [](auto x) { return x * x; },           of<X>([](auto x) { return 2 * x; }));
}
// The last choices below are taken for NaN alone, and pass it on.
Variable abs(Operand x) {
  return unary<numbers>("abs", x,     [](auto x) { return abs(x); },
      of<X>([](auto x) { return where(x > 0, 1, where(x < 0, -1, where(x == 0, 0, x))); }));
}
Variable maximum(Operand a, Operand b) {
  return binary<numbers>("maximum", a, b, [](auto a, auto b) { return maximum(a, b); },
      of<A, B>([](auto a, auto b) { return where(a > b, 1, where(a < b, 0, where(a == b, 0.5, a + b))); }),
      of<A, B>([](auto a, auto b) { return where(a < b, 1, where(a > b, 0, where(a == b, 0.5, a + b))); }));
}
Variable minimum(Operand a, Operand b) {
  return binary<numbers>("minimum", a, b, [](auto a, auto b) { return minimum(a, b); },
      of<A, B>([](auto a, auto b) { return where(a < b, 1, where(a > b, 0, where(a == b, 0.5, a + b))); }),
      of<A, B>([](auto a, auto b) { return where(a > b, 1, where(a < b, 0, where(a == b, 0.5, a + b))); }));
}

Variable less(Operand a, Operand b)          { return comparison("less", a, b,          [](auto a, auto b) { return a < b; }); }
Variable less_equal(Operand a, Operand b)    { return comparison("less_equal", a, b,    [](auto a, auto b) { return a <= b; }); }
Variable greater(Operand a, Operand b)       { return comparison("greater", a, b,       [](auto a, auto b) { return a > b; }); }
Variable greater_equal(Operand a, Operand b) { return comparison("greater_equal", a, b, [](auto a, auto b) { return a >= b; }); }
Variable equal_to(Operand a, Operand b)      { return comparison("equal_to", a, b,      [](auto a, auto b) { return a == b; }); }
Variable not_equal_to(Operand a, Operand b)  { return comparison("not_equal_to", a, b,  [](auto a, auto b) { return a != b; }); }

// clang-format on

Variable pow(Operand a, Operand b) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (b.weak() != Operand::Weak::no) {
    const double e = b.number();
    const auto power = [&](auto value, auto partial) { return unary("pow", a, value, partial, {e}); };
    if (e == 0) return power([](auto x) { return decltype(x)(1); }, of<>([] { return 0; }));
    if (e == 1) return power([](auto x) { return x; }, same);
    if (e == 2) return power([](auto x) { return x * x; }, of<X>([](auto x) { return 2 * x; }));
    if (e == -1) return power([](auto x) { return 1 / x; }, of<Y>([](auto y) { return -y * y; }));
    if (e == 0.5) {  // unlike sqrt, pow gives 0 at -0 and inf at -inf
      return power([](auto x) { return where(x == -infinity, infinity, sqrt(x + 0)); },
                   of<Y>([](auto y) { return 0.5 / y; }));
    }
    return power([e](auto x) { return pow(x, e); }, of<X>([e](auto x) { return e * pow(x, e - 1); }));
  }
  return binary(
      "pow", a, b, [](auto a, auto b) { return pow(a, b); },
      of<A, B>([](auto a, auto b) { return where(b == 0, 0, b * pow(a, b - 1)); }),
      of<A, B, Y>(
          [](auto a, auto b, auto y) { return where(a == 0, where(b >= 0, 0, y * log(a)), y * log(a)); }));
}

Variable clip(Operand x, double low, double high) {
  if (!(low <= high)) {
    detail::Call("clip", x).fail<Error>("the bounds are reversed or NaN: " + std::to_string(low) + " and " +
                                        std::to_string(high));
  }
  return unary("clip", x, [=](auto x) { return minimum(maximum(x, low), high); },
               of<X>([=](auto x) { return where(x < low, 0, where(x > high, 0, where(x == x, 1, x))); }),
               {low, high});
}

Variable where(Operand condition, Operand a, Operand b) {
  const detail::Call call("where", condition);
  if (condition.dtype() != bool_) {
    call.fail<DTypeError>(
        "the condition " + condition.describe() + " is " + name(condition.dtype()) + ", not bool",
        "compare it: x != 0");
  }
  const DType dtype = detail::working_dtype<numbers>(call.common_dtype({&a, &b}));
  const Shape ab = call.common_shape(a, b);
  auto shape = broadcast(condition.shape(), ab);
  if (!shape) {
    call.fail<ShapeError>("shapes do not broadcast: " + condition.describe() + ", " + a.describe() + " and " +
                          b.describe());
  }
  const Variable &c = condition.variable(), &va = a.as(dtype), &vb = b.as(dtype);
  Tensor value = detail::visit(dtype, [&]<class T>(T) {
    if constexpr (std::is_same_v<T, bool>) {
      return Tensor();  // `numbers` turned bool to int64
    } else {
      return kernel::map<bool, T, T>([](auto c, auto a, auto b) { return where(c, a, b); }, *shape, c.value(),
                                     va.value(), vb.value());
    }
  });
  const Tensor& mask = c.value();
  const auto never = [](const Variable& g) {
    return g;
  };  // a bool is a constant: nothing is pulled back to it
  return detail::structural<3>(
      call, std::move(value), {&c, &va, &vb}, never, [mask](const Variable& g) { return where(mask, g, 0); },
      [mask](const Variable& g) { return where(mask, 0, g); });
}

Variable stop_gradient(Operand x) { return Variable(x.variable().value()); }

}  // namespace xgrad
