// A matrix times a vector, at the speed at which the matrix can be read.
#pragma once

#include <cstdint>

namespace xgrad::kernel {

/// y = M x, or y += M x, for a row-major matrix; with `transposed` y = M' x. Runs on up to num_threads()
/// threads; y has the same bits every time for one number of threads.
void gemv(const float* matrix, std::int64_t rows, std::int64_t columns, bool transposed, const float* x,
          float* y, bool adds);
void gemv(const double* matrix, std::int64_t rows, std::int64_t columns, bool transposed, const double* x,
          double* y, bool adds);

}  // namespace xgrad::kernel
