// The edges of reductions, products of matrices and conversions.
#include <threads_scope.hpp>
#include <xgrad/tensor/xtensor.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xview.hpp>

#include "edges.hpp"

using namespace edges;

namespace {

// What is freed next to be handed out again holds NaN.
void spoil_pool(std::int64_t elements) {
  std::vector<Tensor> held;
  for (int i = 0; i < 8; ++i) held.push_back(full({elements}, NaN));
}

}  // namespace

TEST_CASE("edge: norms of 0 have slope 0, their formula written out has none", "[edge][simd]") {
  for (double p : {1.0, 2.0, 3.0, Inf}) {
    INFO("p = " << p);
    const Curve c = curve([=](const Variable& x) { return norm(x, p); }, {0, 0, 0});
    CHECK(c.y == Doubles{0});
    CHECK(c.slope == Doubles{0, 0, 0});
  }
  CHECK(all_nan(curve([](const Variable& x) { return sqrt(sum(x * x)); }, {0, 0, 0}).slope));
}

TEST_CASE("edge: ties of a maximum share", "[edge][simd]") {
  const Doubles x{3, 1, 3, 3};
  const Doubles thirds(1, static_cast<double>(1.0F / 3));
  const Doubles even{thirds[0], 0, thirds[0], thirds[0]};
  CHECK(curve([](const Variable& v) { return max(v); }, x).slope == even);
  CHECK(curve([](const Variable& v) { return amax(v); }, x).slope == even);
  CHECK(curve([](const Variable& v) { return max(v, 0); }, x).slope == even);
  CHECK(curve([](const Variable& v) { return min(-v); }, x).slope ==
        Doubles{-even[0], -0.0, -even[0], -even[0]});
  const Result two = run([](const Variables& v) { return maximum(v[0], v[1]); }, {tensor({2}), tensor({2})});
  CHECK(doubles(two.gradients[0]) == Doubles{0.5});
  CHECK(doubles(two.gradients[1]) == Doubles{0.5});
}

TEST_CASE("edge: a NaN is the maximum, and the first one its place", "[edge][simd]") {
  for (std::int64_t n : {4, 40}) {
    for (std::int64_t at : {std::int64_t{0}, std::int64_t{2}, n - 2}) {
      Doubles values(static_cast<std::size_t>(n), 1.0);
      values[static_cast<std::size_t>(at)] = NaN;
      values.back() = NaN;
      values[1] = at == 1 ? NaN : 7;
      const Tensor x = Tensor(Shape{n}, values).astype(float32);
      CHECK(std::isnan(max(x).item()));
      CHECK(std::isnan(min(x).item()));
      CHECK(argmax(x).item<std::int64_t>() == at);
      CHECK(argmin(x).item<std::int64_t>() == at);
    }
  }
}

TEST_CASE("edge: softmax of far numbers is exact", "[edge][simd]") {
  const auto f = [](const Variable& x) { return softmax(x); };
  const Curve far = curve(f, {1000, 0, -1000}), most = curve(f, {3e38, -3e38});
  CHECK(far.y == Doubles{1, 0, 0});
  CHECK(most.y == Doubles{1, 0});
  CHECK(all_finite(far.slope));
  CHECK(all_finite(most.slope));
}

TEST_CASE("edge: softmax and logsumexp of infinities", "[edge][simd]") {
  CHECK(std::isnan(doubles(softmax(tensor({Inf, 0})))[0]));
  CHECK(all_nan(doubles(softmax(tensor({-Inf, -Inf})))));
  const Curve nothing = curve([](const Variable& x) { return logsumexp(x); }, {-Inf, -Inf});
  CHECK(nothing.y == Doubles{-Inf});
  CHECK(nothing.slope == Doubles{0, 0});
  const Tensor mask = tensor({{1, 0}, {0, 0}}, bool_);
  const Result masked =
      run([&](const Variables& x) { return masked_softmax(x[0], mask); }, {tensor({{5, NaN}, {-Inf, Inf}})});
  CHECK(doubles(masked.value) == Doubles{1, 0, 0, 0});
  CHECK(doubles(masked.gradients[0]) == Doubles{0, 0, 0, 0});
}

TEST_CASE("edge: products through zeros", "[edge][simd]") {
  const auto f = [](const Variable& x) { return prod(x); };
  CHECK(curve(f, {0, 2, 3}).slope == Doubles{6, 0, 0});
  CHECK(curve(f, {0, 0, 3}).slope == Doubles{0, 0, 0});
}

