// Dual numbers over SIMD packs: values that carry partial derivatives. What a lambda given to fuse() is called
// with.
//
// Bit i of Active says whether a value depends on input i; only those partials are stored and computed, so a
// plain value is Dual<V, 0> and costs nothing more than its pack. The derivatives are those of the table in
// rules.hpp.
//
// What calls a rule, or a function of the user's, is left to the kernel's `flatten`: GCC orders its work by
// calls, but not by those from an always_inline function to another one, and a callee it has not seen yet is
// not inlined.
#pragma once

#include <bit>
#include <type_traits>
#include <utility>
#include <xgrad/ops/rules.hpp>

namespace xgrad::dual {

template <class V, int Count>
struct Partials {
  V at[Count];
};
template <class V>
struct Partials<V, 0> {};

// Whether a function was refused is known to the compiler as whether `refused` is defined: Refusal defines it.
// What is asked later asks for it through a template of its own (F), as answers are remembered. So the
// function is not compiled on Variables, too, which would say the same again in pages.
struct Asked {
  friend constexpr bool refused(Asked);
};
template <class Void>
struct Refusal {
  friend constexpr bool refused(Asked) { return true; }
};
template <class F, class Question = Asked>
concept Refused = requires {
  typename std::bool_constant<(static_cast<F*>(nullptr), refused(Question()))>;
};

// Instantiated once, with void, however many kernels a mistake stands in, so that the compiler says it once;
// and for an exception specification, so that it does so when it meets the mistake.
template <class Void>
constexpr bool refuse_branch() {
  static_assert(
      !std::is_void_v<Void>,
      "fuse: the function branches on a value; a vector of elements has no single truth: choose with "
      "where(condition, a, b), and combine conditions with & and | instead of && and ||");
  return sizeof(Refusal<Void>) > 0;
}
template <class Void>
constexpr bool refuse_number() {
  static_assert(!std::is_void_v<Void>,
                "fuse: the function hands a value to something that takes one number, as std::exp does; call "
                "exp(x), log(x), maximum(a, b), ... without std::, and give the lambda `auto` parameters");
  return sizeof(Refusal<Void>) > 0;
}
template <class Void>
constexpr bool refuse_assignment() {
  static_assert(
      !std::is_void_v<Void>,
      "fuse: the function assigns to a variable a value that depends on more inputs than the variable "
      "did when it was made; make a new one (auto c = a + b), or let it depend on them from the start");
  return sizeof(Refusal<Void>) > 0;
}

/// A truth for each element.
template <class V>
struct Truth {
  typename V::M mask;

  template <class B>
  requires std::same_as<B, bool> XGRAD_SIMD operator B() const noexcept(refuse_branch<std::void_t<V>>()) {
    return false;
  }
  XGRAD_SIMD friend Truth operator&(const Truth& a, const Truth& b) { return {a.mask & b.mask}; }
  XGRAD_SIMD friend Truth operator|(const Truth& a, const Truth& b) { return {a.mask | b.mask}; }
  XGRAD_SIMD friend Truth operator!(const Truth& a) { return {!a.mask}; }
  XGRAD_SIMD friend Truth operator&&(const Truth& a, const Truth&) noexcept(refuse_branch<std::void_t<V>>()) {
    return a;
  }
  XGRAD_SIMD friend Truth operator||(const Truth& a, const Truth&) noexcept(refuse_branch<std::void_t<V>>()) {
    return a;
  }
};

template <class V, unsigned Active>
struct Dual {
  using Pack = V;
  static constexpr unsigned active = Active;
  static constexpr int count = std::popcount(Active);

  V value;
  [[no_unique_address]] Partials<V, count> partials;

  Dual() = default;
  XGRAD_SIMD explicit Dual(const V& v) : value(v) {}
  template <class T>
  requires std::is_arithmetic_v<T> XGRAD_SIMD Dual(T number) : value(number) { clear(); }
  /// From a value that depends on fewer inputs: the other partials are 0.
  template <unsigned Less>
  requires((Less | Active) == Active && Less != Active) XGRAD_SIMD Dual(const Dual<V, Less>& x)
      : value(x.value) {
    clear();
    x.each([&](auto i) { partial<i>() = x.template partial<i>(); });
  }
  template <unsigned More>
  requires((More | Active) != Active) XGRAD_SIMD Dual& operator=(const Dual<V, More>&) noexcept(
      refuse_assignment<std::void_t<V>>()) {
    return *this;
  }

