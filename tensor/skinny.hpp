// Matrix products with one short side, which a general gemm runs at half of the machine's speed.
//
// A gemm packs both factors before it multiplies; where one of them meets only twenty rows of the other, the
// packing costs as much as the product. Here only the small factor is packed; the large one is read where it
// lies, once.
#pragma once

#include <cstdint>

namespace xgrad::kernel {

/// C = A B, with any strides: element (i, j) of C is c[i * c_row + j * c_column], and so on. No size is 0.
template <class T>
struct SkinnyProduct {
  std::int64_t m, n, k;
  const T* a;
  std::int64_t a_row, a_column;
  const T* b;
  std::int64_t b_row, b_column;
  T* c;
  std::int64_t c_row, c_column;
  /// C += A B. C is not read otherwise.
  bool adds;
  /// Which factor is the small one. Where it is A, B is read by vectors of columns: b_column is 1 and n is at
  /// least skinny_lanes. Else B, of few columns, meets one element of A at a time.
  bool packs_a;
};

template <class T>
inline constexpr std::int64_t skinny_lanes = 32 / static_cast<std::int64_t>(sizeof(T));

/// Runs a product on the calling thread. An element of C has the same bits in a product of other rows or
/// columns: each is one sum over k, in blocks of one length.
void skinny(const SkinnyProduct<float>& product);
void skinny(const SkinnyProduct<double>& product);

}  // namespace xgrad::kernel
