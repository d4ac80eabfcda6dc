// The edges of losses: saturated and impossible probabilities, large and infinite logits, labels, shapes.
#include "edges.hpp"

using namespace edges;

TEST_CASE("edge: binary cross entropy of 0, 1 and what is no probability", "[edge][simd]") {
  const auto f = [](const Variables& x) { return binary_cross_entropy(x[0], x[1]); };
  const Result r = run(f, {tensor({0, 1, tiny}), tensor({1, 0, 1})});
  CHECK(doubles(r.value) == Doubles{100, 100, 100});
  CHECK(r.gradients[0].at({0}) == Approx(-1e12));
  CHECK(r.gradients[0].at({1}) == Approx(1e12));
  for (double bad : {1.1, -0.5, NaN}) {
    const Tensor a = tensor({{0.5, 0.5}, {bad, bad}});
    const std::string text = message<Error>([&] { binary_cross_entropy(a, zeros({2, 2})); });
    const int line = __LINE__ - 1;
    CHECK(text == "binary_cross_entropy: a probability is outside [0, 1]: " + std::to_string(a.at({1, 0})) +
                      " at (1, 0) of (2, 2); apply sigmoid, or use binary_cross_entropy_with_logits" +
                      at_line(__FILE__, line));
  }
}

TEST_CASE("edge: binary cross entropy of large and infinite logits", "[edge][simd]") {
  const auto f = [](const Variables& x) { return binary_cross_entropy_with_logits(x[0], x[1]); };
  const Result far = run(f, {tensor({1e4, -1e4, 1e4, -1e4}), tensor({1, 0, 0, 1})});
  CHECK(doubles(far.value) == Doubles{0, 0, 1e4, 1e4});
  CHECK(doubles(far.gradients[0]) == Doubles{0, 0, 1, -1});
  const Result infinite = run(f, {tensor({Inf, -Inf, Inf, -Inf}), tensor({1, 0, 0, 1})});
  CHECK(doubles(infinite.value) == Doubles{0, 0, Inf, Inf});
  CHECK(doubles(infinite.gradients[0]) == Doubles{0, 0, 1, -1});
}

TEST_CASE("edge: cross entropy of a wrong class far away, and of a class that is none", "[edge][simd]") {
  const auto f = [](const Variables& x) { return softmax_cross_entropy(x[0], tensor({1}, int64)); };
  const Result r = run(f, {tensor({{1e4, -1e4}})});
  CHECK(r.value.item() == 20000);
  CHECK(doubles(r.gradients[0]) == Doubles{1, -1});
  for (std::int64_t label : {2, -1, -100}) {
    const Tensor labels = tensor({0, static_cast<double>(label), 1}, int64);
    const std::string text = message<Error>([&] { softmax_cross_entropy(zeros({3, 2}), labels); });
    const int line = __LINE__ - 1;
    CHECK(text == "softmax_cross_entropy: label " + std::to_string(label) + " of example 1 is not in [0, 2)" +
                      at_line(__FILE__, line));
  }
}

TEST_CASE("edge: cross entropy of no rows is no number to be reduced by chance", "[edge]") {
  // One loss for each row, so for no rows none; what that means is said by the reduction that is written.
  const Variable none = softmax_cross_entropy(zeros({0, 3}), zeros({0}, int64));
  CHECK(none.shape() == Shape{0});
  CHECK(sum(none).item() == 0);
  CHECK(std::isnan(mean(none).item()));
}

TEST_CASE("edge: a prediction (N,) and a target (N, 1) are no pair", "[edge]") {
  const Tensor a = full({4}, 0.5), y = zeros({4, 1});
  using Loss = Variable (*)(const Tensor&, const Tensor&);
  const std::pair<const char*, Loss> losses[] = {
      {"squared_error", [](const Tensor& p, const Tensor& t) { return squared_error(p, t); }},
      {"binary_cross_entropy", [](const Tensor& p, const Tensor& t) { return binary_cross_entropy(p, t); }},
      {"binary_cross_entropy_with_logits",
       [](const Tensor& p, const Tensor& t) { return binary_cross_entropy_with_logits(p, t); }},
  };
  for (const auto& [name, loss] : losses) {
    CHECK(message<ShapeError>([&] { loss(a, y); })
              .find(std::string(name) + ": the prediction (4,) and the target (4, 1) differ in shape; "
                                        "reshape one of them (at loss_test.cpp:") == 0);
    CHECK(message<ShapeError>([&] { loss(y, a); })
              .find(std::string(name) + ": the prediction (4, 1) and the target (4,) differ in shape; "
                                        "reshape one of them (at loss_test.cpp:") == 0);
  }
}
