#include <vector>
#include <xgrad/tensor/decompositions.hpp>
#include <xgrad/tensor/each_matrix.hpp>

namespace xgrad::kernel {

using namespace detail;

namespace {

// (A + A') / 2, where equal numbers stay as they are.
template <class T>
void symmetrize(const T* a, std::int64_t n, T* out) {
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      const T x = a[i * n + j], y = a[j * n + i];
      out[i * n + j] = out[j * n + i] = x == y ? x : x / 2 + y / 2;
    }
  }
}

}  // namespace

// The upper U of M = U' U is, row-major, the lower L of A = L L'.
Solution cholesky(const Tensor& a) {
  const std::int64_t n = side(a.shape(), 1);
  const Shape batch = batch_of(a.shape());
  const Solution result{Tensor(a.shape(), a.dtype()), info_for(batch)};
  const auto run = [n, count = batch.size()]<class T>(T, void* const* out, const void* const* in) {
    each_matrix(count, cube(n) / 3, [&](std::int64_t i) {
      const T* source = static_cast<const T*>(in[0]) + i * n * n;
      T* m = static_cast<T*>(out[0]) + i * n * n;
      Info& info = static_cast<Info*>(out[1])[i] = 0;
      if (n == 0) return;
      const bool finite = is_finite(source, n * n);
      if (finite) {
        symmetrize(source, n, m);
        info = lapack::potrf(n, m);
      } else {
        fill_nan(m, n * n);
      }
      for (std::int64_t row = 0; row < n; ++row) std::fill(m + row * n + row + 1, m + (row + 1) * n, T(0));
    });
  };
  launch_floating(a.dtype(), {&result.value, &result.info}, {&a}, run);
  return result;
}

Eigen eigh(const Tensor& a) {
  const std::int64_t n = side(a.shape(), 1);
  const Shape batch = batch_of(a.shape());
  const Eigen result{Tensor(with_batch(batch, {n}), a.dtype()), Tensor(a.shape(), a.dtype()),
                     info_for(batch)};
  const auto run = [n, count = batch.size()]<class T>(T, void* const* out, const void* const* in) {
    each_matrix(count, 9 * cube(n), [&](std::int64_t i) {
      const T* source = static_cast<const T*>(in[0]) + i * n * n;
      T *w = static_cast<T*>(out[0]) + i * n, *v = static_cast<T*>(out[1]) + i * n * n;
      Info& info = static_cast<Info*>(out[2])[i] = 0;
      if (n == 0) return;
      if (!is_finite(source, n * n)) {
        fill_nan(w, n);
        return fill_nan(v, n * n);
      }
      symmetrize(source, n, v);
      info = lapack::syevd(n, v, w);
      for (std::int64_t p = 0; p < n; ++p) {  // its columns are our rows
        for (std::int64_t q = 0; q < p; ++q) std::swap(v[p * n + q], v[q * n + p]);
      }
    });
  };
  launch_floating(a.dtype(), {&result.values, &result.vectors, &result.info}, {&a}, run);
  return result;
}

// M = A' has the factors of A in the other order, each of them transposed: they lie in memory as A's do.
Singular svd(const Tensor& a) {
  const std::int64_t m = side(a.shape(), 2), n = side(a.shape(), 1), k = std::min(m, n);
  const Shape batch = batch_of(a.shape());
  const Singular result{Tensor(with_batch(batch, {m, k}), a.dtype()),
                        Tensor(with_batch(batch, {k}), a.dtype()),
                        Tensor(with_batch(batch, {k, n}), a.dtype()), info_for(batch)};
  const auto run = [m, n, k, count = batch.size()]<class T>(T, void* const* out, const void* const* in) {
    each_matrix(count, 6 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k),
                [&](std::int64_t i) {
                  const T* source = static_cast<const T*>(in[0]) + i * m * n;
                  T *u = static_cast<T*>(out[0]) + i * m * k, *s = static_cast<T*>(out[1]) + i * k,
                    *vh = static_cast<T*>(out[2]) + i * k * n;
                  Info& info = static_cast<Info*>(out[3])[i] = 0;
                  if (k == 0) return;
                  if (!is_finite(source, m * n)) {
                    fill_nan(u, m * k);
                    fill_nan(s, k);
                    return fill_nan(vh, k * n);
                  }
                  std::vector<T> copy(source, source + m * n);
                  info = lapack::gesdd(n, m, copy.data(), s, vh, u);
                });
  };
  launch_floating(a.dtype(), {&result.u, &result.s, &result.vh, &result.info}, {&a}, run);
  return result;
}

