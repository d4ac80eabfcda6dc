#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <gradient_of.hpp>
#include <vector>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/ops.hpp>

using namespace xgrad;

TEST_CASE("Gradients are found by parameter and by variable", "[gradients]") {
  const Parameter w("w", tensor({1, 2})), unused("unused", zeros({3, 4}, float64));
  Tape tape;
  const Variable x = tape.watch(tensor({3, 4}), "x"), other = tape.watch(zeros({5}), "other");
  const Variable y = x * w;
  const Gradients grad = tape.backward(sum(y));
  CHECK(equal(grad[w].value(), tensor({3, 4})));
  CHECK(equal(grad[x].value(), tensor({1, 2})));
  CHECK(grad.find(w) == &grad[w]);
  CHECK(grad.find(x) == &grad[x]);
  CHECK(equal(grad[Variable(w)].value(), tensor({3, 4})));  // a parameter's leaf is a variable, too

  CHECK(grad.find(unused) == nullptr);
  CHECK(grad.find(other) == nullptr);
  CHECK(grad.find(y) == nullptr);
  CHECK(grad.find(Variable(1.0)) == nullptr);

  CHECK(equal(grad.or_zeros(w).value(), tensor({3, 4})));
  CHECK(equal(grad.or_zeros(x).value(), tensor({1, 2})));
  CHECK(equal(grad.or_zeros(unused).value(), zeros({3, 4}, float64)));
  CHECK(equal(grad.or_zeros(other).value(), zeros({5})));
  CHECK(equal(grad.or_zeros(Variable(scalar(1, float64))).value(), scalar(0, float64)));
}

TEST_CASE("A gradient that is not there is an error with a name", "[gradients]") {
  const Parameter w("w", tensor({1, 2})), unused("b2", zeros({3, 4}));
  Tape tape;
  const Variable other = tape.watch(zeros({5}), "other"), y = w * 2;
  const Gradients grad = tape.backward(sum(y));
  CHECK(complaint<GraphError>([&] { grad[unused]; }) ==
        "Gradients: the result does not depend on parameter b2 (3, 4); use find() or or_zeros() if that is "
        "meant to be possible");
  CHECK(complaint<GraphError>([&] { grad[other]; }) ==
        "Gradients: no gradient for variable other (5,): the result does not depend on it, or it is not a "
        "leaf and was not named in wrt");
  CHECK(complaint<GraphError>([&] { grad[y]; }) ==
        "Gradients: no gradient for variable (2,): the result does not depend on it, or it is not a leaf and "
        "was not named in wrt");
  CHECK(complaint<GraphError>([&] {
          grad[Variable(ones({2, 3}))];
        }) == "Gradients: the variable (2, 3) is a constant; tape.watch(x) gives one whose gradient is kept");
}

TEST_CASE("Entries stand in the order of first use", "[gradients]") {
  const Parameter a("a", 1.0), b("b", 2.0), c("c", 3.0);
  Tape tape;
  const Variable x = tape.watch(scalar(1), "x");
  const Variable first = c * x, second = b + 0, third = a * second;
  const Gradients grad = tape.backward(first + third * c);
  std::vector<std::string> names;
  for (const auto& entry : grad.entries()) names.push_back(entry.name());
  CHECK(names == std::vector<std::string>{"x", "c", "b", "a"});
  CHECK_FALSE(grad.entries()[0].parameter);
  CHECK(grad.entries()[1].parameter->same_as(c));
}

TEST_CASE("Gradients add up", "[gradients]") {
  const Parameter w("w", tensor({1, 2})), v("v", tensor({3, 4}));
  const auto run = [&](bool uses_v) {
    Tape tape;
    return tape.backward(uses_v ? sum(w * v) : sum(w * w));
  };
  Gradients total = run(false);
  const Gradients first = total, second = run(true);
  total += second;
  CHECK(total.size() == 2);
  CHECK(equal(total[w].value(), tensor({5, 8})));
  CHECK(equal(total[v].value(), tensor({1, 2})));
  CHECK(equal(first[w].value(), tensor({2, 4})));  // the summands stay as they were
  CHECK(equal(second[w].value(), tensor({3, 4})));
  total += Gradients();
  CHECK(total.size() == 2);
  Gradients empty;
  (empty += second) += second;
  CHECK(equal(empty[w].value(), tensor({6, 8})));
  total += total;
  CHECK(equal(total[w].value(), tensor({10, 16})));
}

TEST_CASE("Variables' gradients are matched by their place", "[gradients]") {
  Tape tape;
  const Variable x = tape.watch(scalar(2)), y = tape.watch(scalar(3));
  Gradients total = tape.backward(x * x);
  total += tape.backward(x * y);
  CHECK(total.size() == 2);
  CHECK(total[x].item() == 7);
  CHECK(total[y].item() == 2);
  Tape other;
  const Variable z = other.watch(scalar(2));
  total += other.backward(z * z);
  CHECK(total.size() == 3);
  CHECK(total[x].item() == 7);
  CHECK(total[z].item() == 4);
}

TEST_CASE("Gradients that do not fit are not added", "[gradients]") {
  const Parameter w("w", tensor({1, 2})), v("v", tensor({1, 2}));
  Gradients total = of(v, tensor({1, 1}));
  total += of(w, tensor({3, 4}));
  Gradients wrong = of(v, tensor({1, 1}));
  wrong += of(w, ones({2, 1}));
  CHECK(complaint<ShapeError>([&] { total += wrong; }) ==
        "Gradients: the gradients of w differ in shape: (2,) and (2, 1)");
  wrong = of(v, tensor({1, 1}));
  wrong += of(w, ones({2}, float64));
  CHECK(complaint<DTypeError>([&] { total += wrong; }) ==
        "Gradients: the gradients of w differ in dtype: float32 and float64");
  CHECK(total.size() == 2);
  CHECK(equal(total[v].value(), tensor({1, 1})));
  CHECK(equal(total[w].value(), tensor({3, 4})));
}
