#include <xgrad/tensor/lines_call.hpp>
#include <xgrad/tensor/reduce.hpp>
#include <xgrad/tensor/rowwise.hpp>

namespace xgrad::kernel {
namespace {

using detail::across_one, detail::along, detail::lane_numbers, detail::Sum, detail::total, simd::Pack;

constexpr std::int64_t block_rows = 64;  // whose gamma and beta gradients are added up in one place

template <class T>
struct Normalize {
  const T *x, *gamma, *beta;
  T *y, *mean, *rstd;
  T eps;

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const Normalize* self, std::int64_t first, std::int64_t last,
                                                std::int64_t n) {
    self->rows_of<Bytes / static_cast<int>(sizeof(T))>(first, last, n);
  }

  // A row of fewer elements takes shorter vectors.
  template <int N>
  XGRAD_SIMD void rows_of(std::int64_t first, std::int64_t last, std::int64_t n) const {
    if (n < N) {
      if constexpr (N > 1) rows_of<N / 2>(first, last, n);
      return;
    }
    using V = Pack<T, N>;
    for (std::int64_t r = first; r < last; ++r) {
      const T* p = x + r * n;
      T* q = y + r * n;
      const auto at = [&](std::int64_t i) __attribute__((always_inline)) { return V::load(p + i); };
      const V m = across_one<Sum>(total<N, 4, T>(n, at)) / static_cast<T>(n);
      const V squares = total<N, 4, T>(
          n, [&](std::int64_t i) __attribute__((always_inline)) {
            const V d = at(i) - m;
            return d * d;
          });
      const V s = 1 / sqrt(across_one<Sum>(squares) / static_cast<T>(n) + eps);
      along<N>(
          n, [&](std::int64_t i) __attribute__((always_inline)) {
            (V::load(gamma + i) * ((at(i) - m) * s) + V::load(beta + i)).store(q + i);
          });
      mean[r] = m[0];
      rstd[r] = s[0];
    }
  }
};

template <class T>
struct NormalizeBackward {
  const T *x, *gamma, *mean, *rstd, *g;
  T *dx, *dgamma, *dbeta;  // the last two: a row for each block of rows

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const NormalizeBackward* self, std::int64_t first,
                                                std::int64_t last, std::int64_t n) {
    self->rows_of<Bytes / static_cast<int>(sizeof(T))>(first, last, n);
  }

  template <int N>
  XGRAD_SIMD void rows_of(std::int64_t first, std::int64_t last, std::int64_t n) const {
    if (n < N) {
      if constexpr (N > 1) rows_of<N / 2>(first, last, n);
      return;
    }
    using V = Pack<T, N>;
    T *of_gamma = dgamma + first / block_rows * n, *of_beta = dbeta + first / block_rows * n;
    std::fill_n(of_gamma, n, T(0));
    std::fill_n(of_beta, n, T(0));
    for (std::int64_t r = first; r < last; ++r) {
      const T *p = x + r * n, *q = g + r * n;
      const V m(mean[r]), s(rstd[r]);
      const auto z = [&](std::int64_t i) __attribute__((always_inline)) { return (V::load(p + i) - m) * s; };
      const auto h = [&](std::int64_t i) __attribute__((always_inline)) {
        return V::load(q + i) * V::load(gamma + i);
      };
      const V mean_h = across_one<Sum>(total<N, 4, T>(n, h)) / static_cast<T>(n);
      const V products = total<N, 4, T>(
          n, [&](std::int64_t i) __attribute__((always_inline)) { return h(i) * z(i); });
      const V mean_hz = across_one<Sum>(products) / static_cast<T>(n);
      const auto place = [&](std::int64_t i, V gz, V g) __attribute__((always_inline)) {
        (s * (h(i) - mean_h - z(i) * mean_hz)).store(dx + r * n + i);
        (V::load(of_gamma + i) + gz).store(of_gamma + i);
        (V::load(of_beta + i) + g).store(of_beta + i);
      };
#pragma GCC unroll 1
      for (std::int64_t i = 0; i + N <= n; i += N) place(i, V::load(q + i) * z(i), V::load(q + i));
      if (n % N == 0) continue;
      const std::int64_t i = n - N;  // the last vector overlaps its neighbour, where all is added already
      const auto fresh = lane_numbers<T, N>() >= T(N - n % N);
      place(i, where(fresh, V::load(q + i) * z(i), V(0)), where(fresh, V::load(q + i), V(0)));
    }
  }
};

