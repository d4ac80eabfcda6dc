// Arithmetic, comparisons and choices, element by element, broadcast as in NumPy.
//
// Operands: Variables, Parameters, Tensors, numbers and xtensor expressions (with
// <xgrad/tensor/xtensor.hpp>). Numbers take the dtype of the other operand; integer and bool tensors are
// converted to it. Every function here throws ShapeError if the shapes do not broadcast and DTypeError if
// float32 meets float64. g is the cotangent of the result.
#pragma once

#include <concepts>
#include <utility>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// a + b. Gradients: g, g.
Variable add(Operand a, Operand b);
/// a - b. Gradients: g, -g.
Variable sub(Operand a, Operand b);
/// a b. Gradients: g b, g a.
Variable mul(Operand a, Operand b);
/// a / b; integers divide to float32. Gradients: g / b, -g y / b.
Variable div(Operand a, Operand b);
/// -x. Gradient: -g.
Variable neg(Operand x);
/// a^b as C's pow. Gradients: g b a^(b-1), 0 where b = 0; g y log a, 0 where a = 0 and b >= 0. A constant
/// number as the exponent takes no derivative, and 0, 1, 2, -1 and 0.5 are computed without pow.
Variable pow(Operand a, Operand b);
/// x^2. Gradient: 2 g x.
Variable square(Operand x);
/// |x|. Gradient: g sign(x), 0 at 0.
Variable abs(Operand x);

/// -1, 0 or 1. Gradient: 0. (Of this one, floor, ceil, round and trunc integers keep their dtype.)
Variable sign(Operand x);
/// The largest whole number that is not above x. Gradient: 0.
Variable floor(Operand x);
/// The smallest whole number that is not below x. Gradient: 0.
Variable ceil(Operand x);
/// The nearest whole number, the even one of two. Gradient: 0.
Variable round(Operand x);
/// x without its fraction. Gradient: 0.
Variable trunc(Operand x);
/// What is left of a after subtracting b as often as it fits, with the sign of a: a - trunc(a / b) b, exactly. NaN for
/// b = 0; of integers an Error. Gradients: g, -g trunc(a / b).
Variable fmod(Operand a, Operand b);
/// The same with the sign of b, as Python's %: a - floor(a / b) b. Gradients: g, -g floor(a / b).
Variable remainder(Operand a, Operand b);
/// |a| with the sign of b, be it that of -0. Gradients: g or -g, 0 at a = 0; 0.
Variable copysign(Operand a, Operand b);
/// (a - b)^2. Gradients: 2 g (a - b), 2 g (b - a).
Variable squared_difference(Operand a, Operand b);
/// a + w (b - a), exactly a at w = 0 and b at w = 1; w is not bounded. Gradients: g (1 - w), g w, g (b - a).
Variable lerp(Operand a, Operand b, Operand w);

/// The larger of two. Gradient: g to the larger one, g/2 to each at a tie. NaN on either side gives NaN.
Variable maximum(Operand a, Operand b);
/// The smaller of two; as maximum.
Variable minimum(Operand a, Operand b);
/// x within [low, high]. Gradient: g where low <= x <= high, 0 outside. Throws Error if low > high or one is
/// NaN.
Variable clip(Operand x, double low, double high);
/// a where the bool tensor `condition` is true, b elsewhere; all three broadcast. The gradient is routed,
/// never multiplied by a mask: g to a where true, to b elsewhere. Throws DTypeError unless the condition is
/// bool.
Variable where(Operand condition, Operand a, Operand b);

/// bool tensors; nothing flows back through them.
Variable less(Operand a, Operand b);
Variable less_equal(Operand a, Operand b);
Variable greater(Operand a, Operand b);
Variable greater_equal(Operand a, Operand b);
Variable equal_to(Operand a, Operand b);
Variable not_equal_to(Operand a, Operand b);

/// Of bool tensors; also written &, | and !. Throw DTypeError for anything else.
Variable logical_and(Operand a, Operand b);
Variable logical_or(Operand a, Operand b);
Variable logical_xor(Operand a, Operand b);
Variable logical_not(Operand x);

/// bool tensors; integers are neither NaN nor infinite. Nothing flows back.
Variable isnan(Operand x);
Variable isinf(Operand x);
Variable isfinite(Operand x);

