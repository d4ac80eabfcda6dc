#include <xgrad/tensor/lines_call.hpp>
#include <xgrad/tensor/pack_math.hpp>
#include <xgrad/tensor/rowwise.hpp>
#include <xgrad/tensor/rowwise_tall.hpp>

namespace xgrad::kernel {
namespace {

using detail::across_one, detail::along, detail::Arrays, detail::BlockSum, detail::Max;
using detail::run, detail::Sum, detail::total, detail::View, simd::Pack, simd::detail::exp_of_negative;

enum class Kind { softmax, log_softmax, logsumexp, cross_entropy };

// What starts with max(x) and sum(exp(x - max(x))).
template <class T, Kind kind>
struct Forward {
  static constexpr int inputs = 1;
  static constexpr bool writes = kind == Kind::softmax || kind == Kind::log_softmax;

  T *result = nullptr, *tops = nullptr, *scales = nullptr;  // one number for each line
  const std::int64_t* labels = nullptr;

  template <int N>
  XGRAD_SIMD void columns(const Arrays<T>& arrays, std::int64_t stride, std::int64_t n, std::int64_t line,
                          std::int64_t count) const {
    using V = Pack<T, N>;
    const T* x = arrays.in[0];
    T* y = arrays.out;
    V largest = V::load(x);
    for (std::int64_t i = 1; i < n; ++i) largest = maximum(largest, V::load(x + i * stride));
    const V top = shift(largest);
    BlockSum<V> sum;
#pragma GCC unroll 2
    for (std::int64_t i = 0; i < n; ++i) {
      const V e = exp_of_negative(V::load(x + i * stride) - top);
      if (kind == Kind::softmax) e.store(y + i * stride);
      sum.add(e);
    }
    const V whole = sum.total();
    if constexpr (kind == Kind::softmax) {
      for (std::int64_t i = 0; i < n; ++i) (V::load(y + i * stride) / whole).store(y + i * stride);
    } else {
      const V rest = log(whole);
      if constexpr (kind == Kind::log_softmax) {
        for (std::int64_t i = 0; i < n; ++i) {
          ((V::load(x + i * stride) - top) - rest).store(y + i * stride);
        }
      } else if constexpr (kind == Kind::logsumexp) {
        finite(rest + top, top, largest).store_partial(result + line, static_cast<int>(count));
      } else {
        T chosen[N];
        for (std::int64_t k = 0; k < N; ++k) {
          chosen[k] = x[labels[line + (k < count ? k : 0)] * stride + k];
        }
        (rest - (V::load(chosen) - top)).store_partial(result + line, static_cast<int>(count));
        top.store_partial(tops + line, static_cast<int>(count));
        (1 / whole).store_partial(scales + line, static_cast<int>(count));
      }
    }
  }

  template <int N>
  XGRAD_SIMD void row(const Arrays<T>& arrays, std::int64_t n, std::int64_t line) const {
    using V = Pack<T, N>;
    const T* x = arrays.in[0];
    T* y = arrays.out;
    V largest[2] = {V::load(x), V::load(x + n - N)};
    std::int64_t i = 0;
    for (; i + 2 * N <= n; i += 2 * N) {
      largest[0] = maximum(largest[0], V::load(x + i));
      largest[1] = maximum(largest[1], V::load(x + i + N));
    }
    if (i + N <= n) largest[0] = maximum(largest[0], V::load(x + i));
    const V most = across_one<Max>(maximum(largest[0], largest[1])), top = shift(most);
    const V whole = across_one<Sum>(total<N, 2, T>(
        n, [&](std::int64_t i) __attribute__((always_inline)) {
          const V e = exp_of_negative(V::load(x + i) - top);
          if (kind == Kind::softmax) e.store(y + i);
          return e;
        }));
    if constexpr (kind == Kind::softmax) {
      const V last = V::load(y + n - N) / whole;
      for (std::int64_t i = 0; i + N <= n; i += N) (V::load(y + i) / whole).store(y + i);
      last.store(y + n - N);
    } else {
      const V rest = log(whole);
      if constexpr (kind == Kind::log_softmax) {
        along<N>(
            n, [&](std::int64_t i)
                   __attribute__((always_inline)) { ((V::load(x + i) - top) - rest).store(y + i); });
      } else if constexpr (kind == Kind::logsumexp) {
        result[line] = finite(rest + top, top, most)[0];
      } else {
        result[line] = (rest - (V(x[labels[line]]) - top))[0];
        tops[line] = top[0];
        scales[line] = (1 / whole)[0];
      }
    }
  }

