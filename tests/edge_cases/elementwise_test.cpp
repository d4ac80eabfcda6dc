// The edges of elementwise functions in float32. Their values and slopes at every other place are subject of
// tests/ops/op_table_test.cpp, activation_test.cpp and math_test.cpp.
#include <numeric>
#include <threads_scope.hpp>

#include "edges.hpp"

using namespace edges;

TEST_CASE("edge: sigmoid far out, with full accuracy in the negative tail", "[edge][simd]") {
  const auto f = [](const Variable& x) { return sigmoid(x); };
  const Curve far = curve(f, {Inf, -Inf, nearly_max, -nearly_max});
  CHECK(far.y == Doubles{1, 0, 1, 0});
  CHECK(far.slope == Doubles{0, 0, 0, 0});
  const Doubles tail{-5, -20, -60, -87, -88.5, -95, -100, -103};
  const Curve low = curve(f, tail);
  const auto truth = [](long double x) { return 1 / (1 + std::exp(-x)); };
  CHECK(worst_ulps(tail, low.y, truth) <= 2);
  CHECK(low.y[6] == Approx(3.72e-44).epsilon(0.02));  // where PyTorch 1.13 says 0
  CHECK(low.slope[6] > 0);
}

TEST_CASE("edge: denormal numbers are numbers, on every thread", "[edge][simd]") {
  const Curve s = curve([](const Variable&x) { return sigmoid(x); }, {tiny, -tiny}),
              t = curve([](const Variable&x) { return tanh(x); }, {tiny, -tiny}),
              e = curve([](const Variable&x) { return erf(x); }, {tiny, -tiny});
  CHECK(s.y == Doubles{0.5, 0.5});
  CHECK(s.slope == Doubles{0.25, 0.25});
  CHECK(t.y == Doubles{tiny, -tiny});
  CHECK(t.slope == Doubles{1, 1});
  CHECK(e.y == Doubles{tiny, -tiny});
  CHECK(e.slope == Doubles(2, static_cast<double>(static_cast<float>(2 / std::sqrt(M_PI)))));
  // The workers have a control word of their own.
  const Threads scope(2);
  const Variable many = full({4 * parallel_elements}, tiny);
  CHECK(min(tanh(many)).item() == tiny);
  CHECK(sum(many * 1024).item() == Approx(4.0 * parallel_elements * 1024 * static_cast<double>(tiny)));
  const Variable product = matmul(full({64, 64}, tiny), full({64, 64}, 1024));
  CHECK(min(product).item() == 64 * 1024 * static_cast<double>(tiny));
  // And the caller's own is as it was.
  volatile float denormal = tiny;
  CHECK(denormal * 1.0F != 0);
}

TEST_CASE("edge: softplus and logsigmoid far out", "[edge][simd]") {
  const Doubles x{100, nearly_max, -nearly_max, -100, Inf, -Inf};
  const Curve plus = curve([](const Variable&v) { return softplus(v); }, x),
              log_of = curve([](const Variable&v) { return logsigmoid(v); }, x);
  CHECK(plus.y[0] == 100);
  CHECK(plus.y[1] == static_cast<float>(nearly_max));
  CHECK(plus.y[2] == 0);
  CHECK(plus.y[3] == Approx(3.72e-44).epsilon(0.02));
  CHECK(plus.y[4] == Inf);
  CHECK(plus.y[5] == 0);
  CHECK(plus.slope[0] == 1);
  CHECK(plus.slope[1] == 1);
  CHECK(plus.slope[2] == 0);
  CHECK(plus.slope[4] == 1);
  CHECK(plus.slope[5] == 0);
  // One kernel: logsigmoid(x) is -softplus(-x), to the last bit.
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Curve mirrored = curve([](const Variable& v) { return softplus(v); }, {-x[i]});
    CHECK(log_of.y[i] == -mirrored.y[0]);
    CHECK(log_of.slope[i] == mirrored.slope[0]);
  }
  CHECK(all_finite(log_of.slope));
}

TEST_CASE("edge: tanh and gelu at infinity", "[edge][simd]") {
  const Curve t = curve([](const Variable& x) { return tanh(x); }, {Inf, -Inf});
  CHECK(t.y == Doubles{1, -1});
  CHECK(t.slope == Doubles{0, 0});
  for (bool approximation : {false, true}) {
    const Curve g = curve([=](const Variable& x) { return gelu(x, approximation); }, {Inf, -Inf});
    CHECK(g.y == Doubles{Inf, 0});
    CHECK(g.slope == Doubles{1, 0});
  }
}

TEST_CASE("edge: log at 0, below and at infinity", "[edge][simd]") {
  const Curve c = curve([](const Variable& x) { return log(x); }, {0, -1, Inf});
  CHECK(same(c.y, {-Inf, NaN, Inf}));
  CHECK(same(c.slope, {Inf, -1, 0}));  // the formula's slope, though there is no value at -1
}

