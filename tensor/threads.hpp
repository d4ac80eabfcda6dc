// The threads of xgrad: one number and one pool for everything that runs in parallel.
//
// Thread safety: any thread may call anything here at any time. Invariants: (1) one thread of the program at
// a time has the pool; whoever comes meanwhile, or from inside a part, works alone and never waits; (2) so
// nothing may depend on which parts a range is cut into: a sum over parts numbers them itself and calls
// parallel(parts, 1, ...); (3) an idle worker spins for about 30 us, then sleeps; (4) a child of fork() starts
// with a pool of its own.
#pragma once

#include <atomic>
#include <cstdint>

namespace xgrad {

namespace detail {

inline std::atomic<int> active_threads{0};
int choose_num_threads();

using Part = void (*)(const void* f, std::int64_t begin, std::int64_t end);
void run_parts(std::int64_t n, std::int64_t grain, Part part, const void* f);

}  // namespace detail

/// Elementwise work and reductions are split between threads from so many elements on.
inline constexpr std::int64_t parallel_elements = 1 << 16;

/// The number of threads that one operation may use, the caller's included. At the start: the environment
/// variable XGRAD_NUM_THREADS, else what OpenBLAS takes (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS or the
/// processors), but no more than the processors this process may run on. Throws Error if XGRAD_NUM_THREADS is
/// not a positive integer.
inline int num_threads() {
  const int n = detail::active_threads.load(std::memory_order_relaxed);
  return n > 0 ? n : detail::choose_num_threads();
}

/// Uses n threads from the next operation on: elementwise work, reductions and matrix products. Throws Error
/// for n < 1.
void set_num_threads(int n);

namespace detail {

/// Calls f(begin, end) for contiguous parts of [0, n) whose inner boundaries are multiples of grain, on this
/// thread and the workers; returns when all have ended. The first exception of a part then reaches the
/// caller. It is f(0, n) on this thread alone where n <= grain, with one thread, and while the pool is taken.
template <class F>
void parallel(std::int64_t n, std::int64_t grain, const F& f) {
  if (n <= grain || num_threads() == 1) {
    f(std::int64_t{0}, n);
  } else {
    run_parts(
        n, grain,
        [](const void* g, std::int64_t begin, std::int64_t end) { (*static_cast<const F*>(g))(begin, end); },
        &f);
  }
}

}  // namespace detail
}  // namespace xgrad
