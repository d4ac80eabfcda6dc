#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <stdexcept>
#include <vector>
#include <xgrad/autograd/parameter.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

void fill(Tensor& tensor, float value) {
  auto* p = detail::mutable_data<float>(tensor);
  for (std::int64_t i = 0; i < tensor.size(); ++i) p[i] = value;
}

}  // namespace

TEST_CASE("A parameter has a name, a value and an identity", "[parameter]") {
  Parameter w("w", tensor({1, 2}));
  CHECK(w.name() == "w");
  CHECK(w.shape() == Shape{2});
  CHECK(w.dtype() == float32);
  CHECK(w.version() == 0);
  Parameter copy = w;
  const Parameter other("w", tensor({1, 2}));
  CHECK(copy.same_as(w));
  CHECK(copy.id() == w.id());
  CHECK_FALSE(other.same_as(w));
  copy.set_name("weight");
  copy.set(tensor({3, 4}));
  CHECK(w.name() == "weight");
  CHECK(equal(w.value(), tensor({3, 4})));
  CHECK(w.version() == 1);
  CHECK(Parameter("b", 0.5).shape() == Shape{});
  CHECK(Parameter("b", 0.5).dtype() == float32);
  CHECK(Parameter("b", 1, float64).value().item() == 1);
}

TEST_CASE("A parameter is floating", "[parameter]") {
  const std::string text =
      "Parameter n: only float32 and float64 have derivatives, not int64; convert the value with "
      "astype(float32)";
  CHECK(complaint<DTypeError>([] { Parameter("n", zeros({2}, int64)); }) == text);
  CHECK_THROWS_AS(Parameter("n", zeros({2}, bool_)), DTypeError);
  Parameter n("n", zeros({2}));
  CHECK(complaint<DTypeError>([&] { n.cast(int64); }) == text);
  CHECK(n.version() == 0);
}

TEST_CASE("set keeps shape and dtype", "[parameter]") {
  Parameter w("w", tensor({1, 2}));
  CHECK(complaint<ShapeError>([&] {
          w.set(zeros({2, 1}));
        }) == "Parameter w: set: the shape differs: (2,) to (2, 1)");
  CHECK(complaint<DTypeError>([&] { w.set(zeros({2}, float64)); }) ==
        "Parameter w: set: the dtype differs: float32 to float64; use cast to change it");
  CHECK(w.version() == 0);
  CHECK(equal(w.value(), tensor({1, 2})));
}

TEST_CASE("cast rebuilds a parameter in another precision", "[parameter]") {
  Parameter w("w", tensor({0.1, 2}));
  w.cast(float64);
  CHECK(w.dtype() == float64);
  CHECK(w.version() == 1);
  CHECK(w.value().at({0}) == static_cast<double>(0.1F));
  w.cast(float32);
  CHECK(equal(w.value(), tensor({0.1, 2})));
}

TEST_CASE("update writes in place when nobody else holds the value", "[parameter]") {
  Parameter w("w", tensor({1, 2}));
  const void* memory = w.value().raw();
  w.update([](Tensor& p) { fill(p, 5); });
  CHECK(w.value().raw() == memory);
  CHECK(w.version() == 1);
  CHECK(equal(w.value(), tensor({5, 5})));

  // Once a training step is over, its gradients do not hold the value either.
  {
    Tape tape;
    const Gradients grad = tape.backward(sum(w * w));
    w.update([](Tensor& p) { fill(p, 6); });
    CHECK(w.value().raw() == memory);
    CHECK(equal(grad[w].value(), tensor({10, 10})));
  }
  CHECK(w.version() == 2);
}

TEST_CASE("update copies when somebody holds the value", "[parameter]") {
  Parameter w("w", tensor({1, 2}));
  const Tensor held = w.value();
  w.update([](Tensor& p) {
    CHECK(equal(p, tensor({1, 2})));  // it begins as a copy
    fill(p, 5);
  });
  CHECK(equal(held, tensor({1, 2})));
  CHECK(equal(w.value(), tensor({5, 5})));
  CHECK_FALSE(w.value().shares_storage(held));
  CHECK(w.version() == 1);
}

TEST_CASE("If an update throws, a shared value stays as it was", "[parameter]") {
  Parameter w("w", tensor({1, 2}));
  const Tensor held = w.value();
  CHECK_THROWS_AS(w.update([](Tensor& p) {
    fill(p, 5);
    throw std::runtime_error("no");
  }),
                  std::runtime_error);
  CHECK(equal(w.value(), tensor({1, 2})));
  CHECK(w.value().shares_storage(held));
  CHECK(w.version() == 0);
}

TEST_CASE("An empty parameter can be updated", "[parameter]") {
  Parameter w("w", zeros({0, 3}));
  const Tensor held = w.value();
  w.update([](Tensor&) {});
  CHECK(w.version() == 1);
  CHECK(w.shape() == Shape{0, 3});
}

TEST_CASE("An old graph keeps giving old derivatives", "[parameter]") {
  const int way = GENERATE(0, 1, 2);
  Parameter w("w", tensor({1, 2}));
  const Tensor c = tensor({10, 20});
  Tape tape;
  const Variable old = sum(w * w * c);
  if (way == 0) w.set(tensor({7, 8}));
  if (way == 1) w.update([](Tensor& p) { fill(p, 9); });
  if (way == 2) w.cast(float64);
  const Gradients grad = tape.backward(old, {.retain = true});
  CHECK(equal(grad[w].value(), tensor({20, 80})));
  CHECK(old.item() == 90);
  CHECK(equal(tape.backward(old)[w].value(), tensor({20, 80})));
}

TEST_CASE("Gradients of a parameter before and after an update add up", "[parameter]") {
  Parameter w("w", scalar(3));
  Tape tape;
  const Variable before = w * w;
  w.set(scalar(5));
  const Variable y = before + w * w;
  CHECK(y.item() == 34);
  const Gradients grad = tape.backward(y);
  CHECK(grad.size() == 1);
  CHECK(grad[w].item() == 16);
}
