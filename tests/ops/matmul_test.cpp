// Products against loops: all flags, vectors, empty sides, dtypes, gradients.
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/threads.hpp>

#include "checks.hpp"
#include "push.hpp"

using namespace checks;

namespace {

Tensor counting(const Shape& shape, DType dtype = float64) {
  Doubles values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i * 5) % 7) - 3;
  return Tensor(shape, values).astype(dtype);
}

// op(a) op(b) of matrices, element by element.
Doubles loops(const Tensor& a, const Tensor& b, Transposed t) {
  const std::int64_t m = a.shape()[t.a ? 1 : 0], k = a.shape()[t.a ? 0 : 1], n = b.shape()[t.b ? 0 : 1];
  Doubles c;
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double total = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        total += a.at({t.a ? p : i, t.a ? i : p}) * b.at({t.b ? j : p, t.b ? p : j});
      }
      c.push_back(total);
    }
  }
  return c;
}

constexpr Transposed all_flags[] = {{false, false}, {true, false}, {false, true}, {true, true}};

}  // namespace

TEST_CASE("matmul: every flag and size against loops", "[ops]") {
  for (DType dtype : {float32, float64, int64}) {
    for (std::int64_t m : {0, 1, 2, 5}) {
      for (std::int64_t k : {0, 1, 3, 8}) {
        for (std::int64_t n : {0, 1, 2, 17}) {
          for (Transposed t : all_flags) {
            INFO(name(dtype) << " " << m << " " << k << " " << n << " " << t.a << t.b);
            const Tensor a = counting(t.a ? Shape{k, m} : Shape{m, k}, dtype),
                         b = counting(t.b ? Shape{n, k} : Shape{k, n}, dtype);
            const Variable c = matmul(a, b, t);
            CHECK(c.shape() == Shape{m, n});
            CHECK(c.dtype() == dtype);
            CHECK(doubles(c) == loops(a, b, t));
          }
        }
      }
    }
  }
  CHECK(doubles(matmul(zeros({3, 0}), zeros({0, 4}))) == Doubles(12, 0));
}

TEST_CASE("matmul: vectors are rows on the left and columns on the right", "[ops]") {
  const Tensor x = tensor({1, 2, 3}, float64), m = counting({3, 2}), w = counting({2, 3});
  CHECK(matmul(x, m).shape() == Shape{2});
  CHECK(doubles(matmul(x, m)) == loops(x.reshape({1, 3}), m, {}));
  CHECK(matmul(w, x).shape() == Shape{2});
  CHECK(doubles(matmul(w, x)) == loops(w, x.reshape({3, 1}), {}));
  CHECK(doubles(matmul(x, w, {.b = true})) == loops(x.reshape({1, 3}), w, {.b = true}));
  CHECK(doubles(matmul(m, x, {.a = true})) == loops(m, x.reshape({3, 1}), {.a = true}));
  CHECK(matmul(x, x).shape() == Shape{});
  CHECK(matmul(x, x).item() == 14);
  CHECK(matmul(zeros({0}), zeros({0})).item() == 0);
  CHECK_THROWS_AS(matmul(x, m, {.a = true}), ShapeError);
  CHECK_THROWS_AS(matmul(w, x, {.b = true}), ShapeError);
}

TEST_CASE("matmul: gradients of order 1 and 2 through every flag", "[ops]") {
  for (Transposed t : all_flags) {
    INFO(t.a << t.b);
    const Tensor a = counting(t.a ? Shape{3, 2} : Shape{2, 3}), b = counting(t.b ? Shape{4, 3} : Shape{3, 4});
    const GradReport report = gradcheck(
        [t](const Variables& x) {
          const Variable c = matmul(x[0], x[1], t);
          return matmul(square(c), c, {.b = true});
        },
        {a, b}, {.order = 2});
    INFO(to_string(report));
    CHECK(report.passed);
    // d sum(w * ab) / da = w b^T, and so on: against loops.
    const Tensor weights = counting({2, 4});
    const Result result = run([&](const Variables& x) { return matmul(x[0], x[1], t) * weights; }, {a, b});
    const Tensor da = t.a ? Tensor(Shape{3, 2}, loops(b, weights, {t.b, true}))
                          : Tensor(Shape{2, 3}, loops(weights, b, {false, !t.b}));
    const Tensor db = t.b ? Tensor(Shape{4, 3}, loops(weights, a, {true, t.a}))
                          : Tensor(Shape{3, 4}, loops(a, weights, {!t.a, false}));
    CHECK(equal(result.gradients[0], da));
    CHECK(equal(result.gradients[1], db));
  }
  const GradReport square_of_itself =
      gradcheck([](const Variables& x) { return matmul(x[0], matmul(x[0], x[0], {.a = true})); },
                {counting({3, 3})}, {.order = 2});
  INFO(to_string(square_of_itself));
  CHECK(square_of_itself.passed);
}

