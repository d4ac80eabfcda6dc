// Recompute instead of store.
#include <algorithm>
#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <random>
#include <xgrad/autograd/checkpoint.hpp>
#include <xgrad/autograd/compile.hpp>
#include <xgrad/autograd/draw.hpp>
#include <xgrad/autograd/hooks.hpp>
#include <xgrad/autograd/jacobian.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/storage.hpp>

namespace {

using namespace xgrad;

Tensor noise(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& value : values) value = normal(random);
  return Tensor(shape, values);
}

/// A layer that saves a good deal of what it computes.
struct Layer {
  Parameter w, b;
  explicit Layer(unsigned seed)
      : w("w" + std::to_string(seed), noise({4, 4}, seed)),
        b("b" + std::to_string(seed), noise({4, 1}, ~seed)) {}
  Variable operator()(const Variable& x) const { return tanh(sigmoid(matmul(w, x) + b) * exp(-x)); }
};

struct Result {
  double cost;
  std::vector<Tensor> gradients;
};
bool same(const Result& a, const Result& b) {
  return a.cost == b.cost &&
         std::equal(a.gradients.begin(), a.gradients.end(), b.gradients.begin(), b.gradients.end(),
                    [](const auto& u, const auto& v) { return equal(u, v); });
}

template <class F>
Result differentiated(const F& cost, const std::vector<Layer>& layers, const Tensor& x) {
  Tape tape;
  const Variable v = tape.watch(x);
  const Variable y = cost(v);
  const Gradients all = tape.backward(y);
  Result result{y.item(), {all[v].value()}};
  for (const Layer& layer : layers) {
    result.gradients.push_back(all[layer.w].value());
    result.gradients.push_back(all[layer.b].value());
  }
  return result;
}

}  // namespace

TEST_CASE("A checkpoint gives the same numbers", "[checkpoint]") {
  const std::vector<Layer> layers{Layer(1), Layer(2), Layer(3)};
  const Tensor x = noise({4, 5}, 4);
  const auto plain = [&](Variable h) {
    for (const Layer& layer : layers) h = layer(h);
    return sum(h);
  };
  const auto layerwise = [&](Variable h) {
    for (const Layer& layer : layers) h = checkpoint(layer, h);
    return sum(h);
  };
  const auto whole = [&](const Variable& h) { return checkpoint(plain, h); };
  const auto nested = [&](const Variable& h) { return checkpoint(layerwise, h); };
  const auto closed = [&](const Variable& h) { return checkpoint([&] { return plain(h); }); };
  const Result expected = differentiated(plain, layers, x);
  CHECK(same(differentiated(layerwise, layers, x), expected));
  CHECK(same(differentiated(whole, layers, x), expected));
  CHECK(same(differentiated(nested, layers, x), expected));
  CHECK(same(differentiated(closed, layers, x), expected));
  CHECK(layerwise(x).item() == expected.cost);
  CHECK(layerwise(x).is_constant());
}

TEST_CASE("A checkpoint is one node, and its function runs twice", "[checkpoint]") {
  const Layer layer(1);
  int calls = 0;
  Tape tape;
  const Variable x = tape.watch(noise({4, 5}, 2), "x");
  const Variable y = checkpoint(
      [&](const Variable& v) {
        ++calls;
        return layer(v) * 2;
      },
      x);
  CHECK(calls == 1);
  CHECK(tape.size() == 4);
  CHECK_THAT(to_text(tape),
             Catch::Contains("checkpoint(x, w1, b1)    (4, 5) float64    checkpoint_test.cpp:"));
  const Variable cost = sum(y);
  tape.backward(cost, {.retain = true});
  CHECK(calls == 2);
  tape.backward(cost, {.retain = true, .wrt = {x}});
  CHECK(calls == 3);
}

