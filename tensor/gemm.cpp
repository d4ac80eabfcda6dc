#include <algorithm>
#include <type_traits>
#include <xgrad/tensor/blas.hpp>
#include <xgrad/tensor/gemm.hpp>
#include <xgrad/tensor/gemv.hpp>
#include <xgrad/tensor/simd.hpp>
#include <xgrad/tensor/skinny.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel {
namespace {

constexpr double worth_a_thread = 1e6;  // floating-point operations

// How many parts of about one size a product of `side` rows or columns is cut into.
std::int64_t parts_of(double operations, std::int64_t side, std::int64_t smallest) {
  if (operations < 2 * worth_a_thread) return 1;
  const auto worth = static_cast<std::int64_t>(operations / worth_a_thread);
  return std::max<std::int64_t>(1, std::min({worth, side / smallest, std::int64_t{num_threads()}}));
}

// f(begin, end) for each part of [0, side), with boundaries at multiples of `step`. The parts are fixed, so
// that the result does not depend on who runs them.
template <class F>
void in_parts(std::int64_t parts, std::int64_t side, std::int64_t step, const F& f) {
  if (parts == 1) return f(std::int64_t{0}, side);
  const auto boundary = [=](std::int64_t i) { return i == parts ? side : side * i / parts / step * step; };
  xgrad::detail::parallel(parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) f(boundary(i), boundary(i + 1));
  });
}

template <class T>
struct Product : GemmShape {
  const T *a, *b;
  T* c;
  bool adds;

  std::int64_t a_row() const { return transpose_a ? 1 : k; }
  std::int64_t a_column() const { return transpose_a ? m : 1; }
  std::int64_t b_row() const { return transpose_b ? 1 : n; }
  std::int64_t b_column() const { return transpose_b ? k : 1; }
  double operations() const {
    return 2 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  }
  // The same C by columns: C' = op(B)' op(A)'.
  SkinnyProduct<T> mirrored(bool packs_b) const {
    return {n, m, k, b, b_column(), b_row(), a, a_column(), a_row(), c, 1, n, adds, packs_b};
  }
  SkinnyProduct<T> straight(bool packs_a) const {
    return {m, n, k, a, a_row(), a_column(), b, b_row(), b_column(), c, n, 1, adds, packs_a};
  }
};

// Where the skinny kernel was measured to be faster than OpenBLAS, whose kernels for small matrices end at
// m n k = 10^6. With a short m: A packed and B in place by columns, or by rows where B is transposed. With a
// short n: the same, mirrored. On AVX2 only B by rows is faster.
template <class T>
bool skinny_pays(const Product<T>& p) {
  if (p.operations() < 2e5 || simd_level() == SimdLevel::sse2) return false;
  const bool large = p.operations() > 2e6;
  if ((p.transpose_a || !p.transpose_b) && simd_level() != SimdLevel::avx512) return false;
  if (p.transpose_a) return !p.transpose_b && large && p.n <= 24 && p.m >= 128 && p.k >= 64;
  if (p.transpose_b) return p.m <= 40 && p.k >= 64 && (large ? p.n >= 64 : p.m >= 8 && p.n >= 256);
  return large &&
         ((p.m <= 48 && p.n >= 64) || (p.n >= 8 && p.n <= 40 && p.m >= 512 && p.k >= 64 && p.k <= 256));
}

template <class T>
void run_skinny(const Product<T>& p) {
  SkinnyProduct<T> s;
  if (p.transpose_a) {
    s = p.mirrored(true);
  } else if (p.transpose_b) {
    s = p.mirrored(false);
  } else {
    s = p.straight(p.m <= 48 && p.n >= 64);
  }
  // The long side is cut: columns where the small factor is A, else rows.
  const std::int64_t side = s.packs_a ? s.n : s.m;
  in_parts(parts_of(p.operations(), side, 64), side, 32, [&](std::int64_t begin, std::int64_t end) {
    SkinnyProduct<T> part = s;
    (s.packs_a ? part.n : part.m) = end - begin;
    if (s.packs_a) {
      part.b += begin * s.b_column;
      part.c += begin * s.c_column;
    } else {
      part.a += begin * s.a_row;
      part.c += begin * s.c_row;
    }
    skinny(part);
  });
}