namespace {

// Each matrix of op(a) op(b) by loops, from operands whose batch axes were repeated.
void check_batches(const Tensor& a, const Tensor& b, const Shape& batch, Transposed t) {
  const auto matrices = [&](const Tensor& x) {
    std::vector<std::int64_t> sizes(batch.begin(), batch.end());
    const std::int64_t m = x.shape()[x.rank() - 2], n = x.shape()[x.rank() - 1];
    sizes.insert(sizes.end(), {m, n});
    return broadcast_to(x, Shape(std::span<const std::int64_t>(sizes))).value().reshape({batch.size(), m, n});
  };
  const auto matrix = [](const Tensor& x, std::int64_t i) {
    return slice(x, 0, {i, i + 1}).value().reshape({x.shape()[1], x.shape()[2]});
  };
  const Tensor all_a = matrices(a), all_b = matrices(b);
  Doubles expected;
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const Doubles c = loops(matrix(all_a, i), matrix(all_b, i), t);
    expected.insert(expected.end(), c.begin(), c.end());
  }
  const Variable c = matmul(a, b, t);
  CHECK(c.rank() == batch.rank() + 2);
  CHECK(doubles(c) == expected);
}

}  // namespace

TEST_CASE("matmul: batches broadcast", "[ops]") {
  struct Batches {
    Shape a, b, both;
  };
  const Batches cases[] = {{{2}, {2}, {2}},
                           {{3}, {}, {3}},
                           {{}, {3}, {3}},
                           {{2, 3}, {3}, {2, 3}},
                           {{2, 1}, {1, 3}, {2, 3}},
                           {{1}, {2, 2}, {2, 2}},
                           {{2, 1, 3}, {4, 1}, {2, 4, 3}},
                           {{0}, {}, {0}},
                           {{2, 0}, {1}, {2, 0}}};
  const auto with = [](const Shape& batch, std::int64_t m, std::int64_t n) {
    std::vector<std::int64_t> sizes(batch.begin(), batch.end());
    sizes.insert(sizes.end(), {m, n});
    return Shape(std::span<const std::int64_t>(sizes));
  };
  for (const auto& [a, b, both] : cases) {
    for (Transposed t : all_flags) {
      for (DType dtype : {float32, float64, int64}) {
        for (std::int64_t k : {0, 1, 3}) {
          INFO(to_string(a) << to_string(b) << t.a << t.b << name(dtype) << " " << k);
          check_batches(counting(t.a ? with(a, k, 2) : with(a, 2, k), dtype),
                        counting(t.b ? with(b, 4, k) : with(b, k, 4), dtype), both, t);
        }
      }
    }
  }
}

TEST_CASE("matmul: vectors beside batches", "[ops]") {
  const Tensor x = counting({3}), m = counting({2, 4, 3, 5}), w = counting({2, 4, 5, 3});
  CHECK(matmul(x, m).shape() == Shape{2, 4, 5});
  CHECK(doubles(matmul(x, m)) == doubles(matmul(x.reshape({1, 3}), m)));
  CHECK(matmul(w, x).shape() == Shape{2, 4, 5});
  CHECK(doubles(matmul(w, x)) == doubles(matmul(w, x.reshape({3, 1}))));
  CHECK(matmul(m, x, {.a = true}).shape() == Shape{2, 4, 5});
  CHECK(doubles(matmul(m, x, {.a = true})) == doubles(matmul(m, x.reshape({3, 1}), {.a = true})));
}

TEST_CASE("matmul: many matrices times one are one product", "[ops]") {
  Tape tape;
  const Variable a = tape.watch(counting({4, 2, 3})), b = tape.watch(counting({3, 5}));
  const Variable c = matmul(a, b);
  const auto count = [&] {
    int products = 0, sums = 0;
    for (std::size_t i = 0; i < tape.size(); ++i) {
      products += std::string(tape.node(i).op) == "matmul";
      sums += std::string(tape.node(i).op) == "sum_to";
      if (std::string(tape.node(i).op) == "matmul") CHECK(tape.node(i).shape.rank() == 2);
    }
    return std::pair(products, sums);
  };
  CHECK(count() == std::pair(1, 0));
  tape.backward(c, {.seed = ones(c.shape(), float64), .create_graph = true});
  CHECK(count() == std::pair(3, 0));
}

