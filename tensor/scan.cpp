#include <xgrad/tensor/pack_math.hpp>
#include <xgrad/tensor/scan.hpp>
#include <xgrad/tensor/scan_lines.hpp>

namespace xgrad::kernel {
namespace {

using detail::scan, detail::Scan, detail::View, simd::Pack;

XGRAD_SIMD double where(bool condition, double a, double b) { return condition ? a : b; }

// Integers wrap around, which only unsigned ones may.
template <class V>
XGRAD_SIMD V plus(V a, V b) {
  return a + b;
}
XGRAD_SIMD std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
template <class V>
XGRAD_SIMD V times(V a, V b) {
  return a * b;
}
XGRAD_SIMD std::int64_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

template <class V>
struct Sum {
  V sum = 0;
  XGRAD_SIMD void add(V x) { sum = plus(sum, x); }
  XGRAD_SIMD V value() const { return sum; }
};

// What each addition rounds off is carried along (Knuth's TwoSum).
template <class V>
struct Compensated {
  V sum = 0, lost = 0;
  XGRAD_SIMD void add(V x) {
    const V next = sum + x, part = next - sum;
    const V error = (sum - (next - part)) + (x - part);
    lost += where(error == error, error, V(0));  // inf - inf: there is nothing to carry
    sum = next;
  }
  XGRAD_SIMD V value() const { return sum + lost; }
};
template <>
struct Sum<double> : Compensated<double> {};
template <int N>
struct Sum<Pack<double, N>> : Compensated<Pack<double, N>> {};

// In float64, which fits half as many into a register. (Carried along in float32, errors of one sign would soon be
// too large to be added up right.)
template <>
struct Sum<float> {
  double sum = 0;
  XGRAD_SIMD void add(float x) { sum += static_cast<double>(x); }
  XGRAD_SIMD float value() const { return static_cast<float>(sum); }
};
template <int N>
struct Sum<Pack<float, N>> {
  static constexpr int half = N > 1 ? N / 2 : 1;
  using Half = Pack<float, half>;
  using Long = Pack<double, half>;
  Long low = 0, high = 0;