// M = A' = L Q' gives A = Q R with R = L', which lies in the first rows of A's copy, and Q as LAPACK writes
// Q'.
Orthogonal qr(const Tensor& a) {
  const std::int64_t m = side(a.shape(), 2), n = side(a.shape(), 1), k = std::min(m, n);
  const Shape batch = batch_of(a.shape());
  const Orthogonal result{Tensor(with_batch(batch, {m, k}), a.dtype()),
                          Tensor(with_batch(batch, {k, n}), a.dtype())};
  const auto run = [m, n, k, count = k == 0 ? 0 : batch.size()]<class T>(T, void* const* out,
                                                                         const void* const* in) {
    each_matrix(count, 4 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k),
                [&](std::int64_t i) {
                  const T* source = static_cast<const T*>(in[0]) + i * m * n;
                  T *q = static_cast<T*>(out[0]) + i * m * k, *r = static_cast<T*>(out[1]) + i * k * n;
                  if (!is_finite(source, m * n)) {
                    fill_nan(q, m * k);
                    fill_nan(r, k * n);
                  } else {
                    std::vector<T> copy(source, source + m * n), tau(static_cast<std::size_t>(k));
                    lapack::gelqf(n, m, copy.data(), tau.data());
                    std::copy_n(copy.data(), k * n, r);
                    for (std::int64_t row = 0; row < m; ++row)
                      std::copy_n(copy.data() + row * n, k, q + row * k);
                    lapack::orglq(k, m, q, tau.data());
                  }
                  for (std::int64_t row = 0; row < k; ++row) std::fill_n(r + row * n, row, T(0));
                });
  };
  launch_floating(a.dtype(), {&result.q, &result.r}, {&a}, run);
  return result;
}

// The rows of the cofactors are the cross products of the other two rows.
Tensor mixed_cofactors(const Tensor& a, const Tensor& b) {
  const Tensor result(a.shape(), a.dtype());
  const auto run = [count = a.size() / 9]<class T>(T, void* const* out, const void* const* in) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T *p = static_cast<const T*>(in[0]) + i * 9, *q = static_cast<const T*>(in[1]) + i * 9;
      T* c = static_cast<T*>(out[0]) + i * 9;
      for (int row = 0; row < 3; ++row) {
        const int r = (row + 1) % 3 * 3, s = (row + 2) % 3 * 3;
        for (int column = 0; column < 3; ++column) {
          const int u = (column + 1) % 3, v = (column + 2) % 3;
          c[row * 3 + column] =
              p[r + u] * q[s + v] - p[r + v] * q[s + u] + q[r + u] * p[s + v] - q[r + v] * p[s + u];
        }
      }
    }
  };
  launch_floating(a.dtype(), {&result}, {&a, &b}, run);
  return result;
}

Tensor products_without_one(const Tensor& s) {
  const std::int64_t n = side(s.shape(), 1), count = n == 0 ? 0 : s.size() / n;
  const Tensor result(s.shape(), s.dtype());
  const auto run = [n, count]<class T>(T, void* const* out, const void* const* in) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T* x = static_cast<const T*>(in[0]) + i * n;
      T* p = static_cast<T*>(out[0]) + i * n;
      T before = 1, behind = 1;
      for (std::int64_t j = 0; j < n; before *= x[j++]) p[j] = before;
      for (std::int64_t j = n - 1; j >= 0; behind *= x[j--]) p[j] *= behind;
    }
  };
  launch_floating(s.dtype(), {&result}, {&s}, run);
  return result;
}

Tensor products_without_two(const Tensor& s) {
  const std::int64_t n = side(s.shape(), 1), count = n == 0 ? 0 : s.size() / n;
  const Tensor result(with_batch(s.shape(), {n}), s.dtype());
  const auto run = [n, count]<class T>(T, void* const* out, const void* const* in) {
    std::vector<T> behind(static_cast<std::size_t>(n) + 1, T(1));
    for (std::int64_t i = 0; i < count; ++i) {
      const T* x = static_cast<const T*>(in[0]) + i * n;
      T* p = static_cast<T*>(out[0]) + i * n * n;
      for (std::int64_t j = n - 1; j >= 0; --j)
        behind[static_cast<std::size_t>(j)] = behind[static_cast<std::size_t>(j) + 1] * x[j];
      T before = 1;
      for (std::int64_t j = 0; j < n; before *= x[j++]) {
        p[j * n + j] = 0;
        T between = 1;
        for (std::int64_t l = j + 1; l < n; between *= x[l++]) {
          p[j * n + l] = p[l * n + j] = before * between * behind[static_cast<std::size_t>(l) + 1];
        }
      }
    }
  };
  launch_floating(s.dtype(), {&result}, {&s}, run);
  return result;
}

}  // namespace xgrad::kernel
