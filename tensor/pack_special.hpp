// The elementary and special functions of packs beyond those of pack_math.hpp, and silu and mish (at most 4
// ulp from the true value).
#pragma once

#include <xgrad/tensor/pack_gamma.hpp>
#include <xgrad/tensor/pack_hyperbolic.hpp>
#include <xgrad/tensor/pack_power.hpp>
#include <xgrad/tensor/pack_trigonometric.hpp>

namespace xgrad::simd {

namespace detail {

// x quotient(x < 0, e, top), e = e^-|x|: its factor top is 1, but 2^100 e for x < 0, so that a denormal result is rounded
// once. Below `low` it is 0.
template <class T, int N, class F>
XGRAD_SIMD Pack<T, N> gated(Pack<T, N> x, const F& quotient) {
  using P = Pack<T, N>;
  constexpr double low = sizeof(T) == 4 ? -112 : -760;
  auto negative = x < 0;
  SplitExponential<P> e(-at_most(abs(x), -low));
  P rise = 1 + (e.r + e.tail);
  P scaled = rise * power_of_two(e.shifted, 100);
  P y = at_least(x, low) * quotient(negative, scaled * two_to<T>(-100), where(negative, scaled, 1));
  return y * where(negative, two_to<T>(-100), 1);
}

}  // namespace detail

/// x sigmoid(x): x / (1 + e^-x), or x e^x / (1 + e^x).
template <class T, int N>
XGRAD_SIMD Pack<T, N> silu(Pack<T, N> x) {
  using P = Pack<T, N>;
  return detail::gated(x, [](auto, P e, P top) {
    P sum = 1 + e, missed = e - (sum - 1), quotient = top / sum;
    return quotient - quotient * missed;
  });
}

/// x tanh(log(1 + e^x)): with e = e^-|x|, x (1 + 2e) / (1 + 2e + 2e^2), or x e (2 + e) / (2 + 2e + e^2).
template <class T, int N>
XGRAD_SIMD Pack<T, N> mish(Pack<T, N> x) {
  using P = Pack<T, N>;
  return detail::gated(x, [](auto negative, P e, P top) {
    P part = where(negative, 2 + e, 1 + (e + e)), rest = where(negative, 2 + e * (2 + e), part + 2 * (e * e));
    return top * (part / rest);
  });
}

}  // namespace xgrad::simd
