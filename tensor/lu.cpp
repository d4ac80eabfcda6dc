#include <cmath>
#include <vector>
#include <xgrad/tensor/each_matrix.hpp>
#include <xgrad/tensor/lu.hpp>

namespace xgrad::kernel {

using namespace detail;

namespace {

// LAPACK's pivots, which are of 32 bits; few of them need no allocation.
class Swaps {
 public:
  explicit Swaps(std::int64_t n) : many_(n > few ? static_cast<std::size_t>(n) : 0) {}
  int* data() { return many_.empty() ? few_ : many_.data(); }

 private:
  static constexpr std::int64_t few = 16;
  int few_[few];
  std::vector<int> many_;
};

}  // namespace

// A row-major A is LAPACK's M = A'. M = P L U, where P is the product of the swaps P1 ... Pn.
Lu lu(const Tensor& a) {
  const std::int64_t n = side(a.shape(), 1);
  const Shape batch = batch_of(a.shape());
  const Lu result{Tensor(a.shape(), a.dtype()), Tensor(with_batch(batch, {n}), int64), info_for(batch)};
  const auto run = [n, count = batch.size()]<class T>(T, void* const* out, const void* const* in) {
    const auto* source = static_cast<const T*>(in[0]);
    auto* factors = static_cast<T*>(out[0]);
    auto* pivots = static_cast<std::int64_t*>(out[1]);
    auto* info = static_cast<Info*>(out[2]);
    each_matrix(count, cube(n), [&](std::int64_t i) {
      info[i] = 0;
      if (n == 0) return;
      T* m = factors + i * n * n;
      Swaps swaps(n);
      if (is_finite(source + i * n * n, n * n)) {
        std::copy_n(source + i * n * n, n * n, m);
        info[i] = lapack::getrf(n, m, swaps.data());
      } else {
        fill_nan(m, n * n);
        for (std::int64_t k = 0; k < n; ++k) swaps.data()[k] = static_cast<int>(k) + 1;
      }
      std::copy_n(swaps.data(), n, pivots + i * n);
    });
  };
  launch_floating(a.dtype(), {&result.factors, &result.pivots, &result.info}, {&a}, run);
  return result;
}

// A X = B is X' M = B', and a row-major B is LAPACK's B': X' = B' U^-1 L^-1 Pn ... P1. A' X = B is
// X' M' = B': X' = B' P1 ... Pn L^-T U^-T. A swap of columns of B' is one of rows of B.
Tensor lu_solve(const Lu& lu, const Tensor& b, bool transposed) {
  const std::int64_t n = side(b.shape(), 2), k = side(b.shape(), 1);
  const Shape batch_a = batch_of(lu.factors.shape()), batch_b = batch_of(b.shape()),
              batch = *broadcast(batch_a, batch_b);
  const Tensor result(with_batch(batch, {n, k}), b.dtype());
  const auto run = [n, k, transposed, count = n * k == 0 ? 0 : batch.size(),
                    of_a = BatchSteps(batch_a, batch),
                    of_b = BatchSteps(batch_b, batch)]<class T>(T, void* const* out, const void* const* in) {
    using lapack::Part;
    each_matrix(count, static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(k),
                [&](std::int64_t i) {
                  const T* m = static_cast<const T*>(in[0]) + of_a(i) * n * n;
                  const auto* pivots = static_cast<const std::int64_t*>(in[1]) + of_a(i) * n;
                  T* x = static_cast<T*>(out[0]) + i * n * k;
                  std::copy_n(static_cast<const T*>(in[2]) + of_b(i) * n * k, n * k, x);
                  const auto swap = [&](std::int64_t row) {
                    const std::int64_t other = pivots[row] - 1;
                    if (other != row) std::swap_ranges(x + row * k, x + (row + 1) * k, x + other * k);
                  };
                  if (transposed) {
                    for (std::int64_t row = 0; row < n; ++row) swap(row);
                    lapack::solve_from_right(Part::lower, true, true, k, n, m, x);
                    lapack::solve_from_right(Part::upper, true, false, k, n, m, x);
                  } else {
                    lapack::solve_from_right(Part::upper, false, false, k, n, m, x);
                    lapack::solve_from_right(Part::lower, false, true, k, n, m, x);
                    for (std::int64_t row = n - 1; row >= 0; --row) swap(row);
                  }
                });
  };
  launch_floating(b.dtype(), {&result}, {&lu.factors, &lu.pivots, &b}, run);
  return result;
}

namespace {

// f(diagonal element) for each, and whether the swaps change the sign.
template <class T, class F>
bool each_pivot(const T* m, const std::int64_t* pivots, std::int64_t n, const F& f) {
  bool odd = false;
  for (std::int64_t k = 0; k < n; ++k) {
    odd ^= pivots[k] != k + 1;
    f(m[k * n + k]);
  }
  return odd;
}

}  // namespace

Tensor lu_determinant(const Lu& lu) {
  const std::int64_t n = side(lu.factors.shape(), 1);
  const Shape batch = batch_of(lu.factors.shape());
  const Tensor result(batch, lu.factors.dtype());
  const auto run = [n, count = batch.size()]<class T>(T, void* const* out, const void* const* in) {
    for (std::int64_t i = 0; i < count; ++i) {
      T product = 1;
      const bool odd =
          each_pivot(static_cast<const T*>(in[0]) + i * n * n,
                     static_cast<const std::int64_t*>(in[1]) + i * n, n, [&](T x) { product *= x; });
      // Of the other pivots one may be infinite: no product with 0 then.
      const bool singular = static_cast<const Info*>(in[2])[i] != 0;
      static_cast<T*>(out[0])[i] = singular ? T(0) : odd ? -product : product;
    }
  };
  launch_floating(result.dtype(), {&result}, {&lu.factors, &lu.pivots, &lu.info}, run);
  return result;
}

SignAndLog lu_sign_and_log(const Lu& lu) {
  const std::int64_t n = side(lu.factors.shape(), 1);
  const Shape batch = batch_of(lu.factors.shape());
  const SignAndLog result{Tensor(batch, lu.factors.dtype()), Tensor(batch, lu.factors.dtype())};
  const auto run = [n, count = batch.size()]<class T>(T, void* const* out, const void* const* in) {
    for (std::int64_t i = 0; i < count; ++i) {
      T sign = 1, total = 0;
      const bool odd = each_pivot(static_cast<const T*>(in[0]) + i * n * n,
                                  static_cast<const std::int64_t*>(in[1]) + i * n, n, [&](T x) {
                                    sign *= x < 0 ? T(-1) : std::isnan(x) ? x : T(1);
                                    total += std::log(std::abs(x));
                                  });
      const bool singular = static_cast<const Info*>(in[2])[i] != 0;
      static_cast<T*>(out[0])[i] = singular ? T(0) : odd ? -sign : sign;
      static_cast<T*>(out[1])[i] = singular ? -std::numeric_limits<T>::infinity() : total;
    }
  };
  launch_floating(result.sign.dtype(), {&result.sign, &result.log}, {&lu.factors, &lu.pivots, &lu.info}, run);
  return result;
}

// The inverse of M = A' is, row-major, that of A.
Solution inverse(const Tensor& a) {
  const std::int64_t n = side(a.shape(), 1);
  const Shape batch = batch_of(a.shape());
  const Solution result{Tensor(a.shape(), a.dtype()), info_for(batch)};
  const auto run = [n, count = batch.size()]<class T>(T, void* const* out, const void* const* in) {
    each_matrix(count, 3 * cube(n), [&](std::int64_t i) {
      const T* source = static_cast<const T*>(in[0]) + i * n * n;
      T* m = static_cast<T*>(out[0]) + i * n * n;
      Info& info = static_cast<Info*>(out[1])[i] = 0;
      if (n == 0) return;
      if (!is_finite(source, n * n)) return fill_nan(m, n * n);
      std::copy_n(source, n * n, m);
      Swaps pivots(n);
      info = lapack::getrf(n, m, pivots.data());
      if (info == 0) info = lapack::getri(n, m, pivots.data());
    });
  };
  launch_floating(a.dtype(), {&result.value, &result.info}, {&a}, run);
  return result;
}

// op(A) X = B is X' op(A)' = B' with the M = A' of LAPACK.
Solution triangular_solve(const Tensor& a, const Tensor& b, Triangular kind) {
  const std::int64_t n = side(b.shape(), 2), k = side(b.shape(), 1);
  const Shape batch_a = batch_of(a.shape()), batch_b = batch_of(b.shape()),
              batch = *broadcast(batch_a, batch_b);
  const Solution result{Tensor(with_batch(batch, {n, k}), b.dtype()), info_for(batch)};
  const auto run = [n, k, kind, count = batch.size(), of_a = BatchSteps(batch_a, batch),
                    of_b = BatchSteps(batch_b, batch)]<class T>(T, void* const* out, const void* const* in) {
    each_matrix(count, static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(k),
                [&](std::int64_t i) {
                  const T* m = static_cast<const T*>(in[0]) + of_a(i) * n * n;
                  T* x = static_cast<T*>(out[0]) + i * n * k;
                  Info& info = static_cast<Info*>(out[1])[i] = 0;
                  for (std::int64_t j = n - 1; j >= 0 && !kind.unit_diagonal; --j) {
                    if (m[j * n + j] == 0) info = j + 1;
                  }
                  if (n * k == 0) return;
                  std::copy_n(static_cast<const T*>(in[1]) + of_b(i) * n * k, n * k, x);
                  lapack::solve_from_right(kind.lower ? lapack::Part::upper : lapack::Part::lower,
                                           kind.transposed, kind.unit_diagonal, k, n, m, x);
                });
  };
  launch_floating(b.dtype(), {&result.value, &result.info}, {&a, &b}, run);
  return result;
}

}  // namespace xgrad::kernel
