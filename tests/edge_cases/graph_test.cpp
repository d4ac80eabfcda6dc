// What a tape promises where other libraries run out of stack or memory, or answer something else. More of each is in
// tests/autograd/, where its own feature is tested.
#include <pthread.h>

#include <complaint.hpp>
#include <memory>
#include <stdexcept>
#include <xgrad/autograd/custom.hpp>
#include <xgrad/autograd/draw.hpp>
#include <xgrad/autograd/hooks.hpp>

#include "edges.hpp"

using namespace edges;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

// Runs f on a thread with a stack of 256 KiB, and gives what it threw.
std::string on_small_stack(const std::function<void()>& f) {
  struct Work {
    const std::function<void()>* f;
    std::string error;
  } work{&f, {}};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_t thread;
  const auto run = [](void* p) -> void* {
    auto& own = *static_cast<Work*>(p);
    try {
      (*own.f)();
    } catch (const std::exception& error) {
      own.error = error.what();
    }
    return nullptr;
  };
  if (pthread_create(&thread, &attributes, run, &work) != 0) return "no thread";
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  return work.error;
}

}  // namespace

TEST_CASE("edge: a chain of a million nodes on a stack of 256 KiB", "[edge]") {
  constexpr int nodes = 1'000'000;
  double slope = 0, second = 0, bytes = 0;
  std::size_t size = 0, text = 0;
  const std::string error = on_small_stack([&] {
    {
      Tape tape;
      const Variable x = tape.watch(scalar(1, float64));
      Variable y = x * x;
      const std::int64_t before = memory_stats().live_bytes;
      for (int i = 2; i <= nodes; ++i) y = y + 1;
      bytes = static_cast<double>(memory_stats().live_bytes - before) / nodes;
      size = tape.size();
      const Variable g = tape.backward(y, {.create_graph = true})[x];
      slope = g.item();
      second = tape.backward(g)[x].item();
    }
    Tape tape;
    Variable y = tape.watch(scalar(1));
    for (int i = 1; i < 20'000; ++i) y = y + 1;
    text = to_dot(tape).size() + to_text(tape).size();
  });
  CHECK(error.empty());
  CHECK(size == nodes + 1);
  CHECK(slope == 2);
  CHECK(second == 2);
  CHECK(bytes <= 300);
  CHECK(text > 20'000);
}

TEST_CASE("edge: one leaf used a million times", "[edge]") {
  constexpr int uses = 1'000'000;
  const Parameter w("w", ones({4}));
  Tape tape;
  Variable y = w;
  for (int i = 1; i < uses; ++i) y = y + w;
  const Variable cost = sum(y);
  const MemoryStats before = memory_stats();
  const Gradients grad = tape.backward(cost);
  CHECK(memory_stats().live_blocks - before.live_blocks <= 4);
  CHECK(equal(grad[w].value(), full({4}, uses)));
}

TEST_CASE("edge: nothing that is recorded holds itself", "[edge]") {
  const auto work = [] {
    const Parameter w("w", ones({3}));
    const auto twice =
        custom([](const Variable& x) { return 2 * x; }, [](const Variable& g) { return 2 * g; }, "twice");
    Tape tape;
    const Variable x = tape.watch(ones({3})), y = twice(x * w);
    // A hook that keeps a tensor of the tape it stands on: PyTorch's way to a cycle.
    const auto seen = std::make_shared<Variable>();
    const Variable z = on_gradient(y, [seen, y](const Variable& g) { *seen = g * y; });
    *seen = z;
    const Gradients first = tape.backward(sum(z * z), {.create_graph = true});
    return tape.backward(sum(first[w] * first[x]));
  };
  work();  // what is made once is made
  const MemoryStats before = memory_stats();
  for (int i = 0; i < 10; ++i) work();
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
}

TEST_CASE("edge: backward twice, and through what is gone", "[edge]") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable y = exp(x);
  const int line = __LINE__ - 1;
  const Variable z = y * y;
  tape.backward(y);
  const std::string gone = "backward: the tape was walked already and what exp" + at_line(__FILE__, line) +
                           " saved is gone; pass .retain = true to the first backward to walk it again";
  CHECK(complaint<GraphError>([&] { tape.backward(y); }) == gone);
  CHECK(complaint<GraphError>([&] { tape.backward(z); }) == gone);  // whose own node is whole
  CHECK(tape.backward(x * 2)[x].item() == 2);                       // and so is what does not lead there
  Variable dead;
  {
    Tape inner;
    dead = inner.watch(scalar(1)) * 2;
  }
  CHECK(complaint<GraphError>([&] { tape.backward(dead); }) ==
        "backward: the result was recorded on another tape");
}

TEST_CASE("edge: an old graph keeps its old parameters", "[edge]") {
  Parameter w("w", tensor({1, 2}));
  Tape tape;
  const Variable old = sum(w * w * w);
  w.update([](Tensor& value) { value = tensor({7, 8}); });
  const Variable young = sum(w * w * w);
  CHECK(doubles(tape.backward(old, {.retain = true})[w]) == Doubles{3, 12});
  CHECK(doubles(tape.backward(young)[w]) == Doubles{147, 192});
  CHECK(doubles(tape.backward(old)[w]) == Doubles{3, 12});
}

TEST_CASE("edge: what throws leaves the tape as it was", "[edge]") {
  const Parameter w("w", ones({2})), v("v", ones({2}));
  bool fails = true;
  const auto fragile = custom([](const Variable& x) { return x * 1; },
                              [&](const Variable& g) {
                                if (fails) throw std::runtime_error("no");
                                return g;
                              },
                              "fragile");
  const auto broken =
      custom([](const Variable& x) -> Variable { throw std::runtime_error(to_string(x.shape())); },
             [](const Variable& g) { return g; }, "broken");
  Tape tape;
  const Variable y = sum(fragile(w * v) * v);
  const std::size_t size = tape.size();
  CHECK(complaint<std::runtime_error>([&] { broken(w); }) == "(2,)");
  CHECK_THROWS_AS(w + ones({3}), ShapeError);
  CHECK(tape.size() == size);
  Gradients grad;
  for (bool create_graph : {false, true}) {
    const BackwardOptions options{.retain = true, .create_graph = create_graph};
    CHECK(complaint<std::runtime_error>([&] { grad = tape.backward(y, options); }) == "no");
    CHECK(grad.size() == 0);
    CHECK(tape.size() == size);
  }
  fails = false;
  CHECK(doubles(tape.backward(y)[w]) == Doubles{1, 1});
}

TEST_CASE("edge: a pullback that gives another shape or dtype is named", "[edge]") {
  const auto wrong = [](auto pull) {
    const auto op = custom([](const Variable& x) { return x * 1; }, pull, "wrong");
    Tape tape;
    const Variable x = tape.watch(ones({2, 3}));
    return complaint<GraphError>([&] { tape.backward(sum(op(x))); });
  };
  CHECK_THAT(wrong([](const Variable& g) { return transpose(g); }),
             StartsWith("backward: wrong (at graph_test.cpp:") &&
                 EndsWith(") pulled back (3, 2) float32 for an input (2, 3) float32"));
  CHECK_THAT(wrong([](const Variable& g) { return Variable(g.value().astype(float64)); }),
             EndsWith(") pulled back (2, 3) float64 for an input (2, 3) float32"));
}

TEST_CASE("edge: results that have no gradient, each with its remedy", "[edge]") {
  const Parameter w("w", ones({2}));
  Tape tape;
  CHECK(complaint<GraphError>([&] { tape.backward(w * 2); }) ==
        "backward: the result (2,) has more than one element; reduce it with sum or mean, or pass a seed of "
        "its "
        "shape");
  CHECK(complaint<GraphError>([&] { tape.backward(sum(stop_gradient(w))); }) ==
        "backward: the result depends on no parameter and no watched variable of a recording tape; was it "
        "computed before the tape began, while it was paused, or behind stop_gradient?");
  CHECK(complaint<DTypeError>([] { Parameter("n", zeros({2}, int64)); }) ==
        "Parameter n: only float32 and float64 have derivatives, not int64; convert the value with "
        "astype(float32)");
}

TEST_CASE("edge: the gradient of what the result does not depend on", "[edge]") {
  const Parameter w("w", ones({2})), unused("unused", ones({2, 3}, float64));
  Tape tape;
  const Variable other = tape.watch(zeros({5}), "other");
  const Gradients grad = tape.backward(sum(w));
  CHECK(
      complaint<GraphError>([&] { grad[unused]; }) ==
      "Gradients: the result does not depend on parameter unused (2, 3); use find() or or_zeros() if that is "
      "meant to be possible");
  CHECK(complaint<GraphError>([&] { grad[other]; }) ==
        "Gradients: no gradient for variable other (5,): the result does not depend on it, or it is not a "
        "leaf and "
        "was not named in wrt");
  CHECK(grad.find(unused) == nullptr);
  CHECK(equal(grad.or_zeros(unused).value(), zeros({2, 3}, float64)));
  CHECK(equal(grad.or_zeros(other).value(), zeros({5})));
}
