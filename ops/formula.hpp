// How an elementwise operation is made of its mathematics: a value and, for each input, a partial derivative,
// which stand in rules.hpp or in the call itself.
//
//   Variable tanh(Operand x) { return unary(tanh_rule, x); }
//
// The formulas are generic lambdas. On simd::Packs they become the forward kernel, and `cotangent * partial`
// as one fused pass; on Variables, under create_graph, they build the graph of the derivative. `of` names
// what the partial is a function of: X or A, B (the inputs) and Y (the result); just those are kept for the
// reverse pass.
#pragma once

#include <array>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/rules.hpp>
#include <xgrad/tensor/map.hpp>

namespace xgrad::detail {

/// Where an operation is defined: on floating tensors (integers are converted), or on integers as well.
enum class Domain { floating, numbers };

template <Domain D>
constexpr DType working_dtype(DType common) {
  return is_floating(common) ? common : D == Domain::numbers ? int64 : float32;
}

template <class P>
inline constexpr bool keeps_nothing = true;
template <class F, Kept... K>
inline constexpr bool keeps_nothing<Partial<F, K...>> = sizeof...(K) == 0;

template <class P>
constexpr bool keeps(Kept what) {
  return []<class Q>(const Q*, Kept w) {
    if constexpr (keeps_nothing<Q>) {
      return false;
    } else {
      return []<class F, Kept... K>(const Partial<F, K...>*, Kept v) { return ((K == v) || ...); }(
                 static_cast<const Q*>(nullptr), w);
    }
  }(static_cast<const P*>(nullptr), what);
}

/// What a node keeps for its reverse pass: nothing at all for a value that no partial is a function of.
template <bool Keeps>
struct Slot {
  void set(const Variable&) {}
};
template <>
struct Slot<true> {
  Variable value{Tensor{}};
  void set(const Variable& x) { value = x; }
};
template <class... P>
struct Saved {
  [[no_unique_address]] Slot<(keeps<P>(Kept::a) || ...)> a;
  [[no_unique_address]] Slot<(keeps<P>(Kept::b) || ...)> b;
  [[no_unique_address]] Slot<(keeps<P>(Kept::y) || ...)> y;

  template <Kept K>
  const Variable& get() const {
    if constexpr (K == Kept::a) {
      return a.value;
    } else if constexpr (K == Kept::b) {
      return b.value;
    } else {
      return y.value;
    }
  }
};

template <class S, class F, Kept... K>
Variable apply_partial(const Partial<F, K...>& partial, const Variable& g, const S& saved) {
  if (Tape::recording() != nullptr) return g * partial.f(saved.template get<K>()...);
  return Variable(visit_floating(g.dtype(), [&]<class T>(T) {
    const auto fused = [f = partial.f](auto cotangent, auto... kept) { return cotangent * f(kept...); };
    return kernel::map<T, std::conditional_t<(K == K), T, void>...>(fused, g.shape(), g.value(),
                                                                    saved.template get<K>().value()...);
  }));
}
template <class S>
Variable apply_partial(Same, const Variable& g, const S&) {
  return g;
}
template <class S>
Variable apply_partial(Negated, const Variable& g, const S&) {
  return -g;
}

template <class... P>
struct ElementwisePullback final : Pullback {
  [[no_unique_address]] std::tuple<P...> partials;
  [[no_unique_address]] Saved<P...> saved;
  explicit ElementwisePullback(const std::tuple<P...>& p) : partials(p) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    static_assert(sizeof...(P) <= 2);
    if constexpr (sizeof...(P) == 1) {
      return apply_partial(std::get<0>(partials), g, saved);
    } else {
      return k == 0 ? apply_partial(std::get<0>(partials), g, saved)
                    : apply_partial(std::get<1>(partials), g, saved);
    }
  }
};

