#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/threads.hpp>

extern "C" int openblas_get_num_threads(void);

namespace xgrad {
namespace detail {
namespace {

constexpr int max_threads = 256;     // beyond, the pool stays at this size
constexpr int parts_per_thread = 4;  // small enough that a late worker is no loss
constexpr auto patience = std::chrono::microseconds(30);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Watches for about 30 us whether `ready`, then gives up.
template <class Ready>
bool spin(Ready ready) {
  const auto end = std::chrono::steady_clock::now() + patience;
  do {
    for (int i = 0; i < 8; ++i) {
      if (ready()) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

class Pool {
 public:
  Pool() { pthread_atfork(nullptr, nullptr, in_child); }
  ~Pool() {
    // A part that ends the program cannot wait for itself.
    if (inside || !take(true)) {
      for (std::thread& worker : workers_) {
        if (worker.joinable()) worker.detach();
      }
    } else {
      resize(0);  // and stays taken: whoever still comes works alone
    }
  }

  void run(std::int64_t n, std::int64_t grain, Part part, const void* f, int threads) {
    if (!take(false)) return part(f, 0, n);
    if (wanted_ != threads - 1) resize(threads - 1);
    const std::int64_t grains = (n - 1) / grain + 1;
    const auto parts = static_cast<std::uint32_t>(std::min<std::int64_t>(grains, threads * parts_per_thread));
    job_ = {n, grain, grains, parts, part, f};
    remaining_.store(parts, std::memory_order_relaxed);
    // From here on workers may take part; none is left inside when the last part has ended.
    const std::uint64_t round = ++round_;
    next_.store(round << 32 | parts, std::memory_order_release);
    const int helpers = std::min(started_, static_cast<int>(parts) - 1);
    bell_.fetch_add(1);
    if (helpers == started_) {
      bell_.notify_all();
    } else {
      for (int i = 0; i < helpers; ++i) bell_.notify_one();
    }
    const std::uint32_t forks = forks_;
    inside = true;
    help();
    inside = false;
    if (forks != forks_) {
      throw Error("threads: this process was forked inside a parallel part; its other parts are lost");
    }
    await_end();
    const std::exception_ptr error = std::exchange(error_, nullptr);
    failed_.store(false, std::memory_order_relaxed);
    taken_.store(false, std::memory_order_release);
    if (error != nullptr) std::rethrow_exception(error);
  }

 private:
  struct Job {
    std::int64_t n, grain, grains;
    std::uint32_t parts;
    Part part;
    const void* f;
  };

  bool take(bool waits) {
    while (taken_.load(std::memory_order_relaxed) || taken_.exchange(true, std::memory_order_acquire)) {
      if (!waits) return false;
      std::this_thread::yield();
    }
    return true;
  }

  // Takes parts until none is left, counting down. The round in the upper half makes a claim fail that was
  // meant for an earlier job, so the job is read only while it cannot change.
  void help() {
    std::uint64_t next = next_.load(std::memory_order_acquire);
    while (static_cast<std::uint32_t>(next) != 0) {
      if (!next_.compare_exchange_weak(next, next - 1, std::memory_order_acquire)) continue;
      const std::uint32_t forks = forks_;
      const auto index = static_cast<std::uint32_t>(next) - 1;
      try {
        const auto boundary = [&](std::uint32_t i) {
          return std::min(job_.n, job_.grains * i / job_.parts * job_.grain);
        };
        job_.part(job_.f, boundary(index), boundary(index + 1));
      } catch (...) {
        if (forks == forks_ && !failed_.exchange(true, std::memory_order_relaxed)) {
          error_ = std::current_exception();
        }
      }
      if (forks != forks_) return;  // in a child, where this job is no more
      if (remaining_.fetch_sub(1, std::memory_order_acq_rel) == 1) remaining_.notify_one();
      next = next_.load(std::memory_order_acquire);
    }
  }

  void await_end() {
    const auto ended = [this] { return remaining_.load(std::memory_order_acquire) == 0; };
    if (ended() || spin(ended)) return;
    for (std::uint32_t left; (left = remaining_.load(std::memory_order_acquire)) != 0;) {
      remaining_.wait(left, std::memory_order_acquire);
    }
  }

  void work() {
    inside = true;
    const std::uint32_t forks = forks_;
    for (;;) {
      // The bell first: what is rung after this read ends the wait below.
      const std::uint32_t heard = bell_.load(std::memory_order_acquire);
      if (stops_.load(std::memory_order_acquire)) return;
      help();
      if (forks != forks_) return;
      const auto called = [&] { return bell_.load(std::memory_order_acquire) != heard; };
      if (!spin(called)) bell_.wait(heard, std::memory_order_acquire);
    }
  }

  // With the pool taken. A system that refuses a thread leaves fewer.
  void resize(int workers) {
    stops_.store(true, std::memory_order_release);
    bell_.fetch_add(1);
    bell_.notify_all();
    for (int i = 0; i < started_; ++i) workers_[static_cast<std::size_t>(i)].join();
    stops_.store(false, std::memory_order_relaxed);
    started_ = 0;
    wanted_ = workers;
    sigset_t all, before;  // signals are for the program's own threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; started_ < workers; ++started_) {
        workers_[static_cast<std::size_t>(started_)] = std::thread(&Pool::work, this);
      }
    } catch (const std::system_error&) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  static void in_child();

  static thread_local bool inside;  // running a part, or a worker
  static std::uint32_t forks_;

  std::array<std::thread, max_threads> workers_;
  int started_ = 0, wanted_ = 0;
  Job job_{};
  std::exception_ptr error_;
  std::uint64_t round_ = 0;
  std::atomic<bool> taken_{false}, stops_{false}, failed_{false};
  alignas(64) std::atomic<std::uint64_t> next_{0};  // the job's round, and how many parts nobody took
  alignas(64) std::atomic<std::uint32_t> remaining_{0};
  alignas(64) std::atomic<std::uint32_t> bell_{0};
};

thread_local bool Pool::inside = false;
std::uint32_t Pool::forks_ = 0;

// Its destructor joins the workers at exit and before the library is unloaded.
Pool& pool() {
  static Pool instance;
  return instance;
}

// The parent's workers are not here, and what they held is as they left it: forget all of it.
void Pool::in_child() {
  ++forks_;
  Pool& pool = detail::pool();
  for (std::thread& worker : pool.workers_) new (&worker) std::thread;
  pool.started_ = pool.wanted_ = 0;
  new (&pool.error_) std::exception_ptr;
  for (std::atomic<bool>* flag : {&pool.taken_, &pool.stops_, &pool.failed_}) flag->store(false);
  pool.next_.store(0);
  pool.remaining_.store(0);
}

int processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int choose_num_threads() {
  int n = std::min(openblas_get_num_threads(), processors());
  if (const char* text = std::getenv("XGRAD_NUM_THREADS"); text != nullptr && *text != '\0') {
    const char* end = text + std::strlen(text);
    const auto [last, error] = std::from_chars(text, end, n);
    if (error != std::errc() || last != end || n < 1) {
      throw Error(std::string("XGRAD_NUM_THREADS: '") + text + "' is not a positive number of threads");
    }
  }
  int unset = 0;
  active_threads.compare_exchange_strong(unset, std::max(1, n));
  return active_threads.load(std::memory_order_relaxed);
}

void run_parts(std::int64_t n, std::int64_t grain, Part part, const void* f) {
  pool().run(n, grain, part, f, std::min(num_threads(), max_threads));
}

}  // namespace detail

void set_num_threads(int n) {
  if (n < 1) throw Error("set_num_threads: at least one thread is needed, not " + std::to_string(n));
  detail::active_threads.store(n, std::memory_order_relaxed);
}

}  // namespace xgrad