TEST_CASE("matmul_add: a bias for each matrix", "[ops]") {
  const Tensor a = counting({2, 3, 4}), b = counting({4, 5});
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{1}, Shape{3, 1}, Shape{2, 1, 5}, Shape{2, 3, 5}}) {
    INFO(to_string(shape));
    const Tensor c = counting(shape);
    CHECK(doubles(matmul_add(a, b, c)) == doubles(matmul(a, b) + c));
  }
  const Result r =
      run([](const Variables& x) { return matmul_add(x[0], x[1], x[2]); }, {a, b, counting({5})});
  CHECK(doubles(r.gradients[2]) == Doubles(5, 6));
}

TEST_CASE("matmul: large batches are the same on every number of threads", "[ops]") {
  const Tensor a = counting({64, 40, 50}, float32), b = counting({64, 50, 40}, float32);
  const int before = num_threads();
  set_num_threads(1);
  const Tensor alone = matmul(a, b).value();
  set_num_threads(2);
  const Tensor shared = matmul(a, b).value();
  set_num_threads(before);
  CHECK(equal(alone, shared));
}

TEST_CASE("matmul: forward mode is the transpose of the reverse pass", "[ops]") {
  for (Transposed t : all_flags) {
    for (std::int64_t batch : {1, 3}) {
      const auto shape = [batch](std::int64_t m, std::int64_t n) {
        return batch == 1 ? Shape{m, n} : Shape{batch, m, n};
      };
      check_push([t](const Variables& x) { return matmul(x[0], x[1], t); },
                 {counting(t.a ? shape(3, 2) : shape(2, 3)), counting(t.b ? Shape{4, 3} : Shape{3, 4})});
    }
  }
  check_push([](const Variables& x) { return matmul_add(x[0], x[1], x[2]); },
             {counting({2, 3}), counting({3, 4}), counting({4})});
}

TEST_CASE("matmul: no transposed copy is recorded", "[ops]") {
  Tape tape;
  const Variable a = tape.watch(counting({3, 2})), b = tape.watch(counting({4, 3}));
  const Variable c = matmul(a, b, {true, true});
  CHECK(tape.size() == 3);
  const Tensor seed = ones(c.shape(), float64);
  tape.backward(c, {.seed = seed, .create_graph = true});
  for (std::size_t i = 0; i < tape.size(); ++i) CHECK(std::string(tape.node(i).op) != "transpose");
}

TEST_CASE("matmul: NaN and infinities are never lost", "[ops]") {
  for (DType dtype : {float32, float64}) {
    for (std::int64_t n : {1, 3}) {
      for (double bad : {NaN, Inf}) {
        // 0 * NaN and 0 * inf are NaN in every kernel: gemm and gemv.
        const Tensor a = zeros({2, 2}, dtype), b = full({2, n}, bad, dtype);
        for (double v : doubles(matmul(a, b))) CHECK(std::isnan(v));
        for (double v : doubles(matmul(transpose(b), a))) CHECK(std::isnan(v));
      }
      // What a recycled block held does not shine through.
      for (int round = 0; round < 4; ++round) {
        { const Tensor dirt = full({5, n}, NaN, dtype); }
        CHECK(doubles(matmul(ones({5, 2}, dtype), ones({2, n}, dtype))) ==
              Doubles(static_cast<std::size_t>(5 * n), 2));
        { const Tensor dirt = full({5, n}, NaN, dtype); }
        CHECK(doubles(matmul(ones({5, 0}, dtype), ones({0, n}, dtype))) ==
              Doubles(static_cast<std::size_t>(5 * n), 0));
      }
    }
  }
}

TEST_CASE("matmul: dtypes", "[ops]") {
  CHECK(matmul(ones({2, 2}, int64), ones({2, 2})).dtype() == float32);
  CHECK(matmul(ones({2, 2}, bool_), ones({2, 2}, float64)).dtype() == float64);
  CHECK(matmul(ones({2, 2}, bool_), ones({2, 2}, bool_)).dtype() == int64);
  CHECK(doubles(matmul(ones({1, 2}, bool_), ones({2, 1}, bool_))) == Doubles{2});
}
