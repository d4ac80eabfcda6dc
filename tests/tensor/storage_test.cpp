// The pool: what it hands out, what it keeps, and that its books balance.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/storage.hpp>
#include <xgrad/tensor/tensor.hpp>

using namespace xgrad;
using detail::Storage;

namespace {

constexpr std::size_t sizes[] = {
    1, 63, 64, 65, 80, 81, 4096, 1u << 18, (1u << 18) + 1, 1u << 20, (2u << 20) - 64, 5u << 20};

int drops = 0;
void count_drop(void* owner) { ++drops, ++*static_cast<int*>(owner); }

// Fills a storage with a pattern of its own; says whether it is still there.
void sign(const Storage& storage, unsigned char mark) { std::memset(storage.data(), mark, storage.bytes()); }
bool signed_with(const Storage& storage, unsigned char mark) {
  const auto* p = static_cast<const unsigned char*>(storage.data());
  for (std::size_t i = 0; i < storage.bytes(); ++i) {
    if (p[i] != mark) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("Storage: aligned, writable to its last byte, and counted") {
  const MemoryStats before = memory_stats();
  for (std::size_t bytes : sizes) {
    INFO(bytes << " bytes");
    const Storage storage(bytes);
    CHECK(storage.bytes() == bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(storage.data()) % 64 == 0);
    sign(storage, 0x5a);
    CHECK(signed_with(storage, 0x5a));
    CHECK(memory_stats().live_blocks == before.live_blocks + 1);
    CHECK(memory_stats().live_bytes == before.live_bytes + static_cast<std::int64_t>(bytes));
  }
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("Storage: no bytes, no block") {
  const std::int64_t before = memory_stats().live_blocks;
  const Storage nothing(0), empty;
  CHECK(nothing.data() == nullptr);
  CHECK(nothing.bytes() == 0);
  CHECK(nothing.unique());
  CHECK(memory_stats().live_blocks == before);
  const Storage copy = nothing;
  CHECK(copy.data() == nullptr);
}

TEST_CASE("Storage: copies share, moves hand over, unique tells") {
  const std::int64_t before = memory_stats().live_blocks;
  Storage first(100);
  void* data = first.data();
  CHECK(first.unique());
  {
    const Storage second = first;
    CHECK(second.data() == data);
    CHECK_FALSE(first.unique());
    CHECK(memory_stats().live_blocks == before + 1);
  }
  CHECK(first.unique());
  Storage third = std::move(first);
  CHECK(first.data() == nullptr);  // NOLINT(bugprone-use-after-move)
  CHECK(third.data() == data);
  CHECK(third.unique());
  Storage& same = third;
  third = same;
  CHECK(third.data() == data);
  third = std::move(same);
  CHECK(third.data() == data);
  third = Storage(7);
  CHECK(third.bytes() == 7);
  CHECK(memory_stats().live_blocks == before + 1);
}

TEST_CASE("Storage: blocks in use at the same time do not overlap") {
  std::vector<Storage> held;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t bytes : sizes) {
      held.emplace_back(bytes);
      sign(held.back(), static_cast<unsigned char>(held.size()));
    }
  }
  for (std::size_t i = 0; i < held.size(); ++i)
    CHECK(signed_with(held[i], static_cast<unsigned char>(i + 1)));
}

TEST_CASE("Storage: a freed block is the next one of its class") {
  for (std::size_t bytes : sizes) {
    INFO(bytes << " bytes");
    void* first = Storage(bytes).data();
    const Storage again(bytes);
    CHECK(again.data() == first);
  }
}

TEST_CASE("Storage: a steady loop never goes to the system") {
  const auto step = [] {
    std::vector<Storage> held;
    for (int k = 0; k < 100; ++k)
      held.emplace_back(static_cast<std::size_t>(40 + 7 * k));  // more than a thread keeps
    for (int k = 0; k < 100; ++k) held.emplace_back(std::size_t{96});
    for (std::size_t bytes : sizes) held.emplace_back(bytes);
    held.emplace_back(std::size_t{9} << 20);
  };
  step();
  const MemoryStats before = memory_stats();
  for (int k = 0; k < 50; ++k) step();
  const MemoryStats after = memory_stats();
  CHECK(after.misses == before.misses);
  CHECK(after.live_blocks == before.live_blocks);
  CHECK(after.live_bytes == before.live_bytes);
  CHECK(after.held_bytes == before.held_bytes);
}

TEST_CASE("Storage: at most a quarter more than asked for is held") {
  trim();
  const std::int64_t before = memory_stats().held_bytes;
  for (std::size_t bytes = 65; bytes < (std::size_t{3} << 20); bytes = bytes * 9 / 8 + 1) {
    Storage{bytes};
    const std::int64_t held = memory_stats().held_bytes - before;
    CHECK(held >= static_cast<std::int64_t>(bytes));
    CHECK(held <= static_cast<std::int64_t>(bytes) * 5 / 4 + 1);
    trim();
  }
}

TEST_CASE("trim gives back what is free, and only that") {
  trim();
  const MemoryStats before = memory_stats();
  Storage kept(std::size_t{3} << 20);
  sign(kept, 0x77);
  {
    std::vector<Storage> held;
    for (std::size_t bytes : sizes) held.emplace_back(bytes);
  }
  CHECK(memory_stats().held_bytes > before.held_bytes);
  trim();
  CHECK(memory_stats().held_bytes == before.held_bytes);
  CHECK(memory_stats().live_blocks == before.live_blocks + 1);
  CHECK(signed_with(kept, 0x77));
  trim();
  CHECK(memory_stats().held_bytes == before.held_bytes);
}

TEST_CASE("Storage: adopted memory is dropped once, with the last reference") {
  const std::int64_t before = memory_stats().live_blocks;
  int mine = 0;
  drops = 0;
  {
    char memory[16];
    Storage adopted = Storage::adopt(memory, sizeof memory, &mine, count_drop);
    CHECK(adopted.data() == memory);
    CHECK(adopted.bytes() == 16);
    CHECK(adopted.unique());
    CHECK(memory_stats().live_blocks == before + 1);
    Storage copy = adopted;
    adopted = Storage();
    CHECK(drops == 0);
    const Storage last = std::move(copy);
    CHECK(drops == 0);
  }
  CHECK(drops == 1);
  CHECK(mine == 1);
  CHECK(memory_stats().live_blocks == before);
}

TEST_CASE("Storage: absurd sizes are bad_alloc and leave the books as they were") {
  const MemoryStats before = memory_stats();
  CHECK_THROWS_AS(Storage((std::size_t{1} << 46) + 1), std::bad_alloc);
  CHECK_THROWS_AS(Storage(~std::size_t{0}), std::bad_alloc);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they end the program instead
  CHECK_THROWS_AS(Storage(std::size_t{1} << 46), std::bad_alloc);
#endif
  const std::int64_t most = std::int64_t{1} << 62;
  CHECK_THROWS_AS(Tensor(Shape{most - 1}, float32), std::bad_alloc);
  CHECK_THROWS_AS(Tensor(Shape{most}, float32), ShapeError);
  CHECK_THROWS_WITH(Tensor(Shape{most, 1}, float64),
                    "the tensor (4611686018427387904, 1) is larger than the address space");
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("Storage: freed on another thread", "[threads]") {
  const MemoryStats before = memory_stats();
  std::vector<Storage> held;
  for (std::size_t bytes : sizes) held.emplace_back(bytes);
  std::thread([moved = std::move(held)]() mutable { moved.clear(); }).join();
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
  // The thread is gone; what it freed is in the shared pool.
  const std::int64_t misses = memory_stats().misses;
  for (std::size_t bytes : sizes) held.emplace_back(bytes);
  CHECK(memory_stats().misses == misses);
}

TEST_CASE("Storage: four threads make, share, pass on and drop tensors", "[threads]") {
  trim();
  const MemoryStats before = memory_stats();
  {
    std::mutex mutex;
    std::deque<Tensor> mailbox;
    const Tensor shared = full({1000}, 3);
    std::atomic<int> wrong{0};
    const auto work = [&](unsigned seed) {
      std::mt19937 random(seed);
      std::vector<Tensor> mine;
      for (int step = 0; step < 2000; ++step) {
        const auto n = static_cast<std::int64_t>(random() % 50 == 0 ? 200000 : 1 + random() % 2000);
        mine.push_back(full({n}, static_cast<double>(n)));
        mine.push_back(shared);
        if (step % 100 == 0) memory_stats();
        if (step % 500 == 0) trim();
        std::lock_guard lock(mutex);
        mailbox.push_back(mine[random() % mine.size()]);
        if (mailbox.size() > 8) {
          const Tensor got = std::move(mailbox.front());
          mailbox.pop_front();
          const double expected = got.shares_storage(shared) ? 3 : static_cast<double>(got.size());
          if (got.at({0}) != expected || got.at({-1}) != expected) ++wrong;
        }
        if (mine.size() > 16) mine.erase(mine.begin(), mine.begin() + 10);
      }
    };
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 4; ++seed) threads.emplace_back(work, seed);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    mailbox.clear();
    CHECK(shared.unique());
  }
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
  trim();  // all four threads have ended: nothing is out of its reach
  CHECK(memory_stats().held_bytes == before.held_bytes);
}

TEST_CASE("memory_stats: the peak is what was taken at most") {
  trim();
  reset_peak();
  const MemoryStats before = memory_stats();
  CHECK(before.peak_bytes == before.taken_bytes);
  { const Storage block(3 << 20); }
  const MemoryStats held = memory_stats();
  CHECK(held.taken_bytes >= before.taken_bytes + (3 << 20));
  CHECK(held.peak_bytes == held.taken_bytes);
  trim();
  CHECK(memory_stats().taken_bytes <= before.taken_bytes);
  CHECK(memory_stats().peak_bytes == held.peak_bytes);
  reset_peak();
  CHECK(memory_stats().peak_bytes == memory_stats().taken_bytes);
}

TEST_CASE("set_memory_limit: what is kept goes first, then the request fails and loses nothing") {
  struct Unlimited {
    ~Unlimited() { set_memory_limit(0); }
  } unlimited;
  trim();
  const std::int64_t taken = memory_stats().taken_bytes;
  set_memory_limit(taken + (8 << 20));
  { const Storage kept(5 << 20); }
  const Storage other(4 << 20);  // only after the kept block is given back
  CHECK(memory_stats().taken_bytes <= taken + (8 << 20));
  const MemoryStats before = memory_stats();
  CHECK_THROWS_AS(Storage(6 << 20), MemoryError);
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(memory_stats().taken_bytes == before.taken_bytes);
  CHECK_THROWS_WITH(zeros({6 << 20}),
                    Catch::StartsWith("memory limit: ") && Catch::EndsWith("; set_memory_limit raises it"));
  CHECK_THROWS_AS(set_memory_limit(-1), Error);
  set_memory_limit(0);
  CHECK_NOTHROW(Storage(6 << 20));
}
