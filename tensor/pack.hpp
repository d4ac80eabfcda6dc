// A few numbers side by side: the one type kernels compute with, for float, double and std::int64_t.
//
// A kernel is a template compiled three times inside one translation unit: as it stands, and in functions
// marked target("arch=x86-64-v3") and target("arch=x86-64-v4"), with flatten. What it calls must cost
// nothing and mean the same on each. Thread safety: values only, no state.
//
// 1. Every function here is always inlined: nothing is emitted that the linker could mistake for another
//    translation unit's copy, compiled for another processor.
// 2. Vector extensions, and built-in functions where those fail: no <immintrin.h>, no -m flag, no library call.
// 3. Copying is written out. A Pack is so passed by reference, whatever the target: a user's function that
//    is not inlined is slow, where registers would be wrong (baseline code and v4 disagree on them), and
//    -Wpsabi has nothing to report. Raw vectors are never passed or returned by value. A Pack is aligned to
//    its own size.
// 4. A lane's result depends on that lane alone, not on its position, its neighbours or n.
// 5. load_partial and store_partial touch exactly the first n elements of memory.
// 6. NaN in, NaN out, for arithmetic, maximum and minimum from either side. No flush to zero.
#pragma once

#include <limits>
#include <xgrad/tensor/pack_memory.hpp>

namespace xgrad::simd {
namespace detail {

template <class T, int N>
XGRAD_SIMD Pack<T, N> square_root(Pack<T, N> x) {
#if defined(__clang__) && __has_builtin(__builtin_elementwise_sqrt)
  return Pack<T, N>(__builtin_elementwise_sqrt(x.v));
#else
#if defined(__SSE2__) && !defined(__clang__)
  // The wider instructions are hidden from baseline code, and hardly faster than two of these.
  if constexpr (sizeof(x) == 16 && sizeof(T) == 4) {
    return Pack<T, N>(__builtin_ia32_sqrtps(x.v));
  } else if constexpr (sizeof(x) == 16) {
    return Pack<T, N>(__builtin_ia32_sqrtpd(x.v));
  } else if constexpr (sizeof(x) > 16) {
    Pack<T, N / 2> low, high;
    split(x, low, high, std::make_index_sequence<N / 2>{});
    return join<T, N>(square_root(low), square_root(high), std::make_index_sequence<N>{});
  }
#endif
  for (int i = 0; i < N; ++i) x.v[i] = sizeof(T) == 4 ? __builtin_sqrtf(x.v[i]) : __builtin_sqrt(x.v[i]);
  return x;
#endif
}

template <class T, int N>
XGRAD_SIMD bool any_lane(Mask<T, N> m) {
  if constexpr (sizeof(m) > 16) {
    Mask<T, N / 2> low, high;
    split(m, low, high, std::make_index_sequence<N / 2>{});
    return any_lane(low | high);
  } else {
#ifdef __SSE2__
    if constexpr (sizeof(m) == 16) {
      typedef char Bytes __attribute__((vector_size(16)));
      return __builtin_ia32_pmovmskb128((Bytes)m.v) != 0;
    }
#endif
    SignedOf<T> r = 0;
    for (int i = 0; i < N; ++i) r |= m.v[i];
    return r != 0;
  }
}

}  // namespace detail

// One number in all lanes is written as a vector of the other signedness or kind and then cast. Where baseline
// code has no such register, GCC 12 takes the plain vector apart for the store into `v`, and wider targets then
// inherit one masked move for each lane (8x slower); the cast stands between the two.

// The lanes of a Pack as unsigned integers, for signs and exponents.
template <class T, int N>
struct Bits {
  using Word = detail::UnsignedOf<T>;
  using V = typename detail::Vectors<T, N>::Unsigned;

  V v;

  XGRAD_SIMD Bits(const Bits& other) : v(other.v) {}
  XGRAD_SIMD Bits& operator=(const Bits& other) {
    v = other.v;
    return *this;
  }
  XGRAD_SIMD explicit Bits(const V& v_) : v(v_) {}
  XGRAD_SIMD Bits(Word word) : v((V)(detail::SignedOf<T>(word) + typename detail::Vectors<T, N>::Signed{})) {}

