// fuse on the tape: derivatives of any order, sharing, dtypes, errors, names.
#include <xgrad/autograd/draw.hpp>

#include "fuse_checks.hpp"

using namespace fuse_checks;

namespace {

template <class F>
void check_gradients(const F& f, const std::vector<Tensor>& inputs) {
  const GradReport report = gradcheck(f, inputs, {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
}

constexpr auto product = [](auto a, auto b) { return a * exp(b); };

}  // namespace

TEST_CASE("fuse: gradient check of order 1 and 2", "[ops][simd]") {
  const Tensor x = numbers({7}, 1), y = numbers({7}, 2), positive = numbers({7}, 3, 0.5, 2);
  check_gradients([](const Variables& v) { return fuse(swish, v[0]); }, {x});
  check_gradients([](const Variables& v) { return fuse(product, v[0], v[1]); }, {x, y});
  check_gradients([](const Variables& v) { return fuse(product, v[0], v[1]); },
                  {numbers({3, 1}, 4), numbers({2}, 5)});
  constexpr auto chosen = [](auto a, auto b) { return where(a > b, a * b, square(b) - tanh(a)); };
  check_gradients([=](const Variables& v) { return fuse(chosen, v[0], v[1]); }, {x, y});
  constexpr auto powers = [](auto a, auto b) { return pow(a, b) + pow(a, 3) + pow(a, 0.5) / pow(a, 2); };
  check_gradients([=](const Variables& v) { return fuse(powers, v[0], v[1]); }, {positive, y});
  constexpr auto bounds = [](auto a, auto b) {
    return maximum(a, b) * minimum(a, b * b) + clip(a, -1, 1.25) * b;
  };
  check_gradients([=](const Variables& v) { return fuse(bounds, v[0], v[1]); }, {x, y});
}

TEST_CASE("fuse: third derivatives", "[ops][simd]") {
  constexpr auto chosen = [](auto x) { return where(x > 0.5, x * x * log(1 + x * x), tanh(x) * exp(x)); };
  const auto third = [](auto f) { return grad(grad(grad(f))); };
  const auto agree = [&](auto f) {
    for (double x : {-2.0, -0.3, 0.0, 0.7, 1.9}) {
      INFO(x);
      const Tensor at = scalar(x, float64);
      const double one = third([f](Variable v) { return fuse(f, v); })(at).item(),
                   other = third([f](Variable v) { return f(v); })(at).item();
      CHECK(one == Approx(other).epsilon(1e-12).margin(1e-12));
    }
  };
  agree(swish);
  agree(chosen);
  // swish = x s with s' = s (1 - s): the third derivative at 0 is 3 s'' = 0, at 1 it is what follows.
  const double s = 1 / (1 + std::exp(-1.0)), d1 = s * (1 - s), d2 = d1 * (1 - 2 * s),
               d3 = d2 * (1 - 2 * s) - 2 * d1 * d1;
  CHECK(third([](Variable v) { return fuse(swish, v); })(scalar(1, float64)).item() == Approx(3 * d2 + d3));
}

TEST_CASE("fuse: numbers and fresh values in a lambda take the dtype of the inputs", "[ops]") {
  for (DType dtype : {float32, float64}) {
    const std::vector<Tensor> x = {numbers({9}, 1).astype(dtype)};
    const auto check = [&](auto f) {
      const Result plain = run([&](const Variables&v) { return fuse(f, v[0]); }, x),
                   recorded = run([&](const Variables&v) { return fuse(f, v[0]); }, x, true);
      CHECK(plain.value.dtype() == dtype);
      CHECK(recorded.gradients[0].dtype() == dtype);
      CHECK(distance(recorded.gradients[0], plain.gradients[0], eps(dtype)) <= 4);
    };
    check([](auto v) { return where(v > 0, 1, 0.25) * v; });
    check([](auto v) { return v * where(v > 0, where(v > 1, 2, 3), 0.25); });
    check([](auto v) {
      decltype(v) total = 0;
      for (int k = 1; k <= 3; ++k) total += v / k;
      return total;
    });
    check([](auto v) { return decltype(v)(2) * v; });
    check([](auto v) { return where(v > 0, 1, 0); });
  }
}

TEST_CASE("fuse: a lambda with a captured state and a loop", "[ops]") {
  const Doubles coefficients{0.5, -1, 0.25, 2};
  const auto polynomial = [coefficients](auto x) {
    auto y = 0 * x;
    for (double c : coefficients) y = y * x + c;
    return y;
  };
  check_same([&](const Variables& v) { return fuse(polynomial, v[0]); },
             [&](const Variables& v) { return 0.5 * v[0] * v[0] * v[0] - v[0] * v[0] + 0.25 * v[0] + 2; },
             {numbers({40}, 1)});
  // The node keeps a copy: the lambda may be gone when it is walked.
  Tape tape;
  const Variable x = tape.watch(scalar(3, float64));
  Variable y;
  {
    const auto scaled = [factor = std::vector<double>{7}](auto v) { return factor[0] * v * v; };
    y = fuse(scaled, x);
  }
  CHECK(tape.backward(y)[x].item() == 42);
}

TEST_CASE("fuse: an input that the function ignores has gradient 0", "[ops]") {
  constexpr auto first = [](auto a, auto) { return a * a; };
  constexpr auto none = [](auto, auto b) { return where(b > 0, 1, 2); };
  for (bool create_graph : {false, true}) {
    const std::vector<Tensor> x{numbers({2, 3}, 1), numbers({3}, 2)};
    const Result one = run([&](const Variables& v) { return fuse(first, v[0], v[1]); }, x, create_graph);
    CHECK(doubles(one.gradients[1]) == Doubles(3, 0.0));
    CHECK(distance(one.gradients[0], Variable(2 * Variable(x[0])).value(), eps(float64)) == 0);
    const Result other = run([&](const Variables& v) { return fuse(none, v[0], v[1]); }, x, create_graph);
    CHECK(other.value.shape() == Shape{2, 3});
    CHECK(doubles(other.gradients[0]) == Doubles(6, 0.0));
    CHECK(doubles(other.gradients[1]) == Doubles(3, 0.0));
  }
  check_gradients([=](const Variables& v) { return fuse(first, v[0], v[1]); },
                  {numbers({2}, 1), numbers({2, 2}, 2)});
}

TEST_CASE("fuse: the same variable twice, and one together with its ancestor", "[ops]") {
  const std::vector<Tensor> x{numbers({5}, 1)};
  const auto twice = [](const Variables& v) { return fuse(product, v[0], v[0]); };
  check_same(
      twice, [](const Variables& v) { return v[0] * exp(v[0]); }, x);
  check_gradients(twice, x);
  const auto ancestor = [](const Variables& v) { return fuse(product, v[0], exp(v[0])); };
  check_same(
      ancestor, [](const Variables& v) { return v[0] * exp(exp(v[0])); }, x);
  check_gradients(ancestor, x);
  const auto chain = [](const Variables& v) {
    const Variable y = fuse(swish, v[0]);
    return fuse(product, y, fuse(product, y, v[0] * y));
  };
  const auto plain = [](const Variables& v) {
    const Variable y = v[0] / (1 + exp(-v[0]));
    return y * exp(y * exp(v[0] * y));
  };
  check_same(chain, plain, x);
  check_gradients(chain, x);
}

TEST_CASE("fuse: integers, bools and numbers as inputs", "[ops]") {
  const Tensor counts(Shape{3}, std::vector<std::int64_t>{1, -2, 3}), flags = tensor({0, 1, 1}, bool_);
  const Variable y = fuse(product, counts, flags);
  CHECK(y.dtype() == float32);
  CHECK(y.is_constant());
  CHECK(distance(y.value(), tensor({1, -2 * std::exp(1.0), 3 * std::exp(1.0)}), eps(float32)) <= 2);
  for (DType dtype : {float32, float64}) {
    const std::vector<Tensor> x{numbers({3}, 1).astype(dtype)};
    check_same([&](const Variables& v) { return fuse(product, counts, v[0]); },
               [&](const Variables& v) { return counts * exp(v[0]); }, x);
    check_same([&](const Variables& v) { return fuse(product, v[0], flags); },
               [&](const Variables& v) { return v[0] * exp(flags.astype(dtype)); }, x);
    check_same([&](const Variables& v) { return fuse(product, 0.1, v[0]); },
               [&](const Variables& v) { return 0.1 * exp(v[0]); }, x);
    check_same([&](const Variables& v) { return fuse(product, v[0], 2); },
               [&](const Variables& v) { return v[0] * std::exp(2.0); }, x);
  }
  CHECK(fuse(swish, 0.0).dtype() == float32);
}

TEST_CASE("fuse: parameters, walking twice, and what is not wanted", "[ops]") {
  const Parameter w("w", scalar(2, float64)), b("b", scalar(0.5, float64));
  Tape tape;
  const Variable y = fuse(product, w, b);
  const Gradients once = tape.backward(y, {.retain = true}), again = tape.backward(y, {.retain = true});
  CHECK(equal(once[w].value(), again[w].value()));
  CHECK(once[b].item() == Approx(2 * std::exp(0.5)));
  const Gradients only = tape.backward(y, {.retain = true, .wrt = {Variable(b)}});
  CHECK(equal(only[b].value(), once[b].value()));
  tape.backward(y);
  CHECK_THROWS_AS(tape.backward(y), GraphError);
}

TEST_CASE("fuse: one node with its name, inputs and line", "[ops]") {
  Tape tape;
  const Variable x = tape.watch(zeros({2, 3}), "x");
  const Parameter w("w", zeros({3}));
  fuse(product, x, w);
  fuse_sum(swish, x);
  fuse_mean(product, x, 2.0);
  CHECK(tape.size() == 5);
  const std::string text = to_text(tape);
  INFO(text);
  const int first = __LINE__ - 6;
  const auto has = [&](const std::string& node, int line) {
    const std::size_t at = text.find(node);
    REQUIRE(at != std::string::npos);
    CHECK(text.substr(at, text.find('\n', at) - at).find("fuse_graph_test.cpp:" + std::to_string(line)) !=
          std::string::npos);
  };
  has("fuse(x, w)", first);
  has("fuse_sum(x)", first + 1);
  has("fuse_mean(x, 2.0)", first + 2);
}

TEST_CASE("operators that assign: the name stands for the result, with the user's line", "[ops]") {
  Tape tape;
  const Variable x = tape.watch(tensor({1, 2}), "x");
  Variable y = x;
  y += 1;
  y *= x;
  y -= 2;
  y /= x;
  CHECK(doubles(y) == Doubles{0, 2});
  CHECK(doubles(x) == Doubles{1, 2});
  CHECK(to_text(tape).find("fuse_graph_test.cpp:" + std::to_string(__LINE__ - 6)) != std::string::npos);
  CHECK(distance(tape.backward(sum(y))[x].value(), tensor({3, 1.5}), eps(float32)) <= 2);
}

TEST_CASE("fuse: errors", "[ops]") {
  const Variable a = zeros({2, 3}), b = zeros({4, 5}), c = zeros({3}, float64);
  const auto here = [](int line) { return " (at fuse_graph_test.cpp:" + std::to_string(line) + ")"; };
  CHECK(message<ShapeError>([&] { fuse(product, a, b); }) ==
        "fuse: shapes do not broadcast: (2, 3) and (4, 5)" + here(__LINE__ - 1));
  CHECK(message<ShapeError>([&] { fuse_sum(product, a, b); }) ==
        "fuse_sum: shapes do not broadcast: (2, 3) and (4, 5)" + here(__LINE__ - 1));
  CHECK(message<ShapeError>([&] { fuse_mean(product, a, b); }) ==
        "fuse_mean: shapes do not broadcast: (2, 3) and (4, 5)" + here(__LINE__ - 1));
  CHECK(message<DTypeError>([&] { fuse(product, a, c); }) ==
        "fuse: dtypes differ: (2, 3) is float32, (3,) is float64; convert one with astype(float64)" +
            here(__LINE__ - 2));
  CHECK(message<ShapeError>([&] { fuse([](auto x, auto y, auto z) { return x + y + z; }, a, 1, b); }) ==
        "fuse: shapes do not broadcast: (2, 3) and (4, 5)" + here(__LINE__ - 1));
  Tape tape;
  const Variable x = tape.watch(a.value());
  CHECK_THROWS_AS(fuse(product, x, b), ShapeError);
  CHECK(tape.size() == 1);
}
