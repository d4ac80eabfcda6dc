// fuse against the same formula composed of operations, over numbers of inputs, shapes and sizes.
#include "fuse_checks.hpp"

using namespace fuse_checks;

namespace {

constexpr DType floating[] = {float32, float64};

// Every input takes part alike, but the partials differ as the inputs do.
struct Mix {
  template <class... X>
  auto operator()(const X&... x) const {
    return (... + x) * (... * (1 + 0.25 * x));
  }
};
// The same for many inputs: a kernel that the compiler is soon done with.
struct Squares {
  template <class... X>
  auto operator()(const X&... x) const {
    return (... + square(x));
  }
};

template <std::size_t N>
void check_inputs(DType dtype) {
  const std::conditional_t<(N > 4), Squares, Mix> f{};
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < N; ++i) inputs.push_back(numbers({21}, i + 1, -1, 1).astype(dtype));
  const auto one = [f](const Variables& x) { return fused<N>(f, x); };
  const auto other = [f](const Variables& x) { return composed<N>(f, x); };
  for (unsigned tracked = 1; tracked < 1u << N; ++tracked) {
    INFO(N << " inputs, tracked " << tracked << ", " << name(dtype));
    check_same(one, other, inputs, tracked);
  }
  const Variable y = one(Variables(inputs.begin(), inputs.end()));
  CHECK(y.is_constant());
}

void check_pair(const Shape& a, const Shape& b) {
  for (DType dtype : floating) {
    INFO(to_string(a) << " " << to_string(b) << " " << name(dtype));
    check_same([](const Variables& x) { return fused<2>(Mix(), x); },
               [](const Variables& x) { return composed<2>(Mix(), x); },
               as(dtype, {numbers(a, 5), numbers(b, 6)}));
  }
}

}  // namespace

TEST_CASE("fuse: one to eight inputs, tracked and constant", "[ops][simd]") {
  for (DType dtype : floating) {
    check_inputs<1>(dtype);
    check_inputs<2>(dtype);
    check_inputs<3>(dtype);
    check_inputs<4>(dtype);
    check_inputs<5>(dtype);
    check_inputs<6>(dtype);
    check_inputs<7>(dtype);
    check_inputs<8>(dtype);
  }
}

TEST_CASE("fuse: every size", "[ops][simd]") {
  for (std::int64_t n = 0; n <= 17; ++n) check_pair({n}, {n});
  check_pair({1000}, {1000});
  check_pair({70000}, {70000});
}

TEST_CASE("fuse: shapes that broadcast", "[ops][simd]") {
  const std::vector<std::pair<Shape, Shape>> pairs = {{{5}, Shape{}},      {{1}, {5}},
                                                      {{3, 4}, {4}},       {{3, 4}, {3, 1}},
                                                      {{3, 1}, {1, 4}},    {{17, 1}, {1, 23}},
                                                      {{2, 3, 4}, {3, 1}}, {{2, 1, 3, 1}, {1, 2, 1, 2}},
                                                      {{0, 3}, {3}},       {{0, 1}, {1, 3}},
                                                      {{0}, Shape{}},      {{1, 1}, Shape{}},
                                                      {{300, 250}, {250}}, {{300, 250}, {300, 1}},
                                                      {Shape{}, Shape{}}};
  for (const auto& [a, b] : pairs) {
    check_pair(a, b);
    check_pair(b, a);
  }
}

TEST_CASE("fuse: each input in turn broadcasts", "[ops][simd]") {
  const Shape full{6, 5};
  for (const Shape& small : {Shape{}, Shape{1}, Shape{5}, Shape{6, 1}, Shape{1, 5}}) {
    for (std::size_t odd = 0; odd < 4; ++odd) {
      std::vector<Tensor> inputs;
      for (std::size_t i = 0; i < 4; ++i) inputs.push_back(numbers(i == odd ? small : full, i + 1));
      for (unsigned tracked : {15u, 1u << odd, 15u & ~(1u << odd)}) {
        INFO("input " << odd << " is " << to_string(small) << ", tracked " << tracked);
        check_same([](const Variables& x) { return fused<4>(Mix(), x); },
                   [](const Variables& x) { return composed<4>(Mix(), x); }, inputs, tracked);
      }
    }
  }
}

TEST_CASE("fuse: NaN and infinities as the composition gives them", "[ops][simd]") {
  constexpr auto formula = [](auto a, auto b) {
    return where(a > b, a * log(b), maximum(a, b)) + minimum(exp(a), 1 / b) - abs(a - b);
  };
  const Doubles edges{NaN, Inf, -Inf, 0.0, -0.0, 1, -1, 2.5, 400, -400, 1e-30, 1e30};
  Doubles a, b;
  for (double x : edges) {
    for (double y : edges) a.push_back(x), b.push_back(y);
  }
  const Shape shape{static_cast<std::int64_t>(a.size())};
  for (DType dtype : floating) {
    const std::vector<Tensor> inputs = as(dtype, {Tensor(shape, a), Tensor(shape, b)});
    const Result one = run([&](const Variables&x) { return fused<2>(formula, x); }, inputs),
                 other = run([&](const Variables&x) { return composed<2>(formula, x); }, inputs);
    const Doubles y = doubles(one.value), z = doubles(other.value);
    for (std::size_t i = 0; i < y.size(); ++i) {
      INFO(name(dtype) << ": " << a[i] << ", " << b[i]);
      CHECK((same(y[i], z[i]) || std::abs(y[i] - z[i]) <= 4 * eps(dtype) * std::abs(z[i])));
      for (std::size_t k = 0; k < 2; ++k) {
        const double p = doubles(one.gradients[k])[i], q = doubles(other.gradients[k])[i];
        INFO("gradient " << k);
        // The branch that was not taken may send NaN through the composition; here it is left out.
        if (std::isnan(q)) continue;
        CHECK((same(p, q) || std::abs(p - q) <= 8 * eps(dtype) * std::abs(q)));
      }
    }
  }
}

TEST_CASE("fuse: a branch that is not taken leaves the gradient alone", "[ops][simd]") {
  constexpr auto root = [](auto x) { return where(x > 0, sqrt(x), 0); };
  for (std::int64_t n : {1, 9, 40}) {
    const Result result = run([&](const Variables& x) { return fuse(root, x[0]); }, {full({n}, -4, float32)});
    for (double g : doubles(result.gradients[0])) CHECK(g == 0);
  }
}
