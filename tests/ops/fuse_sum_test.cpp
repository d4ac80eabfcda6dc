// fuse_sum and fuse_mean against sum and mean of fuse.
#include "fuse_checks.hpp"
#include "threads_scope.hpp"

using namespace fuse_checks;

namespace {

constexpr DType floating[] = {float32, float64};
constexpr auto formula = [](auto a, auto b) { return a * sigmoid(b) + square(a - b); };

void check(const Shape& a, const Shape& b) {
  for (DType dtype : floating) {
    INFO(to_string(a) << " " << to_string(b) << " " << name(dtype));
    const std::vector<Tensor> inputs = as(dtype, {numbers(a, 5), numbers(b, 6)});
    for (unsigned tracked = 1; tracked < 4; ++tracked) {
      check_same([](const Variables& x) { return fuse_sum(formula, x[0], x[1]); },
                 [](const Variables& x) { return sum(formula(x[0], x[1])); }, inputs, tracked);
      check_same([](const Variables& x) { return fuse_mean(formula, x[0], x[1]); },
                 [](const Variables& x) { return mean(formula(x[0], x[1])); }, inputs, tracked);
    }
    CHECK(fuse_sum(formula, inputs[0], inputs[1]).is_constant());
  }
}

}  // namespace

TEST_CASE("fuse_sum: every size", "[ops][simd]") {
  for (std::int64_t n = 0; n <= 17; ++n) check({n}, {n});
  for (std::int64_t n : {1000, 1023, 70000}) check({n}, {n});
}

TEST_CASE("fuse_sum: shapes that broadcast", "[ops][simd]") {
  const std::vector<std::pair<Shape, Shape>> pairs = {
      {{5}, Shape{}},      {{3, 4}, {4}}, {{3, 4}, {3, 1}}, {{3, 1}, {1, 4}},  {{17, 1}, {1, 23}},
      {{2, 3, 4}, {3, 1}}, {{0, 3}, {3}}, {{0, 1}, {1, 3}}, {Shape{}, Shape{}}};
  for (const auto& [a, b] : pairs) {
    check(a, b);
    check(b, a);
  }
}

namespace {

// Of several chunks: cut along the last axis, the first one, and one between.
const std::vector<std::pair<Shape, Shape>> large = {
    {{3, 40000}, {40000}}, {{3, 40000}, {3, 1}},          {{300, 250}, {250}},  {{300, 250}, {300, 1}},
    {{30000, 3}, {3}},     {{2, 3, 150, 90}, {3, 1, 90}}, {{300, 1}, {1, 250}}, {{40000, 1}, {3}}};

}  // namespace

TEST_CASE("fuse: inputs of many chunks that broadcast", "[ops][simd]") {
  for (const auto& [a, b] : large) {
    check(a, b);
    check(b, a);
    const std::vector<Tensor> inputs{numbers(a, 1), numbers(b, 2)};
    check_same([](const Variables& x) { return fuse(formula, x[0], x[1]); },
               [](const Variables& x) { return formula(x[0], x[1]); }, inputs, ~0u, 64);
  }
}

TEST_CASE("fuse: the same bits for every number of threads", "[ops]") {
  for (const auto& [a, b] : large) {
    INFO(to_string(a) << " " << to_string(b));
    const std::vector<Tensor> inputs = as(float32, {numbers(a, 1), numbers(b, 2)});
    const auto bits = [&](int threads) {
      const Threads scope(threads);
      Doubles all;
      for (bool total : {false, true}) {
        const Result result = weighted(
            [=](const Variables& x) {
              return total ? fuse_sum(formula, x[0], x[1]) : fuse(formula, x[0], x[1]);
            },
            inputs);
        for (const Tensor& t : {result.value.value(), result.gradients[0], result.gradients[1]}) {
          const Doubles numbers = doubles(t);
          all.insert(all.end(), numbers.begin(), numbers.end());
        }
      }
      return all;
    };
    const Doubles one = bits(1);
    CHECK(bits(2) == one);
    CHECK(bits(5) == one);
  }
}

TEST_CASE("fuse_sum: many inputs", "[ops][simd]") {
  constexpr auto five = [](auto a, auto b, auto c, auto d, auto e) { return a * b + c * d * e + e; };
  std::vector<Tensor> inputs;
  for (std::uint64_t i = 0; i < 5; ++i) inputs.push_back(numbers({i == 2 ? 1 : 43}, i + 1));
  for (unsigned tracked = 1; tracked < 32; ++tracked) {
    check_same([=](const Variables& x) { return fuse_sum(five, x[0], x[1], x[2], x[3], x[4]); },
               [=](const Variables& x) { return sum(five(x[0], x[1], x[2], x[3], x[4])); }, inputs, tracked);
  }
}