  XGRAD_SIMD static Long longer(const Half& x) {
    return Long(__builtin_convertvector(x.v, typename Long::V));
  }
  XGRAD_SIMD static Half shorter(const Long& x) {
    return Half(__builtin_convertvector(x.v, typename Half::V));
  }
  XGRAD_SIMD void add(const Pack<float, N>& x) {
    if constexpr (N == 1) {
      low += longer(x);
    } else {
      Half a, b;
      simd::detail::split(x, a, b, std::make_index_sequence<half>{});
      low += longer(a);
      high += longer(b);
    }
  }
  XGRAD_SIMD Pack<float, N> value() const {
    if constexpr (N == 1) {
      return shorter(low);
    } else {
      return simd::detail::join<float, N>(shorter(low), shorter(high), std::make_index_sequence<N>{});
    }
  }
};

template <bool exclusive>
struct RunningSum {
  static constexpr bool needs_vectors = false;
  template <class V>
  struct State {
    Sum<V> sum;
  };
  template <class V>
  XGRAD_SIMD V step(State<V>& state, const V& x, const V&) const {
    if constexpr (!exclusive) state.sum.add(x);
    const V y = state.sum.value();
    if constexpr (exclusive) state.sum.add(x);
    return y;
  }
};

template <bool exclusive>
struct RunningProduct {
  static constexpr bool needs_vectors = false;
  template <class V>
  struct State {
    V product = 1;
  };
  template <class V>
  XGRAD_SIMD V step(State<V>& state, const V& x, const V&) const {
    const V before = state.product;
    state.product = times(before, x);
    if constexpr (exclusive) return before;
    return state.product;
  }
};

// Of b, times the product of all a behind.
struct TimesBehind {
  static constexpr bool needs_vectors = false;
  template <class V>
  struct State {
    V product = 1;
  };
  template <class V>
  XGRAD_SIMD V step(State<V>& state, const V& a, const V& b) const {
    const V y = b * state.product;
    state.product = state.product * a;
    return y;
  }
};

// The largest so far, and the sum of exponentials in its units.
struct RunningLogSum {
  static constexpr bool needs_vectors = true;
  template <class V>
  struct State {
    V top = -std::numeric_limits<typename V::Value>::infinity(), sum = 0;
  };
  template <class V>
  XGRAD_SIMD V step(State<V>& state, const V& x, const V&) const {
    const V next = maximum(state.top, x);
    // Equal infinities differ by 0 here.
    const V old = where(state.top == next, V(0), state.top - next), now = where(x == next, V(0), x - next);
    state.sum = state.sum * simd::detail::exp_of_negative(old) + simd::detail::exp_of_negative(now);
    state.top = next;
    return next + log(state.sum);
  }
};

struct Recurrence {
  static constexpr bool needs_vectors = false;
  bool previous;
  template <class V>
  struct State {
    V value = 0, before = 0;
    bool first = true;  // its factor, which may be infinite, has nothing to multiply
  };
  template <class V>
  XGRAD_SIMD V step(State<V>& state, const V& a, const V& b) const {
    state.value = state.first ? b : (previous ? state.before : a) * state.value + b;
    state.before = a;
    state.first = false;
    return state.value;
  }
};

constexpr std::int64_t parts = 16;

// Of one long line: the products within each of 16 parts, side by side, times the products of the other parts.
template <class T>
void others_in_parts(const T* x, std::int64_t n, T* before, T* y) {
  const std::int64_t length = n / parts, rest = n - parts * length;
  const auto within = [&](std::int64_t first, const View& view) {
    detail::run<T>(Scan<T, RunningProduct<true>, 1>{{}, false}, view, x + first, x + first, before + first);
    detail::run<T>(Scan<T, TimesBehind, 2>{{}, true}, view, x + first, before + first, y + first);
  };
  within(0, View(parts, length, 1));
  within(n - rest, View(rest > 0 ? 1 : 0, rest, 1));
  T whole[parts + 1];
  for (std::int64_t p = 0; p <= parts; ++p)
    whole[p] = p < parts || rest > 0 ? y[p * length] * x[p * length] : T(1);
  for (std::int64_t p = 0; p <= parts; ++p) {
    T others = 1;
    for (std::int64_t q = 0; q <= parts; ++q) others *= q == p ? T(1) : whole[q];
    for (std::int64_t i = p * length; i < std::min(n, (p + 1) * length); ++i) y[i] *= others;
  }
}

}  // namespace

Tensor cumsum(const Tensor& x, int axis, ScanOrder order) {
  if (order.exclusive) return scan<1, false>(x, x, axis, order.reverse, RunningSum<true>{});
  return scan<1, false>(x, x, axis, order.reverse, RunningSum<false>{});
}
Tensor cumprod(const Tensor& x, int axis, ScanOrder order) {
  if (order.exclusive) return scan<1, false>(x, x, axis, order.reverse, RunningProduct<true>{});
  return scan<1, false>(x, x, axis, order.reverse, RunningProduct<false>{});
}
Tensor logcumsumexp(const Tensor& x, int axis, bool reverse) {
  return scan<1, true>(x, x, axis, reverse, RunningLogSum{});
}
Tensor recurrence(const Tensor& a, const Tensor& b, int axis, bool reverse, bool previous) {
  return scan<2, true>(a, b, axis, reverse, Recurrence{previous});
}
Tensor product_of_others(const Tensor& x, int axis) {
  const View view(x.shape(), axis);
  if (view.inner == 1 && view.outer < parts && view.n >= 64 * parts) {
    const Tensor before(x.shape(), x.dtype()), y(x.shape(), x.dtype());
    const auto call = [view, dtype = x.dtype()](void* const* out, const void* const* in) {
      xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
        for (std::int64_t o = 0; o < view.outer * view.n; o += view.n) {
          others_in_parts(static_cast<const T*>(in[0]) + o, view.n, static_cast<T*>(out[0]) + o,
                          static_cast<T*>(out[1]) + o);
        }
      });
    };
    xgrad::detail::launch({&before, &y}, {&x}, call);
    return y;
  }
  const Tensor before = cumprod(x, axis, {.exclusive = true});
  return scan<2, true>(x, before, axis, true, TimesBehind{});
}

}  // namespace xgrad::kernel
