// Reference-counted memory from a pool that keeps what it frees.
//
// glibc hands every array above a threshold back to the kernel and pays the page faults again at the next
// step; the pool keeps blocks in size classes (at most 25 % slack), thread-local for small ones, so a steady
// training loop allocates nothing.
//
// Thread safety: any thread may copy, drop and read a Storage; a block freed on another thread goes to that
// thread's cache. Invariants: (1) data() is 64-byte aligned unless the memory was adopted from outside; (2)
// memory is uninitialised when it is handed out; (3) only a unique() owner may write.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace xgrad {

/// What the pool holds, over all threads.
struct MemoryStats {
  std::int64_t live_blocks;  ///< blocks that tensors hold now
  std::int64_t live_bytes;   ///< their size
  std::int64_t held_bytes;   ///< bytes the pool keeps for reuse
  std::int64_t misses;       ///< requests that had to go to the operating system, since the start
  std::int64_t taken_bytes;  ///< what the pool has from the operating system: blocks in use and kept ones
  std::int64_t peak_bytes;   ///< the largest taken_bytes since the start, or since reset_peak()
};
MemoryStats memory_stats();
/// Counts the peak from now on.
void reset_peak();

/// Gives the memory that this thread's cache and the shared pool keep back to the operating system.
void trim();

/// Lets the pool take at most so many bytes from the operating system; 0: as many as there are. A request
/// beyond it first trims what the pool keeps and then throws MemoryError: the tensor is not made, everything
/// else stays. A limit below what is taken now stops the pool from growing.
void set_memory_limit(std::int64_t bytes);

namespace detail {

struct Block {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t size_class = 0;
  std::size_t bytes = 0;  // as requested
  void* data = nullptr;
  Block* next = nullptr;                // in a free list
  void (*drop)(void* owner) = nullptr;  // of adopted memory
  void* owner = nullptr;
  std::uint64_t serial = 0;  // differs from one use of the memory to the next
};

class Storage {
 public:
  Storage() noexcept = default;
  /// Uninitialised memory; no block at all for 0 bytes. Throws std::bad_alloc.
  explicit Storage(std::size_t bytes);
  /// Memory that somebody else allocated; `drop(owner)` is called when the last reference goes.
  static Storage adopt(void* data, std::size_t bytes, void* owner, void (*drop)(void*));

  Storage(const Storage& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Storage(Storage&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Storage& operator=(Storage other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Storage() {
    // The sole owner needs no read-modify-write: nobody else can be copying.
    if (block_ != nullptr && (block_->references.load(std::memory_order_acquire) == 1 ||
                              block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)) {
      release(block_);
    }
  }

  void* data() const { return block_ == nullptr ? nullptr : block_->data; }
  std::size_t bytes() const { return block_ == nullptr ? 0 : block_->bytes; }
  /// Of this use of the memory: 0 for none.
  std::uint64_t serial() const { return block_ == nullptr ? 0 : block_->serial; }
  bool unique() const { return block_ == nullptr || block_->references.load(std::memory_order_acquire) == 1; }

 private:
  static void release(Block* block) noexcept;
  Block* block_ = nullptr;
};

}  // namespace detail
}  // namespace xgrad
