#include <xgrad/tensor/lines_call.hpp>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/pack_math.hpp>
#include <xgrad/tensor/reduce.hpp>
#include <xgrad/tensor/rowwise_tall.hpp>

namespace xgrad::kernel::detail {
namespace {

using simd::detail::exp_of_negative;

constexpr std::int64_t strip = 32;  // rows; their columns are not copied before they are walked

// max(x) and sum(exp(x - max(x))) of a strip's columns.
template <class T>
struct TopAndSum {
  static constexpr int inputs = 1;
  static constexpr bool writes = false;
  T *tops, *sums;

  template <int N>
  XGRAD_SIMD void columns(const Arrays<T>& arrays, std::int64_t stride, std::int64_t n, std::int64_t line,
                          std::int64_t count) const {
    using V = Pack<T, N>;
    const T* x = arrays.in[0];
    V top = V::load(x), sum = 0;
    for (std::int64_t i = 1; i < n; ++i) top = maximum(top, V::load(x + i * stride));
    // -inf - -inf is NaN, but other strips may hold more than this one.
    const V shift = where(top > -std::numeric_limits<T>::infinity(), top, 0);
    for (std::int64_t i = 0; i < n; ++i) sum += exp_of_negative(V::load(x + i * stride) - shift);
    top.store_partial(tops + line, static_cast<int>(count));
    sum.store_partial(sums + line, static_cast<int>(count));
  }
  template <int N>
  XGRAD_SIMD void row(const Arrays<T>&, std::int64_t, std::int64_t) const {}  // of columns, never
};

// sum(a * b) of a strip's columns.
template <class T>
struct Products {
  static constexpr int inputs = 2;
  static constexpr bool writes = false;
  T* sums;

  template <int N>
  XGRAD_SIMD void columns(const Arrays<T>& arrays, std::int64_t stride, std::int64_t n, std::int64_t line,
                          std::int64_t count) const {
    using V = Pack<T, N>;
    V sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      sum += V::load(arrays.in[0] + i * stride) * V::load(arrays.in[1] + i * stride);
    }
    sum.store_partial(sums + line, static_cast<int>(count));
  }
  template <int N>
  XGRAD_SIMD void row(const Arrays<T>&, std::int64_t, std::int64_t) const {}
};

// f of the strips of a and b; the last strip may be shorter. make(strip) is the formula from that strip on.
template <class T, class Make>
void for_strips(std::int64_t n, std::int64_t inner, const void* a, const void* b, const Make& make) {
  const std::int64_t whole = n / strip, done = whole * strip * inner;
  const auto behind = [done](const void* p) { return p == nullptr ? p : static_cast<const T*>(p) + done; };
  run<T>(make(std::int64_t{0}), View(whole, strip, inner), a, b, nullptr);
  run<T>(make(whole), View(1, n % strip, inner), behind(a), behind(b), nullptr);
}

struct Matrix {
  std::int64_t n, inner, strips;
  Matrix(const Tensor& x, int axis)
      : n(x.shape()[axis]), inner(x.size() / n), strips((n + strip - 1) / strip) {}
  Tensor of(const Tensor& x) const { return x.reshape({n, inner}); }
};

// Of whole columns, each (1, inner): max(x) and sum(exp(x - max(x))).
struct Whole {
  Tensor top, sum;
  explicit Whole(const Tensor& x) {
    const Matrix m(x, 0);
    const Tensor tops({m.strips, m.inner}, x.dtype()), sums(tops.shape(), x.dtype());
    const auto call = [m, dtype = x.dtype()](void* const* out, const void* const* in) {
      xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
        for_strips<T>(m.n, m.inner, in[0], nullptr, [&](std::int64_t first) {
          return TopAndSum<T>{static_cast<T*>(out[0]) + first * m.inner,
                              static_cast<T*>(out[1]) + first * m.inner};
        });
      });
    };
    xgrad::detail::launch({&tops, &sums}, {&x}, call);
    top = kernel::max(tops, 1);
    xgrad::detail::visit_floating(x.dtype(), [&]<class T>(T) {
      const auto weighed = [](auto s, auto t, auto most) { return s * exp_of_negative(t - most); };
      sum = kernel::sum(map<T, T, T>(weighed, sums.shape(), sums, tops, top), 1);
    });
  }
};

}  // namespace

