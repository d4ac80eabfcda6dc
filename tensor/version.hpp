// What this build is and what it runs on: for bug reports and benchmark headers.
#pragma once

#include <string>

namespace xgrad {

struct VersionInfo {
  std::string version;    ///< of xgrad: "0.1.0"
  std::string compiler;   ///< "GCC 12.2.0"
  std::string blas;       ///< OpenBLAS's own description
  std::string blas_core;  ///< the processor its kernels were chosen for: "SkylakeX"
  int blas_threads;       ///< threads a matrix product may use
  std::string simd;       ///< the set of xgrad's own kernels: "avx512"
  std::string best_simd;  ///< the best set the processor has
  std::string warning;    ///< empty, or what keeps the BLAS below what the processor can do
};

VersionInfo version_info();

/// The same as a few lines of text.
std::string to_string(const VersionInfo& info);

}  // namespace xgrad
