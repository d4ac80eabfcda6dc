// Each function that a lambda of fuse() may call, against the operation of the same name.
#include <xgrad/tensor/simd.hpp>

#include "fuse_checks.hpp"

using namespace fuse_checks;

namespace {

constexpr DType floating[] = {float32, float64};

std::vector<Doubles> pairs() {
  const Doubles edges{NaN,  Inf,  -Inf,  0.0,    -0.0,  1,      -1,   0.5,  2,     -2,  1.5,
                      -1.5, 0.25, 1e-30, -1e-30, 1e-42, -1e-42, 1e30, 88.5, -88.5, 400, -400};
  std::vector<Doubles> columns(2);
  for (double a : edges) {
    for (double b : edges) columns[0].push_back(a), columns[1].push_back(b);
  }
  for (int i = 0; i < 2; ++i) {
    const Doubles more = doubles(numbers({1000}, static_cast<std::uint64_t>(i) + 7, -5, 5));
    columns[static_cast<std::size_t>(i)].insert(columns[static_cast<std::size_t>(i)].end(), more.begin(),
                                                more.end());
  }
  return columns;
}

template <class T>
double worst_ulps(const Tensor& a, const Tensor& b) {
  const std::vector<T> x = a.to_vector<T>(), y = b.to_vector<T>();
  REQUIRE(x.size() == y.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, ulps<T>(x[i], y[i]));
  return worst;
}

double worst_ulps(const Tensor& a, const Tensor& b) {
  return a.dtype() == float32 ? worst_ulps<float>(a, b) : worst_ulps<double>(a, b);
}

/// Value and gradients of f(a), or of f(a, b), in both forms.
template <std::size_t N, class F>
void check(const char* what, const F& f, double gradient_ulps = 2) {
  const std::vector<Doubles> columns = pairs();
  for (DType dtype : floating) {
    INFO(what << " " << name(dtype));
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < N; ++i) {
      const Tensor wide(Shape{static_cast<std::int64_t>(columns[i].size())}, columns[i]);
      inputs.push_back(wide.astype(dtype));
    }
    const Result one = run([&](const Variables&x) { return fused<N>(f, x); }, inputs),
                 other = run([&](const Variables&x) { return composed<N>(f, x); }, inputs);
    REQUIRE(one.value.dtype() == other.value.dtype());
    CHECK(worst_ulps(one.value.value(), other.value.value()) <= 1);
    for (std::size_t i = 0; i < N; ++i) {
      INFO("gradient " << i);
      CHECK(worst_ulps(one.gradients[i], other.gradients[i]) <= gradient_ulps);
    }
  }
}

}  // namespace

TEST_CASE("dual numbers: arithmetic", "[ops][simd]") {
  check<2>("+", [](auto a, auto b) { return a + b; });
  check<2>("-", [](auto a, auto b) { return a - b; });
  check<2>("*", [](auto a, auto b) { return a * b; });
  check<2>("/", [](auto a, auto b) { return a / b; });
  check<1>("-x", [](auto x) { return -x; });
  check<1>("+x", [](auto x) { return identity(x); });
  check<1>("square", [](auto x) { return square(x); });
  check<1>("abs", [](auto x) { return abs(x); });
  check<2>("maximum", [](auto a, auto b) { return maximum(a, b); });
  check<2>("minimum", [](auto a, auto b) { return minimum(a, b); });
  check<1>("clip", [](auto x) { return clip(x, -1, 1.5); });
}

TEST_CASE("dual numbers: numbers on either side", "[ops][simd]") {
  check<1>("x + 2", [](auto x) { return x + 2; });
  check<1>("2 - x", [](auto x) { return 2.0 - x; });
  check<1>("3 * x", [](auto x) { return 3.0f * x; });
  check<1>("x / 3", [](auto x) { return x / 3; });
  check<1>("1 / x", [](auto x) { return 1 / x; });
  check<1>("maximum(x, 1)", [](auto x) { return maximum(x, 1); });
  check<1>("minimum(0.5, x)", [](auto x) { return minimum(0.5, x); });
}

