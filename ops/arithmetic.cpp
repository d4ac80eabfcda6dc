#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/structural.hpp>

namespace xgrad {

using detail::binary, detail::comparison, detail::unary;
using enum detail::Domain;

Variable add(Operand a, Operand b) { return binary<numbers>(detail::add_rule, a, b); }
Variable sub(Operand a, Operand b) { return binary<numbers>(detail::sub_rule, a, b); }
Variable mul(Operand a, Operand b) { return binary<numbers>(detail::mul_rule, a, b); }
Variable div(Operand a, Operand b) { return binary(detail::div_rule, a, b); }
Variable neg(Operand x) { return unary<numbers>(detail::neg_rule, x); }
Variable square(Operand x) { return unary<numbers>(detail::square_rule, x); }
Variable abs(Operand x) { return unary<numbers>(detail::abs_rule, x); }
Variable maximum(Operand a, Operand b) { return binary<numbers>(detail::maximum_rule, a, b); }
Variable minimum(Operand a, Operand b) { return binary<numbers>(detail::minimum_rule, a, b); }

namespace {

// Whole numbers are left as they are; bools become integers.
template <class R>
Variable step(const R& rule, Operand& x) {
  if (!is_floating(x.dtype())) return Variable(x.as(int64).value());
  return unary(rule, x);
}

// A division of integers by 0 would end the program. The check is a kernel, so that a replay checks its own values.
template <class R>
Variable division(const R& rule, Operand& a, Operand& b) {
  const detail::Call call(rule.op, a);
  if (detail::working_dtype<numbers>(call.common_dtype({&a, &b})) == int64) {
    const Tensor& divisor = b.as(int64).value();
    const auto check = [call, n = divisor.size(), scope = detail::CapturedScope()](void* const*,
                                                                                   const void* const* in) {
      const auto* p = static_cast<const std::int64_t*>(in[0]);
      scope.enter([&] {
        for (std::int64_t i = 0; i < n; ++i) {
          if (p[i] == 0)
            call.fail<Error>("element " + std::to_string(i) + " of the divisor is the integer 0");
        }
      });
    };
    detail::launch({}, {&divisor}, check);
  }
  return binary<numbers>(rule, a, b);
}

}  // namespace

Variable sign(Operand x) { return unary<numbers>(detail::sign_rule, x); }
Variable floor(Operand x) { return step(detail::floor_rule, x); }
Variable ceil(Operand x) { return step(detail::ceil_rule, x); }
Variable round(Operand x) { return step(detail::round_rule, x); }
Variable trunc(Operand x) { return step(detail::trunc_rule, x); }
Variable fmod(Operand a, Operand b) { return division(detail::fmod_rule, a, b); }
Variable remainder(Operand a, Operand b) { return division(detail::remainder_rule, a, b); }
Variable copysign(Operand a, Operand b) { return binary(detail::copysign_rule, a, b); }
Variable squared_difference(Operand a, Operand b) {
  return binary<numbers>(detail::squared_difference_rule, a, b);
}

Variable lerp(Operand a, Operand b, Operand w) {
  const detail::Call call("lerp", a);
  const DType dtype = detail::working_dtype<floating>(call.common_dtype({&a, &b, &w}));
  const Operand* all[] = {&a, &b, &w};
  const Shape shape = call.common_shape(all);
  const Variable &va = a.as(dtype), &vb = b.as(dtype), &vw = w.as(dtype);
  const auto mix = [](auto p, auto q, auto t) {
    auto difference = q - p;
    return where(t < 0.5, p + t * difference, q - (1 - t) * difference);
  };
  Tensor value = detail::visit_floating(dtype, [&]<class T>(T) {
    return kernel::map<T, T, T>(mix, shape, va.value(), vb.value(), vw.value());
  });
  const auto own_transpose = [](const auto& f) { return detail::linear(f, f); };
  return detail::structural<3>(call, std::move(value), {&va, &vb, &vw},
                               own_transpose([vw](const Variable& g) { return g * (1 - vw); }),
                               own_transpose([vw](const Variable& g) { return g * vw; }),
                               own_transpose([va, vb](const Variable& g) { return g * (vb - va); }));
}

// clang-format off

Variable less(Operand a, Operand b)          { return comparison("less", a, b,          [](auto a, auto b) { return a < b; }); }
Variable less_equal(Operand a, Operand b)    { return comparison("less_equal", a, b,    [](auto a, auto b) { return a <= b; }); }
Variable greater(Operand a, Operand b)       { return comparison("greater", a, b,       [](auto a, auto b) { return a > b; }); }
Variable greater_equal(Operand a, Operand b) { return comparison("greater_equal", a, b, [](auto a, auto b) { return a >= b; }); }
Variable equal_to(Operand a, Operand b)      { return comparison("equal_to", a, b,      [](auto a, auto b) { return a == b; }); }
Variable not_equal_to(Operand a, Operand b)  { return comparison("not_equal_to", a, b,  [](auto a, auto b) { return a != b; }); }

// clang-format on

Variable pow(Operand a, Operand b) {
  if (b.weak() == Operand::Weak::no) return binary(detail::pow_rule, a, b);
  const double e = b.number();
  return detail::with_power_rule(e, [&](const auto& rule) { return unary(rule, a, {e}); });
}

Variable clip(Operand x, double low, double high) {
  if (!(low <= high)) {
    detail::Call("clip", x).fail<Error>("the bounds are reversed or NaN: " + std::to_string(low) + " and " +
                                        std::to_string(high));
  }
  return unary(detail::clip_rule(low, high), x, {low, high});
}

Variable where(Operand condition, Operand a, Operand b) {
  const detail::Call call("where", condition);
  if (condition.dtype() != bool_) {
    call.fail<DTypeError>(
        "the condition " + condition.describe() + " is " + name(condition.dtype()) + ", not bool",
        "compare it: x != 0");
  }
  const DType dtype = detail::working_dtype<numbers>(call.common_dtype({&a, &b}));
  const Operand* all[] = {&condition, &a, &b};
  const Shape shape = call.common_shape(all);
  const Variable &c = condition.variable(), &va = a.as(dtype), &vb = b.as(dtype);
  Tensor value = detail::visit(dtype, [&]<class T>(T) {
    if constexpr (std::is_same_v<T, bool>) {
      return Tensor();  // `numbers` turned bool to int64
    } else {
      return kernel::map<bool, T, T>([](auto c, auto a, auto b) { return where(c, a, b); }, shape, c.value(),
                                     va.value(), vb.value());
    }
  });
  const Tensor& mask = c.value();
  const auto never = [](const Variable& g) {
    return g;
  };  // a bool is a constant: nothing is pulled back to it
  const auto chosen = [mask](const Variable& g) { return where(mask, g, 0); };
  const auto other = [mask](const Variable& g) { return where(mask, 0, g); };
  return detail::structural<3>(call, std::move(value), {&c, &va, &vb}, detail::linear(never, never),
                               detail::linear(chosen, chosen), detail::linear(other, other));
}

namespace {

void require_truths(const detail::Call& call, std::initializer_list<const Operand*> operands) {
  for (const Operand* x : operands) {
    if (x->dtype() == bool_) continue;
    call.fail<DTypeError>("the operand " + x->describe() + " is " + name(x->dtype()) + ", not bool",
                          "compare it: x != 0");
  }
}

template <class F>
Variable logical(const char* op, Operand& a, Operand& b, const F& f) {
  const detail::Call call(op, a);
  require_truths(call, {&a, &b});
  const Shape shape = call.common_shape(a, b);
  return Variable(kernel::map<bool, bool>(f, shape, a.variable().value(), b.variable().value()));
}

}  // namespace

Variable logical_and(Operand a, Operand b) {
  return logical("logical_and", a, b, [](auto a, auto b) { return a & b; });
}
Variable logical_or(Operand a, Operand b) {
  return logical("logical_or", a, b, [](auto a, auto b) { return a | b; });
}
Variable logical_xor(Operand a, Operand b) {
  return logical("logical_xor", a, b, [](auto a, auto b) { return (a & !b) | (b & !a); });
}
Variable logical_not(Operand x) {
  const detail::Call call("logical_not", x);
  require_truths(call, {&x});
  return Variable(kernel::map<bool>([](auto a) { return !a; }, x.shape(), x.variable().value()));
}

namespace {

template <class F>
Variable property(const char* op, Operand& x, const F& f) {
  const detail::Call call(op, x);
  const Variable& v = x.as(detail::working_dtype<floating>(call.common_dtype({&x})));
  return detail::visit_floating(
      v.dtype(), [&]<class T>(T) { return Variable(kernel::map<T>(f, v.shape(), v.value())); });
}

}  // namespace

Variable isnan(Operand x) {
  return property("isnan", x, [](auto v) { return v != v; });
}
Variable isinf(Operand x) {
  return property("isinf", x, [](auto v) { return abs(v) == __builtin_inf(); });
}
Variable isfinite(Operand x) {
  return property("isfinite", x, [](auto v) { return abs(v) < __builtin_inf(); });
}

Variable scale_gradient(Operand x, double factor) {
  const detail::Call call("scale_gradient", x);
  const Variable& v = x.variable();
  if (!is_floating(v.dtype())) return v;
  return detail::elementwise<1>(call, Tensor(v.value()), {&x}, {factor}, detail::scaled_partial(factor));
}
Variable flip_gradient(Operand x) {
  const detail::Call call("flip_gradient", x);
  const Variable& v = x.variable();
  if (!is_floating(v.dtype())) return v;
  return detail::elementwise<1>(call, Tensor(v.value()), {&x}, {}, detail::negated);
}

Variable straight_through(Operand y, Operand x) {
  const detail::Call call("straight_through", y);
  if (y.shape() != x.shape()) {
    call.fail<ShapeError>(
        "the value " + y.describe() + " and the source of the gradient " + x.describe() + " differ in shape",
        "reshape one of them");
  }
  const DType dtype = detail::working_dtype<floating>(call.common_dtype({&y, &x}));
  const Tensor value = y.as(dtype).value();
  const Variable& v = x.as(dtype);
  const auto through = [](const Variable& g) { return g; };
  return detail::structural<1>(call, value, {&v}, detail::linear(through, through));
}

Variable stop_gradient(Operand x) { return Variable(x.variable().value()); }

}  // namespace xgrad
