// jacobian, hessian and gradients of each example.
#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <random>
#include <xgrad/autograd/hooks.hpp>
#include <xgrad/autograd/jacobian.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

bool close(const Variable& u, const Variable& v) {
  INFO(u << " and " << v);
  return u.shape() == v.shape() && allclose(u.value(), v.value(), 1e-12, 1e-13);
}

Tensor noise(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& value : values) value = normal(random);
  return Tensor(shape, values);
}

}  // namespace

TEST_CASE("The Jacobian of a linear map is its matrix", "[jacobian]") {
  for (const Shape& shape : {Shape{2, 5}, Shape{5, 2}, Shape{3, 3}, Shape{1, 4}, Shape{4, 1}}) {
    const Tensor a = noise(shape, 1), x = noise({shape[1]}, 2);
    CHECK(close(jacobian([&](const Variable& v) { return matmul(a, v); })(x), a));
  }
  CHECK(jacobian([](const Variable& v) { return v * v * v; })(2.0).item() == 12);
}

TEST_CASE("A Jacobian has the value's shape and then the argument's", "[jacobian]") {
  const Tensor x = noise({2, 3}, 3);
  const Variable j = jacobian([](const Variable& v) { return transpose(v) * 2; })(x);
  CHECK(j.shape() == Shape{3, 2, 2, 3});
  for (std::int64_t p = 0; p < 3; ++p) {
    for (std::int64_t q = 0; q < 2; ++q) {
      for (std::int64_t r = 0; r < 2; ++r) {
        for (std::int64_t s = 0; s < 3; ++s) CHECK(j.value().at({p, q, r, s}) == (p == s && q == r ? 2 : 0));
      }
    }
  }
  const auto sums = [](const Variable& v) { return sum(exp(v), 1); };  // by reverse mode
  const Variable wide = jacobian(sums)(x);
  CHECK(wide.shape() == Shape{2, 2, 3});
  CHECK(close(wide(0, 0, ellipsis()), exp(x)(0, ellipsis())));
  CHECK(close(wide(0, 1, ellipsis()), Variable(zeros({3}, float64))));
}

TEST_CASE("Whichever is fewer is walked: rows or columns", "[jacobian]") {
  int passes = 0;
  const auto count = [&](std::int64_t rows, std::int64_t columns) {
    passes = 0;
    const Tensor a = noise({rows, columns}, 4);
    jacobian([&](const Variable& v) {
      return matmul(a, on_gradient(v, [&](const Variable&) { ++passes; }));
    })(noise({columns}, 5));
    return passes;
  };
  CHECK(count(5, 2) == 0);
  CHECK(count(2, 5) == 2);
  CHECK(count(1, 5) == 1);
  CHECK(count(4, 4) == 0);
}

TEST_CASE("Jacobians of several arguments", "[jacobian]") {
  const Tensor a = noise({3, 2}, 6), x = noise({2}, 7);
  const auto f = [](const Variable& m, const Variable& v) { return tanh(matmul(m, v)); };
  const auto [ja, jx] = jacobian<0, 1>(f)(a, x);
  const Variable s = 1 - square(tanh(matmul(a, x)));
  CHECK(ja.shape() == Shape{3, 3, 2});
  CHECK(close(jx, reshape(s, {3, 1}) * a));
  CHECK(close(jacobian<1>(f)(a, x), jx));
  CHECK(close(ja, reshape(s, {3, 1, 1}) * reshape(diag(Variable(ones({3}, float64))), {3, 3, 1}) * x));
  CHECK(
      equal(jacobian([](const Variable&) { return Variable(ones({2})); })(ones({3})).value(), zeros({2, 3})));
  CHECK(jacobian([](const Variable& v) { return v; })(zeros({0})).shape() == Shape{0, 0});
  CHECK(jacobian([](const Variable& v) { return sum(v); })(zeros({0})).shape() == Shape{0});
}

TEST_CASE("A Jacobian can be differentiated again", "[jacobian]") {
  const Tensor x = tensor({0.3, -1.2}, float64);
  // By columns: y = (v0 v1, v0^2, v1^3); |J|^2 = v1^2 + v0^2 + 4 v0^2 + 9 v1^4
  const auto tall = [](const Variable& v) { return stack({v(0) * v(1), v(0) * v(0), v(1) * v(1) * v(1)}); };
  const auto norm = [](const auto& f) {
    return [f](const Variable& v) { return sum(square(jacobian(f)(v))); };
  };
  CHECK(close(grad(norm(tall))(x), tensor({10 * 0.3, -2.4 + 36 * -1.728}, float64)));
  // By rows: y = v0 v1
  const auto wide = [](const Variable& v) { return reshape(v(0) * v(1), {1}); };
  CHECK(close(grad(norm(wide))(x), 2 * Variable(x)));
  // A Jacobian of a Jacobian
  const Variable second = jacobian(jacobian(tall))(x);
  CHECK(second.shape() == Shape{3, 2, 2});
  CHECK(close(reshape(second, {3, 4}), tensor({{0, 1, 1, 0}, {2, 0, 0, 0}, {0, 0, 0, 6 * -1.2}}, float64)));
  const Parameter w("w", scalar(3, float64));
  Tape tape;
  const Variable j = jacobian([&](const Variable& v) { return w * w * v; })(x);
  CHECK(tape.backward(sum(j))[w].item() == 12);
}

