// What the kernels over LAPACK share. Included by sources only.
#pragma once

#include <algorithm>
#include <limits>
#include <xgrad/tensor/batched.hpp>
#include <xgrad/tensor/blas.hpp>
#include <xgrad/tensor/lapack.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel::detail {

using Info = std::int64_t;

inline Tensor info_for(const Shape& batch) { return Tensor(Shape{batch.size()}, int64); }

inline std::int64_t side(const Shape& shape, int from_the_end) { return shape[shape.rank() - from_the_end]; }

// f(i) for each matrix of a batch, where one takes about so many operations.
template <class F>
void each_matrix(std::int64_t count, double operations, const F& f) {
  constexpr double worth_a_thread = 1e6;
  const auto grain = static_cast<std::int64_t>(worth_a_thread / (operations + 1000)) + 1;
  xgrad::detail::parallel(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const OneThread scope;
    for (std::int64_t i = begin; i < end; ++i) f(i);
  });
}

inline double cube(std::int64_t n) {
  return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
}

// Runs make(zero, out, in), with a zero of the matrices' type, as one kernel.
template <class F>
void launch_floating(DType dtype, std::initializer_list<const Tensor*> out,
                     std::initializer_list<const Tensor*> in, const F& make) {
  xgrad::detail::visit_floating(dtype, [&](auto zero) {
    xgrad::detail::launch(out, in, [make, zero](void* const* results, const void* const* sources) {
      make(zero, results, sources);
    });
  });
}

template <class T>
bool is_finite(const T* a, std::int64_t n) {
  // x - x is 0, or NaN; a sum of them has no branch.
  T total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += a[i] - a[i];
  return total == 0;
}

template <class T>
void fill_nan(T* a, std::int64_t n) {
  std::fill_n(a, n, std::numeric_limits<T>::quiet_NaN());
}

}  // namespace xgrad::kernel::detail