TEST_CASE("fuse_sum: gradient check of order 1 and 2", "[ops][simd]") {
  for (const auto& shapes : {std::pair<Shape, Shape>{{9}, {9}}, {{3, 1}, {4}}, {{2, 2}, Shape{}}}) {
    const auto f = [](const Variables& x) {
      return square(fuse_sum(formula, x[0], x[1])) + 3 * fuse_mean(formula, x[1], x[0]);
    };
    const GradReport report =
        gradcheck(f, {numbers(shapes.first, 1), numbers(shapes.second, 2)}, {.order = 2});
    INFO(to_string(report));
    CHECK(report.passed);
  }
  const auto third = grad(grad(grad([](Variable x) { return fuse_sum(swish, x); })));
  const auto truth = grad(grad(grad([](Variable x) { return swish(x); })));
  CHECK(third(scalar(0.6, float64)).item() == Approx(truth(scalar(0.6, float64)).item()).epsilon(1e-12));
}

TEST_CASE("fuse_sum: exact over no elements, accurate over ten million", "[ops][simd]") {
  CHECK(fuse_sum(formula, zeros({0}), zeros({0})).item() == 0);
  CHECK(std::isnan(fuse_mean(formula, zeros({0, 3}), zeros({3})).item()));

  const std::int64_t n = 10'000'000;
  const Tensor x = numbers({n}, 3, 0, 1).astype(float32);
  const auto squared = [](auto v) { return v * v; };
  long double truth = 0;
  for (double v : doubles(x)) truth += static_cast<long double>(v) * v;
  CHECK(std::abs(fuse_sum(squared, x).item() / truth - 1) < 1e-6L);
  CHECK(std::abs(fuse_mean(squared, x).item() * n / truth - 1) < 1e-6L);
  CHECK(fuse_sum(squared, ones({n})).item() == n);
}

TEST_CASE("fuse_sum: cotangents other than 1", "[ops]") {
  const Tensor x = numbers({33}, 1);
  const Result once = run([](const Variables&v) { return fuse_sum(swish, v[0]); }, {x}),
               three = run([](const Variables&v) { return 3 * fuse_sum(swish, v[0]); }, {x}),
               twice = run(
                   [](const Variables&v) {
                     const Variable y = fuse_sum(swish, v[0]);
                     return y + 2 * y;
                   },
                   {x});
  for (std::size_t i = 0; i < 33; ++i) {
    CHECK(doubles(three.gradients[0])[i] == 3 * doubles(once.gradients[0])[i]);
    CHECK(doubles(twice.gradients[0])[i] == 3 * doubles(once.gradients[0])[i]);
  }
}

TEST_CASE("fuse_sum: walked twice, and beside other uses", "[ops]") {
  Tape tape;
  const Variable x = tape.watch(numbers({20}, 1));
  const Variable y = fuse_sum(swish, x), z = y + sum(x);
  const Tensor first = tape.backward(y, {.retain = true})[x].value();
  const Doubles before = doubles(first);
  const Doubles both = doubles(tape.backward(z, {.retain = true})[x]);
  CHECK(doubles(tape.backward(y)[x]) == before);
  CHECK(doubles(first) == before);  // nothing was added into what the node kept
  for (std::size_t i = 0; i < both.size(); ++i) CHECK(both[i] == before[i] + 1);
}

TEST_CASE("fuse_sum: an ignored input, the same one twice, an ancestor", "[ops]") {
  constexpr auto first = [](auto a, auto) { return a * a; };
  for (bool create_graph : {false, true}) {
    const Result result = run([&](const Variables& v) { return fuse_sum(first, v[0], v[1]); },
                              {numbers({2, 3}, 1), numbers({3}, 2)}, create_graph);
    CHECK(doubles(result.gradients[1]) == Doubles(3, 0.0));
  }
  const std::vector<Tensor> x{numbers({5}, 1)};
  check_same([](const Variables& v) { return fuse_sum(formula, v[0], v[0]); },
             [](const Variables& v) { return sum(formula(v[0], v[0])); }, x);
  check_same([](const Variables& v) { return fuse_mean(formula, v[0], exp(v[0])); },
             [](const Variables& v) { return mean(formula(v[0], exp(v[0]))); }, x);
}
