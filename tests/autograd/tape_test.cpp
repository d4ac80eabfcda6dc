#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/nn.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

// The scopes of a node, from the outside: "model/layer1".
std::string scopes_of(const Tape& tape, std::size_t i) {
  std::string path;
  for (std::uint32_t s = tape.node(i).scope; s != 0; s = tape.scope(s).parent)
    path = tape.scope(s).name + (path.empty() ? "" : "/" + path);
  return path;
}

const Node& last(const Tape& tape) { return tape.node(tape.size() - 1); }

bool here(const Node& node, unsigned line) {
  return std::string(node.where.file_name()).ends_with("tape_test.cpp") && node.where.line() == line;
}

}  // namespace

TEST_CASE("A tape records from construction to destruction", "[tape]") {
  const Parameter w("w", 3.0);
  CHECK(Tape::recording() == nullptr);
  CHECK((w * w).is_constant());
  CHECK(Variable(w).is_constant());
  {
    const Tape tape;
    CHECK(Tape::recording() == &tape);
    CHECK(tape.size() == 0);
    const Variable y = w * w;
    CHECK_FALSE(y.is_constant());
    CHECK(y.place().tape == tape.id());
    CHECK(y.place().index == 1);
    CHECK(y.item() == 9);
    CHECK(tape.size() == 2);
  }
  CHECK(Tape::recording() == nullptr);
  CHECK((w * w).is_constant());
}

TEST_CASE("Only what depends on a leaf is recorded", "[tape]") {
  const Tape tape;
  const Variable y = exp(Variable(ones({3})) + 1) * tensor({1, 2, 3});
  CHECK(y.is_constant());
  CHECK(tape.size() == 0);
}

TEST_CASE("Of nested tapes the innermost records", "[tape]") {
  const Parameter w("w", 3.0);
  const Tape outer;
  const Variable a = w + 1;
  {
    const Tape inner;
    CHECK(Tape::recording() == &inner);
    const Variable b = w + 2;
    CHECK(b.place().tape == inner.id());
    CHECK(inner.size() == 2);
    CHECK(outer.size() == 2);
  }
  CHECK(Tape::recording() == &outer);
  CHECK((a + w).place().index == 2);
}

