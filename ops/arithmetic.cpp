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
  return detail::structural<3>(
      call, std::move(value), {&c, &va, &vb}, never, [mask](const Variable& g) { return where(mask, g, 0); },
      [mask](const Variable& g) { return where(mask, 0, g); });
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
Variable logical_not(Operand x) {
  const detail::Call call("logical_not", x);
  require_truths(call, {&x});
  return Variable(kernel::map<bool>([](auto a) { return !a; }, x.shape(), x.variable().value()));
}

Variable stop_gradient(Operand x) { return Variable(x.variable().value()); }

}  // namespace xgrad
