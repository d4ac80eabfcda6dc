#include <complex>
#include <type_traits>
#include <xgrad/tensor/gemm.hpp>

// xtensor-blas's interface on pointers. Its configuration must come first: without it the calls below would
// silently take xflens's generic loops instead of the BLAS. It declares cblas itself; the system's <cblas.h>
// must not appear here.
// clang-format off
#include <xtensor-blas/xblas_config.hpp>
#include <xflens/cxxblas/cxxblas.cxx>
// clang-format on
#ifndef HAVE_CBLAS
#error "xtensor-blas is configured without a BLAS"
#endif

namespace xgrad::kernel {
namespace {

struct Sizes {
  std::int64_t m, n, k;
};

template <class T>
void blas(const T* a, const T* b, T* c, Sizes s, bool ta, bool tb) {
  using cxxblas::NoTrans, cxxblas::Trans, cxxblas::RowMajor;
  const auto m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  const auto flag = [](bool transposed) { return transposed ? Trans : NoTrans; };
  // Rows and columns as stored; a vector lies the same either way, so a side of one is a matrix times a
  // vector.
  const int a_rows = ta ? k : m, a_columns = ta ? m : k, b_rows = tb ? n : k, b_columns = tb ? k : n;
  if (n == 1) {
    cxxblas::gemv<int>(RowMajor, flag(ta), a_rows, a_columns, T(1), a, a_columns, b, 1, T(0), c, 1);
  } else if (m == 1) {
    cxxblas::gemv<int>(RowMajor, flag(!tb), b_rows, b_columns, T(1), b, b_columns, a, 1, T(0), c, 1);
  } else {
    cxxblas::gemm<int>(RowMajor, flag(ta), flag(tb), m, n, k, T(1), a, a_columns, b, b_columns, T(0), c, n);
  }
}

void blas(const std::int64_t* a, const std::int64_t* b, std::int64_t* c, Sizes s, bool ta, bool tb) {
  for (std::int64_t i = 0; i < s.m; ++i) {
    for (std::int64_t j = 0; j < s.n; ++j) {
      std::uint64_t total = 0;  // wraps instead of overflowing
      for (std::int64_t p = 0; p < s.k; ++p) {
        total += static_cast<std::uint64_t>(ta ? a[p * s.m + i] : a[i * s.k + p]) *
                 static_cast<std::uint64_t>(tb ? b[j * s.k + p] : b[p * s.n + j]);
      }
      c[i * s.n + j] = static_cast<std::int64_t>(total);
    }
  }
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  const Sizes s{a.shape()[transpose_a ? 1 : 0], b.shape()[transpose_b ? 0 : 1],
                a.shape()[transpose_a ? 0 : 1]};
  if (s.k == 0) return zeros({s.m, s.n}, a.dtype());
  Tensor result({s.m, s.n}, a.dtype());
  if (result.size() == 0) return result;
  xgrad::detail::visit(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, bool>) {
      blas(a.data<T>(), b.data<T>(), xgrad::detail::mutable_data<T>(result), s, transpose_a, transpose_b);
    }
  });
  return result;
}

}  // namespace xgrad::kernel