TEST_CASE("dual numbers: powers", "[ops][simd]") {
  check<2>("pow", [](auto a, auto b) { return pow(a, b); });
  check<1>("2^x", [](auto x) { return pow(2, x); });
  // The exponent is a number of the lambda's, so one kernel serves all of them.
  for (double e : {0.0, 1.0, 2.0, 3.0, -1.0, 0.5, -1.5, 4.25}) {
    INFO("exponent " << e);
    check<1>("pow", [e](auto x) { return pow(x, e); });
  }
}

TEST_CASE("dual numbers: functions", "[ops][simd]") {
  check<1>("exp", [](auto x) { return exp(x); });
  check<1>("expm1", [](auto x) { return expm1(x); });
  check<1>("log", [](auto x) { return log(x); });
  check<1>("log1p", [](auto x) { return log1p(x); });
  check<1>("sqrt", [](auto x) { return sqrt(x); });
  check<1>("erf", [](auto x) { return erf(x); });
  check<1>("erfc", [](auto x) { return erfc(x); });
  check<1>("sigmoid", [](auto x) { return sigmoid(x); });
  check<1>("tanh", [](auto x) { return tanh(x); });
  check<1>("softplus", [](auto x) { return softplus(x); });
  check<1>("relu", [](auto x) { return relu(x); });
  check<1>("gelu", [](auto x) { return gelu(x); });
  check<1>("gelu by tanh", [](auto x) { return gelu(x, true); });
  check<1>("leaky_relu", [](auto x) { return leaky_relu(x) + leaky_relu(x, 0.25); });
}

TEST_CASE("dual numbers: choices", "[ops][simd]") {
  check<2>("<", [](auto a, auto b) { return where(a < b, a, b); });
  check<2>("<=", [](auto a, auto b) { return where(a <= b, 2 * a, b); });
  check<2>(">", [](auto a, auto b) { return where(a > b, a, 3); });
  check<2>(">=", [](auto a, auto b) { return where(a >= b, 3, b) + a; });
  check<2>("==", [](auto a, auto b) { return where(a == b, a, -b); });
  check<2>("!=", [](auto a, auto b) { return where(a != b, a, -b); });
  check<2>("&", [](auto a, auto b) { return where((a > 0) & (b > 0), a, b); });
  check<2>("|", [](auto a, auto b) { return where((a > 0) | (1 > b), a, b); });
  check<2>("!", [](auto a, auto b) { return where(!(a > b), a, b); });
}

TEST_CASE("dual numbers: stop_gradient", "[ops][simd]") {
  check<1>("x stop(x)", [](auto x) { return x * stop_gradient(x); });
  check<2>("a stop(b)", [](auto a, auto b) { return a * stop_gradient(b); });
}

TEST_CASE("dual numbers: assignment and references", "[ops][simd]") {
  constexpr auto steps = [](const auto& x) {
    auto y = x;
    y += 1;
    y *= x;
    y -= 3 * x;
    for (int k = 1; k < 5; ++k) y = (y + k) * x;
    y /= 7;
    return y;
  };
  for (DType dtype : floating) {
    check_same([&](const Variables& v) { return fuse(steps, v[0]); },
               [&](const Variables& v) { return steps(v[0]); }, as(dtype, {numbers({100}, 1)}));
  }
}

TEST_CASE("dual numbers: only the partials that are needed", "[ops]") {
  using V = simd::Pack<float, 4>;
  const dual::Dual<V, 0> number(2.5f);
  const dual::Dual<V, 0b1010> wide(number);
  CHECK(decltype(number)::count == 0);
  CHECK(decltype(wide)::count == 2);
  CHECK(sizeof(number) == sizeof(V));
  CHECK(sizeof(wide) == 3 * sizeof(V));
  float lanes[4];
  wide.partial<3>().store(lanes);
  CHECK(lanes[0] == 0);
  CHECK(decltype(dual::Dual<V, 1>() * dual::Dual<V, 4>())::active == 5);
  CHECK(decltype(stop_gradient(dual::Dual<V, 7>()))::active == 0);
}