TEST_CASE("edge: log1p and expm1 keep small numbers", "[edge][simd]") {
  Doubles x{tiny, -tiny, 1e-38, -1e-30, 1e-10, -1e-7, -0.5, -0.99999994, -1, -1.5, -nearly_max};
  const Curve down = curve([](const Variable& v) { return log1p(v); }, x);
  CHECK(down.y[0] == tiny);
  CHECK(down.y[8] == -Inf);
  CHECK(all_nan({down.y[9], down.y[10]}));
  for (int i = 0; i < 200; ++i) x.push_back(-std::pow(10.0, -0.2 * i));
  CHECK(worst_ulps(x, curve([](const Variable& v) { return log1p(v); }, x).y,
                   [](long double v) { return std::log1p(v); }) <= 1);
  CHECK(worst_ulps(x, curve([](const Variable& v) { return expm1(v); }, x).y,
                   [](long double v) { return std::expm1(v); }) <= 1);
}

TEST_CASE("edge: sqrt at 0, below and at the smallest number", "[edge][simd]") {
  const Curve c = curve([](const Variable& x) { return sqrt(x); }, {0, -1, tiny});
  CHECK(same(c.y, {0, NaN, static_cast<double>(std::sqrt(tiny))}));
  CHECK(c.slope[0] == Inf);
  CHECK(std::isnan(c.slope[1]));
  CHECK(c.slope[2] == Approx(1.3357e22).epsilon(1e-4));
}

TEST_CASE("edge: pow where its formulas divide by 0", "[edge][simd]") {
  const auto f = [](const Variables& x) { return pow(x[0], x[1]); };
  for (DType dtype : {float32, float64}) {
    for (bool recorded : {false, true}) {
      const Result r =
          run(f, {tensor({0, 0, -2, 0, NaN}, dtype), tensor({0, -1, 2, 0.5, 0}, dtype)}, recorded);
      CHECK(same(doubles(r.value), {1, Inf, 4, 0, 1}));
      CHECK(same(doubles(r.gradients[0]), {0, -Inf, -4, Inf, 0}));
      const Doubles exponent = doubles(r.gradients[1]);
      CHECK(same(Doubles(exponent.begin(), exponent.end() - 1), {0, -Inf, NaN, 0}));
    }
  }
  // An exponent that is a number has no branch that could spoil the base's slope.
  for (double exponent : {0, 1, 2}) {
    const Curve c = curve([=](const Variable& x) { return pow(x, exponent); }, {0, -2, Inf});
    CHECK(all_finite({c.slope[0], c.slope[1]}));
  }
  const Curve none = curve([](const Variable& x) { return pow(x, 0); }, {0, -2, Inf, NaN});
  CHECK(none.y == Doubles{1, 1, 1, 1});
  CHECK(none.slope == Doubles{0, 0, 0, 0});
}

TEST_CASE("edge: x log x at 0, and entropies", "[edge][simd]") {
  const Curve c = curve([](const Variable& x) { return xlogy(x, x); }, {0, 1});
  CHECK(c.y == Doubles{0, 0});
  CHECK(c.slope == Doubles{-Inf, 1});
  const Curve naive = curve([](const Variable& x) { return x * log(x); }, {0});
  CHECK(std::isnan(naive.y[0]));  // 0 times -inf; which is what xlogy is for
  // From logits nothing is infinite, not even behind a mask.
  const auto entropy = [](const Variable& z) { return entropy_with_logits(z); };
  for (const Doubles& z : {Doubles{1e4, -1e4, 0}, Doubles{3e38, -3e38}, Doubles{-Inf, 0, 0}, Doubles{5}}) {
    const Curve e = curve(entropy, z);
    CHECK(all_finite(e.y));
    CHECK(all_finite(e.slope));
  }
  CHECK(curve(entropy, {0, 0, 0, 0}).y[0] == Approx(std::log(4.0)));
  CHECK(curve(entropy, {-Inf, 0, 0}).y[0] == Approx(std::log(2.0)));
  CHECK(curve(entropy, {1e4, -1e4}).y[0] == 0);
  CHECK(all_nan(curve(entropy, {NaN, 0}).y));
}

TEST_CASE("edge: slopes at kinks, and three ways to write relu", "[edge][simd]") {
  const auto at = [](auto f, const Doubles& x) { return curve(f, x).slope; };
  CHECK(at([](const Variable& x) { return relu(x); }, {0, -0.0}) == Doubles{0, 0});
  CHECK(at([](const Variable& x) { return abs(x); }, {0, -0.0}) == Doubles{0, 0});
  CHECK(at([](const Variable& x) { return sign(x); }, {0, 1}) == Doubles{0, 0});
  CHECK(at([](const Variable& x) { return clip(x, -1, 1); }, {-1, 1, -1.5, 1.5}) == Doubles{1, 1, 0, 0});
  CHECK(at([](const Variable& x) { return clip(x, 0, Inf); }, {0}) == Doubles{1});  // as PyTorch's clamp_min
  CHECK(at([](const Variable& x) { return maximum(x, 0); }, {0}) == Doubles{0.5});  // a tie
}