Shape one_for_each_row(const Shape& shape) {
  std::int64_t sizes[64];
  std::copy_n(shape.begin(), shape.rank(), sizes);
  sizes[shape.rank() - 1] = 1;
  return Shape(std::span<const std::int64_t>(sizes, static_cast<std::size_t>(shape.rank())));
}

}  // namespace

LayerNorm layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double eps) {
  const Shape kept = one_for_each_row(x.shape());
  LayerNorm result{Tensor(x.shape(), x.dtype()), Tensor(kept, x.dtype()), Tensor(kept, x.dtype())};
  if (x.size() == 0) return result;
  const auto call = [dtype = x.dtype(), rows = kept.size(), n = gamma.size(), eps](void* const* out,
                                                                                   const void* const* in) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      const Normalize<T> f{static_cast<const T*>(in[0]), static_cast<const T*>(in[1]),
                           static_cast<const T*>(in[2]), static_cast<T*>(out[0]),
                           static_cast<T*>(out[1]),      static_cast<T*>(out[2]),
                           static_cast<T>(eps)};
      detail::in_lines({rows, n, 1}, [&](std::int64_t first, std::int64_t last) {
        xgrad::detail::dispatch<Normalize<T>, const Normalize<T>*, std::int64_t, std::int64_t, std::int64_t>(
            &f, first, last, n);
      });
    });
  };
  xgrad::detail::launch({&result.y, &result.mean, &result.rstd}, {&x, &gamma, &beta}, call);
  return result;
}

LayerNormGradients layer_norm_backward(const Tensor& x, const Tensor& gamma, const LayerNorm& forward,
                                       const Tensor& g) {
  const std::int64_t n = gamma.size(), rows = n == 0 ? 0 : x.size() / n,
                     blocks = (rows + block_rows - 1) / block_rows;
  LayerNormGradients result{Tensor(x.shape(), x.dtype()), Tensor(), Tensor()};
  const Tensor dgamma({blocks, n}, x.dtype()), dbeta({blocks, n}, x.dtype());
  const auto call = [dtype = x.dtype(), n, rows, blocks](void* const* out, const void* const* in) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      const NormalizeBackward<T> f{static_cast<const T*>(in[0]), static_cast<const T*>(in[1]),
                                   static_cast<const T*>(in[2]), static_cast<const T*>(in[3]),
                                   static_cast<const T*>(in[4]), static_cast<T*>(out[0]),
                                   static_cast<T*>(out[1]),      static_cast<T*>(out[2])};
      const auto kernel = xgrad::detail::Dispatch<NormalizeBackward<T>, const NormalizeBackward<T>*,
                                                  std::int64_t, std::int64_t, std::int64_t>::select();
      detail::in_lines({blocks, block_rows * n, 1}, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t b = first; b < last; ++b) {
          kernel(&f, b * block_rows, std::min((b + 1) * block_rows, rows), n);
        }
      });
    });
  };
  xgrad::detail::launch({&result.dx, &dgamma, &dbeta}, {&x, &gamma, &forward.mean, &forward.rstd, &g}, call);
  result.dgamma = sum(dgamma, 1).reshape(gamma.shape());
  result.dbeta = sum(dbeta, 1).reshape(gamma.shape());
  return result;
}

}  // namespace xgrad::kernel