  XGRAD_SIMD friend Bits operator+(Bits a, Bits b) { return Bits(a.v + b.v); }
  XGRAD_SIMD friend Bits operator-(Bits a, Bits b) { return Bits(a.v - b.v); }
  XGRAD_SIMD friend Bits operator&(Bits a, Bits b) { return Bits(a.v & b.v); }
  XGRAD_SIMD friend Bits operator|(Bits a, Bits b) { return Bits(a.v | b.v); }
  XGRAD_SIMD friend Bits operator<<(Bits a, int by) { return Bits(a.v << by); }
  XGRAD_SIMD friend Bits operator>>(Bits a, int by) { return Bits(a.v >> by); }
};

template <class T, int N>
struct Pack {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int64_t>);
  static_assert(N >= 1 && (N & (N - 1)) == 0);

  using Value = T;
  static constexpr int lanes = N;

  using V = typename detail::Vectors<T, N>::Real;
  using Signed = typename detail::Vectors<T, N>::Signed;
  using M = Mask<T, N>;

  V v;

  Pack() = default;
  XGRAD_SIMD Pack(const Pack& other) : v(other.v) {}
  XGRAD_SIMD Pack& operator=(const Pack& other) {
    v = other.v;
    return *this;
  }
  XGRAD_SIMD explicit Pack(const V& v_) : v(v_) {}
  template <class A>
  requires std::is_arithmetic_v<A> XGRAD_SIMD Pack(A a)
      : v((V)(__builtin_bit_cast(detail::UnsignedOf<T>, T(a)) + typename detail::Vectors<T, N>::Unsigned{})) {
  }

  XGRAD_SIMD T operator[](int i) const { return v[i]; }

  XGRAD_SIMD static Pack load(const T* p) {
    using Memory = typename detail::Vectors<T, N>::Memory;
    return Pack(V(*reinterpret_cast<const Memory*>(p)));
  }
  XGRAD_SIMD void store(T* p) const {
    using Memory = typename detail::Vectors<T, N>::Memory;
    *reinterpret_cast<Memory*>(p) = v;
  }

  // 0 <= n <= N. The other lanes repeat the first element: no stray NaN, no slow denormal.
  XGRAD_SIMD static Pack load_partial(const T* p, int n) {
    if (n >= N) return load(p);
    return n > 0 ? load_some(p, n) : Pack(T(0));
  }
  XGRAD_SIMD void store_partial(T* p, int n) const {
    if (n >= N) return store(p);
    store_some(p, n);
  }

  // The same for 0 < n < N.
  XGRAD_SIMD static Pack load_some(const T* p, int n) { return detail::load_first<T, N>(p, n, *p); }
  XGRAD_SIMD void store_some(T* p, int n) const { detail::store_first(p, n, *this); }

  XGRAD_SIMD friend Pack operator+(Pack a, Pack b) { return Pack(a.v + b.v); }
  XGRAD_SIMD friend Pack operator-(Pack a, Pack b) { return Pack(a.v - b.v); }
  XGRAD_SIMD friend Pack operator*(Pack a, Pack b) { return Pack(a.v * b.v); }
  XGRAD_SIMD friend Pack operator/(Pack a, Pack b) { return Pack(a.v / b.v); }
  XGRAD_SIMD friend Pack operator-(Pack a) { return Pack(-a.v); }
  XGRAD_SIMD friend Pack operator+(Pack a) { return a; }
  XGRAD_SIMD friend Pack& operator+=(Pack& a, Pack b) { return a = a + b; }
  XGRAD_SIMD friend Pack& operator-=(Pack& a, Pack b) { return a = a - b; }
  XGRAD_SIMD friend Pack& operator*=(Pack& a, Pack b) { return a = a * b; }
  XGRAD_SIMD friend Pack& operator/=(Pack& a, Pack b) { return a = a / b; }