/// The value as a constant: nothing flows back.
Variable stop_gradient(Operand x);
/// x itself. Gradient: factor g.
Variable scale_gradient(Operand x, double factor);
/// x itself. Gradient: -g.
Variable flip_gradient(Operand x);
/// The value of y with the gradient of x: g to x, nothing to y, as in straight_through(round(x), x). Throws ShapeError if
/// the shapes differ.
Variable straight_through(Operand y, Operand x);

// Operators. The operands are made from the user's expression, so their source_location is the user's line.

inline Variable operator+(Operand a, Operand b) { return add(std::move(a), std::move(b)); }
inline Variable operator-(Operand a, Operand b) { return sub(std::move(a), std::move(b)); }
inline Variable operator*(Operand a, Operand b) { return mul(std::move(a), std::move(b)); }
inline Variable operator/(Operand a, Operand b) { return div(std::move(a), std::move(b)); }
inline Variable operator-(Operand x) { return neg(std::move(x)); }
inline Variable operator<(Operand a, Operand b) { return less(std::move(a), std::move(b)); }
inline Variable operator<=(Operand a, Operand b) { return less_equal(std::move(a), std::move(b)); }
inline Variable operator>(Operand a, Operand b) { return greater(std::move(a), std::move(b)); }
inline Variable operator>=(Operand a, Operand b) { return greater_equal(std::move(a), std::move(b)); }
inline Variable operator==(Operand a, Operand b) { return equal_to(std::move(a), std::move(b)); }
inline Variable operator!=(Operand a, Operand b) { return not_equal_to(std::move(a), std::move(b)); }

inline Variable operator&(Operand a, Operand b) { return logical_and(std::move(a), std::move(b)); }
inline Variable operator|(Operand a, Operand b) { return logical_or(std::move(a), std::move(b)); }
inline Variable operator!(Operand x) { return logical_not(std::move(x)); }

/// The name `a` stands for the result from here on; no value changes.
inline Variable& operator+=(Variable& a, Operand b) {
  Operand left(a, b.where());
  return a = add(std::move(left), std::move(b));
}
inline Variable& operator-=(Variable& a, Operand b) {
  Operand left(a, b.where());
  return a = sub(std::move(left), std::move(b));
}
inline Variable& operator*=(Variable& a, Operand b) {
  Operand left(a, b.where());
  return a = mul(std::move(left), std::move(b));
}
inline Variable& operator/=(Variable& a, Operand b) {
  Operand left(a, b.where());
  return a = div(std::move(left), std::move(b));
}

namespace detail {

template <class T>
concept Recordable = std::same_as<std::remove_cvref_t<T>, Variable> ||
    std::same_as<std::remove_cvref_t<T>, Parameter> || std::same_as<std::remove_cvref_t<T>, Tensor>;

/// One of ours and one xtensor expression.
template <class A, class B>
concept Mixed = (Recordable<A> && Convertible<B>) || (Convertible<A> && Recordable<B>);

template <class T>
Operand operand(T&& x) {
  return Operand(std::forward<T>(x), std::source_location());  // the user's line is out of reach here
}

}  // namespace detail

// xtensor's templates match any two types exactly and would take a Variable for a scalar; these match as
// exactly, are more constrained, and so win.

template <class A, class B>
requires detail::Mixed<A, B> Variable operator+(A&& a, B&& b) {
  return add(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator-(A&& a, B&& b) {
  return sub(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator*(A&& a, B&& b) {
  return mul(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator/(A&& a, B&& b) {
  return div(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator<(A&& a, B&& b) {
  return less(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator<=(A&& a, B&& b) {
  return less_equal(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator>(A&& a, B&& b) {
  return greater(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator>=(A&& a, B&& b) {
  return greater_equal(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator==(A&& a, B&& b) {
  return equal_to(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable operator!=(A&& a, B&& b) {
  return not_equal_to(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable pow(A&& a, B&& b) {
  return pow(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable maximum(A&& a, B&& b) {
  return maximum(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable minimum(A&& a, B&& b) {
  return minimum(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}

template <class A, class B>
requires detail::Mixed<A, B> Variable fmod(A&& a, B&& b) {
  return fmod(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}
template <class A, class B>
requires detail::Mixed<A, B> Variable remainder(A&& a, B&& b) {
  return remainder(detail::operand(std::forward<A>(a)), detail::operand(std::forward<B>(b)));
}

}  // namespace xgrad
