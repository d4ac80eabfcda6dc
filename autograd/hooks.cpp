#include <xgrad/autograd/hooks.hpp>

namespace xgrad::detail {
namespace {

struct HookPullback final : Pullback {
  Call call;
  Hook hook;
  bool looks;
  HookPullback(const Call& c, Hook fn, bool only_looks) : call(c), hook(std::move(fn)), looks(only_looks) {}

  Variable pull(const Variable& g, std::size_t) const override {
    if (looks) note_obstacle("on_gradient calls a function in each reverse pass");
    Variable replaced = hook(g);
    if (replaced.shape() == g.shape() && replaced.dtype() == g.dtype()) return replaced;
    call.fail<GraphError>("the function replaced the cotangent " + to_string(g.shape()) + " " +
                          name(g.dtype()) + " by " + to_string(replaced.shape()) + " " +
                          name(replaced.dtype()));
  }
  std::optional<Variable> push(const Variable& t, std::size_t, const Shape&) const override { return t; }
};

}  // namespace

Variable on_gradient(Operand& x, Hook hook, bool looks) {
  const Call call("on_gradient", x);
  const Variable& v = x.variable();
  if (!tracked(v, &call)) return Variable(v.value());
  const Variable y(v.value(), next_place);
  const Variable* inputs[] = {&v};
  record<HookPullback>(call.op, call.where, y, inputs, call, std::move(hook), looks);
  return y;
}

}  // namespace xgrad::detail