TEST_CASE("edge: the spread of one element, and of equal ones", "[edge][simd]") {
  const Tensor one = tensor({3});
  const std::string deviation = message<ShapeError>([&] { xgrad::std(one, {}, {.correction = 1}); });
  const std::string variance = message<ShapeError>([&] { var(one, {}, {.correction = 2}); });
  const int line = __LINE__ - 1;
  CHECK(deviation == "std: the correction 1 leaves nothing of 1 element: (1,); one element has no spread" +
                         at_line(__FILE__, line - 1));
  CHECK(variance == "var: the correction 2 leaves nothing of 1 element: (1,)" + at_line(__FILE__, line));
  for (const Doubles& x : {Doubles{3}, Doubles(7, 0.1)}) {
    for (double correction : {0.0, 0.5}) {
      const Curve s = curve([=](const Variable&v) { return xgrad::std(v, {}, {.correction = correction}); },
                            x),
                  v = curve([=](const Variable&u) { return var(u, {}, {.correction = correction}); }, x);
      CHECK(s.y == Doubles{0});
      CHECK(v.y == Doubles{0});
      CHECK(s.slope == Doubles(x.size(), 0.0));
      CHECK(v.slope == Doubles(x.size(), 0.0));
    }
  }
}

TEST_CASE("edge: 0 times infinity and NaN in matrix products", "[edge][simd]") {
  for (double bad : {Inf, NaN}) {
    for (std::int64_t n : {1, 2, 5, 40}) {  // gemv, small and large kernels
      INFO(bad << ", " << n);
      const Tensor a = full({n, n}, bad), zero = zeros({n, n});
      CHECK(all_nan(doubles(matmul(a, zero))));
      CHECK(all_nan(doubles(matmul(zero, a))));
      CHECK(all_nan(doubles(matmul(zero, full({n}, bad)))));
      CHECK(all_nan(doubles(matmul(full({n}, bad), zero))));
      CHECK(all_nan(doubles(scale_gradient(full({n}, bad), 0) * 0)));
      // A cotangent of 0 does not hide it either.
      const Result r = run([&](const Variables& x) { return matmul(x[0], a) * 0; }, {zero});
      CHECK(all_nan(doubles(r.gradients[0])));
    }
  }
}

TEST_CASE("edge: a product overwrites what its memory held", "[edge][simd]") {
  for (std::int64_t n : {1, 3, 17, 64, 200}) {
    spoil_pool(n * n);
    const Tensor a = ones({n, n}), v = ones({n});
    CHECK(all_finite(doubles(matmul(a, a))));
    spoil_pool(n);
    CHECK(doubles(matmul(a, v)) == Doubles(static_cast<std::size_t>(n), static_cast<double>(n)));
    spoil_pool(n * n);
    const Result r = run([](const Variables& x) { return matmul(x[0], x[0]); }, {a});
    CHECK(doubles(r.gradients[0]) == Doubles(static_cast<std::size_t>(n * n), 2.0 * static_cast<double>(n)));
  }
}

TEST_CASE("edge: nothing to reduce", "[edge][simd]") {
  for (DType dtype : {float32, float64}) {
    const Tensor none = zeros({0, 3}, dtype);
    CHECK(sum(none).item() == 0);
    CHECK(doubles(sum(none, 0)) == Doubles{0, 0, 0});
    CHECK(prod(none).item() == 1);
    CHECK(std::isnan(mean(none).item()));
    CHECK(all_nan(doubles(mean(none, 0))));
    CHECK(softmax(none).shape() == Shape{0, 3});
    CHECK(max(none, 1).shape() == Shape{0});
    const std::string no_max = message<ShapeError>([&] { max(none, 0); });
    const std::string no_min = message<ShapeError>([&] { min(none); });
    const int line = __LINE__ - 1;
    CHECK(no_max == "max: the maximum of no elements: (0, 3)" + at_line(__FILE__, line - 1));
    CHECK(no_min == "min: the minimum of no elements: (0, 3)" + at_line(__FILE__, line));
    const Result product = run([](const Variables& x) { return matmul(x[0], x[1]); },
                               {zeros({3, 0}, dtype), zeros({0, 4}, dtype)});
    CHECK(equal(product.value.value(), zeros({3, 4}, dtype)));
    CHECK(product.gradients[0].shape() == Shape{3, 0});
    for (const Function& f : {Function([](const Variables& x) { return sum(x[0]); }),
                              Function([](const Variables& x) { return mean(x[0]); }),
                              Function([](const Variables& x) { return prod(x[0]); })}) {
      CHECK(run(f, {none}).gradients[0].shape() == Shape{0, 3});
    }
  }
}

