#include <pthread.h>
#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>
#include <vector>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/storage.hpp>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace xgrad {
namespace detail {
namespace {

constexpr std::size_t header = 64;             // keeps the data behind it 64-byte aligned
constexpr std::size_t smallest = 64;           // bytes of class 0
constexpr std::size_t huge = 2u << 20;         // from here on blocks ask for huge pages
constexpr std::size_t local_limit = 1u << 18;  // larger blocks go straight to the shared pool
constexpr std::size_t largest = std::size_t{1} << 46;
constexpr int local_depth = 64;  // blocks of one class a thread keeps
static_assert(sizeof(Block) <= header);

// Four classes for each power of two: 64, 80, 96, 112, 128, 160, ...
constexpr std::uint32_t class_of(std::size_t bytes) {
  if (bytes <= smallest) return 0;
  const auto power = static_cast<unsigned>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power+1)
  const std::size_t step = std::size_t{1} << (power - 2);
  const auto quarter = static_cast<unsigned>((bytes - (std::size_t{1} << power) + step - 1) / step);  // 1..4
  return (power - 6) * 4 + quarter;
}
constexpr std::size_t bytes_of(std::uint32_t size_class) {
  const std::size_t base = smallest << (size_class / 4);
  return base + base / 4 * (size_class % 4);
}
constexpr std::uint32_t local_classes = class_of(local_limit) + 1;
constexpr std::uint32_t classes = class_of(largest) + 1;

// Written by one thread, read by any: plain loads and stores, no read-modify-write on the hot path.
struct Counter {
  std::atomic<std::int64_t> value{0};
  void add(std::int64_t n) {
    value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};
struct Counters {
  Counter live_blocks, live_bytes, held_bytes, misses;
  void add_to(MemoryStats& s) const {
    s.live_blocks += live_blocks.value.load(std::memory_order_relaxed);
    s.live_bytes += live_bytes.value.load(std::memory_order_relaxed);
    s.held_bytes += held_bytes.value.load(std::memory_order_relaxed);
    s.misses += misses.value.load(std::memory_order_relaxed);
  }
};

struct FreeList {
  Block* head = nullptr;
  int length = 0;
  void push(Block* block) {
    block->next = head;
    head = block;
    ++length;
  }
  Block* pop() {
    Block* block = head;
    if (block != nullptr) {
      head = block->next;
      --length;
    }
    return block;
  }
};

struct ThreadCache;

struct Pool {
  Pool();
  std::mutex mutex;
  std::array<FreeList, classes> lists;
  Counters counters;  // of threads that ended, and of frees after a thread's cache is gone
  std::vector<ThreadCache*> caches;
};
// Never destroyed: tensors in static objects may outlive everything else.
Pool& pool() {
  static Pool& instance = *new Pool;
  return instance;
}

// fork() waits until no thread is inside: the child would find the mutex locked for good.
Pool::Pool() {
  pthread_atfork([] { pool().mutex.lock(); }, [] { pool().mutex.unlock(); }, [] { pool().mutex.unlock(); });
}

void give_back(Block* block);

// Numbers of different threads differ in their upper bits.
std::uint64_t new_serials() {
  static std::atomic<std::uint64_t> threads{0};
  return ++threads << 44;
}

struct ThreadCache {
  Counters counters;
  std::uint64_t last_serial = new_serials();
  std::array<FreeList, local_classes> lists;
  ThreadCache() {
    std::lock_guard lock(pool().mutex);
    pool().caches.push_back(this);
  }
  ~ThreadCache();
};

// Trivially destructible, so still readable after the cache of this thread is gone.
constinit thread_local bool cache_gone = false;
constinit thread_local ThreadCache* cache_pointer = nullptr;

[[gnu::noinline]] ThreadCache* make_cache() {
  if (cache_gone) return nullptr;
  thread_local ThreadCache cache;
  return cache_pointer = &cache;
}
ThreadCache* cache() { return cache_pointer != nullptr ? cache_pointer : make_cache(); }

ThreadCache::~ThreadCache() {
  cache_pointer = nullptr;
  cache_gone = true;
  Pool& shared = pool();
  std::lock_guard lock(shared.mutex);
  for (std::uint32_t c = 0; c < local_classes; ++c) {
    while (Block* block = lists[c].pop()) shared.lists[c].push(block);
  }
  MemoryStats rest{};
  counters.add_to(rest);
  shared.counters.live_blocks.add(rest.live_blocks);
  shared.counters.live_bytes.add(rest.live_bytes);
  shared.counters.held_bytes.add(rest.held_bytes);
  shared.counters.misses.add(rest.misses);
  std::erase(shared.caches, this);
}

// Counts on this thread's counters, or on the shared ones when the thread is ending.
template <class F>
void count(F&& f) {
  if (ThreadCache* local = cache()) {
    f(local->counters);
  } else {
    std::lock_guard lock(pool().mutex);
    f(pool().counters);
  }
}

// What the pool has from the operating system. Changes on misses and trims alone, so it may be shared.
std::atomic<std::int64_t> taken_bytes{0}, peak_bytes{0}, limit_bytes{0};

std::size_t system_bytes(std::uint32_t size_class) {
  const std::size_t total = header + bytes_of(size_class), alignment = total >= huge ? huge : header;
  return (total + alignment - 1) / alignment * alignment;
}

// Whether so many bytes more are allowed; they are counted then.
bool reserve(std::int64_t bytes) {
  const std::int64_t now = taken_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  const std::int64_t limit = limit_bytes.load(std::memory_order_relaxed);
  if (limit > 0 && now > limit) {
    taken_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  std::int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return true;
}

Block* from_system(std::uint32_t size_class) {
  const std::size_t total = system_bytes(size_class);
  const auto counted = static_cast<std::int64_t>(total);
  if (!reserve(counted)) {
    trim();
    if (!reserve(counted)) {
      throw MemoryError("memory limit: " + std::to_string(total) + " bytes more would make " +
                        std::to_string(taken_bytes.load() + counted) + " of " +
                        std::to_string(limit_bytes.load()) + "; set_memory_limit raises it");
    }
  }
  void* memory = std::aligned_alloc(total >= huge ? huge : header, total);
  if (memory == nullptr) {
    taken_bytes.fetch_sub(counted, std::memory_order_relaxed);
    throw std::bad_alloc();
  }
  if (total >= huge) madvise(memory, total, MADV_HUGEPAGE);
  auto* block = new (memory) Block;
  block->size_class = size_class;
  block->data = static_cast<char*>(memory) + header;
  return block;
}

void give_back(Block* block) {
  ASAN_UNPOISON_MEMORY_REGION(block, header + bytes_of(block->size_class));
  taken_bytes.fetch_sub(static_cast<std::int64_t>(system_bytes(block->size_class)),
                        std::memory_order_relaxed);
  std::free(block);
}

// Under AddressSanitizer everything behind the requested bytes is a red zone.
void hand_out(Block* block, std::size_t bytes, std::uint64_t serial) {
  block->bytes = bytes;
  block->serial = serial;
  block->references.store(1, std::memory_order_relaxed);
  ASAN_POISON_MEMORY_REGION(block->data, bytes_of(block->size_class));
  ASAN_UNPOISON_MEMORY_REGION(block->data, bytes);
}

std::uint64_t next_serial() {
  ThreadCache* local = cache();
  return local != nullptr ? ++local->last_serial : new_serials();
}

// Past the thread's own cache.
[[gnu::noinline]] Block* take_shared(std::size_t bytes) {
  if (bytes > largest) throw std::bad_alloc();
  const std::uint32_t size_class = class_of(bytes);
  Block* block = nullptr;
  {
    std::lock_guard lock(pool().mutex);
    block = pool().lists[size_class].pop();
  }
  const bool reused = block != nullptr;
  if (!reused) block = from_system(size_class);
  hand_out(block, bytes, next_serial());
  count([&](Counters& c) {
    c.live_blocks.add(1);
    c.live_bytes.add(static_cast<std::int64_t>(bytes));
    if (reused) {
      c.held_bytes.add(-static_cast<std::int64_t>(bytes_of(size_class)));
    } else {
      c.misses.add(1);
    }
  });
  return block;
}

[[gnu::noinline]] void release_shared(Block* block) {
  count([&](Counters& c) {
    c.live_blocks.add(-1);
    c.live_bytes.add(-static_cast<std::int64_t>(block->bytes));
    if (block->drop == nullptr) c.held_bytes.add(static_cast<std::int64_t>(bytes_of(block->size_class)));
  });
  if (block->drop != nullptr) {
    block->drop(block->owner);
    delete block;
    return;
  }
  ASAN_POISON_MEMORY_REGION(block->data, bytes_of(block->size_class));
  std::lock_guard lock(pool().mutex);
  pool().lists[block->size_class].push(block);
}

}  // namespace

Storage::Storage(std::size_t bytes) {
  if (bytes == 0) return;
  if (ThreadCache* local = cache(); local != nullptr && bytes <= local_limit) [[likely]] {
    const std::uint32_t size_class = class_of(bytes);
    if (Block* block = local->lists[size_class].pop()) [[likely]] {
      hand_out(block, bytes, ++local->last_serial);
      local->counters.live_blocks.add(1);
      local->counters.live_bytes.add(static_cast<std::int64_t>(bytes));
      local->counters.held_bytes.add(-static_cast<std::int64_t>(bytes_of(size_class)));
      block_ = block;
      return;
    }
  }
  block_ = take_shared(bytes);
}

Storage Storage::adopt(void* data, std::size_t bytes, void* owner, void (*drop)(void*)) {
  auto* block = new Block;
  block->bytes = bytes;
  block->serial = next_serial();
  block->data = data;
  block->drop = drop;
  block->owner = owner;
  count([&](Counters& c) {
    c.live_blocks.add(1);
    c.live_bytes.add(static_cast<std::int64_t>(bytes));
  });
  Storage storage;
  storage.block_ = block;
  return storage;
}

void Storage::release(Block* block) noexcept {
  ThreadCache* local = cache();
  const std::uint32_t size_class = block->size_class;
  if (local == nullptr || block->drop != nullptr || size_class >= local_classes ||
      local->lists[size_class].length >= local_depth) [[unlikely]] {
    return release_shared(block);
  }
  ASAN_POISON_MEMORY_REGION(block->data, bytes_of(size_class));
  local->counters.live_blocks.add(-1);
  local->counters.live_bytes.add(-static_cast<std::int64_t>(block->bytes));
  local->counters.held_bytes.add(static_cast<std::int64_t>(bytes_of(size_class)));
  local->lists[size_class].push(block);
}

}  // namespace detail

MemoryStats memory_stats() {
  detail::Pool& shared = detail::pool();
  std::lock_guard lock(shared.mutex);
  MemoryStats stats{};
  shared.counters.add_to(stats);
  for (const detail::ThreadCache* cache : shared.caches) cache->counters.add_to(stats);
  stats.taken_bytes = detail::taken_bytes.load(std::memory_order_relaxed);
  stats.peak_bytes = detail::peak_bytes.load(std::memory_order_relaxed);
  return stats;
}

void reset_peak() { detail::peak_bytes = detail::taken_bytes.load(); }

void set_memory_limit(std::int64_t bytes) {
  if (bytes < 0) throw Error("set_memory_limit: the limit is negative: " + std::to_string(bytes));
  detail::limit_bytes = bytes;
}

void trim() {
  std::int64_t freed = 0;
  const auto empty = [&](detail::FreeList& list) {
    while (detail::Block* block = list.pop()) {
      freed += static_cast<std::int64_t>(detail::bytes_of(block->size_class));
      detail::give_back(block);
    }
  };
  if (detail::ThreadCache* local = detail::cache()) {
    for (detail::FreeList& list : local->lists) empty(list);
  }
  std::lock_guard lock(detail::pool().mutex);
  for (detail::FreeList& list : detail::pool().lists) empty(list);
  detail::pool().counters.held_bytes.add(-freed);
}

}  // namespace xgrad