TEST_CASE("Tapes on the heap may die in any order", "[tape]") {
  std::array<std::size_t, 3> order{0, 1, 2};
  do {
    std::array<std::unique_ptr<Tape>, 3> tapes;
    for (auto& tape : tapes) tape = std::make_unique<Tape>();
    for (const std::size_t dies : order) {
      tapes[dies].reset();
      const auto youngest = std::find_if(tapes.rbegin(), tapes.rend(), [](auto& t) { return t != nullptr; });
      CAPTURE(order, dies);
      CHECK(Tape::recording() == (youngest == tapes.rend() ? nullptr : youngest->get()));
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("While a Pause lives, nothing is recorded", "[tape]") {
  const Parameter w("w", 3.0);
  const Tape tape;
  const Variable y = w * 2;
  const std::size_t size = tape.size();
  {
    const Tape::Pause pause;
    CHECK(Tape::recording() == nullptr);
    CHECK((y * w).is_constant());
    {
      const Tape::Pause nested;
      CHECK(exp(y).is_constant());
    }
    CHECK(Tape::recording() == nullptr);
    {
      const Tape inner;  // records all the same
      CHECK((w * 2).place().tape == inner.id());
    }
    CHECK(Tape::recording() == nullptr);
  }
  CHECK(Tape::recording() == &tape);
  CHECK(tape.size() == size);
  CHECK((y * w).place().index == size);
}

TEST_CASE("A tape may die while it is paused", "[tape]") {
  auto outer = std::make_unique<Tape>();
  auto inner = std::make_unique<Tape>();
  {
    const Tape::Pause pause;
    inner.reset();
    CHECK(Tape::recording() == nullptr);
  }
  CHECK(Tape::recording() == outer.get());
  {
    const Tape::Pause pause;
    outer.reset();
  }
  CHECK(Tape::recording() == nullptr);
}

TEST_CASE("stop_gradient gives a constant", "[tape]") {
  const Parameter w("w", 3.0);
  const Tape tape;
  const Variable y = w * 2;
  CHECK(stop_gradient(y).is_constant());
  CHECK(stop_gradient(y).item() == 6);
}

TEST_CASE("Leaves have names", "[tape]") {
  Parameter w("w", 3.0);
  Tape tape;
  const Variable x = tape.watch(ones({2}), "x"), nameless = tape.watch(ones({2}, float64)), again(w);
  CHECK(tape.size() == 3);
  CHECK(tape.leaf(x.place().index)->name() == "x");
  CHECK_FALSE(tape.leaf(x.place().index)->parameter);
  CHECK(tape.leaf(nameless.place().index)->name().empty());
  CHECK(tape.leaf(again.place().index)->name() == "w");
  CHECK(tape.leaf(again.place().index)->parameter->same_as(w));
  CHECK(std::string(tape.node(x.place().index).op) == "input");
  CHECK(std::string(tape.node(again.place().index).op) == "parameter");
  CHECK(tape.node(nameless.place().index).dtype == float64);
  CHECK(tape.node(nameless.place().index).shape == Shape{2});
  CHECK(tape.leaf((x + 1).place().index) == nullptr);
}

TEST_CASE("A parameter is one leaf until its value changes", "[tape]") {
  Parameter w("w", 3.0);
  const Tape tape;
  CHECK(Variable(w).place().index == 0);
  CHECK(Variable(w).place().index == 0);
  w.set(scalar(4));
  const Variable after(w);
  CHECK(after.place().index == 1);
  CHECK(after.item() == 4);
  CHECK(Variable(w).place().index == 1);
}

TEST_CASE("Only floating values are watched", "[tape]") {
  Tape tape;
  CHECK(complaint<DTypeError>([&] { tape.watch(zeros({2}, int64)); }) ==
        "watch: only float32 and float64 have derivatives, not int64; convert the value with "
        "astype(float32)");
  CHECK(complaint<DTypeError>([&] { tape.watch(zeros({2}, bool_)); }) ==
        "watch: only float32 and float64 have derivatives, not bool; convert the value with astype(float32)");
  CHECK(tape.size() == 0);
}

TEST_CASE("Scopes nest", "[scope]") {
  const Parameter w("w", 3.0);
  const Tape tape;
  CHECK(Scope::current() == nullptr);
  CHECK(Scope::path().empty());
  Variable y = w + 1;
  CHECK(scopes_of(tape, tape.size() - 1).empty());
  {
    const Scope model("model");
    CHECK(Scope::path() == "model");
    {
      const Scope layer("layer1");
      CHECK(Scope::path() == "model/layer1");
      CHECK(Scope::current() == &layer);
      CHECK(layer.parent() == &model);
      CHECK(layer.name() == "layer1");
      y = y * 2;
      CHECK(scopes_of(tape, tape.size() - 1) == "model/layer1");
    }
    y = y * 2;
    CHECK(scopes_of(tape, tape.size() - 1) == "model");
    {
      const Scope layer("layer2");
      y = y * 2;
      CHECK(scopes_of(tape, tape.size() - 1) == "model/layer2");
    }
  }
  y = y * 2;
  CHECK(scopes_of(tape, tape.size() - 1).empty());
  CHECK(tape.scope_count() == 4);
  CHECK(tape.scope(0).name.empty());
}

TEST_CASE("A scope may be opened again", "[scope]") {
  const Parameter w("w", 3.0);
  const Tape tape;
  Variable y = w;
  for (int i = 0; i < 3; ++i) {
    const Scope scope("step");
    y = exp(y) + 1;
    CHECK(scopes_of(tape, tape.size() - 1) == "step");
    CHECK(scopes_of(tape, tape.size() - 2) == "step");
  }
}

TEST_CASE("Empty scopes leave no trace", "[scope]") {
  const Parameter w("w", 3.0);
  const Tape tape;
  { const Scope scope("nothing"); }
  CHECK(tape.scope_count() == 1);
}

TEST_CASE("A tape that begins inside a scope knows it", "[scope]") {
  const Parameter w("w", 3.0);
  const Scope model("model"), part("part");
  const Tape outer;
  const Variable y = w + 1;
  CHECK(scopes_of(outer, 1) == "model/part");
  {
    const Tape inner;
    const Variable z = w + 1;
    const Scope deeper("deeper");
    const Variable u = z + 1;
    CHECK(scopes_of(inner, 1) == "model/part");
    CHECK(scopes_of(inner, 2) == "model/part/deeper");
  }
  const Variable v = y + 1;
  CHECK(scopes_of(outer, 2) == "model/part");
  CHECK(outer.scope_count() == 3);  // the inner tape's numbers are its own
}

TEST_CASE("A node tells its operation, inputs, shape and dtype", "[tape]") {
  const Parameter W("W", ones({2, 3}, float64));
  const Tensor X = full({3, 4}, 2, float64);
  const Tape tape;
  const Variable Z = matmul(W, X), Y = Z + 0.5, S = sum(Y * Z);
  REQUIRE(tape.size() == 5);

  const Node& product = tape.node(1);
  CHECK(std::string(product.op) == "matmul");
  REQUIRE(product.input_count == 2);
  CHECK(product.inputs[0] == 0);
  REQUIRE(product.inputs[1] < 0);
  const ConstantInfo& x = tape.constant(static_cast<std::size_t>(~product.inputs[1]));
  CHECK(x.shape == Shape{3, 4});
  CHECK(x.dtype == float64);
  CHECK(product.shape == Shape{2, 4});
  CHECK(product.dtype == float64);
  CHECK(product.pullback != nullptr);
  CHECK_FALSE(product.released);

  const Node& shifted = tape.node(2);
  CHECK(std::string(shifted.op) == "add");
  CHECK(shifted.inputs[0] == 1);
  REQUIRE(shifted.inputs[1] < 0);
  const ConstantInfo& half = tape.constant(static_cast<std::size_t>(~shifted.inputs[1]));
  CHECK(half.shape == Shape{});
  CHECK(half.dtype == float64);
  CHECK(half.value == 0.5);

  CHECK(std::string(tape.node(3).op) == "mul");
  CHECK(tape.node(3).inputs[0] == 2);
  CHECK(tape.node(3).inputs[1] == 1);
  CHECK(std::string(tape.node(4).op) == "sum");
  CHECK(tape.node(4).shape == Shape{});
}

TEST_CASE("A node tells the line of the call", "[tape]") {
  const Parameter w("w", ones({2, 2}));
  const Tensor c = ones({2, 2});
  Tape tape;
  const Variable x = tape.watch(c);
  const auto check = [&](const Variable& y, unsigned line) {
    CAPTURE(last(tape).op, last(tape).where.file_name(), last(tape).where.line(), line);
    CHECK(y.place().index == tape.size() - 1);
    CHECK(here(last(tape), line));
  };
  check(x + x, __LINE__);
  check(x - w, __LINE__);
  check(w * x, __LINE__);
  check(c / x, __LINE__);
  check(2 - x, __LINE__);
  check(x / 0.5, __LINE__);
  check(w + w, __LINE__);
  check(-x, __LINE__);
  check(exp(w), __LINE__);
  check(matmul(x, c), __LINE__);
  check(pow(x, 2), __LINE__);
  check(where(x > 0, x, 0), __LINE__);
  check(sum(x, {0, 1}), __LINE__);
  check(concat({x, x}), __LINE__);
  check(slice(x, 0, {.stop = 1}), __LINE__);
  check(binary_cross_entropy(x, c), __LINE__);
  check(softmax_cross_entropy(x, zeros({2}, int64)), __LINE__);
}

TEST_CASE("Inside modules nodes tell the line where the module was called", "[tape]") {
  const DeepNetwork network({3, 4, 1});
  const LogisticRegression regression(3);
  const Linear linear(3, 2);
  const Sequential sequential{Linear(3, 4), relu, Linear(4, 2), [](const Variable& x) { return x * 2; }};
  const Tensor columns = ones({3, 5}), rows = ones({5, 3});
  const auto check = [](const std::function<void()>& call, unsigned line) {
    const Tape tape;
    call();
    REQUIRE(tape.size() > 2);
    for (std::size_t i = 0; i < tape.size(); ++i) {
      CAPTURE(i, tape.node(i).op, tape.node(i).where.file_name(), tape.node(i).where.line());
      CHECK(here(tape.node(i), line));
    }
  };
  check([&] { network(columns); }, __LINE__);
  check([&] { regression(columns); }, __LINE__);
  check([&] { linear(rows); }, __LINE__);
  check([&] { sequential(rows); }, __LINE__);
}

TEST_CASE("An input's index is smaller than its node's", "[tape]") {
  const DeepNetwork network({3, 4, 4, 1}, tanh, sigmoid, {.dtype = float64});
  const Tensor X = linspace(-1, 1, 15, float64).reshape({3, 5}), Y = full({1, 5}, 0.3, float64);
  Tape tape;
  const Variable cost = mean(binary_cross_entropy(network(X), Y));
  const Gradients first = tape.backward(cost, {.create_graph = true});
  Variable norm = scalar(0, float64);
  for (const auto& entry : first.entries()) norm = norm + sum(square(entry.gradient));
  tape.backward(norm);
  CHECK(tape.size() > 50);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    CHECK((node.input_count == 0) == (tape.leaf(i) != nullptr));
    for (std::uint32_t k = 0; k < node.input_count; ++k) CHECK(node.inputs[k] < static_cast<std::int64_t>(i));
  }
}

TEST_CASE("An operation that throws leaves the tape as it was", "[tape]") {
  Tape tape;
  const Variable x = tape.watch(ones({2, 3})), y = tape.watch(ones({4, 5})),
                 d = tape.watch(ones({2, 3}, float64));
  const std::vector<std::function<Variable()>> failing{
      [&] { return x + y; },
      [&] { return x * d; },
      [&] { return matmul(x, y); },
      [&] { return reshape(x, {7}); },
      [&] {
        return transpose(x, {0, 0});
      },
      [&] {
        return broadcast_to(x, {3, 3});
      },
      [&] {
        return concat({x, y});
      },
      [&] {
        return slice(x, {{}, {}, {}});
      },
      [&] { return slice(x, 0, {.step = 0}); },
      [&] { return sum(x, 2); },
      [&] {
        return mean(x, {0, 0});
      },
      [&] { return max(x, 5); },
      [&] { return min(x, 5); },
      [&] { return softmax(x, 2); },
      [&] { return log_softmax(x, 2); },
      [&] { return logsumexp(x, -3); },
      [&] { return where(x, x, x); },
      [&] { return clip(x, 2, 1); },
      [&] { return squared_error(x, y); },
      [&] { return binary_cross_entropy(x * 0 + 1, y); },
      [&] { return binary_cross_entropy(stop_gradient(x) * 2, x); },
      [&] {
        return softmax_cross_entropy(x, tensor({0, 3}).astype(int64));
      },
      [&] { return softmax_cross_entropy(x, zeros({3}, int64)); },
      [&] { return softmax_cross_entropy(x, zeros({2})); },
      [&] { return maximum(x, y); },
      [&] { return pow(x, y); },
  };
  for (std::size_t i = 0; i < failing.size(); ++i) {
    const std::size_t own = i == 19 ? 2 : 0;  // the argument's own operations stay
    const std::size_t size = tape.size();
    CAPTURE(i);
    CHECK_THROWS_AS(failing[i](), Error);
    CHECK(tape.size() == size + own);
    CHECK(Tape::recording() == &tape);
  }
  CHECK(tape.backward(sum(x))[x].shape() == Shape{2, 3});
}

TEST_CASE("Of a parameter that an operation refuses at most the leaf stays", "[tape]") {
  const Parameter w("w", ones({2, 3})), d("d", ones({2, 3}, float64));
  const std::vector<std::function<Variable()>> failing{
      [&] { return w + ones({4}); },
      [&] { return ones({4}) * w; },
      [&] { return w - d; },
      [&] { return matmul(w, w); },
      [&] { return where(w, w, w); },
      [&] { return sum(w, 2); },
      [&] { return max(w, 2); },
      [&] { return min(w, 2); },
      [&] { return softmax(w, 2); },
      [&] { return logsumexp(w, 2); },
      [&] { return reshape(w, {7}); },
      [&] {
        return transpose(w, {0, 0});
      },
      [&] {
        return broadcast_to(w, {5, 5});
      },
      [&] { return slice(w, 2, {}); },
      [&] {
        return slice(w, {{}, {}, {}});
      },
      [&] { return clip(w, 1, 0); },
      [&] { return squared_error(w, ones({2})); },
      [&] { return binary_cross_entropy(w, ones({2})); },
      [&] { return softmax_cross_entropy(w, zeros({3}, int64)); },
      [&] { return softmax_cross_entropy(w, full({2}, 9, int64)); },
  };
  for (std::size_t i = 0; i < failing.size(); ++i) {
    CAPTURE(i);
    const Tape tape;
    CHECK_THROWS_AS(failing[i](), Error);
    CHECK((tape.size() == 0 || (tape.size() == 1 && tape.leaf(0) != nullptr)));
  }
}

TEST_CASE("An error names the line, the operands and the scope", "[tape]") {
  const Parameter W("W1", ones({20, 12}));
  const Tape tape;
  const Scope scope("layer1");
  const auto line = __LINE__ + 1;
  const auto text = complaint<ShapeError>([&] { matmul(W, ones({20, 5})); });
  CHECK_THAT(text, Catch::StartsWith("matmul: ") && Catch::Contains("W1 (20, 12)") &&
                       Catch::Contains("(20, 5)") &&
                       Catch::EndsWith("(at tape_test.cpp:" + std::to_string(line) + ", in layer1)"));
}