TEST_CASE("edge: float32 sums stay right, and are the same with any number of threads", "[edge][simd]") {
  // A running sum of ones stops at 16,777,216, one of 0.1f is 9 % off after 10^7.
  constexpr std::int64_t many = std::int64_t{1} << 26, n = 10'000'000;
  const Tensor one = ones({many}), tenth = full({n}, 0.1F);
  CHECK(sum(one).item() == many);
  CHECK(mean(one).item() == 1);
  CHECK(std::abs(sum(tenth).item() / (static_cast<double>(n) * 0.1F) - 1) <= 1e-6);
  Generator random(5);
  const Tensor x = normal({1 << 20}, random), rows = x.reshape({1 << 10, 1 << 10});
  std::vector<Doubles> seen;
  for (int threads : {1, 2, 3}) {
    const Threads scope(threads);
    Doubles all = doubles(sum(rows, 0));
    for (const Variable& y : {sum(x), sum_squares(x), logsumexp(x), mean(rows), var(x)})
      all.push_back(y.item());
    seen.push_back(all);
  }
  CHECK(seen[0] == seen[1]);
  CHECK(seen[0] == seen[2]);
}

TEST_CASE("edge: no result shares what may be written", "[edge]") {
  const Variable x = tensor({{1, 2, 3}, {4, 5, 6}});
  const Tensor before = x.value(), copy = tensor({{1, 2, 3}, {4, 5, 6}});
  Variable y = x;
  y += y;
  y *= transpose(transpose(y));
  CHECK(equal(before, copy));
  const Variable shifted = concat({slice(x, 1, {1, 3}), slice(x, 1, {0, 1})}, 1);
  CHECK(equal(shifted.value(), tensor({{2, 3, 1}, {5, 6, 4}})));
  // A tensor that is operand, index source and update at once.
  const Variable added = index_add(x, tensor({1, 0}, int64), x);
  CHECK(equal(added.value(), tensor({{5, 7, 9}, {5, 7, 9}})));
  // A repeated view has room of its own for each copy.
  const Variable wide = broadcast_to(slice(x, 0, {0, 1}), {2, 3});
  CHECK(equal((wide + x).value(), tensor({{2, 4, 6}, {5, 7, 9}})));
  CHECK(equal(before, copy));
  CHECK(equal(matmul(x, x, {.b = true}).value(), tensor({{14, 32}, {32, 77}})));
}

TEST_CASE("edge: every layout of xtensor is copied right", "[edge]") {
  // The same for each element type in tests/tensor/xtensor_test.cpp.
  const xt::xarray<float> a = xt::arange<float>(24).reshape({4, 6});
  const auto check = [](const char* layout, const auto& e, const Tensor& expected) {
    INFO(layout);
    CHECK(equal(Tensor(e), expected));
    Tape tape;
    const Variable leaf = tape.watch(e);
    CHECK(equal(tape.backward(sum(leaf * e))[leaf].value(), expected));
  };
  const auto table = [](std::int64_t rows, std::int64_t columns, auto element) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) values.push_back(static_cast<float>(element(i, j)));
    }
    return Tensor(Shape{rows, columns}, values);
  };
  using xt::placeholders::_;
  check("contiguous", a, table(4, 6, [](auto i, auto j) { return 6 * i + j; }));
  check("transposed", xt::transpose(a), table(6, 4, [](auto i, auto j) { return 6 * j + i; }));
  check("column-major", xt::xarray<float, xt::layout_type::column_major>(a),
        table(4, 6, [](auto i, auto j) { return 6 * i + j; }));
  check("a part", xt::view(a, xt::range(1, 3), xt::range(2, 5)),
        table(2, 3, [](auto i, auto j) { return 6 * (i + 1) + j + 2; }));
  check("every second", xt::view(a, xt::range(0, 4, 2), xt::range(1, 6, 2)),
        table(2, 3, [](auto i, auto j) { return 12 * i + 2 * j + 1; }));
  check("backwards", xt::view(a, xt::range(_, _, -1), xt::all()),
        table(4, 6, [](auto i, auto j) { return 6 * (3 - i) + j; }));
  check("flipped", xt::flip(a, 1), table(4, 6, [](auto i, auto j) { return 6 * i + 5 - j; }));
  check("one row for all", xt::broadcast(xt::view(a, 1, xt::all()), {3, 6}),
        table(3, 6, [](auto, auto j) { return 6 + j; }));
  check("stride 0",
        xt::adapt(a.data(), 4, xt::no_ownership(), std::vector<std::size_t>{2, 2},
                  std::vector<std::ptrdiff_t>{0, 1}),
        table(2, 2, [](auto, auto j) { return j; }));
  check("lazy", a * 2 + 1, table(4, 6, [](auto i, auto j) { return 2 * (6 * i + j) + 1; }));
}
