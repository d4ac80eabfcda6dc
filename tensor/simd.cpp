#include <cstdlib>
#include <string>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/simd.hpp>

namespace xgrad {

const char* name(SimdLevel level) {
  constexpr const char* names[] = {"sse2", "avx2", "avx512"};
  return names[static_cast<int>(level)];
}

SimdLevel best_simd_level() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return SimdLevel::avx512;
  if (__builtin_cpu_supports("x86-64-v3")) return SimdLevel::avx2;
  return SimdLevel::sse2;
}

void set_simd_level(SimdLevel level) {
  if (level > best_simd_level()) {
    throw Error(std::string("XGRAD_SIMD: this processor has no ") + name(level) + "; its best set is " +
                name(best_simd_level()));
  }
  detail::active_simd.store(static_cast<int>(level), std::memory_order_relaxed);
}

SimdLevel detail::choose_simd_level() {
  SimdLevel level = best_simd_level();
  if (const char* forced = std::getenv("XGRAD_SIMD"); forced != nullptr && *forced != '\0') {
    bool known = false;
    for (SimdLevel candidate : {SimdLevel::sse2, SimdLevel::avx2, SimdLevel::avx512}) {
      if (std::string(forced) == name(candidate)) level = candidate, known = true;
    }
    if (!known) throw Error(std::string("XGRAD_SIMD: '") + forced + "' is none of sse2, avx2, avx512");
  }
  set_simd_level(level);
  return level;
}

}  // namespace xgrad
