#include <xgrad/tensor/lines_call.hpp>
#include <xgrad/tensor/pack_math.hpp>
#include <xgrad/tensor/rowwise.hpp>
#include <xgrad/tensor/rowwise_tall.hpp>

namespace xgrad::kernel {
namespace {

using detail::across_one, detail::along, detail::Arrays, detail::BlockSum, detail::run;
using detail::Sum, detail::total, detail::View, simd::Pack, simd::detail::exp_of_negative;

enum class Kind { softmax, log_softmax };

// y * (g - sum(g * y)) for softmax, g - exp(y) * sum(g) for log_softmax.
template <class T, Kind kind>
struct Backward {
  static constexpr int inputs = 2;
  static constexpr bool writes = true;

  template <int N>
  XGRAD_SIMD static Pack<T, N> term(Pack<T, N> y, Pack<T, N> g) {
    if constexpr (kind == Kind::softmax) return g * y;
    return g;
  }
  template <int N>
  XGRAD_SIMD static Pack<T, N> gradient(Pack<T, N> y, Pack<T, N> g, Pack<T, N> sum) {
    if constexpr (kind == Kind::softmax) return y * (g - sum);
    return g - exp_of_negative(y) * sum;
  }

  template <int N>
  XGRAD_SIMD void columns(const Arrays<T>& a, std::int64_t stride, std::int64_t n, std::int64_t,
                          std::int64_t) const {
    using V = Pack<T, N>;
    BlockSum<V> sum;
    for (std::int64_t i = 0; i < n; ++i) {
      sum.add(term<N>(V::load(a.in[0] + i * stride), V::load(a.in[1] + i * stride)));
    }
    const V whole = sum.total();
    for (std::int64_t i = 0; i < n; ++i) {
      gradient<N>(V::load(a.in[0] + i * stride), V::load(a.in[1] + i * stride), whole)
          .store(a.out + i * stride);
    }
  }

  template <int N>
  XGRAD_SIMD void row(const Arrays<T>& a, std::int64_t n, std::int64_t) const {
    using V = Pack<T, N>;
    const V whole = across_one<Sum>(total<N, 4, T>(
        n, [&](std::int64_t i) __attribute__((always_inline)) {
          return term<N>(V::load(a.in[0] + i), V::load(a.in[1] + i));
        }));
    along<N>(
        n, [&](std::int64_t i) __attribute__((always_inline)) {
          gradient<N>(V::load(a.in[0] + i), V::load(a.in[1] + i), whole).store(a.out + i);
        });
  }
};

// g * exp(x - top) * scale, less g at the label.
template <class T>
struct CrossEntropyBackward {
  static constexpr int inputs = 1;
  static constexpr bool writes = true;

  const T *tops, *scales, *g;  // one number for each line
  const std::int64_t* labels;

  template <int N>
  XGRAD_SIMD void columns(const Arrays<T>& a, std::int64_t stride, std::int64_t n, std::int64_t line,
                          std::int64_t count) const {
    using V = Pack<T, N>;
    const auto of = [&](const T* p) __attribute__((always_inline)) {
      return V::load_partial(p + line, static_cast<int>(count));
    };
    const V top = of(tops), weight = of(g), factor = of(scales) * weight;
    // Compared as T where it counts that far: writing into what is about to be read would stall.
    const bool counts = n <= 1 << 24;
    T numbers[N];
    for (std::int64_t k = 0; k < N; ++k) {
      numbers[k] = counts ? static_cast<T>(labels[line + (k < count ? k : 0)]) : T(-1);
    }
    const V label = V::load(numbers);
    V number = 0;
#pragma GCC unroll 2
    for (std::int64_t i = 0; i < n; ++i, number += 1) {
      const V p = exp_of_negative(V::load(a.in[0] + i * stride) - top) * factor;
      where(number == label, p - weight, p).store(a.out + i * stride);
    }
    for (std::int64_t k = 0; !counts && k < count; ++k) a.out[labels[line + k] * stride + k] -= g[line + k];
  }

  template <int N>
  XGRAD_SIMD void row(const Arrays<T>& a, std::int64_t n, std::int64_t line) const {
    using V = Pack<T, N>;
    const V top(tops[line]), factor(scales[line] * g[line]);
    along<N>(
        n, [&](std::int64_t i) __attribute__((always_inline)) {
          (exp_of_negative(V::load(a.in[0] + i) - top) * factor).store(a.out + i);
        });
    a.out[labels[line]] -= g[line];
  }
};

template <Kind kind>
Tensor backward(const Tensor& y, const Tensor& g, int axis) {
  const Tensor dx(y.shape(), y.dtype());
  const auto call = [dtype = y.dtype(), view = View(y.shape(), axis)](void* const* out,
                                                                      const void* const* in) {
    xgrad::detail::visit_floating(
        dtype, [&]<class T>(T) { run<T>(Backward<T, kind>{}, view, in[0], in[1], out[0]); });
  };
  xgrad::detail::launch({&dx}, {&y, &g}, call);
  return dx;
}

}  // namespace

Tensor softmax_backward(const Tensor& y, const Tensor& g, int axis) {
  if (detail::is_tall(y.shape(), axis, false)) return detail::tall_softmax_backward(y, g, axis);
  return backward<Kind::softmax>(y, g, axis);
}
Tensor log_softmax_backward(const Tensor& y, const Tensor& g, int axis) {
  if (detail::is_tall(y.shape(), axis, false)) return detail::tall_log_softmax_backward(y, g, axis);
  return backward<Kind::log_softmax>(y, g, axis);
}

Tensor softmax_cross_entropy_backward(const Tensor& logits, const Tensor& labels, const CrossEntropy& forward,
                                      const Tensor& g, int axis) {
  const Tensor dx(logits.shape(), logits.dtype());
  const auto call = [dtype = logits.dtype(), view = View(logits.shape(), axis)](void* const* out,
                                                                                const void* const* in) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      const CrossEntropyBackward<T> f{static_cast<const T*>(in[2]), static_cast<const T*>(in[3]),
                                      static_cast<const T*>(in[4]), static_cast<const std::int64_t*>(in[1])};
      run<T>(f, view, in[0], nullptr, out[0]);
    });
  };
  xgrad::detail::launch({&dx}, {&logits, &labels, &forward.top, &forward.scale, &g}, call);
  return dx;
}

}  // namespace xgrad::kernel
