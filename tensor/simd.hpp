// Which instruction set the kernels use: chosen once, at run time, for the machine at hand.
#pragma once

#include <atomic>

namespace xgrad {

enum class SimdLevel : int { sse2, avx2, avx512 };

/// "sse2", "avx2", "avx512".
const char* name(SimdLevel level);

/// The best set this processor has (avx2 includes FMA; avx512 means F, BW, CD, DQ and VL: x86-64-v4).
SimdLevel best_simd_level();

namespace detail {
inline std::atomic<int> active_simd{-1};
SimdLevel choose_simd_level();
}  // namespace detail

/// The set in use: the best one, or the one that the environment variable XGRAD_SIMD (sse2, avx2 or avx512)
/// forces. Throws Error if XGRAD_SIMD names something else, or a set this processor lacks.
inline SimdLevel simd_level() {
  const int level = detail::active_simd.load(std::memory_order_relaxed);
  return level >= 0 ? static_cast<SimdLevel>(level) : detail::choose_simd_level();
}

/// Uses another set from now on, for tests and comparisons. Throws Error if this processor lacks it.
void set_simd_level(SimdLevel level);

}  // namespace xgrad
