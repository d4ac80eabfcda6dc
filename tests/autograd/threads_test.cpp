#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <functional>
#include <string>
#include <thread>
#include <vector>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/deep_network.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

void in_threads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
}

// What `use` throws on another thread; Catch's own checks belong to one thread.
std::string elsewhere(const std::function<void()>& use) {
  std::string text = "(no complaint)";
  std::thread([&] {
    try {
      use();
    } catch (const GraphError& error) {
      text = error.what();
    } catch (const std::exception& error) {
      text = std::string("another error: ") + error.what();
    }
  }).join();
  return text;
}

}  // namespace

TEST_CASE("Threads share parameters and their gradients add up exactly", "[threads]") {
  const Parameter w("w", full({100}, 2)), b("b", 1.0);
  const Tensor x = ones({100});
  std::array<Gradients, 4> sums;
  in_threads(4, [&](int i) {
    for (int k = 0; k < 200; ++k) {
      Tape tape;
      sums[static_cast<std::size_t>(i)] += tape.backward(sum(w * x) + b);
    }
  });
  Gradients total;
  for (const Gradients& part : sums) total += part;
  CHECK(total.size() == 2);
  CHECK(equal(total[w].value(), full({100}, 800)));
  CHECK(total[b].item() == 800);
}

TEST_CASE("A data-parallel step is the step of the whole batch", "[threads]") {
  const DeepNetwork network({6, 9, 1}, tanh, sigmoid, {.dtype = float64});
  const Tensor X = linspace(-1, 1, 6 * 32, float64).reshape({6, 32}), Y = full({1, 32}, 0.3, float64);
  const auto gradients = [&](std::int64_t first, std::int64_t count) {
    const Range range{first, first + count};
    const Variable x = slice(X, 1, range), y = slice(Y, 1, range);
    Tape tape;
    return tape.backward(sum(binary_cross_entropy(network(x), y)) / 32);
  };
  std::array<Gradients, 4> parts;
  in_threads(4, [&](int i) { parts[static_cast<std::size_t>(i)] = gradients(8 * i, 8); });
  Gradients total;
  for (const Gradients& part : parts) total += part;
  const Gradients whole = gradients(0, 32);
  for (const Parameter& p : network.parameters())
    CHECK(allclose(total[p].value(), whole[p].value(), 1e-12, 1e-14));
}

TEST_CASE("A tape used from a second thread is an error", "[threads]") {
  const Parameter w("w", 3.0);
  Tape tape;
  const Variable y = w * w;
  CHECK(elsewhere([&] { tape.backward(y); }) ==
        "backward: the tape belongs to another thread; differentiate on the thread that recorded");
  CHECK(elsewhere([&] { tape.watch(ones({2})); }) ==
        "watch: the tape belongs to another thread; make a tape of its own for this one");
  const std::string line = std::to_string(__LINE__ + 3);
  const std::string text = elsewhere([&] {
    const Tape own;
    y * 2;
  });
  CHECK(text ==
        "mul: a variable of another thread's tape is used; pass its value(), or record this part on that "
        "thread "
        "(at threads_test.cpp:" +
            line + ")");
  CHECK(elsewhere([&] {
          Tape own;
          own.backward(y);
        }) == "backward: the result was recorded on another tape");
  CHECK(tape.size() == 2);
  CHECK(tape.backward(y)[w].item() == 6);
}

TEST_CASE("Any thread may read a variable's value", "[threads]") {
  const Parameter w("w", 3.0);
  const Tape tape;
  const Variable y = w * w;
  std::array<double, 3> seen{};
  CHECK(elsewhere([&] {
          seen[0] = y.item();
          seen[1] = (y * 2).item();  // no tape records there
          Tape own;
          seen[2] = own.backward(y.value() * w)[w].item();
        }) == "(no complaint)");
  CHECK(seen == std::array<double, 3>{9, 18, 9});
}

TEST_CASE("Scopes and tapes are a thread's own", "[threads]") {
  const Parameter w("w", 3.0);
  const Scope scope("main");
  const Tape tape;
  std::string path = "?";
  const Tape* recording = &tape;
  CHECK(elsewhere([&] {
          path = Scope::path();
          recording = Tape::recording();
        }) == "(no complaint)");
  CHECK(path.empty());
  CHECK(recording == nullptr);
}