  /// With respect to input I, on which it depends.
  template <unsigned I>
  XGRAD_SIMD V& partial() {
    return partials.at[std::popcount(Active & ((1u << I) - 1))];
  }
  template <unsigned I>
  XGRAD_SIMD const V& partial() const {
    return partials.at[std::popcount(Active & ((1u << I) - 1))];
  }
  /// f(i) for each input that it depends on; i is a constant.
  template <class F>
  static void each(const F& f) {
    each(f, std::make_integer_sequence<unsigned, 8>{});
  }

  /// Not a template: so it leads to float and int, too, and std::exp has one best overload.
  XGRAD_SIMD operator double() const noexcept(refuse_number<std::void_t<V>>()) { return 0; }

 private:
  XGRAD_SIMD void clear() {
    each([&](auto i) { partial<i>() = V(0); });
  }
  template <class F, unsigned... I>
  static void each(const F& f, std::integer_sequence<unsigned, I...>) {
    (one<I>(f), ...);
  }
  template <unsigned I, class F>
  static void one(const F& f) {
    if constexpr ((Active >> I & 1) != 0) f(std::integral_constant<unsigned, I>{});
  }
};

template <class T>
inline constexpr bool is_dual = false;
template <class V, unsigned Active>
inline constexpr bool is_dual<Dual<V, Active>> = true;

template <class A, class B>
struct PackOf {
  using type = typename A::Pack;
};
template <class A, class B>
requires(!is_dual<A>) struct PackOf<A, B> {
  using type = typename B::Pack;
};

/// Two operands of one call: dual numbers, or one and a C++ number.
template <class A, class B>
concept Operands = (is_dual<A> && (is_dual<B> || std::is_arithmetic_v<B>)) ||
                   (std::is_arithmetic_v<A> && is_dual<B>);

template <class V, unsigned Active>
XGRAD_SIMD const Dual<V, Active>& lift(const Dual<V, Active>& x) {
  return x;
}
template <class V, class T>
requires std::is_arithmetic_v<T> XGRAD_SIMD Dual<V, 0> lift(T number) { return Dual<V, 0>(V(number)); }

template <xgrad::detail::Kept K, class V>
XGRAD_SIMD const V& kept(const V& a, const V& b, const V& y) {
  if constexpr (K == xgrad::detail::A) return a;
  if constexpr (K == xgrad::detail::B) return b;
  if constexpr (K == xgrad::detail::Y) return y;
}
// d times a rule's partial.
template <class V, class F, xgrad::detail::Kept... K>
V times(const V& d, const xgrad::detail::Partial<F, K...>& partial, const V& a, const V& b, const V& y) {
  return d * partial.f(kept<K>(a, b, y)...);
}
template <class V>
V times(const V& d, xgrad::detail::Same, const V&, const V&, const V&) {
  return d;
}
template <class V>
V times(const V& d, xgrad::detail::Negated, const V&, const V&, const V&) {
  return -d;
}

template <class R, class V, unsigned Active>
Dual<V, Active> apply(const R& rule, const Dual<V, Active>& x) {
  Dual<V, Active> y(rule.value(x.value));
  y.each([&](auto i) {
    y.template partial<i>() =
        times(x.template partial<i>(), std::get<0>(rule.partials), x.value, x.value, y.value);
  });
  return y;
}

template <class R, class V, unsigned P, unsigned Q>
Dual<V, P | Q> apply(const R& rule, const Dual<V, P>& a, const Dual<V, Q>& b) {
  Dual<V, P | Q> y(rule.value(a.value, b.value));
  y.each([&](auto i) {
    constexpr bool in_a = (P >> i & 1) != 0, in_b = (Q >> i & 1) != 0;
    if constexpr (in_a && in_b) {
      y.template partial<i>() =
          times(a.template partial<i>(), std::get<0>(rule.partials), a.value, b.value, y.value) +
          times(b.template partial<i>(), std::get<1>(rule.partials), a.value, b.value, y.value);
    } else if constexpr (in_a) {
      y.template partial<i>() =
          times(a.template partial<i>(), std::get<0>(rule.partials), a.value, b.value, y.value);
    } else {
      y.template partial<i>() =
          times(b.template partial<i>(), std::get<1>(rule.partials), a.value, b.value, y.value);
    }
  });
  return y;
}

template <class R, class A, class B>
auto combine(const R& rule, const A& a, const B& b) {
  using V = typename PackOf<A, B>::type;
  return apply(rule, lift<V>(a), lift<V>(b));
}

// clang-format off

template <class A, class B> requires Operands<A, B> auto operator+(const A& a, const B& b) { return combine(xgrad::detail::add_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto operator-(const A& a, const B& b) { return combine(xgrad::detail::sub_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto operator*(const A& a, const B& b) { return combine(xgrad::detail::mul_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto operator/(const A& a, const B& b) { return combine(xgrad::detail::div_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto maximum(const A& a, const B& b)   { return combine(xgrad::detail::maximum_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto minimum(const A& a, const B& b)   { return combine(xgrad::detail::minimum_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto fmod(const A& a, const B& b) { return combine(xgrad::detail::fmod_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto remainder(const A& a, const B& b) { return combine(xgrad::detail::remainder_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto copysign(const A& a, const B& b) { return combine(xgrad::detail::copysign_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto squared_difference(const A& a, const B& b) { return combine(xgrad::detail::squared_difference_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto atan2(const A& a, const B& b) { return combine(xgrad::detail::atan2_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto hypot(const A& a, const B& b) { return combine(xgrad::detail::hypot_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto xlogy(const A& a, const B& b) { return combine(xgrad::detail::xlogy_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto xlog1py(const A& a, const B& b) { return combine(xgrad::detail::xlog1py_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto logaddexp(const A& a, const B& b) { return combine(xgrad::detail::logaddexp_rule, a, b); }
template <class A, class B> requires Operands<A, B> auto prelu(const A& a, const B& b) { return combine(xgrad::detail::prelu_rule, a, b); }

template <class V, unsigned P, class B> requires Operands<Dual<V, P>, B> auto& operator+=(Dual<V, P>& a, const B& b) { return a = a + b; }
template <class V, unsigned P, class B> requires Operands<Dual<V, P>, B> auto& operator-=(Dual<V, P>& a, const B& b) { return a = a - b; }
template <class V, unsigned P, class B> requires Operands<Dual<V, P>, B> auto& operator*=(Dual<V, P>& a, const B& b) { return a = a * b; }
template <class V, unsigned P, class B> requires Operands<Dual<V, P>, B> auto& operator/=(Dual<V, P>& a, const B& b) { return a = a / b; }

template <class V, unsigned P> auto operator-(const Dual<V, P>& x) { return apply(xgrad::detail::neg_rule, x); }
template <class V, unsigned P> auto operator+(const Dual<V, P>& x) { return x; }
template <class V, unsigned P> auto square(const Dual<V, P>& x)    { return apply(xgrad::detail::square_rule, x); }
template <class V, unsigned P> auto abs(const Dual<V, P>& x)       { return apply(xgrad::detail::abs_rule, x); }
template <class V, unsigned P> auto exp(const Dual<V, P>& x)       { return apply(xgrad::detail::exp_rule, x); }
template <class V, unsigned P> auto expm1(const Dual<V, P>& x)     { return apply(xgrad::detail::expm1_rule, x); }
template <class V, unsigned P> auto log(const Dual<V, P>& x)       { return apply(xgrad::detail::log_rule, x); }
template <class V, unsigned P> auto log1p(const Dual<V, P>& x)     { return apply(xgrad::detail::log1p_rule, x); }
template <class V, unsigned P> auto sqrt(const Dual<V, P>& x)      { return apply(xgrad::detail::sqrt_rule, x); }
template <class V, unsigned P> auto erf(const Dual<V, P>& x)       { return apply(xgrad::detail::erf_rule, x); }
template <class V, unsigned P> auto erfc(const Dual<V, P>& x)      { return apply(xgrad::detail::erfc_rule, x); }
template <class V, unsigned P> auto sigmoid(const Dual<V, P>& x)   { return apply(xgrad::detail::sigmoid_rule, x); }
template <class V, unsigned P> auto tanh(const Dual<V, P>& x)      { return apply(xgrad::detail::tanh_rule, x); }
template <class V, unsigned P> auto softplus(const Dual<V, P>& x)  { return apply(xgrad::detail::softplus_rule, x); }
template <class V, unsigned P> auto relu(const Dual<V, P>& x)      { return apply(xgrad::detail::relu_rule, x); }
template <class V, unsigned P> auto gelu(const Dual<V, P>& x, bool tanh_approximation = false) {
  return tanh_approximation ? apply(xgrad::detail::gelu_tanh_rule, x) : apply(xgrad::detail::gelu_rule, x);
}
template <class V, unsigned P> auto exp2(const Dual<V, P>& x) { return apply(xgrad::detail::exp2_rule, x); }
template <class V, unsigned P> auto log2(const Dual<V, P>& x) { return apply(xgrad::detail::log2_rule, x); }
template <class V, unsigned P> auto log10(const Dual<V, P>& x) { return apply(xgrad::detail::log10_rule, x); }
template <class V, unsigned P> auto rsqrt(const Dual<V, P>& x) { return apply(xgrad::detail::rsqrt_rule, x); }
template <class V, unsigned P> auto cbrt(const Dual<V, P>& x) { return apply(xgrad::detail::cbrt_rule, x); }
template <class V, unsigned P> auto reciprocal(const Dual<V, P>& x) { return apply(xgrad::detail::reciprocal_rule, x); }
template <class V, unsigned P> auto sin(const Dual<V, P>& x) { return apply(xgrad::detail::sin_rule, x); }
template <class V, unsigned P> auto cos(const Dual<V, P>& x) { return apply(xgrad::detail::cos_rule, x); }
template <class V, unsigned P> auto tan(const Dual<V, P>& x) { return apply(xgrad::detail::tan_rule, x); }
template <class V, unsigned P> auto asin(const Dual<V, P>& x) { return apply(xgrad::detail::asin_rule, x); }
template <class V, unsigned P> auto acos(const Dual<V, P>& x) { return apply(xgrad::detail::acos_rule, x); }
template <class V, unsigned P> auto atan(const Dual<V, P>& x) { return apply(xgrad::detail::atan_rule, x); }
template <class V, unsigned P> auto sinh(const Dual<V, P>& x) { return apply(xgrad::detail::sinh_rule, x); }
template <class V, unsigned P> auto cosh(const Dual<V, P>& x) { return apply(xgrad::detail::cosh_rule, x); }
template <class V, unsigned P> auto asinh(const Dual<V, P>& x) { return apply(xgrad::detail::asinh_rule, x); }
template <class V, unsigned P> auto acosh(const Dual<V, P>& x) { return apply(xgrad::detail::acosh_rule, x); }
template <class V, unsigned P> auto atanh(const Dual<V, P>& x) { return apply(xgrad::detail::atanh_rule, x); }
template <class V, unsigned P> auto lgamma(const Dual<V, P>& x) { return apply(xgrad::detail::lgamma_rule, x); }
template <class V, unsigned P> auto digamma(const Dual<V, P>& x) { return apply(xgrad::detail::digamma_rule, x); }
template <class V, unsigned P> auto sign(const Dual<V, P>& x) { return apply(xgrad::detail::sign_rule, x); }
template <class V, unsigned P> auto floor(const Dual<V, P>& x) { return apply(xgrad::detail::floor_rule, x); }
template <class V, unsigned P> auto ceil(const Dual<V, P>& x) { return apply(xgrad::detail::ceil_rule, x); }
template <class V, unsigned P> auto round(const Dual<V, P>& x) { return apply(xgrad::detail::round_rule, x); }
template <class V, unsigned P> auto trunc(const Dual<V, P>& x) { return apply(xgrad::detail::trunc_rule, x); }
template <class V, unsigned P> auto logsigmoid(const Dual<V, P>& x) { return apply(xgrad::detail::logsigmoid_rule, x); }
template <class V, unsigned P> auto softsign(const Dual<V, P>& x) { return apply(xgrad::detail::softsign_rule, x); }
template <class V, unsigned P> auto silu(const Dual<V, P>& x) { return apply(xgrad::detail::silu_rule, x); }
template <class V, unsigned P> auto mish(const Dual<V, P>& x) { return apply(xgrad::detail::mish_rule, x); }
template <class V, unsigned P> auto selu(const Dual<V, P>& x) { return apply(xgrad::detail::selu_rule, x); }
template <class V, unsigned P> auto hard_sigmoid(const Dual<V, P>& x) { return apply(xgrad::detail::hard_sigmoid_rule, x); }
template <class V, unsigned P> auto relu6(const Dual<V, P>& x) { return apply(xgrad::detail::hardtanh_rule("relu6", 0, 6), x); }
template <class V, unsigned P> auto hardtanh(const Dual<V, P>& x, double low = -1, double high = 1) { return apply(xgrad::detail::hardtanh_rule("hardtanh", low, high), x); }
template <class V, unsigned P> auto elu(const Dual<V, P>& x, double alpha = 1)  { return apply(xgrad::detail::elu_rule(alpha), x); }
template <class V, unsigned P> auto celu(const Dual<V, P>& x, double alpha = 1) { return apply(xgrad::detail::celu_rule(alpha), x); }
template <class V, unsigned P> auto softplus(const Dual<V, P>& x, double beta)  { return apply(xgrad::detail::softplus_beta_rule(beta), x); }
template <class V, unsigned P> auto polygamma(int n, const Dual<V, P>& x)       { return apply(xgrad::detail::polygamma_rule(n), x); }
template <class V, unsigned P> auto scale_gradient(const Dual<V, P>& x, double factor) { return apply(xgrad::detail::rule("scale_gradient", [](auto v) { return v; }, xgrad::detail::scaled_partial(factor)), x); }
template <class V, unsigned P> auto flip_gradient(const Dual<V, P>& x) { return scale_gradient(x, -1); }
template <class V, unsigned P, unsigned Q> auto straight_through(const Dual<V, P>& y, const Dual<V, Q>& x) { Dual<V, Q> r(x); r.value = y.value; return r; }
template <class V, unsigned P> auto isnan(const Dual<V, P>& x)    { return Truth<V>{x.value != x.value}; }
template <class V, unsigned P> auto isinf(const Dual<V, P>& x)    { return Truth<V>{abs(x.value) == __builtin_inf()}; }
template <class V, unsigned P> auto isfinite(const Dual<V, P>& x) { return Truth<V>{abs(x.value) < __builtin_inf()}; }
template <class V, unsigned P> auto identity(const Dual<V, P>& x)  { return x; }
template <class V, unsigned P> auto leaky_relu(const Dual<V, P>& x, double slope = 0.01) { return apply(xgrad::detail::leaky_relu_rule(slope), x); }
template <class V, unsigned P> auto clip(const Dual<V, P>& x, double low, double high)   { return apply(xgrad::detail::clip_rule(low, high), x); }
/// The value alone: nothing flows back.
template <class V, unsigned P> auto stop_gradient(const Dual<V, P>& x) { return Dual<V, 0>(x.value); }

template <class A, class B> requires Operands<A, B> auto operator<(const A& a, const B& b)  { return compare([](auto p, auto q) { return p < q; }, a, b); }
template <class A, class B> requires Operands<A, B> auto operator<=(const A& a, const B& b) { return compare([](auto p, auto q) { return p <= q; }, a, b); }
template <class A, class B> requires Operands<A, B> auto operator>(const A& a, const B& b)  { return compare([](auto p, auto q) { return p > q; }, a, b); }
template <class A, class B> requires Operands<A, B> auto operator>=(const A& a, const B& b) { return compare([](auto p, auto q) { return p >= q; }, a, b); }
template <class A, class B> requires Operands<A, B> auto operator==(const A& a, const B& b) { return compare([](auto p, auto q) { return p == q; }, a, b); }
template <class A, class B> requires Operands<A, B> auto operator!=(const A& a, const B& b) { return compare([](auto p, auto q) { return p != q; }, a, b); }

// clang-format on

template <class F, class A, class B>
auto compare(const F& f, const A& a, const B& b) {
  using V = typename PackOf<A, B>::type;
  return Truth<V>{f(lift<V>(a).value, lift<V>(b).value)};
}

template <class V, unsigned P, unsigned Q>
Dual<V, P | Q> choose(const Truth<V>& c, const Dual<V, P>& a, const Dual<V, Q>& b) {
  Dual<V, P | Q> y(where(c.mask, a.value, b.value));
  const Dual<V, P | Q> full_a(a), full_b(b);
  y.each([&](auto i) {
    y.template partial<i>() = where(c.mask, full_a.template partial<i>(), full_b.template partial<i>());
  });
  return y;
}
template <class V, class A, class B>
requires((is_dual<A> || std::is_arithmetic_v<A>)&&(is_dual<B> || std::is_arithmetic_v<B>)) XGRAD_SIMD
    auto where(const Truth<V>& c, const A& a, const B& b) {
  return choose(c, lift<V>(a), lift<V>(b));
}

template <class V, unsigned P, class T>
requires std::is_arithmetic_v<T> Dual<V, P> pow(const Dual<V, P>& x, T exponent) {
  return xgrad::detail::with_power_rule(static_cast<double>(exponent),
                                        [&](const auto& rule) { return apply(rule, x); });
}
template <class A, class V, unsigned Q>
requires Operands<A, Dual<V, Q>>
auto pow(const A& a, const Dual<V, Q>& b) { return combine(xgrad::detail::pow_rule, a, b); }
template <class A, class B, class W>
requires(is_dual<A> || is_dual<B> || is_dual<W>) auto lerp(const A& a, const B& b, const W& w) {
  const auto near = a + w * (b - a), far = b - (1 - w) * (b - a);
  if constexpr (is_dual<W>) {
    return where(w < 0.5, near, far);
  } else {
    return w < 0.5 ? near : far;
  }
}

}  // namespace xgrad::dual
