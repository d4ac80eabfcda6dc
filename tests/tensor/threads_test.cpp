// The pool: every element once, exceptions, nesting, many users at once, and fork.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <threads_scope.hpp>
#include <utility>
#include <vector>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/gemm.hpp>
#include <xgrad/tensor/threads.hpp>

extern "C" int openblas_get_num_threads(void);

using namespace xgrad;
using Catch::Matchers::Contains;
using Catch::Matchers::Message;

namespace {

using Range = std::pair<std::int64_t, std::int64_t>;

// The parts of one call, in order.
std::vector<Range> parts(std::int64_t n, std::int64_t grain) {
  std::mutex mutex;
  std::vector<Range> ranges;
  detail::parallel(n, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(begin, end);
  });
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

// 0 + 1 + ... + n - 1, in parts.
std::int64_t sum_below(std::int64_t n) {
  std::atomic<std::int64_t> total{0};
  detail::parallel(n, 16, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += i;
    total += sum;
  });
  return total;
}

}  // namespace

TEST_CASE("parallel: parts cover the range once, with boundaries at multiples of the grain", "[threads]") {
  for (int threads : {1, 2, 3, 8}) {
    const Threads scope(threads);
    for (std::int64_t grain : {1, 3, 16, 1000}) {
      for (std::int64_t n : {0, 1, 2, 15, 16, 17, 31, 999, 1000, 1001, 12345}) {
        INFO(threads << " threads, " << n << " elements, grain " << grain);
        const std::vector<Range> ranges = parts(n, grain);
        REQUIRE(!ranges.empty());
        CHECK(ranges.front().first == 0);
        CHECK(ranges.back().second == n);
        for (std::size_t i = 1; i < ranges.size(); ++i) {
          CHECK(ranges[i].first == ranges[i - 1].second);
          CHECK(ranges[i].first % grain == 0);
          CHECK(ranges[i].first < ranges[i].second);
        }
        CHECK((n > grain && threads > 1) == (ranges.size() > 1));
        CHECK(ranges == parts(n, grain));
      }
    }
  }
}

TEST_CASE("parallel: the caller sees what the parts wrote", "[threads]") {
  const Threads scope(3);
  std::vector<int> values(10000);
  for (int round = 1; round <= 200; ++round) {
    detail::parallel(10000, 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++values[static_cast<std::size_t>(i)];
    });
    REQUIRE(std::count(values.begin(), values.end(), round) == 10000);
  }
}

TEST_CASE("parallel: an exception reaches the caller after all parts have ended", "[threads]") {
  const Threads scope(2);
  for (std::int64_t bad : {0, 500, 999}) {
    std::atomic<std::int64_t> seen{0};
    const auto f = [&](std::int64_t begin, std::int64_t end) {
      seen += end - begin;
      if (begin <= bad && bad < end) throw std::runtime_error("part");
    };
    CHECK_THROWS_MATCHES(detail::parallel(1000, 1, f), std::runtime_error, Message("part"));
    CHECK(seen == 1000);
    CHECK(sum_below(1000) == 499500);  // the pool goes on
  }
  CHECK_THROWS_AS(detail::parallel(1000, 1, [](std::int64_t, std::int64_t) { throw 1; }), int);
}

TEST_CASE("parallel: a call from inside a part runs there, whole", "[threads]") {
  const Threads scope(2);
  std::atomic<int> calls{0}, inner_parts{0};
  detail::parallel(8, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto here = std::this_thread::get_id();
      detail::parallel(1000, 1, [&](std::int64_t first, std::int64_t last) {
        if (first == 0 && last == 1000 && std::this_thread::get_id() == here) ++inner_parts;
      });
      ++calls;
    }
  });
  CHECK(calls == 8);
  CHECK(inner_parts == 8);
}

TEST_CASE("parallel: many threads of a program share the pool", "[threads]") {
  const Threads scope(3);
  std::atomic<int> wrong{0};
  std::vector<std::thread> users;
  for (int i = 0; i < 6; ++i) {
    users.emplace_back([&wrong, i] {
      for (int round = 0; round < 300; ++round) {
        if (i == 0 && round % 50 == 0) set_num_threads(2 + round / 50 % 3);
        if (sum_below(1000 + i) != std::int64_t{1000 + i} * (999 + i) / 2) ++wrong;
      }
    });
  }
  for (std::thread& user : users) user.join();
  CHECK(wrong == 0);
}

TEST_CASE("matmul: on many threads of a program at once the bits are those of one", "[threads]") {
  const Threads scope(2);
  const int before = openblas_get_num_threads();
  const std::int64_t shapes[][3] = {
      {150, 140, 130}, {20, 209, 1000}, {20, 600, 209}, {1, 209, 1500}, {1500, 1, 209}};
  std::atomic<int> wrong{0};
  for (const auto& [m, n, k] : shapes) {
    const Tensor a = linspace(-1, 1, m * k, float32).reshape({m, k}),
                 b = linspace(0, 2, k * n, float32).reshape({k, n});
    const Tensor expected = kernel::matmul(a, b);
    std::vector<std::thread> users;
    for (int i = 0; i < 4; ++i) {
      users.emplace_back([&] {
        for (int round = 0; round < 20; ++round) {
          if (!equal(kernel::matmul(a, b), expected)) ++wrong;
        }
      });
    }
    for (std::thread& user : users) user.join();
  }
  CHECK(wrong == 0);
  CHECK(openblas_get_num_threads() == before);
}

TEST_CASE("set_num_threads: at least one", "[threads]") {
  CHECK(num_threads() >= 1);
  const Threads scope(5);
  CHECK(num_threads() == 5);
  CHECK_THROWS_WITH(set_num_threads(0), "set_num_threads: at least one thread is needed, not 0");
  CHECK_THROWS_AS(set_num_threads(-3), Error);
  CHECK(num_threads() == 5);
}

#ifndef __SANITIZE_THREAD__  // which allows no threads in a child
TEST_CASE("parallel: a forked child has a pool of its own", "[threads]") {
  const Threads scope(2);
  std::atomic<bool> stops{false};
  std::thread busy([&] {
    while (!stops) sum_below(100000);
  });
  const auto child_result = [] {
    const pid_t child = fork();
    if (child == 0) _exit(sum_below(1000) == 499500 && sum_below(1000) == 499500 ? 7 : 8);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  bool right = true;
  for (int i = 0; i < 20; ++i) right = right && child_result() == 7;
  stops = true;
  busy.join();
  CHECK(right);
  CHECK(sum_below(1000) == 499500);
}
#endif
