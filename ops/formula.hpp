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
#include <xgrad/autograd/linear.hpp>
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
  void set(Variable x) { value = std::move(x); }
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

// The cotangent times the partial; as empty a type as the partial is.
template <class F>
struct Times {
  [[no_unique_address]] F partial;
  auto operator()(auto cotangent, auto... kept) const { return cotangent * partial(kept...); }
};

// Cold, as is each of the functions it calls beside the kernels: small code counts there, with over a hundred formulas.
template <class S, class F, Kept... K>
[[gnu::cold]] Variable recorded_partial(const Partial<F, K...>& partial, const Variable& g, const S& saved) {
  return g * partial.f(saved.template get<K>()...);
}
template <class S, class F, Kept... K>
[[gnu::noinline]] Variable apply_partial(const Partial<F, K...>& partial, const Variable& g, const S& saved,
                                         const Shape& shape) {
  if (Tape::recording() != nullptr) return recorded_partial(partial, g, saved);
  return Variable(visit_floating(g.dtype(), [&]<class T>(T) {
    return kernel::map<T, std::conditional_t<(K == K), T, void>...>(Times<F>{partial.f}, shape, g.value(),
                                                                    saved.template get<K>().value()...);
  }));
}
template <class S>
Variable apply_partial(Same, const Variable& g, const S&, const Shape&) {
  return g;
}
template <class S>
Variable apply_partial(Negated, const Variable& g, const S&, const Shape&) {
  return -g;
}

// The same in the cotangent's place, and over its memory where nobody else holds it.
template <class S, class P>
void replace_by_partial(const P& partial, Variable& g, const S& saved) {
  g = apply_partial(partial, g, saved, g.shape());
}
template <class S>
void replace_by_partial(Same, Variable&, const S&) {}
template <class S, class F, Kept... K>
void replace_by_partial(const Partial<F, K...>& partial, Variable& g, const S& saved) {
  if (next_place.tape != 0 || capturing != nullptr || !g.value().unique()) {
    g = apply_partial(partial, g, saved, g.shape());
    return;
  }
  Tensor& target = mutable_value(g);
  visit_floating(target.dtype(), [&]<class T>(T) {
    kernel::map_over<T, std::conditional_t<(K == K), T, void>...>(Times<F>{partial.f}, target, target,
                                                                  saved.template get<K>().value()...);
  });
}

// An elementwise derivative is its own transpose.
struct SelfTransposed : Pullback {
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape& output) const final {
    return pull(t.shape() == output ? t : broadcast_to(t, output), k);
  }
};

template <class... P>
struct ElementwisePullback final : SelfTransposed {
  [[no_unique_address]] std::tuple<P...> partials;
  [[no_unique_address]] Saved<P...> saved;
  explicit ElementwisePullback(const std::tuple<P...>& p) : partials(p) {}

  Variable pull(const Variable& g, std::size_t k) const override {
    Variable result;
    visit(k, [&](const auto& partial) { result = apply_partial(partial, g, saved, g.shape()); });
    return result;
  }
  std::optional<Variable> pull_narrow(const Variable& g, std::size_t k, const Shape& output) const override {
    Variable result;
    visit(k, [&]<class Q>(const Q& partial) {
      result = apply_partial(partial, g, saved, keeps_nothing<Q> ? g.shape() : output);
    });
    return result;
  }
  void pull_last(Variable& g, std::size_t k) const override {
    visit(k, [&](const auto& partial) { replace_by_partial(partial, g, saved); });
  }

 private:
  template <class F>
  void visit(std::size_t k, const F& f) const {
    static_assert(sizeof...(P) <= 2);
    if (sizeof...(P) == 1 || k == 0) {
      f(std::get<0>(partials));
    } else {
      f(std::get<sizeof...(P) - 1>(partials));
    }
  }
};

template <class Node, std::size_t N, class... P>
Node& record_with(const Call& call, const Variable& y, const std::array<const Variable*, N>& inputs,
                  std::initializer_list<double> literals, const P&... partials) {
  if (literals.size() == 0)
    return record<Node>(call.op, call.where, y, inputs, std::tuple<P...>(partials...));
  std::vector<Variable> numbers;
  for (double literal : literals) numbers.emplace_back(scalar(literal, y.dtype()));
  std::vector<const Variable*> all(inputs.begin(), inputs.end());
  for (const Variable& number : numbers) all.push_back(&number);
  return record<Node>(call.op, call.where, y, all, std::tuple<P...>(partials...));
}