/// The common path: `inputs` have the dtype already and broadcast to `value`'s shape. The literals are numbers that the
/// formula holds, as an exponent: noted on the tape as constants, for diagrams and listings.
template <std::size_t N, class... P>
Variable elementwise(const Call& call, Tensor value, const std::array<const Variable*, N>& inputs,
                     std::initializer_list<double> literals, P... partials) {
  static_assert(sizeof...(P) == N);
  bool tracks[N], any = false;
  for (std::size_t i = 0; i < N; ++i) any |= tracks[i] = tracked(*inputs[i], &call);
  if (!any) return Variable(std::move(value));
  Variable y(std::move(value), next_place());
  using Node = ElementwisePullback<P...>;
  std::vector<Variable> constants;
  if (literals.size() > 0) constants.reserve(literals.size());
  std::array<const Variable*, N + 2> noted;  // no formula holds more than two numbers
  std::size_t count = 0;
  for (const Variable* x : inputs) noted[count++] = x;
  for (double literal : literals) noted[count++] = &constants.emplace_back(scalar(literal, y.dtype()));
  Node& node = record<Node>(call.op, call.where, y, std::span<const Variable* const>(noted.data(), count),
                            std::tuple<P...>(partials...));
  // Of what the partials need, only that of tracked inputs' partials.
  const auto needed = [&](Kept what) {
    std::size_t i = 0;
    bool wanted = false;
    ((wanted = wanted || (tracks[i] && keeps<P>(what)), ++i), ...);
    return wanted;
  };
  if (needed(A)) node.saved.a.set(*inputs[0]);
  if constexpr (N > 1) {
    if (needed(B)) node.saved.b.set(*inputs[1]);
  }
  if (needed(Y)) node.saved.y.set(y);
  return y;
}

/// y = f(x) with dy/dx = partial.
template <Domain D = Domain::floating, class F, class P>
Variable unary(const char* op, Operand& x, const F& f, P partial,
               std::initializer_list<double> literals = {}) {
  const Call call(op, x);
  const DType dtype = working_dtype<D>(call.common_dtype({&x}));
  const Variable& v = x.as(dtype);
  const auto value = [&]<class T>(T) { return kernel::map<T>(f, v.shape(), v.value()); };
  if constexpr (D == Domain::numbers) {
    if (dtype == int64) return Variable(value(std::int64_t{}));
  }
  return elementwise<1>(call, visit_floating(dtype, value), {&v}, literals, partial);
}

/// y = f(a, b), broadcast, with its two partials.
template <Domain D = Domain::floating, class F, class P, class Q>
Variable binary(const char* op, Operand& a, Operand& b, const F& f, P partial_a, Q partial_b) {
  const Call call(op, a);
  const auto compute = [&](DType dtype, const Shape& shape, const Variable& va, const Variable& vb) {
    const auto value = [&]<class T>(T) { return kernel::map<T, T>(f, shape, va.value(), vb.value()); };
    if constexpr (D == Domain::numbers) {
      if (dtype == int64) return Variable(value(std::int64_t{}));
    }
    return elementwise<2>(call, visit_floating(dtype, value), {&va, &vb}, {}, partial_a, partial_b);
  };
  const Variable *p = a.plain(), *q = b.plain();
  if (p != nullptr && q != nullptr && p->dtype() == q->dtype() && is_floating(p->dtype()) &&
      p->shape() == q->shape()) {
    return compute(p->dtype(), p->shape(), *p, *q);
  }
  const DType dtype = working_dtype<D>(call.common_dtype({&a, &b}));
  const Shape shape = call.common_shape(a, b);
  return compute(dtype, shape, a.as(dtype), b.as(dtype));
}

/// The same by a rule of the table.
template <Domain D = Domain::floating, class F, class P>
Variable unary(const Rule<F, P>& rule, Operand& x, std::initializer_list<double> literals = {}) {
  return unary<D>(rule.op, x, rule.value, std::get<0>(rule.partials), literals);
}
template <Domain D = Domain::floating, class F, class P, class Q>
Variable binary(const Rule<F, P, Q>& rule, Operand& a, Operand& b) {
  return binary<D>(rule.op, a, b, rule.value, std::get<0>(rule.partials), std::get<1>(rule.partials));
}

/// A comparison: a bool constant.
template <class F>
Variable comparison(const char* op, Operand& a, Operand& b, const F& f) {
  const Call call(op, a);
  const DType dtype = working_dtype<Domain::numbers>(call.common_dtype({&a, &b}));
  const Shape shape = call.common_shape(a, b);
  const Variable &va = a.as(dtype), &vb = b.as(dtype);
  const auto value = [&]<class T>(T) {
    return Variable(kernel::map<T, T>(f, shape, va.value(), vb.value()));
  };
  return dtype == int64 ? value(std::int64_t{}) : visit_floating(dtype, value);
}

}  // namespace xgrad::detail
