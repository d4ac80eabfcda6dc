// Results and cotangents may take the memory of what nobody will see again, and of nothing else.
#include <catch2/catch.hpp>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

namespace {

constexpr std::int64_t n = 1 << 15;  // small results have memory of their own

Tensor numbers(double from, double to) { return linspace(from, to, n); }
const void* place(const Variable& x) { return x.value().storage().data(); }

}  // namespace

TEST_CASE("A result takes the memory of a temporary operand", "[reuse]") {
  const Tensor a = numbers(-2, 2);
  const Tensor expected = (Variable(exp(a)) + 1).value();
  Variable t = exp(a);
  const void* memory = place(t);
  SECTION("on the left") {
    const Variable y = std::move(t) + 1;
    CHECK(place(y) == memory);
    CHECK(equal(y.value(), expected));
  }
  SECTION("on the right") {
    const Variable y = 1 + std::move(t);
    CHECK(place(y) == memory);
    CHECK(equal(y.value(), expected));
  }
  SECTION("of a function of one") {
    const Variable y = tanh(std::move(t));
    CHECK(place(y) == memory);
    CHECK(equal(y.value(), tanh(exp(a)).value()));
  }
}

TEST_CASE("A result leaves alone what somebody holds", "[reuse]") {
  const Tensor a = numbers(-2, 2), copy = exp(a).value();
  Variable t = exp(a);
  SECTION("a variable") {
    const Variable y = 1 + t;
    CHECK(place(y) != place(t));
  }
  SECTION("a tensor that shares its memory") {
    const Tensor shared = t.value();
    CHECK(place(1 + std::move(t)) != shared.storage().data());
    CHECK(equal(shared, copy));
    return;
  }
  SECTION("a parameter") {
    const Parameter p("p", t.value());
    CHECK(place(1 + Variable(p)) != place(t));
  }
  SECTION("a tape, for the reverse pass") {
    Tape tape;
    const Variable x = tape.watch(a);
    const Variable y = log(exp(x) + 0);  // the partial of log is a function of the sum
    CHECK(allclose(tape.backward(sum(y))[x].value(), ones({n})));
  }
  SECTION("an operand of another shape or dtype") {
    const Variable row = Variable(t).value().reshape({1, n});
    CHECK((exp(row) + ones({2, 1})).shape() == Shape{2, n});
    CHECK((exp(row) < 1.0).dtype() == bool_);
  }
  CHECK(equal(t.value(), copy));
}

TEST_CASE("A reverse pass overwrites none of the cotangents that are asked for", "[reuse]") {
  const Tensor at = numbers(-2, 2);
  Tape tape;
  const Variable x = tape.watch(at), h = sigmoid(x), y = tanh(h), z = y * y + h;
  const auto gradient = [&](const Variable& to, std::vector<Variable> wrt) {
    return tape.backward(sum(z), {.retain = true, .wrt = std::move(wrt)})[to].value();
  };
  const Tensor of_x = gradient(x, {x}), of_h = gradient(h, {h}), of_y = gradient(y, {y});
  const Gradients all = tape.backward(sum(z), {.retain = true, .wrt = {x, h, y}});
  CHECK(equal(all[x].value(), of_x));
  CHECK(equal(all[h].value(), of_h));
  CHECK(equal(all[y].value(), of_y));

  const Variable seed = numbers(1, 3);
  const Tensor before = numbers(1, 3);
  const Tensor first = tape.backward(y, {.seed = seed, .retain = true})[x].value();
  CHECK(equal(seed.value(), before));
  CHECK(equal(tape.backward(y, {.seed = seed})[x].value(), first));
}

TEST_CASE("The cotangent of a sum goes to all of its terms", "[reuse]") {
  const Tensor at = numbers(-1, 1);
  Tape tape;
  const Variable x = tape.watch(at);
  const Variable s = sigmoid(x), t = tanh(x);
  const Tensor found = tape.backward(sum(s + t + s * t))[x].value();
  const auto slope = [](auto v) {
    const auto a = sigmoid(v), b = tanh(v);
    return a * (1 - a) * (1 + b) + (1 - b * b) * (1 + a);
  };
  CHECK(allclose(found, slope(Variable(at)).value(), 1e-5, 1e-6));
}
