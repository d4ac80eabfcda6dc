// Products, and what is counted: gradients through zeros, dtypes, no elements.
#include "reduction_checks.hpp"

using namespace checks;

TEST_CASE("products: the gradient of a product through zeros", "[ops][simd]") {
  const auto f = [](const Variables& x) { return prod(x[0]); };
  for (bool recorded : {false, true}) {
    CHECK(doubles(run(f, {tensor({2, 3, 4}, float64)}, recorded).gradients[0]) == Doubles{12, 8, 6});
    CHECK(doubles(run(f, {tensor({0, 2, 3}, float64)}, recorded).gradients[0]) == Doubles{6, 0, 0});
    CHECK(doubles(run(f, {tensor({0, 2, 0}, float64)}, recorded).gradients[0]) == Doubles{0, 0, 0});
    CHECK(doubles(run(f, {tensor({0, 0, 0}, float64)}, recorded).gradients[0]) == Doubles{0, 0, 0});
    CHECK(doubles(run(f, {scalar(0, float64)}, recorded).gradients[0]) == Doubles{1});
    // Nothing is divided, so tiny factors are exact.
    CHECK(doubles(run(f, {tensor({1e-300, 1e-200, 2}, float64)}, recorded).gradients[0]) ==
          Doubles{2e-200, 2e-300, 0});
  }
  // Of two zeros only the second derivative is not 0, and of three nothing: the sum's slopes of 1 show that all is checked.
  const auto beside_sum = [&](const Variables& x) { return f(x) + sum(x[0]); };
  check_slopes(f, tensor({0, 2, 3}, float64));
  for (const Tensor& x : {tensor({0, 2, 0, 5}, float64), tensor({0, 0, 0}, float64)}) {
    check_slopes(beside_sum, x);
  }
  const Tensor grid = tensor({{0, 2, 3}, {4, 0, 6}, {1, -1, 2}}, float64);
  for (const Axes& axes : {Axes{0}, Axes{1}, Axes{0, 1}}) {
    check_slopes([axes](const Variables& x) { return prod(x[0], axes, true) + mean(x[0], axes, true); },
                 grid);
    check_replay([axes](const Variable& x) { return prod(x, axes); },
                 {grid, grid, tensor({{1, 2, 3}, {0, 5, 0}, {7, 0, 9}}, float64)});
  }
  const Tensor cube = spread_out({2, 3, 4});
  check_slopes([](const Variables& x) { return prod(reshape(x[0], {2, 3, 4}), {0, 2}); }, cube);
  // By both zeros of two, the second derivative is the product of the rest.
  Tape tape;
  const Variable x = tape.watch(tensor({0, 5, 0}, float64));
  const Variable g = tape.backward(prod(x), {.create_graph = true})[x];
  CHECK(doubles(tape.backward(sum(g * tensor({1, 0, 0}, float64)))[x]) == Doubles{0, 0, 5});
}

TEST_CASE("products: products, counts and truths of other kinds", "[ops][simd]") {
  CHECK(prod(tensor({2, 3}, int64)).dtype() == int64);
  CHECK(prod(tensor({1, 1, 0}, bool_)).dtype() == int64);
  CHECK(prod(tensor({2, NaN, 0})).shape() == Shape{});
  CHECK(std::isnan(prod(tensor({2, NaN, 0})).item()));
  CHECK(prod(zeros({0})).item() == 1);
  CHECK(doubles(prod(zeros({2, 0}), 1)) == Doubles{1, 1});
  CHECK(run([](const Variables& x) { return prod(x[0], 0); }, {zeros({0, 2})}).gradients[0].shape() ==
        Shape{0, 2});

  for (DType dtype : {float32, float64, int64, bool_}) {
    const Tensor x = tensor({{1, 0, 1}, {0, 0, 0}, {1, 1, 1}}, dtype);
    CHECK(any(x).dtype() == bool_);
    CHECK(doubles(any(x, 1)) == Doubles{1, 0, 1});
    CHECK(doubles(all(x, -1)) == Doubles{0, 0, 1});
    CHECK(all(x, 1, true).shape() == Shape{3, 1});
    CHECK(count_nonzero(x).dtype() == int64);
    CHECK(count_nonzero(x).item() == 5);
    CHECK(doubles(count_nonzero(x, 0)) == Doubles{2, 1, 2});
    CHECK(count_nonzero(x, Axes{std::vector<int>{}}).shape() == Shape{3, 3});
  }
  CHECK_FALSE(any(zeros({0})).item<bool>());
  CHECK(all(zeros({0})).item<bool>());
  CHECK(doubles(all(zeros({2, 0}), 1)) == Doubles{1, 1});
  CHECK(any(tensor({0, NaN})).item<bool>());
  CHECK(all(true).item<bool>());
  CHECK_THROWS_AS(any(tensor({1, 2}), 1), ShapeError);
  CHECK_THROWS_AS(amax(zeros({0})), ShapeError);
  CHECK(message<ShapeError>([] {
          amin(zeros({0, 2}), 0);
        }).find("amin: the minimum of no elements: (0, 2) (at ") == 0);
  Tape tape;
  CHECK(any(tape.watch(ones({2}))).is_constant());
}