bool is_tall(const Shape& shape, int axis, bool forward) {
  const View view(shape, axis);
  return view.outer == 1 && view.n >= 256 && view.inner >= 16 &&
         shape.size() >= (forward ? 1 << 21 : 1 << 17);
}

Tensor tall_softmax(const Tensor& x, int axis) {
  const Tensor in = Matrix(x, axis).of(x);
  const Whole whole(in);
  return xgrad::detail::visit_floating(x.dtype(), [&]<class T>(T) {
    const auto share = [](auto v, auto top, auto sum) { return exp_of_negative(v - top) / sum; };
    return map<T, T, T>(share, in.shape(), in, whole.top, whole.sum).reshape(x.shape());
  });
}

Tensor tall_log_softmax(const Tensor& x, int axis) {
  const Tensor in = Matrix(x, axis).of(x);
  const Whole whole(in);
  return xgrad::detail::visit_floating(x.dtype(), [&]<class T>(T) {
    const Tensor rest = map<T>([](auto sum) { return log(sum); }, whole.sum.shape(), whole.sum);
    const auto share = [](auto v, auto top, auto log_sum) { return (v - top) - log_sum; };
    return map<T, T, T>(share, in.shape(), in, whole.top, rest).reshape(x.shape());
  });
}

Tensor tall_logsumexp(const Tensor& x, int axis) {
  std::int64_t sizes[64];
  std::copy(x.shape().begin(), x.shape().end(), sizes);
  sizes[axis] = 1;
  const Shape kept(std::span<const std::int64_t>(sizes, static_cast<std::size_t>(x.rank())));
  const Whole whole(Matrix(x, axis).of(x));
  return xgrad::detail::visit_floating(x.dtype(), [&]<class T>(T) {
    // Infinite where all is -inf or one is +inf.
    const auto total = [](auto top, auto sum) {
      return where(abs(top) < std::numeric_limits<T>::infinity(), log(sum) + top, top);
    };
    return map<T, T>(total, whole.top.shape(), whole.top, whole.sum).reshape(kept);
  });
}

Tensor tall_softmax_backward(const Tensor& y, const Tensor& g, int axis) {
  const Matrix m(y, axis);
  const Tensor out = m.of(y), cotangent = m.of(g), sums({m.strips, m.inner}, y.dtype());
  const auto call = [m, dtype = y.dtype()](void* const* result, const void* const* in) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      for_strips<T>(m.n, m.inner, in[0], in[1], [&](std::int64_t first) {
        return Products<T>{static_cast<T*>(result[0]) + first * m.inner};
      });
    });
  };
  xgrad::detail::launch({&sums}, {&out, &cotangent}, call);
  const Tensor whole = kernel::sum(sums, 1);
  return xgrad::detail::visit_floating(y.dtype(), [&]<class T>(T) {
    const auto gradient = [](auto v, auto c, auto sum) { return v * (c - sum); };
    return map<T, T, T>(gradient, out.shape(), out, cotangent, whole).reshape(y.shape());
  });
}

Tensor tall_log_softmax_backward(const Tensor& y, const Tensor& g, int axis) {
  const Matrix m(y, axis);
  const Tensor out = m.of(y), cotangent = m.of(g), whole = kernel::sum(cotangent, 1);
  return xgrad::detail::visit_floating(y.dtype(), [&]<class T>(T) {
    const auto gradient = [](auto v, auto c, auto sum) { return c - exp_of_negative(v) * sum; };
    return map<T, T, T>(gradient, out.shape(), out, cotangent, whole).reshape(y.shape());
  });
}

}  // namespace xgrad::kernel::detail
