// What a steady step takes from the C library and from the operating system: calls of malloc and its kin, OpenBLAS's
// included, and misses of the pool. Prints "workload mallocs misses", a line for each; `compare --write` reads it.
#include <cerrno>
#include <cstdio>
#include <xgrad/tensor/storage.hpp>

#include "workload.hpp"

namespace {
thread_local long calls = 0;
}

// glibc's own names: a program may define malloc itself, and every library then uses that one.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) { return ++calls, __libc_malloc(bytes); }
void* calloc(std::size_t count, std::size_t bytes) { return ++calls, __libc_calloc(count, bytes); }
void* realloc(void* p, std::size_t bytes) { return ++calls, __libc_realloc(p, bytes); }
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return ++calls, __libc_memalign(alignment, bytes);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t bytes) {
  ++calls;
  *p = __libc_memalign(alignment, bytes);
  return *p == nullptr ? ENOMEM : 0;
}
}

int main() {
  workload::set_threads(1);
  for (const workload::Workload& w : workload::workloads()) {
    if (w.name[0] != 'W') continue;
    const workload::Run run = w.make();
    for (int i = 0; i < 3; ++i) run.step();
    constexpr int steps = 5;
    const long calls_before = calls;
    const auto misses_before = xgrad::memory_stats().misses;
    for (int i = 0; i < steps; ++i) run.step();
    const double taken = static_cast<double>(calls - calls_before) / steps;
    const double missed = static_cast<double>(xgrad::memory_stats().misses - misses_before) / steps;
    std::printf("%s %g %g\n", w.name.c_str(), taken, missed);
  }
}
