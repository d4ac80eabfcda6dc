// One kernel template, compiled for each instruction set in the same translation unit and chosen at run time.
//
// A kernel is a struct with `template <int Bytes, class... Args> [[gnu::always_inline]] static void
// run(Args...)`, where Bytes is the width of a vector. The functions below inline it (flatten) under a wider
// target than the rest of the source has, so a baseline build reaches the speed of one with -march=native;
// nothing leaks into the user's flags.
#pragma once

#include <xgrad/tensor/simd.hpp>

// Without optimisation nothing is inlined and wide vectors would cross calls with a different ABI; and GCC
// does not inline across targets when the translation unit already has wide vectors on. Both take the plain
// kernel alone, as does a source that defines XGRAD_PLAIN_KERNELS, to compile in a third of the time.
#if defined(__x86_64__) && defined(__OPTIMIZE__) && !defined(__AVX2__) && !defined(XGRAD_PLAIN_KERNELS)
#define XGRAD_DISPATCHES 1
#else
#define XGRAD_DISPATCHES 0
#endif

namespace xgrad::detail {

#if !defined(__OPTIMIZE__)
inline constexpr int native_bytes = 16;
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
inline constexpr int native_bytes = 64;
#elif defined(__AVX2__)
inline constexpr int native_bytes = 32;
#else
inline constexpr int native_bytes = 16;
#endif

template <class Kernel, class... Args>
struct Dispatch {
  using Function = void (*)(Args...);

#if XGRAD_DISPATCHES
  // Cold, that is small: machines without AVX2 are rare, and this set takes the most instructions for a formula.
  __attribute__((flatten, cold)) static void plain(Args... args) {
    Kernel::template run<native_bytes>(args...);
  }
  __attribute__((target("arch=x86-64-v3"), flatten)) static void avx2(Args... args) {
    Kernel::template run<32>(args...);
  }
  __attribute__((target("arch=x86-64-v4"), flatten)) static void avx512(Args... args) {
    Kernel::template run<64>(args...);
  }
#else
  __attribute__((flatten)) static void plain(Args... args) { Kernel::template run<native_bytes>(args...); }
#endif

  /// The function for the set in use.
  static Function select() {
#if XGRAD_DISPATCHES
    constexpr Function functions[] = {plain, avx2, avx512};
    return functions[static_cast<int>(simd_level())];
#else
    return plain;
#endif
  }
};

/// Runs Kernel::run<Bytes>(args...) for the set in use.
template <class Kernel, class... Args>
void dispatch(Args... args) {
  Dispatch<Kernel, Args...>::select()(args...);
}

}  // namespace xgrad::detail
