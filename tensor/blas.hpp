// OpenBLAS on the calling thread alone.
//
// xgrad splits products over its own workers. OpenBLAS's would spin for some 25 ms after each product, at the
// expense of whatever runs next, and fight with ours. While a product runs OpenBLAS is set to one thread, and
// set back when the last has ended: what the program itself asks of it meanwhile, on another thread, runs on
// one thread as well. A program that calls openblas_set_num_threads should do so while no product runs.
#pragma once

#include <cstdint>

namespace xgrad::kernel {

/// While one lives, OpenBLAS works on the threads that call it and on no others, unless it is not `wanted`.
class OneThread {
 public:
  explicit OneThread(bool wanted = true);
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  bool wanted_;
  int before_ = 1;
};

/// The sizes of op(A) op(B), m by n with inner size k, and which factor is stored transposed. Row-major.
struct GemmShape {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
};

/// C = op(A) op(B), or C += op(A) op(B), where the rows of A, B and C lie a_row, b_row and c_row elements
/// apart. Every size is below 2^31 and none is 0.
void blas_gemm(const GemmShape& shape, const float* a, std::int64_t a_row, const float* b, std::int64_t b_row,
               float* c, std::int64_t c_row, bool adds);
void blas_gemm(const GemmShape& shape, const double* a, std::int64_t a_row, const double* b,
               std::int64_t b_row, double* c, std::int64_t c_row, bool adds);

}  // namespace xgrad::kernel
