// How fused kernels walk inputs that broadcast: chunk by chunk, so that none is ever written out in full.
#pragma once

#include <cstdint>
#include <span>
#include <xgrad/tensor/map.hpp>

namespace xgrad::kernel::detail {

/// A result of some shape in chunks of up to 32768 elements: steps of one axis with all that lies behind it.
/// Neither they nor their rows depend on the number of threads.
class Chunks {
 public:
  /// Keeps references to the shapes; the inputs broadcast to `shape` (precondition).
  Chunks(const Shape& shape, std::span<const Shape> inputs);

  std::int64_t count() const { return count_; }

  /// Calls row(state, at, in, advances, n) for each row of one chunk, in order, on this thread. `at` moves
  /// from `out` on as the address in an array of the result's shape does.
  void run(std::int64_t chunk, void* out, std::size_t element, const void* const* in, Row row,
           const void* state) const;

 private:
  const Shape& shape_;
  std::span<const Shape> inputs_;
  int axis_ = 0;                                               // the one that is cut
  std::int64_t inner_ = 1, steps_ = 0, cuts_ = 0, count_ = 0;  // behind it, of it in a chunk, chunks of it
};

}  // namespace xgrad::kernel::detail