  // logsumexp is infinite where all is -inf or one is +inf; the others have no value there.
  template <int N>
  XGRAD_SIMD static Pack<T, N> shift(Pack<T, N> top) {
    if constexpr (kind != Kind::logsumexp) return top;
    return where(abs(top) < std::numeric_limits<T>::infinity(), top, 0);
  }
  template <int N>
  XGRAD_SIMD static Pack<T, N> finite(Pack<T, N> result, Pack<T, N> top, Pack<T, N> largest) {
    // The comparison of `shift` again would be one value for GCC 12, which fails to carry it past a branch.
    return where(top == largest, result, largest);
  }
};

template <Kind kind>
Tensor forward(const Tensor& x, int axis) {
  const Tensor y(x.shape(), x.dtype());
  const auto call = [dtype = x.dtype(), view = View(x.shape(), axis)](void* const* out,
                                                                      const void* const* in) {
    xgrad::detail::visit_floating(
        dtype, [&]<class T>(T) { run<T>(Forward<T, kind>{}, view, in[0], nullptr, out[0]); });
  };
  xgrad::detail::launch({&y}, {&x}, call);
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  return detail::is_tall(x.shape(), axis, true) ? detail::tall_softmax(x, axis)
                                                : forward<Kind::softmax>(x, axis);
}
Tensor log_softmax(const Tensor& x, int axis) {
  return detail::is_tall(x.shape(), axis, true) ? detail::tall_log_softmax(x, axis)
                                                : forward<Kind::log_softmax>(x, axis);
}

Tensor logsumexp(const Tensor& x, int axis) {
  if (detail::is_tall(x.shape(), axis, true)) return detail::tall_logsumexp(x, axis);
  std::int64_t sizes[64];
  for (int a = 0; a < x.rank(); ++a) sizes[a] = a == axis ? 1 : x.shape()[a];
  const Tensor result(Shape(std::span<const std::int64_t>(sizes, static_cast<std::size_t>(x.rank()))),
                      x.dtype());
  const auto call = [dtype = x.dtype(), view = View(x.shape(), axis)](void* const* out,
                                                                      const void* const* in) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      Forward<T, Kind::logsumexp> f;
      f.result = static_cast<T*>(out[0]);
      run<T>(f, view, in[0], nullptr, nullptr);
    });
  };
  xgrad::detail::launch({&result}, {&x}, call);
  return result;
}

CrossEntropy softmax_cross_entropy(const Tensor& logits, const Tensor& labels, int axis) {
  const DType dtype = logits.dtype();
  CrossEntropy result{Tensor(labels.shape(), dtype), Tensor(labels.shape(), dtype),
                      Tensor(labels.shape(), dtype)};
  const auto call = [dtype, view = View(logits.shape(), axis)](void* const* out, const void* const* in) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      Forward<T, Kind::cross_entropy> f;
      f.result = static_cast<T*>(out[0]);
      f.tops = static_cast<T*>(out[1]);
      f.scales = static_cast<T*>(out[2]);
      f.labels = static_cast<const std::int64_t*>(in[1]);
      run<T>(f, view, in[0], nullptr, nullptr);
    });
  };
  xgrad::detail::launch({&result.loss, &result.top, &result.scale}, {&logits, &labels}, call);
  return result;
}

}  // namespace xgrad::kernel
