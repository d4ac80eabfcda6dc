#include <cstdlib>
#include <xgrad/tensor/simd.hpp>
#include <xgrad/tensor/threads.hpp>
#include <xgrad/tensor/version.hpp>

// OpenBLAS's own header would bring the system's cblas declarations along.
extern "C" {
char* openblas_get_config(void);
char* openblas_get_corename(void);
}

namespace xgrad {
namespace {

// The cores below need what AVX-512 has but do not use it.
bool below(const std::string& core, SimdLevel best) {
  const bool avx512_core = core == "SkylakeX" || core == "Cooperlake" || core == "Sapphirerapids" ||
                           core == "SKYLAKEX" || core == "COOPERLAKE" || core == "SAPPHIRERAPIDS";
  const bool avx2_core = core == "Haswell" || core == "Zen" || core == "HASWELL" || core == "ZEN";
  return best == SimdLevel::avx512 ? !avx512_core : best == SimdLevel::avx2 && !avx2_core;
}

}  // namespace

VersionInfo version_info() {
  VersionInfo info;
  info.version = XGRAD_VERSION;
#if defined(__clang__)
  info.compiler = "Clang " __clang_version__;
#else
  info.compiler = "GCC " __VERSION__;
#endif
  info.blas = openblas_get_config();
  info.blas_core = openblas_get_corename();
  info.blas_threads = num_threads();
  info.simd = name(simd_level());
  info.best_simd = name(best_simd_level());
  if (below(info.blas_core, best_simd_level())) {
    const char* forced = std::getenv("OPENBLAS_CORETYPE");
    info.warning = "OpenBLAS runs its " + info.blas_core + " kernels, below this processor's " +
                   info.best_simd +
                   (forced != nullptr ? std::string("; OPENBLAS_CORETYPE=") + forced + " forces that" : "");
  }
  return info;
}

std::string to_string(const VersionInfo& info) {
  std::string text = "xgrad " + info.version + " (" + info.compiler + "), kernels: " + info.simd;
  if (info.simd != info.best_simd) text += " (the processor has " + info.best_simd + ")";
  text += "\nBLAS: " + info.blas + ", core " + info.blas_core + ", " + std::to_string(info.blas_threads) +
          (info.blas_threads == 1 ? " thread" : " threads");
  if (!info.warning.empty()) text += "\nwarning: " + info.warning;
  return text;
}

}  // namespace xgrad
