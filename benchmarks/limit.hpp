// Tools of the hand-written limit: memory that is allocated once, and SIMD passes.
//
// exp, log and tanh are xsimd's: on an AVX-512 processor they take 1.3 to 1.7 times as long as xgrad's own. Nothing of
// xgrad is used.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <xsimd/xsimd.hpp>

#include "workload.hpp"

namespace limit {

using P = xsimd::batch<float>;
inline constexpr int lanes = static_cast<int>(P::size);

struct Free {
  void operator()(float* p) const { std::free(p); }
};

/// Floats on a boundary of 64 bytes, in huge pages where there are enough of them, all touched. A whole pack may be
/// read and written at every element.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t n) : size_(n) {
    constexpr std::size_t huge = std::size_t{2} << 20;
    const std::size_t wanted = static_cast<std::size_t>(n + lanes) * sizeof(float);
    const std::size_t alignment = wanted >= huge ? huge : 64;
    const std::size_t bytes = (wanted + alignment - 1) / alignment * alignment;
    data_.reset(static_cast<float*>(std::aligned_alloc(alignment, bytes)));
    if (alignment == huge) madvise(data_.get(), bytes, MADV_HUGEPAGE);
    std::fill_n(data_.get(), bytes / sizeof(float), 0.0F);
  }
  explicit Buffer(const std::vector<float>& values) : Buffer(static_cast<std::int64_t>(values.size())) {
    for (std::size_t i = 0; i < values.size(); ++i) data_.get()[i] = values[i];
  }
  operator float*() const { return data_.get(); }
  std::int64_t size() const { return size_; }

 private:
  std::unique_ptr<float, Free> data_;
  std::int64_t size_ = 0;
};

/// The first `count` lanes, then zeros: what a sum may take of the last, partial pack.
inline P first(P x, std::int64_t count) {
  if (count >= lanes) return x;
  alignas(64) float values[lanes];
  x.store_aligned(values);
  std::fill(values + count, values + lanes, 0.0F);
  return P::load_aligned(values);
}
inline P load(const float* p) { return P::load_unaligned(p); }
inline void store(P x, float* p, std::int64_t count) {
  if (count >= lanes) return x.store_unaligned(p);
  alignas(64) float values[lanes];
  x.store_aligned(values);
  std::copy(values, values + count, p);
}

inline P sigmoid(P x) { return 1 / (1 + xsimd::exp(-x)); }
/// log(1 + e^x), for large x too.
inline P softplus(P x) { return xsimd::max(x, P(0.0F)) + xsimd::log1p(xsimd::exp(-xsimd::abs(x))); }

/// f(i, count): count elements from i on, one pack at most.
template <class F>
[[gnu::always_inline]] inline void for_packs(std::int64_t n, F f) {
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(i, std::int64_t{lanes});
  if (i < n) f(i, n - i);
}

/// What the compiler may not look across: one operation ends here, the next one begins.
inline void barrier() { asm volatile("" : : : "memory"); }

std::vector<workload::Workload> elementwise_workloads();

}  // namespace limit