TEST_CASE("The Hessian in closed form", "[jacobian]") {
  const Tensor a = noise({4, 4}, 8), x = noise({4}, 9);
  const Variable symmetric = Variable(a) + transpose(a);
  CHECK(close(hessian([&](const Variable& v) { return sum(v * matmul(a, v)) + sum(v); })(x), symmetric));
  // logsumexp: diag(p) - p p^T
  const Variable p = softmax(x);
  CHECK(close(hessian([](const Variable& v) { return logsumexp(v); })(x), diag(p) - outer(p, p)));
  CHECK(hessian([](const Variable& v) { return v * v * v; })(2.0).item() == 12);
  CHECK(hessian([](const Variable& v) { return sum(v); })(ones({2, 3})).shape() == Shape{2, 3, 2, 3});
}

TEST_CASE("Hessians are symmetric, and blocks of several arguments fit", "[jacobian]") {
  const Tensor w = noise({3, 2}, 10), x = noise({2, 4}, 11), b = noise({3, 1}, 12);
  const auto cost = [&](const Variable& m, const Variable& c) {
    return mean(square(tanh(matmul(m, x) + c))) + sum(exp(m * 0.3)) * mean(c);
  };
  const auto blocks = hessian<0, 1>(cost)(w, b);
  const auto flat = [](const Variable& h, std::int64_t rows) { return reshape(h, {rows, -1}); };
  const Variable mm = flat(blocks[0][0], 6), mc = flat(blocks[0][1], 6), cm = flat(blocks[1][0], 3),
                 cc = flat(blocks[1][1], 3);
  CHECK(close(mm, transpose(mm)));
  CHECK(close(cc, transpose(cc)));
  CHECK(close(mc, transpose(cm)));
  CHECK(close(hessian<1>(cost)(w, b), blocks[1][1]));
  const Tensor u = noise({3, 2}, 13);
  CHECK(close(reshape(hvp([&](const Variable& m) { return cost(m, b); })(w, u), {6}),
              matmul(mm, reshape(u, {6}))));
  CHECK_THROWS_AS(hessian([](const Variable& v) { return v; })(w), GraphError);
}

TEST_CASE("Gradients of each example", "[jacobian]") {
  constexpr std::int64_t n = 5;
  const Tensor x = noise({n, 3}, 14), y = noise({n, 2}, 15), w = noise({3, 2}, 16), b = noise({2}, 17);
  const auto costs = [&](const Variable& m, const Variable& c) {
    return sum(square(tanh(matmul(x, m) + c) - y), -1);
  };
  const auto [gw, gb] = example_gradients<0, 1>(costs)(w, b);
  CHECK(gw.shape() == Shape{n, 3, 2});
  CHECK(gb.shape() == Shape{n, 2});
  for (int i = 0; i < n; ++i) {
    const auto [dw, db] =
        grad<0, 1>([&](const Variable& m, const Variable& c) { return costs(m, c)(i); })(w, b);
    CHECK(close(gw(i, ellipsis()), dw));
    CHECK(close(gb(i, ellipsis()), db));
  }
  // One walk, where each example has a copy of its own.
  const auto copies = [&](const Variable& m) {
    return sum(square(tanh(reshape(matmul(reshape(x, {n, 1, 3}), m), {n, 2}) + b) - y));
  };
  CHECK(close(grad(copies)(broadcast_to(w, {n, 3, 2})), gw));

  const Parameter wp("w", w), bp("b", b);
  Tape tape;
  const Variable all = costs(wp, bp);
  const std::vector<Gradients> each = example_gradients(tape, all);
  REQUIRE(each.size() == n);
  for (int i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    CHECK(close(each[k][wp], Variable(gw.value())(i, ellipsis())));
    CHECK(close(each[k][bp], Variable(gb.value())(i, ellipsis())));
  }
  CHECK(complaint<ShapeError>([&] { example_gradients(tape, sum(all)); }) ==
        "example_gradients: the value () does not hold one number for each example; sum it over all other "
        "axes");
  CHECK_THROWS_AS(example_gradients([](const Variable& v) { return v; })(w), ShapeError);
}