// OpenBLAS on each thread, for a part of the rows or columns, whichever there are more of.
template <class T>
void run_blas(const Product<T>& p) {
  const bool rows = p.m >= p.n;
  const std::int64_t side = rows ? p.m : p.n;
  const std::int64_t a_row = p.transpose_a ? p.m : p.k, b_row = p.transpose_b ? p.k : p.n;
  in_parts(parts_of(p.operations(), side, 32), side, 16, [&](std::int64_t begin, std::int64_t end) {
    GemmShape shape = p;
    (rows ? shape.m : shape.n) = end - begin;
    const T* a = p.a + (rows ? begin * p.a_row() : 0);
    const T* b = p.b + (rows ? 0 : begin * p.b_column());
    blas_gemm(shape, a, a_row, b, b_row, p.c + (rows ? begin * p.n : begin), p.n, p.adds);
  });
}

template <class T>
void run(const Product<T>& p) {
  // A vector lies the same either way, so a side of one is a matrix times a vector.
  if (p.n == 1) {
    gemv(p.a, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, p.transpose_a, p.b, p.c, p.adds);
  } else if (p.m == 1) {
    gemv(p.b, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, !p.transpose_b, p.a, p.c, p.adds);
  } else if (skinny_pays(p)) {
    run_skinny(p);
  } else {
    run_blas(p);
  }
}

void run(const Product<std::int64_t>& p) {
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      std::int64_t& c = p.c[i * p.n + j];
      auto total = static_cast<std::uint64_t>(p.adds ? c : 0);  // wraps instead of overflowing
      for (std::int64_t q = 0; q < p.k; ++q) {
        total += static_cast<std::uint64_t>(p.a[i * p.a_row() + q * p.a_column()]) *
                 static_cast<std::uint64_t>(p.b[q * p.b_row() + j * p.b_column()]);
      }
      c = static_cast<std::int64_t>(total);
    }
  }
}

// The bias in every place, which the product is then added to.
template <class T>
void spread(const Gemm& g, const T* bias, T* c) {
  if (bias == c) return;
  for (std::int64_t i = 0; i < g.m; ++i, bias += g.bias_row, c += g.n) {
    if (g.bias_column == 0) {
      std::fill_n(c, g.n, *bias);
    } else {
      std::copy_n(bias, g.n, c);
    }
  }
}

Tensor multiply(const Tensor& a, const Tensor& b, const Tensor* c, bool ta, bool tb) {
  Gemm g{a.dtype(), a.shape()[ta ? 1 : 0], b.shape()[tb ? 0 : 1], a.shape()[ta ? 0 : 1], ta, tb};
  if (c != nullptr) {
    const Shape& shape = c->shape();
    const std::int64_t columns = shape.rank() > 0 ? shape[shape.rank() - 1] : 1;
    const std::int64_t rows = shape.rank() > 1 ? shape[shape.rank() - 2] : 1;
    g.bias_row = rows > 1 ? columns : 0;
    g.bias_column = columns > 1 ? 1 : 0;
  }
  const Tensor result({g.m, g.n}, g.dtype);
  const auto run = [g, adds = c != nullptr](void* const* out, const void* const* in) {
    gemm_into(g, in[0], in[1], adds ? in[2] : nullptr, out[0]);
  };
  if (c == nullptr) {
    xgrad::detail::launch({&result}, {&a, &b}, run);
  } else {
    xgrad::detail::launch({&result}, {&a, &b, c}, run);
  }
  return result;
}

}  // namespace

void gemm_into(const Gemm& g, const void* a, const void* b, const void* bias, void* result) {
  if (g.m == 0 || g.n == 0) return;
  xgrad::detail::visit(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, bool>) {
      auto* c = static_cast<T*>(result);
      if (bias != nullptr) spread(g, static_cast<const T*>(bias), c);
      if (g.k == 0) {
        if (bias == nullptr) std::fill_n(c, g.m * g.n, T(0));
        return;
      }
      run(Product<T>{{g.m, g.n, g.k, g.transpose_a, g.transpose_b},
                     static_cast<const T*>(a),
                     static_cast<const T*>(b),
                     c,
                     bias != nullptr});
    }
  });
}

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  return multiply(a, b, nullptr, transpose_a, transpose_b);
}

Tensor matmul_add(const Tensor& a, const Tensor& b, const Tensor& c, bool transpose_a, bool transpose_b) {
  return multiply(a, b, &c, transpose_a, transpose_b);
}

}  // namespace xgrad::kernel