TEST_CASE("The memory is that of one part, not of all", "[checkpoint][memory]") {
  constexpr int parts = 8, depth = 8;
  const std::int64_t unit = 1 << 18;  // bytes of one value
  const Tensor x = noise({unit / 8}, 3);
  std::int64_t peak = 0;
  const auto gauge = [&](const Variable& v) {
    return on_gradient(v, [&](const Variable&) { peak = std::max(peak, memory_stats().live_bytes); });
  };
  const auto part = [&](Variable h) {
    for (int i = 0; i < depth; ++i) h = gauge(tanh(h));
    return gauge(h);
  };
  const auto live = [&](bool store) {
    const std::int64_t before = memory_stats().live_bytes;
    peak = 0;
    Tape tape;
    Variable h = tape.watch(x);
    for (int i = 0; i < parts; ++i) h = store ? part(h) : checkpoint(part, h);
    const std::int64_t forward = memory_stats().live_bytes - before;
    const Variable cost = sum(std::exchange(h, Variable()));
    tape.backward(cost);
    return std::array{static_cast<double>(forward) / unit, static_cast<double>(peak - before) / unit};
  };
  const auto [stored, stored_peak] = live(true);
  const auto [kept, kept_peak] = live(false);
  UNSCOPED_INFO("stored: " << stored << " values, " << stored_peak << " at most; checkpoints: " << kept
                           << ", " << kept_peak << " at most");
  CHECK(stored >= parts * depth);
  CHECK(kept <= parts + 2);
  CHECK(kept_peak <= parts + depth + 6);
}

TEST_CASE("Variables that a checkpoint closes over have gradients", "[checkpoint]") {
  Tape tape;
  const Variable x = tape.watch(scalar(2)), z = tape.watch(scalar(3));
  const Variable h = x * z;  // a node, which depends on x itself
  const Variable y = checkpoint([&](const Variable& v) { return v * h * z; }, x);
  const Gradients all = tape.backward(y, {.retain = true});  // x^2 z^2
  CHECK(all[x].item() == 36);
  CHECK(all[z].item() == 24);
  CHECK(tape.backward(y, {.retain = true, .wrt = {h}})[h].item() == 6);
  // Recorded: what one input owes to another is not counted twice.
  const Gradients first = tape.backward(y, {.create_graph = true, .wrt = {x, z}});
  CHECK(first[x].item() == 36);
  CHECK(first[z].item() == 24);
  const Gradients second = tape.backward(first[x], {.retain = true});
  CHECK(second[x].item() == 18);
  CHECK(second[z].item() == 24);
}

TEST_CASE("Checkpoints have derivatives of any order, and forward mode", "[checkpoint]") {
  const Layer layer(7);
  const Tensor x = noise({4, 1}, 8), t = noise({4, 1}, 9);
  const auto plain = [&](const Variable& v) { return sum(square(layer(v))); };
  const auto once = [&](const Variable& v) { return checkpoint(plain, v); };
  const auto nested = [&](const Variable& v) {
    return checkpoint([&](const Variable& u) { return sum(square(checkpoint(layer, u))); }, v);
  };
  for (const std::function<Variable(const Variable&)>& f :
       {std::function<Variable(const Variable&)>(once), std::function<Variable(const Variable&)>(nested)}) {
    CHECK(allclose(jvp(f)(x, t).tangent.value(), jvp(plain)(x, t).tangent.value(), 1e-13));
    CHECK(allclose(hessian(f)(x).value(), hessian(plain)(x).value(), 1e-12));
    const auto curvature = [](const auto& g) {
      return [g](const Variable& v) { return sum(square(grad(g)(v))); };
    };
    CHECK(allclose(grad(curvature(f))(x).value(), grad(curvature(plain))(x).value(), 1e-12));
    // Of a gradient inside of the checkpoint
    const auto inside = [&](const Variable& v) { return checkpoint(curvature(f), v); };
    CHECK(allclose(grad(inside)(x).value(), grad(curvature(plain))(x).value(), 1e-12));
    CHECK(grad(inside)(x).is_constant());
    // ... with respect to the parameters
    Tape tape;
    const Variable p = curvature(f)(x), q = curvature(plain)(x), r = inside(x);
    const Tensor expected = tape.backward(q, {.retain = true})[layer.w].value();
    CHECK(allclose(tape.backward(p, {.retain = true})[layer.w].value(), expected, 1e-12));
    CHECK(allclose(tape.backward(r, {.retain = true})[layer.w].value(), expected, 1e-12));
  }
}

TEST_CASE("Forward mode walks into a checkpoint", "[checkpoint]") {
  int passes = 0;
  const Parameter w("w", 3.0);
  const auto f = [&](const Variable& v) {
    return w * v * on_gradient(v, [&](const Variable&) { ++passes; });
  };
  const auto g = [&](const Variable& v) {
    const Variable h = v * v;
    return checkpoint([&f, h](const Variable& u) { return f(u) * h; }, v);  // 3 v^4
  };
  CHECK(jvp(g)(2.0, 1.0).tangent.item() == 96);
  CHECK(passes == 0);
  CHECK(jvp([&](const Variable& u) { return jvp(g)(u, 1.0).tangent; })(2.0, 1.0).tangent.item() == 144);
  CHECK(passes == 0);
  CHECK(hvp(g)(2.0, 1.0).item() == 144);
}

