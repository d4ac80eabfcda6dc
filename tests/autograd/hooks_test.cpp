// on_gradient: seeing and replacing cotangents.
#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <memory>
#include <stdexcept>
#include <xgrad/autograd/checkpoint.hpp>
#include <xgrad/autograd/compile.hpp>
#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/hooks.hpp>
#include <xgrad/ops/ops.hpp>

using namespace xgrad;

TEST_CASE("A hook sees the whole cotangent, once", "[hooks]") {
  Tape tape;
  const Variable x = tape.watch(tensor({1, 2}));
  std::vector<Tensor> seen;
  const Variable h = on_gradient(x * x, [&](const Variable& g) { seen.push_back(g.value()); });
  CHECK(equal(h.value(), tensor({1, 4})));
  const Variable y = sum(3 * h + h * tensor({10, 20}));  // h is used twice
  CHECK(equal(tape.backward(y, {.retain = true})[x].value(), tensor({26, 92})));
  REQUIRE(seen.size() == 1);
  CHECK(equal(seen[0], tensor({13, 23})));
  tape.backward(y, {.retain = true});
  CHECK(seen.size() == 2);
  tape.backward(sum(x), {.retain = true});  // passes elsewhere
  CHECK(seen.size() == 2);
}

TEST_CASE("A hook may replace the cotangent", "[hooks]") {
  const Parameter w("w", tensor({1, -2}));
  Tape tape;
  const Variable y =
      sum(on_gradient(w, [](const Variable& g) { return clip(g, -1, 1); }) * tensor({0.5, 30}));
  CHECK(equal(tape.backward(y)[w].value(), tensor({0.5, 1})));
  CHECK_THAT(to_text(tape), Catch::Contains("on_gradient(w)"));
}

TEST_CASE("Under create_graph a hook is differentiated", "[hooks]") {
  const auto f = [](const Variable& x) {
    return on_gradient(x, [](const Variable& g) { return g * g; }) * x * x;  // the cotangent x^2 becomes x^4
  };
  CHECK(grad(f)(2.0).item() == 16 + 8);
  // d(x^4)/dx = 32; of the other part, 2 x h, 2 h = 4 directly and 2 x = 4 through h, where the hook squares it.
  CHECK(grad(grad(f))(2.0).item() == 32 + 4 + 16);
  CHECK(jvp(f)(2.0, 1.0).tangent.item() == 12);  // forward mode passes by
}

TEST_CASE("Of several hooks on one value the last one sees the cotangent first", "[hooks]") {
  std::string order;
  const auto note = [&](char name, double factor) {
    return [&order, name, factor](const Variable& g) {
      order += name;
      return g * factor + 1;
    };
  };
  Tape tape;
  const Variable x = tape.watch(scalar(2));
  Variable h = on_gradient(x, note('a', 10));
  h = on_gradient(h, note('b', 3));
  CHECK(tape.backward(5 * h, {.retain = true})[x].item() == (5 * 3 + 1) * 10 + 1);
  CHECK(order == "ba");
  // It belongs to the node, not to x: other paths pass by.
  CHECK(tape.backward(5 * x, {.retain = true})[x].item() == 5);
  CHECK(order == "ba");
  // Asked for, x has the sum over all paths, h what reached it.
  const Gradients both = tape.backward(h + x, {.retain = true, .wrt = {x, h}});
  CHECK(both[x].item() == (1 * 3 + 1) * 10 + 1 + 1);
  CHECK(both[h].item() == 1);
}

TEST_CASE("A hook lives as long as the tape, and is switched off from inside", "[hooks]") {
  const auto counter = std::make_shared<int>(0);
  bool on = true;
  {
    Tape tape;
    const Variable x = tape.watch(scalar(2));
    const Variable y = square(on_gradient(x, [counter, &on](const Variable&) { *counter += on; }));
    CHECK(counter.use_count() == 2);
    tape.backward(y, {.retain = true});
    on = false;
    tape.backward(y);
    CHECK(*counter == 1);
    CHECK(counter.use_count() == 1);  // released with the node
    tape.backward(on_gradient(x, [counter](const Variable&) {}), {.retain = true});
    CHECK(counter.use_count() == 2);
  }
  CHECK(counter.use_count() == 1);
}

TEST_CASE("A hook inside a checkpoint sees each pass once", "[hooks]") {
  int seen = 0;
  Tape tape;
  const Variable x = tape.watch(scalar(2));
  const Variable y = checkpoint(
      [&seen](const Variable& v) {
        return square(on_gradient(v, [&seen](const Variable& g) {
          ++seen;
          return 2 * g;
        }));
      },
      x);
  CHECK(seen == 0);
  CHECK(tape.backward(y, {.retain = true})[x].item() == 8);
  CHECK(seen == 1);
  CHECK(tape.backward(y, {.create_graph = true})[x].item() == 8);
  CHECK(seen == 2);
}

TEST_CASE("Without a gradient there is nothing to see", "[hooks]") {
  bool called = false;
  const auto note = [&](const Variable&) { called = true; };
  CHECK(on_gradient(2.0, note).item() == 2);
  Tape tape;
  CHECK(on_gradient(ones({2}), note).is_constant());
  CHECK(on_gradient(zeros({2}, int64), note).dtype() == int64);
  CHECK(!called);
  CHECK(tape.size() == 0);
}

TEST_CASE("What a hook does wrong is an error", "[hooks]") {
  Tape tape;
  const Variable x = tape.watch(ones({2}));
  const Variable summed = on_gradient(x, [](const Variable& g) { return sum(g); });
  CHECK_THAT(
      complaint<GraphError>([&] { tape.backward(sum(summed)); }),
      Catch::StartsWith("on_gradient: the function replaced the cotangent (2,) float32 by () float32 (at "
                        "hooks_test.cpp:"));
  const Variable y = sum(on_gradient(x, [](const Variable&) { throw std::runtime_error("stop"); }));
  const std::size_t size = tape.size();
  CHECK_THROWS_WITH(tape.backward(y, {.retain = true}), "stop");
  CHECK(tape.size() == size);
}

TEST_CASE("A step whose hook looks is not replayed", "[hooks]") {
  int looks = 0;
  auto step = compile([&](const Variable& v) {
    Tape tape;
    const Variable x = tape.watch(v.value());
    return tape.backward(sum(square(on_gradient(x, [&](const Variable&) { ++looks; }))), {.wrt = {x}})
        .or_zeros(x);
  });
  for (double value : {1.0, 2.0, 3.0}) CHECK(step(scalar(value)).item() == 2 * value);
  CHECK(looks == 3);
  CHECK(step.report().replays == 0);
  CHECK_THAT(step.report().reason, Catch::Contains("on_gradient"));
  auto clipped = compile([](const Variable& v) {
    Tape tape;
    const Variable x = tape.watch(v.value());
    const Variable h = on_gradient(x, [](const Variable& g) { return clip(g, -5, 5); });
    return tape.backward(sum(square(h)), {.wrt = {x}}).or_zeros(x);
  });
  for (double value : {1.0, 2.0, 30.0}) CHECK(clipped(scalar(value)).item() == std::min(5.0, 2 * value));
  CHECK(clipped.report().replays == 2);
}
