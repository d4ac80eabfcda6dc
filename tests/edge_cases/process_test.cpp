// What happens around a tape: threads, forks, signals, the end of the program, and copies of the library.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <complaint.hpp>
#include <csignal>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>
#include <threads_scope.hpp>
#include <xgrad/autograd/hooks.hpp>
#include <xgrad/nn/nn.hpp>

#include "edges.hpp"

using namespace edges;

namespace {

bool is_child = false;

// Destroyed at the end of the program, after what the library made on its first use.
const Parameter early("early", ones({100}));

// How a child process that runs f ends: its exit code, or minus the signal that ended it. One that hangs is ended by
// the alarm.
template <class F>
int in_child(const F& f) {
  const pid_t child = fork();
  if (child == 0) {
    is_child = true;
    alarm(60);
    f();
    _exit(9);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -1000;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

double product() { return sum(matmul(ones({256, 256}), ones({256, 256}))).item(); }

volatile std::sig_atomic_t interrupted = 0;

// A training loop that looks at the flag after each step; `look` sees each cotangent on its way.
template <class F>
int train(Parameter& w, int most, const F& look) {
  Sgd sgd({w}, {.learning_rate = 0.01});
  int steps = 0;
  while (steps < most && interrupted == 0) {
    Tape tape;
    const Variable cost = sum(square(on_gradient(matmul(w, w), look) - 2));
    sgd.step(tape.backward(cost));
    ++steps;
  }
  return steps;
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__
// What the parent's other threads hold would count as lost in a child, which has none of them.
extern "C" int __lsan_is_turned_off() { return is_child; }
#endif

TEST_CASE("edge: threads share parameters", "[edge]") {
  const Parameter w("w", full({100}, 2)), b("b", 1.0);
  std::array<Gradients, 4> sums;
  std::vector<std::thread> threads;
  for (Gradients& own : sums) {
    threads.emplace_back([&] {
      for (int k = 0; k < 200; ++k) {
        Tape tape;
        own += tape.backward(sum(w * 1) + b);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Gradients total;
  for (const Gradients& part : sums) total += part;
  CHECK(total[b].item() == 800);
  CHECK(equal(total[w].value(), full({100}, 800)));
}

TEST_CASE("edge: a tape used from a second thread is an error", "[edge]") {
  const Parameter w("w", 3.0);
  Tape tape;
  const Variable y = w * w;
  std::string text;
  std::thread([&] { text = complaint<GraphError>([&] { tape.backward(y); }); }).join();
  CHECK(text == "backward: the tape belongs to another thread; differentiate on the thread that recorded");
  CHECK(tape.backward(y)[w].item() == 6);
}

// The OpenBLAS that is built on OpenMP loses its threads in a child; xgrad asks either for one thread only.
TEST_CASE("edge: a forked child computes, whatever the parent's threads were doing", "[edge]") {
  const Threads scope(2);
  REQUIRE(product() == 256. * 256 * 256);  // the workers and OpenBLAS's are there
  volatile std::sig_atomic_t stop = 0;
  std::thread busy([&] {
    while (stop == 0) product();
  });
  std::array<int, 10> codes{};
  for (int& code : codes) {
    code = in_child([] {
      Parameter w("w", ones({64, 64}));
      Tape tape;
      const Gradients grad = tape.backward(sum(matmul(w, w)));
      _exit(product() == 256. * 256 * 256 && grad[w].value().at({0, 0}) == 128 ? 7 : 8);
    });
  }
  stop = 1;
  busy.join();
  for (int code : codes) CHECK(code == 7);
  CHECK(product() == 256. * 256 * 256);
}

TEST_CASE("edge: a child of a recording parent has the tape, too", "[edge]") {
  const Parameter w("w", 3.0);
  Tape tape;
  const Variable y = w * w;
  CHECK(in_child([&] { _exit(tape.backward(y * 2)[w].item() == 12 ? 7 : 8); }) == 7);
  CHECK(tape.size() == 2);
  CHECK(tape.backward(y)[w].item() == 6);
}

TEST_CASE("edge: a signal within a step leaves whole parameters", "[edge]") {
  // The loop sees the flag after the step that it came in. To save then is the trainer's.
  const Tensor start = full({8, 8}, 0.1);
  interrupted = 0;
  const auto before = std::signal(SIGINT, [](int) { interrupted = 1; });
  Parameter w("w", start), again("again", start);
  int passes = 0;
  const int steps = train(w, 100, [&](const Variable&) {
    if (++passes == 5) std::raise(SIGINT);
  });
  std::signal(SIGINT, before);
  interrupted = 0;
  CHECK(steps == 5);
  CHECK(train(again, 5, [](const Variable&) {}) == 5);
  CHECK(equal(w.value(), again.value()));
}

TEST_CASE("edge: the end of the program", "[edge]") {
  // What is destroyed last may hold tensors, on threads that still live, too.
  const auto end = [](bool others) {
    return in_child([=] {
      static Variable late;
      static thread_local Variable own = early * 2;
      static std::unique_ptr<Tape> recording;
      recording = std::make_unique<Tape>();
      late = early * own;
      if (others) {
        std::promise<void> idle;
        std::thread([&idle] {
          static thread_local Variable another = early + 1;
          if (another.size() == 100) idle.set_value();
          for (;;) pause();
        }).detach();
        idle.get_future().wait();
      }
      std::exit(sum(late).item() == 200 ? 7 : 8);
    });
  };
  CHECK(end(false) == 7);
  CHECK(end(true) == 7);
}

#ifdef XGRAD_COPY  // AddressSanitizer takes two copies for one that is defined twice
TEST_CASE("edge: two copies of the library in one process", "[edge]") {
  const auto run_copy = [](void* handle) {
    auto* f = reinterpret_cast<double (*)(double)>(dlsym(handle, "slope_of_cube"));
    return f == nullptr ? NaN : f(2);
  };
  const Parameter w("w", 3.0);
  Tape tape;
  const Variable y = w * w;
  for (int i = 0; i < 3; ++i) {
    void* handle = dlopen(XGRAD_COPY, RTLD_NOW | RTLD_LOCAL);
    INFO((handle == nullptr ? dlerror() : XGRAD_COPY));
    REQUIRE(handle != nullptr);
    double elsewhere = 0;
    CHECK(run_copy(handle) == 12);  // its own tape records, ours does not see it
    std::thread([&] { elsewhere = run_copy(handle); }).join();
    CHECK(elsewhere == 12);
    CHECK(tape.size() == 2);
    CHECK(dlclose(handle) == 0);
  }
  CHECK(tape.backward(y)[w].item() == 6);
}
#endif