TEST_CASE("What passes through a checkpoint unchanged", "[checkpoint]") {
  Tape tape;
  const Variable x = tape.watch(scalar(2)), z = tape.watch(scalar(3));
  CHECK(tape.backward(5 * checkpoint([](const Variable& v) { return v; }, x))[x].item() == 5);
  CHECK(tape.backward(5 * checkpoint([&] { return z; }))[z].item() == 5);
  CHECK(checkpoint([](const Variable& v) { return stop_gradient(v); }, x).is_constant());
  CHECK(checkpoint([](const Variable& v) { return v < 3; }, x).dtype() == bool_);
  // An argument that the result does not depend on
  const Variable y = checkpoint([](const Variable& u, const Variable&) { return u * u; }, x, z);
  CHECK(tape.backward(y).find(z) == nullptr);
  const Tape::Pause pause;
  CHECK(checkpoint([](const Variable& v) { return v * v; }, x).is_constant());
}

TEST_CASE("A parameter that has changed since is what it was", "[checkpoint]") {
  Parameter w("w", 3.0);
  Tape tape;
  const Variable x = tape.watch(scalar(2));
  const auto f = [&](const Variable& v) { return w * w * v; };
  const Variable y = checkpoint(f, x);
  w.set(scalar(100));
  const Variable z = w * y;
  const Gradients all = tape.backward(z, {.retain = true});
  CHECK(all[x].item() == 900);
  CHECK(all[w].item() == 18 + 100 * 12);  // of both snapshots
  CHECK(tape.backward(z, {.create_graph = true, .wrt = {x}})[x].item() == 900);
}

TEST_CASE("... also one that the gradient does not flow to", "[checkpoint]") {
  Parameter w("w", 3.0);
  Tape tape;
  const Variable x = tape.watch(scalar(2));
  const auto inner = [&](const Variable& v) { return stop_gradient(w) * v * v; };
  const Variable y = checkpoint(inner, x);
  const Variable z = checkpoint([&](const Variable& v) { return checkpoint(inner, v); }, x);
  w.set(scalar(100));
  CHECK(tape.backward(y, {.retain = true})[x].item() == 12);
  CHECK(tape.backward(z, {.retain = true})[x].item() == 12);
  CHECK(tape.backward(z, {.create_graph = true, .wrt = {x}})[x].item() == 12);
}

TEST_CASE("What a checkpoint leaves outside is a constant", "[checkpoint]") {
  Tape tape;
  const Variable x = tape.watch(scalar(2));
  Variable kept;
  const Variable y = checkpoint(
      [&](const Variable& v) {
        kept = v * v;
        return kept * v;
      },
      x);
  CHECK(tape.backward(y + 100 * kept)[x].item() == 12);
}

TEST_CASE("Errors in a checkpoint leave the tape as it was", "[checkpoint]") {
  Tape tape;
  const Variable x = tape.watch(ones({2}));
  CHECK_THROWS_AS(checkpoint([](const Variable& v) { return v + ones({3}); }, x), ShapeError);
  CHECK(tape.size() == 1);
  CHECK(Tape::recording() == &tape);
  int calls = 0;
  const Variable y = checkpoint([&](const Variable& v) { return calls++ == 0 ? v : concat({v, v}); }, x);
  CHECK_THAT(
      complaint<GraphError>([&] { tape.backward(sum(y)); }),
      Catch::StartsWith("checkpoint: computed again, the result is (4,) float32, it was (2,) float32; the "
                        "function must give the same for the same arguments (at checkpoint_test.cpp:"));
  CHECK(Tape::recording() == &tape);
  CHECK(tape.backward(sum(x * x))[x].size() == 2);
  const Tape inner;  // that does not borrow
  CHECK_THROWS_AS(checkpoint([](const Variable& v) { return v; }, 1.0) + x, GraphError);
}

TEST_CASE("A compiled step may hold checkpoints", "[checkpoint]") {
  const Layer layer(5);
  const auto step = [&](const Variable& v) {
    Tape tape;
    return tape.backward(sum(checkpoint(layer, v) * v));
  };
  auto compiled = compile(step);
  for (unsigned seed : {1u, 2u, 3u}) {
    const Tensor x = noise({4, 2}, seed);
    const Gradients expected = step(x), found = compiled(x);
    CHECK(equal(found[layer.w].value(), expected[layer.w].value()));
    CHECK(equal(found[layer.b].value(), expected[layer.b].value()));
  }
  CHECK(compiled.report().replays == 2);
}
