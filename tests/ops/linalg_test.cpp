// Linear algebra: values against NumPy's, gradients where the table's rows do not go, errors, edges, replays.
#include <compiled.hpp>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/ops.hpp>

#include "push.hpp"
#include "reference.hpp"

using namespace checks;

namespace {

using X = const Variables&;

Tensor random_normal(const Shape& shape, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Doubles values(static_cast<std::size_t>(shape.size()));
  for (double& x : values) x = normal(random);
  return Tensor(shape, values);
}

// The projectors on the first column of each matrix: the same for either sign.
Variable projector(const Variable& columns) {
  const Variable first = slice(columns, -1, {0, 1});
  return matmul(first, first, {.b = true});
}
Variable transposed(const Variable& x) {
  std::vector<int> order;
  for (int i = 0; i < x.rank() - 2; ++i) order.push_back(i);
  order.insert(order.end(), {x.rank() - 1, x.rank() - 2});
  return transpose(x, order);
}

Variables compute(const std::string& name, const Variables& x) {
  if (name == "solve") return {solve(x[0], x[1])};
  if (name == "inverse") return {inverse(x[0])};
  if (name == "det") return {det(x[0])};
  if (name == "cholesky") return {cholesky(x[0])};
  if (name == "trace") return {trace(x[0])};
  if (name == "matmul") return {matmul(x[0], x[1])};
  if (name == "dot") return {dot(x[0], x[1])};
  if (name == "slogdet") {
    const auto [sign, log] = slogdet(x[0]);
    return {sign, log};
  }
  if (name == "eigh") {
    const auto [values, vectors] = eigh(x[0]);
    return {values, projector(vectors)};
  }
  if (name == "svd") {
    const auto [u, s, vh] = svd(x[0]);
    return {s, projector(u), projector(transposed(vh))};
  }
  if (name == "qr") {
    const auto [q, r] = qr(x[0]);
    return {q, r};
  }
  const std::string order = name.substr(name.find(' ') + 1);
  if (name.starts_with("einsum ")) return {einsum(order, x)};
  if (order == "fro" || order == "nuc") return {matrix_norm(x[0], order.c_str())};
  return {matrix_norm(x[0], std::stod(order))};
}

void check_gradients(const Function& f, const std::vector<Tensor>& inputs) {
  const GradReport report = gradcheck(f, inputs, {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
}

const Tensor singular_4 = tensor({{1, 2, 3, 4}, {2, 4, 6, 8}, {1, 0, 1, 2}, {0, 1, 5, -1}}, float64);
const Tensor singular = tensor({{1, 2, 3}, {2, 4, 6}, {1, 0, 1}}, float64);

}  // namespace

TEST_CASE("linalg: values are NumPy's", "[ops]") {
  const auto all = read_references("linalg_reference.txt");
  CHECK(all.size() > 130);
  for (const Reference& reference : all) {
    INFO(reference.name << " " << reference.inputs[0]);
    const Variables results =
        compute(reference.name, Variables(reference.inputs.begin(), reference.inputs.end()));
    REQUIRE(results.size() == reference.results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      INFO(results[i] << "\n" << reference.results[i]);
      REQUIRE(results[i].shape() == reference.results[i].shape());
      CHECK(allclose(results[i].value(), reference.results[i], 1e-10, 1e-12));
    }
  }
}

TEST_CASE("linalg: float32, integers and bools", "[ops]") {
  for (DType dtype : {float32, int64}) {
    const Tensor a = tensor({{2, 1}, {1, 3}}).astype(dtype), b = tensor({1, 2}).astype(dtype);
    CHECK(solve(a, b).dtype() == float32);
    CHECK(allclose(solve(a, b).value(), tensor({0.2, 0.6}), 1e-6));
    CHECK(allclose(inverse(a).value(), tensor({{0.6, -0.2}, {-0.2, 0.4}}), 1e-6));
    CHECK(allclose(det(a).value(), scalar(5), 1e-6));
    CHECK(allclose(logdet(a).value(), scalar(std::log(5)), 1e-6));
    CHECK(cholesky(a).dtype() == float32);
    CHECK(eigh(a).values.dtype() == float32);
    CHECK(svd(a).s.dtype() == float32);
    CHECK(qr(a).r.dtype() == float32);
    CHECK(matrix_norm(a).dtype() == float32);
    CHECK(trace(a).dtype() == dtype);
    CHECK(outer(b, b).dtype() == dtype);
    CHECK(einsum("ij,j", {a, b}).dtype() == dtype);
  }
  CHECK(trace(ones({3, 3}, bool_)).dtype() == int64);
  CHECK(trace(ones({3, 3}, bool_)).item() == 3);
  CHECK(einsum("ij->", {ones({3, 3}, bool_)}).item() == 9);
  CHECK(inverse(ones({1, 1}, bool_)).dtype() == float32);
}

TEST_CASE("linalg: det of singular matrices has its gradients", "[ops]") {
  // By hand: the cofactors of a matrix of rank 2 and one of rank 1.
  CHECK(allclose(run([](X x) { return det(x[0]); }, {singular}).gradients[0],
                 tensor({{4, 4, -4}, {-2, -2, 2}, {0, 0, 0}}, float64), 1e-12, 1e-12));
  const Tensor rank_1 = tensor({{1, 2, 3}, {2, 4, 6}, {3, 6, 9}}, float64);
  CHECK(
      allclose(run([](X x) { return det(x[0]); }, {rank_1}).gradients[0], zeros({3, 3}, float64), 0, 1e-12));
  const auto shifted = [](X x) { return det(x[0]) + sum(x[0]); };  // a slope of det alone may be 0 everywhere
  for (const Tensor& a : {singular, rank_1, zeros({3, 3}, float64), zeros({2, 2}, float64),
                          zeros({1, 1}, float64), singular_4, ones({4, 4}, float64)}) {
    INFO(a);
    check_gradients(shifted, {a});
  }
  CHECK(det(singular).item() == Approx(0).margin(1e-14));
  CHECK(det(zeros({2, 2})).item() == 0);
  CHECK(det(zeros({0, 0})).item() == 1);
}

TEST_CASE("linalg: the third derivative of det, regular and singular", "[ops]") {
  const auto second = [&](X x) {
    const Tensor weights = random_normal(x[0].shape(), 9);
    const auto slope = grad([](const Variable& v) { return sum(det(v)) * (1 + sum(v)); });
    return x[0] + grad([&](const Variable& v) { return sum(slope(v) * weights); })(x[0]);
  };
  for (const Tensor& a :
       {random_normal({2, 2}), random_normal({3, 3}), random_normal({5, 5}), random_normal({2, 4, 4}),
        singular, zeros({3, 3}, float64), singular_4, zeros({4, 4}, float64), ones({1, 1}, float64)}) {
    INFO(a);
    if (a.size() == 1) {
      const auto of_one = [](X x) {
        const auto slope = grad([](const Variable& v) { return sum(det(v) * v * v); });
        return grad([&](const Variable& v) { return sum(slope(v)); })(x[0]);
      };
      check_gradients(of_one, {a});
    } else {
      check_gradients(second, {a});
    }
  }
}

TEST_CASE("linalg: logarithms of determinants at their edges", "[ops]") {
  CHECK(slogdet(singular * 0).sign.item() == 0);
  CHECK(slogdet(singular * 0).logabsdet.item() == -Inf);
  CHECK(logdet(zeros({2, 2})).item() == -Inf);
  CHECK(std::isnan(logdet(tensor({{0, 1}, {1, 0}})).item()));
  CHECK(logdet(zeros({0, 0})).item() == 0);
  CHECK(slogdet(zeros({2, 0, 0})).sign.shape() == Shape{2});
  CHECK(slogdet(random_normal({3, 3})).sign.is_constant());
  // Far beyond what det can say.
  CHECK(slogdet(eye(500, float64) * 0.01).logabsdet.item() == Approx(500 * std::log(0.01)));
  CHECK_THROWS_AS(run([](X x) { return logdet(x[0]); }, {zeros({2, 2}, float64)}), Error);
}

TEST_CASE("linalg: functions of eigenvalues and singular values", "[ops]") {
  // tr exp(A), and the matrix exponential itself: through values and vectors at once.
  const auto exponential = [](X x) {
    const auto [w, v] = eigh(x[0]);
    return matmul(v * reshape(exp(w), {1, 3}), v, {.b = true});
  };
  const Tensor a = random_normal({3, 3}, 4);
  check_gradients(exponential, {a});
  // The polar factor U Vh.
  check_gradients(
      [](X x) {
        const auto d = svd(x[0]);
        return matmul(d.u, d.vh);
      },
      {random_normal({4, 3}, 5)});
  // A from its factors has the identity for its derivative.
  const auto again = [](X x) {
    const auto d = svd(x[0]);
    return matmul(d.u * reshape(d.s, {1, 3}), d.vh);
  };
  for (const Shape& shape : {Shape{3, 3}, Shape{5, 3}, Shape{3, 4}}) {
    const Result r = run(again, {random_normal(shape, 6)});
    CHECK(allclose(r.gradients[0], ones(shape, float64), 1e-9, 1e-9));
  }
  const auto of_qr = [](X x) {
    const auto f = qr(x[0]);
    return matmul(f.q, f.r);
  };
  for (const Shape& shape : {Shape{3, 3}, Shape{2, 5, 3}, Shape{3, 4}}) {
    const Result r = run(of_qr, {random_normal(shape, 7)});
    CHECK(allclose(r.gradients[0], ones(shape, float64), 1e-9, 1e-9));
  }
}

TEST_CASE("linalg: eigenvalues that coincide", "[ops]") {
  // They have a gradient, their vectors have none.
  const Result w = run([](X x) { return sum(square(eigh(x[0]).values)); }, {eye(3, float64)});
  CHECK(allclose(w.gradients[0], (eye(3, float64) * 2.0).value(), 1e-12));
  const Result v = run([](X x) { return eigh(x[0]).vectors; }, {eye(3, float64)});
  CHECK_FALSE(std::isfinite(v.gradients[0].at({0, 1})));
  const Result s = run([](X x) { return svd(x[0]).s; }, {eye(3, float64)});
  CHECK(allclose(s.gradients[0], eye(3, float64), 1e-12));
}

TEST_CASE("linalg: only the symmetric part counts", "[ops]") {
  const Tensor a = tensor({{4, 1}, {3, 5}}, float64), b = tensor({{4, 2}, {2, 5}}, float64);
  CHECK(equal(cholesky(a).value(), cholesky(b).value()));
  CHECK(equal(eigh(a).values.value(), eigh(b).values.value()));
  const Tensor g = run([](X x) { return cholesky(x[0]); }, {a}).gradients[0];
  CHECK(g.at({0, 1}) == g.at({1, 0}));
}

TEST_CASE("linalg: matrix norms at their edges", "[ops]") {
  CHECK(matrix_norm(full({2, 2}, 1e200, float64)).item() == Approx(2e200));
  CHECK(matrix_norm(full({2, 2}, 1e-200, float64)).item() == Approx(2e-200));
  CHECK(matrix_norm(tensor({{1, Inf}})).item() == Inf);
  CHECK(std::isnan(matrix_norm(tensor({{1, NaN}})).item()));
  CHECK(doubles(run([](X x) { return matrix_norm(x[0]); }, {zeros({2, 2}, float64)}).gradients[0]) ==
        Doubles(4, 0));
  CHECK(matrix_norm(zeros({0, 3})).item() == 0);
  CHECK(matrix_norm(zeros({0, 3}), "nuc").item() == 0);
  CHECK(matrix_norm(zeros({0, 3}), 1).item() == 0);
  CHECK_THROWS_AS(matrix_norm(zeros({0, 3}), INFINITY), ShapeError);
  CHECK_THROWS_AS(matrix_norm(zeros({0, 3}), 2), ShapeError);
  CHECK(matrix_norm(zeros({2, 3, 4}), 1, true).shape() == Shape{2, 1, 1});
  CHECK(matrix_norm(zeros({2, 3, 4}), "nuc").shape() == Shape{2});
  // Ties share, as in max.
  CHECK(doubles(run([](X x) { return matrix_norm(x[0], 1); }, {ones({1, 2}, float64)}).gradients[0]) ==
        Doubles(2, 0.5));
}

TEST_CASE("linalg: NaN and infinities come through and nothing hangs", "[ops]") {
  for (double bad : {NaN, Inf}) {
    for (DType dtype : {float32, float64}) {
      Doubles values = doubles(random_normal({40, 40}));
      values[777] = bad;
      const Tensor x = Tensor(Shape{40, 40}, values).astype(dtype);
      const auto check = [&](const char* name, const Function& f) {
        INFO(name << " " << bad << " " << xgrad::name(dtype));
        const Result r = run(f, {x});
        CHECK(std::isnan(doubles(sum(r.value))[0]));
        CHECK(std::isnan(doubles(sum(r.gradients[0]))[0]));
      };
      check("solve", [&](X v) { return solve(v[0], ones({40}, dtype)); });
      check("inverse", [](X v) { return inverse(v[0]); });
      check("det", [](X v) { return det(v[0]); });
      check("logdet", [](X v) { return logdet(v[0]); });
      check("slogdet", [](X v) { return slogdet(v[0]).logabsdet; });
      check("cholesky", [](X v) { return cholesky(v[0]); });
      check("eigh", [](X v) { return eigh(v[0]).values; });
      check("eigh", [](X v) { return eigh(v[0]).vectors; });
      check("svd", [](X v) { return svd(v[0]).s; });
      check("svd", [](X v) { return svd(v[0]).u; });
      check("svd", [](X v) { return svd(v[0]).vh; });
      check("qr", [](X v) { return qr(v[0]).q; });
      check("qr", [](X v) { return qr(v[0]).r; });
      check("nuc", [](X v) { return matrix_norm(v[0], "nuc"); });
      CHECK(std::isnan(slogdet(x).sign.item()));
    }
  }
  // A NaN of the right side stays in its column.
  const Tensor b = tensor({{1, NaN}, {2, 3}}, float64);
  const Doubles y = doubles(solve(eye(2, float64) * 2.0, b));
  CHECK(y[0] == 0.5);
  CHECK(y[2] == 1);
  CHECK(std::isnan(y[1]));
}

TEST_CASE("linalg: sizes of 0", "[ops]") {
  const auto check = [](const Function& f, const Shape& in, const Shape& out) {
    const Result r = run(f, {zeros(in, float64)});
    CHECK(r.value.shape() == out);
    CHECK(r.gradients[0].shape() == in);
  };
  check([](X x) { return inverse(x[0]); }, {0, 0}, {0, 0});
  check([](X x) { return inverse(x[0]); }, {0, 3, 3}, {0, 3, 3});
  check([](X x) { return det(x[0]); }, {0, 0}, {});
  check([](X x) { return det(x[0]); }, {0, 3, 3}, {0});
  check([](X x) { return slogdet(x[0]).logabsdet; }, {2, 0, 0}, {2});
  check([](X x) { return cholesky(x[0]); }, {2, 0, 0}, {2, 0, 0});
  check([](X x) { return eigh(x[0]).vectors; }, {0, 2, 2}, {0, 2, 2});
  check([](X x) { return eigh(x[0]).values; }, {0, 0}, {0});
  check([](X x) { return svd(x[0]).u; }, {3, 0}, {3, 0});
  check([](X x) { return svd(x[0]).vh; }, {0, 3}, {0, 3});
  check([](X x) { return svd(x[0]).s; }, {0, 3, 2}, {0, 2});
  check([](X x) { return qr(x[0]).q; }, {3, 0}, {3, 0});
  check([](X x) { return qr(x[0]).r; }, {0, 3}, {0, 3});
  check([](X x) { return trace(x[0]); }, {0, 3}, {});
  check([](X x) { return solve(x[0], x[0]); }, {0, 0}, {0, 0});
  check([](X x) { return triangular_solve(x[0], x[0]); }, {2, 0, 0}, {2, 0, 0});
  CHECK(solve(eye(3), zeros({3, 0})).shape() == Shape{3, 0});
  CHECK(solve(zeros({0, 3, 3}), zeros({3})).shape() == Shape{0, 3});
  CHECK(outer(zeros({0}), zeros({2})).shape() == Shape{0, 2});
}

TEST_CASE("linalg: forward mode is the transpose of the reverse pass", "[ops]") {
  const Tensor a = random_normal({2, 3, 3}, 11), b = random_normal({2, 3, 2}, 12),
               one = random_normal({3, 3}, 13);
  const Tensor tall = random_normal({2, 4, 3}, 14), wide = random_normal({3, 4}, 15);
  const auto dominant = [](const Variable& x) { return x + 5 * eye(3, float64); };
  check_push([&](X x) { return solve(dominant(x[0]), x[1]); }, {a, b});
  check_push([&](X x) { return solve(dominant(x[0]), x[1]); }, {one, b});
  for (Triangular kind : {Triangular{}, Triangular{.lower = false}, Triangular{.transposed = true},
                          Triangular{.unit_diagonal = true}}) {
    check_push([&](X x) { return triangular_solve(dominant(x[0]), x[1], kind); }, {a, b});
  }
  check_push([](X x) { return inverse(x[0]); }, {a}, 1e-8);
  for (std::int64_t n : {1, 2, 3, 4}) {
    check_push([](X x) { return det(x[0]); }, {random_normal({2, n, n}, 16)});
  }
  // Forward over reverse: the derivatives' own nodes have both maps, too.
  const auto slopes = [](const Variable& v) {
    return grad([](const Variable& u) { return sum(det(u)); })(v);
  };
  for (std::int64_t n : {2, 3, 4}) {
    check_push([&](X x) { return grad([&](const Variable& v) { return sum(square(slopes(v)) * v); })(x[0]); },
               {random_normal({2, n, n}, 17)}, 1e-8);
  }
  check_push([](X x) { return slogdet(x[0]).logabsdet; }, {a}, 1e-8);
  check_push([](X x) { return logdet(matmul(x[0], x[0], {.b = true})); }, {a}, 1e-8);
  check_push([](X x) { return matrix_norm(x[0]); }, {tall});
  check_push([&](X x) { return cholesky(dominant(x[0])); }, {a});
  check_push([](X x) { return eigh(x[0]).values; }, {a});
  check_push([](X x) { return eigh(x[0]).vectors; }, {a}, 1e-8);
  for (const Tensor& x0 : {one, tall, wide}) {
    check_push([](X x) { return svd(x[0]).u; }, {x0}, 1e-8);
    check_push([](X x) { return svd(x[0]).s; }, {x0}, 1e-8);
    check_push([](X x) { return svd(x[0]).vh; }, {x0}, 1e-8);
    check_push([](X x) { return qr(x[0]).q; }, {x0}, 1e-8);
    check_push([](X x) { return qr(x[0]).r; }, {x0}, 1e-8);
  }
}

TEST_CASE("linalg: errors say what is wrong and where", "[ops]") {
  const Tensor a = ones({2, 3}), square = ones({3, 3}), batch = (eye(2) * ones({2, 3, 1, 1})).value();
  const auto starts = [](const std::string& text, const std::string& start) {
    INFO(text);
    CHECK(text.rfind(start + " (at linalg_test.cpp:", 0) == 0);
  };
  starts(message<ShapeError>([&] { inverse(a); }), "inverse: the matrix is not square: (2, 3)");
  starts(message<ShapeError>([&] { det(ones({3})); }), "det: (3,) is no matrix");
  starts(message<ShapeError>([&] { solve(a, square); }),
         "solve: the first operand is not square: (2, 3) and (3, 3)");
  starts(message<ShapeError>([&] { solve(square, a); }),
         "solve: the numbers of rows differ: (3, 3) and (2, 3)");
  starts(message<ShapeError>([&] {
           solve(ones({2, 3, 3}), ones({4, 3, 1}));
         }),
         "solve: the axes before the last two do not broadcast: (2, 3, 3) and (4, 3, 1)");
  starts(message<Error>([&] { solve(square, ones({3})); }), "solve: (3, 3) is singular (pivot 2 is 0)");
  starts(message<Error>([&] {
           inverse(batch - where(tensor({{0, 0, 0}, {0, 1, 0}}).reshape({2, 3, 1, 1}) == 1, batch, 0));
         }),
         "inverse: matrix (1, 1) of (2, 3, 2, 2) is singular (pivot 1 is 0)");
  starts(message<Error>([&] {
           triangular_solve(tensor({{1, 0}, {5, 0}}), ones({2}));
         }),
         "triangular_solve: (2, 2) is singular (element 2 of the diagonal is 0)");
  starts(message<Error>([&] {
           cholesky(tensor({{1, 2}, {2, 1}}));
         }),
         "cholesky: (2, 2) is not positive definite (its leading minor of order 2 is not positive)");
  starts(message<Error>([&] {
           cholesky(-1 * (eye(2) * ones({4, 1, 1})));
         }),
         "cholesky: matrix 0 of (4, 2, 2) is not positive definite (its leading minor of order 1 is not "
         "positive)");
  starts(message<ShapeError>([&] { trace(square, 0, -2); }), "trace: the two axes of (3, 3) are the same");
  starts(message<ShapeError>([&] { trace(ones({3})); }),
         "trace: axis -2 is out of range for (3,), which has 1 axis");
  starts(message<ShapeError>([&] { outer(a, ones({2})); }), "outer: operands are vectors: (2, 3) x (2,)");
  starts(message<Error>([&] { matrix_norm(a, "frobenius"); }),
         "matrix_norm: the order is \"fro\", \"nuc\", 1, 2 or inf, or a negative one");
  starts(message<ShapeError>([&] {
           qr(zeros({std::int64_t{1} << 31, 0}));
         }),
         "qr: a size of (2147483648, 0) is beyond LAPACK's limit, 2147483647");
  starts(message<DTypeError>([&] { solve(square, ones({3}, float64)); }),
         "solve: dtypes differ: (3, 3) is float32, (3,) is float64; convert one with astype(float64)");
  // The gradient of a logarithm that is -inf, and of Q where there is none.
  CHECK(message<Error>([&] {
          run([](X x) { return slogdet(x[0]).logabsdet; }, {zeros({2, 2}, float64)});
        }).rfind("slogdet: (2, 2) is singular", 0) == 0);
}

TEST_CASE("linalg: an error leaves the tape as it was", "[ops]") {
  Tape tape;
  const Variable a = tape.watch(ones({3, 3}, float64)), b = tape.watch(ones({3}, float64));
  CHECK_THROWS_AS(solve(a, b), Error);
  CHECK_THROWS_AS(inverse(a), Error);
  CHECK_THROWS_AS(cholesky(a), Error);
  CHECK_THROWS_AS(triangular_solve(stop_gradient(a * 0), b), Error);
  CHECK(tape.size() == 3);  // and a * 0
}

TEST_CASE("linalg: what a matrix was factored for is not factored again", "[ops]") {
  // One node for a solution, whose pullbacks share one solution with the transpose.
  Tape tape;
  const Variable a = tape.watch(random_normal({3, 3})), b = tape.watch(random_normal({3, 2}, 2));
  const Variable y = solve(a, b);
  CHECK(tape.size() == 3);
  tape.backward(y, {.seed = ones({3, 2}, float64), .create_graph = true});
  int solutions = 0;
  for (std::size_t i = 0; i < tape.size(); ++i) solutions += std::string(tape.node(i).op) == "solve";
  CHECK(solutions == 2);
}

namespace {

// Replays f and its gradient on other data, bit for bit.
void check_replays(const char* name, const std::function<Variable(const Variable&)>& f) {
  INFO(name);
  const auto both = [&](const Variable& x) {
    Tape tape;
    const Variable v = tape.watch(x.value());
    const Variable y = f(v);
    return std::pair(Variable(y.value()), tape.backward(y, {.seed = ones(y.shape(), float64)})[v]);
  };
  auto step = compile(both);
  for (unsigned seed = 1; seed <= 4; ++seed)
    test::check_call(both, step, Variable(random_normal({2, 3, 3}, seed)));
  INFO(to_string(step.report()));
  CHECK(step.report().replays == 3);
}

}  // namespace

TEST_CASE("linalg: compiled functions replay", "[ops]") {
  check_replays("matmul", [](const Variable& x) { return matmul(x, slice(x, 0, {0, 1}), {.b = true}); });
  check_replays("solve", [](const Variable& x) { return solve(x, sum(x, -1, true)); });
  check_replays("triangular_solve",
                [](const Variable& x) { return triangular_solve(x, x, {.transposed = true}); });
  check_replays("inverse", [](const Variable& x) { return inverse(x); });
  check_replays("det", [](const Variable& x) { return det(x); });
  check_replays("slogdet", [](const Variable& x) { return slogdet(x).logabsdet; });
  check_replays("logdet", [](const Variable& x) { return logdet(matmul(x, x, {.b = true})); });
  check_replays("cholesky", [](const Variable& x) { return cholesky(matmul(x, x, {.b = true})); });
  check_replays("eigh", [](const Variable& x) {
    const auto e = eigh(x);
    return e.vectors * reshape(e.values, {2, 1, 3});
  });
  check_replays("svd", [](const Variable& x) {
    const auto d = svd(x);
    return d.u * reshape(d.s, {2, 1, 3}) + d.vh;
  });
  check_replays("qr", [](const Variable& x) {
    const auto f = qr(x);
    return f.q + f.r;
  });
  check_replays("matrix_norm",
                [](const Variable& x) { return matrix_norm(x) + matrix_norm(x, 1) + matrix_norm(x, "nuc"); });
  check_replays("trace", [](const Variable& x) { return trace(x, 0, 2) * 2; });
  check_replays("einsum", [](const Variable& x) { return einsum("bij,bjk,cil->bl", {x, x, x}); });
}

TEST_CASE("linalg: a replay throws for a singular matrix as the function does", "[ops]") {
  const auto f = [](const Variable& x) { return inverse(x); };
  auto step = compile(f);
  test::check_call(f, step, Variable(eye(2)));
  test::check_call(f, step, Variable(eye(2) * 3.0));
  test::check_call(f, step, Variable(zeros({2, 2})));
  test::check_call(f, step, Variable(eye(2) * 0.5));
  CHECK(message([&] {
          step(Variable(zeros({2, 2})));
        }).rfind("inverse: (2, 2) is singular (pivot 1 is 0)", 0) == 0);
  CHECK(step.report().recordings == 1);
  const auto g = [](const Variable& x) { return cholesky(x); };
  auto factor = compile(g);
  test::check_call(g, factor, Variable(eye(3)));
  test::check_call(g, factor, Variable(eye(3) * -1.0));
}