  XGRAD_SIMD friend M operator<(Pack a, Pack b) { return M((Signed)(a.v < b.v)); }
  XGRAD_SIMD friend M operator<=(Pack a, Pack b) { return M((Signed)(a.v <= b.v)); }
  XGRAD_SIMD friend M operator>(Pack a, Pack b) { return M((Signed)(a.v > b.v)); }
  XGRAD_SIMD friend M operator>=(Pack a, Pack b) { return M((Signed)(a.v >= b.v)); }
  XGRAD_SIMD friend M operator==(Pack a, Pack b) { return M((Signed)(a.v == b.v)); }
  XGRAD_SIMD friend M operator!=(Pack a, Pack b) { return M((Signed)(a.v != b.v)); }

  XGRAD_SIMD friend M isnan(Pack a) { return a != a; }
  XGRAD_SIMD friend Pack maximum(Pack a, Pack b) { return where(isnan(a), a, where(a > b, a, b)); }
  XGRAD_SIMD friend Pack minimum(Pack a, Pack b) { return where(isnan(a), a, where(a < b, a, b)); }

  // a * b + c: one rounding where the processor has FMA, two elsewhere.
  XGRAD_SIMD friend Pack mul_add(Pack a, Pack b, Pack c) { return a * b + c; }

  XGRAD_SIMD friend Pack abs(Pack a) {
    if constexpr (std::is_integral_v<T>) {
      return where(a < 0, -a, a);
    } else {
      return from_bits(a.bits() & ~sign_bit);
    }
  }

  XGRAD_SIMD friend Pack sqrt(Pack a) { return detail::square_root(a); }

  XGRAD_SIMD friend Pack copysign(Pack magnitude, Pack sign) {
    return from_bits((magnitude.bits() & ~sign_bit) | (sign.bits() & sign_bit));
  }

  // Half to even. From 2^(digits - 1) on every number is whole, and adding it rounds away the rest.
  XGRAD_SIMD friend Pack round(Pack a) {
    constexpr T whole = T(1) / std::numeric_limits<T>::epsilon();
    Pack size = abs(a);
    return where(size < whole, copysign((size + whole) - whole, a), a);
  }

  XGRAD_SIMD friend Pack floor(Pack a) {
    Pack r = round(a);
    return where(r > a, copysign(r - 1, a), r);
  }

  static constexpr auto sign_bit = detail::UnsignedOf<T>(1) << (8 * sizeof(T) - 1);
  XGRAD_SIMD Bits<T, N> bits() const { return Bits<T, N>((typename Bits<T, N>::V)v); }
  XGRAD_SIMD static Pack from_bits(Bits<T, N> b) { return Pack((V)b.v); }
};

// One truth per lane: all bits set, or none.
template <class T, int N>
struct Mask {
  using V = typename detail::Vectors<T, N>::Signed;
  using P = Pack<T, N>;

  V v;

  Mask() = default;
  XGRAD_SIMD Mask(const Mask& other) : v(other.v) {}
  XGRAD_SIMD Mask& operator=(const Mask& other) {
    v = other.v;
    return *this;
  }
  XGRAD_SIMD explicit Mask(const V& v_) : v(v_) {}

  XGRAD_SIMD bool operator[](int i) const { return v[i] != 0; }

  XGRAD_SIMD friend Mask operator&(Mask a, Mask b) {
    if constexpr (detail::merges_badly<Mask>) return Mask(V(a.v + b.v == -2));
    return Mask(a.v & b.v);
  }
  XGRAD_SIMD friend Mask operator|(Mask a, Mask b) {
    if constexpr (detail::merges_badly<Mask>) return Mask(V(a.v + b.v != 0));
    return Mask(a.v | b.v);
  }
  XGRAD_SIMD friend Mask operator!(Mask a) { return Mask(~a.v); }

  XGRAD_SIMD friend bool any(Mask a) { return detail::any_lane(a); }
  XGRAD_SIMD friend bool all(Mask a) { return !any(!a); }

  XGRAD_SIMD friend P where(Mask m, P a, P b) {
    P r(typename P::V(m.v ? a.v : b.v));
    if constexpr (detail::merges_badly<Mask>) asm("" : : "v,m"(r.v));
    return r;
  }
};

}  // namespace xgrad::simd