/// The common path: the operands have their dtype already and broadcast to `value`'s shape; they are used up. The
/// literals are numbers that the formula holds, as an exponent: noted on the tape as constants, for diagrams and
/// listings.
template <std::size_t N, class... P>
Variable elementwise(const Call& call, Tensor&& value, const std::array<Operand*, N>& operands,
                     std::initializer_list<double> literals, P... partials) {
  static_assert(sizeof...(P) == N);
  std::array<const Variable*, N> inputs;
  bool tracks[N], any = false;
  for (std::size_t i = 0; i < N; ++i) {
    inputs[i] = &operands[i]->variable();
    any |= tracks[i] = tracked(*inputs[i], &call);
  }
  if (!any) return Variable(std::move(value));
  Variable y(std::move(value), next_place);
  auto& node = record_with<ElementwisePullback<P...>>(call, y, inputs, literals, partials...);
  // Of what the partials need, only that of tracked inputs' partials.
  const auto needed = [&](Kept what) {
    std::size_t i = 0;
    bool wanted = false;
    ((wanted = wanted || (keeps<P>(what) && tracks[i]), ++i), ...);
    return wanted;
  };
  if (needed(A)) node.saved.a.set(operands[0]->give());
  if constexpr (N > 1) {
    if (needed(B)) node.saved.b.set(operands[1]->give());
  }
  if (needed(Y)) node.saved.y.set(y);
  return y;
}

/// Large enough that memory, once written, is worth writing again.
inline constexpr std::int64_t reuse_elements = 1 << 14;

/// The memory of a temporary operand where a result of `shape` may take its place: it fits, and no partial is a
/// function of it.
template <class T>
Tensor* reusable(Operand& x, const Shape& shape, bool kept) {
  if (capturing != nullptr || (kept && next_place.tape != 0)) return nullptr;
  Tensor* own = x.disposable();
  return own != nullptr && own->dtype() == dtype_of<T> && own->shape() == shape ? own : nullptr;
}

/// f of the inputs, in memory of its own or in `spare`.
template <class... Ts, class F>
Tensor map_reusing(Tensor* spare, const F& f, const Shape& shape, const std::same_as<Tensor> auto&... in) {
  if (spare == nullptr) return kernel::map<Ts...>(f, shape, in...);
  kernel::map_over<Ts...>(f, *spare, in...);
  return *spare;
}

/// y = f(x) with dy/dx = partial.
template <Domain D = Domain::floating, class F, class P>
Variable unary(const char* op, Operand& x, const F& f, P partial,
               std::initializer_list<double> literals = {}) {
  const Call call(op, x);
  const DType dtype = working_dtype<D>(call.common_dtype({&x}));
  const Variable& v = x.as(dtype);
  const auto value = [&]<class T>(T) {
    Tensor* spare = v.size() < reuse_elements ? nullptr : reusable<T>(x, v.shape(), keeps<P>(A));
    return map_reusing<T>(spare, f, v.shape(), v.value());
  };
  if constexpr (D == Domain::numbers) {
    if (dtype == int64) return Variable(value(std::int64_t{}));
  }
  return elementwise<1>(call, visit_floating(dtype, value), {&x}, literals, partial);
}

/// y = f(a, b), broadcast, with its two partials.
template <Domain D = Domain::floating, class F, class P, class Q>
Variable binary(const char* op, Operand& a, Operand& b, const F& f, P partial_a, Q partial_b) {
  const Call call(op, a);
  const auto compute = [&](DType dtype, const Shape& shape, const Variable& va, const Variable& vb) {
    const auto value = [&]<class T>(T) {
      Tensor* spare = nullptr;
      if (shape.size() >= reuse_elements) {
        spare = reusable<T>(a, shape, keeps<P>(A) || keeps<Q>(A));
        if (spare == nullptr) spare = reusable<T>(b, shape, keeps<P>(B) || keeps<Q>(B));
      }
      return map_reusing<T, T>(spare, f, shape, va.value(), vb.value());
    };
    if constexpr (D == Domain::numbers) {
      if (dtype == int64) return Variable(value(std::int64_t{}));
    }
    return elementwise<2>(call, visit_floating(dtype, value), {&a, &b}, {}, partial_a, partial_b);
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