TEST_CASE("edge: NaN in, NaN out and a NaN slope", "[edge][simd]") {
  // Every elementwise row of the op table goes through the same in tests/ops/op_table_test.cpp, where those that are
  // linear in an input, whose slope does not depend on it, are marked. These are the ones that differ among libraries.
  using Unary = Variable (*)(const Variable&);
  const std::vector<std::pair<const char*, Unary>> functions{
      {"relu", [](const Variable& x) { return relu(x); }},
      {"relu6", [](const Variable& x) { return relu6(x); }},
      {"abs", [](const Variable& x) { return abs(x); }},
      {"clip", [](const Variable& x) { return clip(x, -1, 1); }},
      {"hardtanh", [](const Variable& x) { return hardtanh(x); }},
      {"hard_sigmoid", [](const Variable& x) { return hard_sigmoid(x); }},
      {"elu", [](const Variable& x) { return elu(x); }},
      {"celu", [](const Variable& x) { return celu(x); }},
      {"selu", [](const Variable& x) { return selu(x); }},
      {"leaky_relu", [](const Variable& x) { return leaky_relu(x); }},
      {"prelu", [](const Variable& x) { return prelu(x, 0.25); }},
      {"gelu", [](const Variable& x) { return gelu(x); }},
      {"softsign", [](const Variable& x) { return softsign(x); }},
      {"maximum", [](const Variable& x) { return maximum(x, 0); }},
      {"minimum", [](const Variable& x) { return minimum(0, x); }},
      {"sqrt", [](const Variable& x) { return sqrt(x); }},
      {"sum of squares", [](const Variable& x) { return sum_squares(x); }},
      {"max", [](const Variable& x) { return max(x); }},
      {"logsumexp", [](const Variable& x) { return logsumexp(x); }},
      {"softmax", [](const Variable& x) { return softmax(x); }},
      {"log_softmax", [](const Variable& x) { return log_softmax(x); }},
      {"norm", [](const Variable& x) { return norm(x); }},
      {"std", [](const Variable& x) { return xgrad::std(x); }},
  };
  for (const auto& [name, f] : functions) {
    INFO(name);
    for (DType dtype : {float32, float64}) {
      for (bool recorded : {false, true}) {
        const Curve c = curve(f, tensor({NaN, 0.5}, dtype), recorded);
        CHECK(std::isnan(c.y[0]));
        CHECK(std::isnan(c.slope[0]));
      }
    }
  }
}

TEST_CASE("edge: the branch that where does not take", "[edge][simd]") {
  const auto naive = [](const Variable& x) { return where(x > 0, sqrt(x), 0); };
  const auto safe = [](const Variable& x) { return where(x > 0, sqrt(where(x > 0, x, 1)), 0); };
  const Curve bad = curve(naive, {0, -1, 4}), good = curve(safe, {0, -1, 4});
  CHECK(bad.y == Doubles{0, 0, 2});
  CHECK(same(bad.slope, {NaN, NaN, 0.25}));  // 0 times infinity: docs/pitfalls.md says what to write instead
  CHECK(good.y == Doubles{0, 0, 2});
  CHECK(good.slope == Doubles{0, 0, 0.25});
}

TEST_CASE("edge: integers wrap", "[edge][simd]") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(), least = -most - 1;
  const auto of = [](std::vector<std::int64_t> v) {
    const Shape shape{static_cast<std::int64_t>(v.size())};
    return Tensor(shape, v);
  };
  const auto value = [](const Variable& x) { return x.value().to_vector<std::int64_t>(); };
  using Ints = std::vector<std::int64_t>;
  for (std::int64_t n : {1, 20}) {  // alone, and in a vector
    const Variable top = of(Ints(static_cast<std::size_t>(n), most)),
                   low = of(Ints(static_cast<std::size_t>(n), least));
    CHECK(value(top + 1) == Ints(static_cast<std::size_t>(n), least));
    CHECK(value(low - 1) == Ints(static_cast<std::size_t>(n), most));
    CHECK(value(top * 2) == Ints(static_cast<std::size_t>(n), -2));
    CHECK(value(-low) == Ints(static_cast<std::size_t>(n), least));
    CHECK(value(abs(low)) == Ints(static_cast<std::size_t>(n), least));
    CHECK(value(square(low)) == Ints(static_cast<std::size_t>(n), 0));
  }
  CHECK(value(sum(of({most, most, 3}))) == Ints{1});
  CHECK(value(prod(of({most, 2}))) == Ints{-2});
  CHECK(value(cumsum(of({most, 1}))) == Ints{most, least});
  CHECK(value(matmul(of({most, most}), of({1, 1}))) == Ints{-2});
  // What is counted is counted in 64 bits.
  CHECK(sum(ones({300}, bool_)).dtype() == int64);
  CHECK(sum(ones({300}, bool_)).item<std::int64_t>() == 300);
}
