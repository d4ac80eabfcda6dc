// The elementary functions and activations in lambdas of fuse(), against the operations of the same name. Several share a
// lambda, for each is compiled for every instruction set: a function that differs shows in the sum.
#include "fuse_checks.hpp"

using namespace fuse_checks;

namespace {

template <class F>
void check_one(const F& f, double low, double high) {
  for (DType dtype : {float32, float64}) {
    check_same([&](const Variables& v) { return fuse(f, v[0]); }, [&](const Variables& v) { return f(v[0]); },
               as(dtype, {numbers({100}, 1, low, high)}));
  }
}

template <class F>
void check_two(const F& f, double low, double high) {
  for (DType dtype : {float32, float64}) {
    check_same([&](const Variables& v) { return fuse(f, v[0], v[1]); },
               [&](const Variables& v) { return f(v[0], v[1]); },
               as(dtype, {numbers({7, 9}, 1, low, high), numbers({9}, 2, low, high)}));
  }
}

}  // namespace

TEST_CASE("fuse: elementary functions", "[ops][simd]") {
  check_one([](auto x) { return exp2(x) + 2 * log2(x) + 3 * log10(x); }, 0.2, 3);
  check_one([](auto x) { return rsqrt(x) + 2 * cbrt(x) + 3 * reciprocal(x); }, 0.2, 3);
  check_one([](auto x) { return sin(x) + 2 * cos(x) + 3 * tan(x); }, -1.2, 1.2);
  check_one([](auto x) { return asin(x) + 2 * acos(x) + 4 * atan(x); }, -0.9, 0.9);
  check_one([](auto x) { return sinh(x) + 2 * cosh(x) + 3 * asinh(x) + 4 * atanh(x); }, -0.9, 0.9);
  check_one([](auto x) { return acosh(x) + 2 * lgamma(x) + 3 * digamma(x) + polygamma(1, x); }, 1.2, 4);
}

TEST_CASE("fuse: steps and what has a gradient of its own", "[ops][simd]") {
  check_one([](auto x) { return x * (sign(x) + 2 * floor(x) + 3 * ceil(x) + 4 * round(x) + 5 * trunc(x)); },
            -4, 4);
  check_one([](auto x) { return scale_gradient(x, 3) * flip_gradient(x) + straight_through(round(x), x); },
            -4, 4);
  check_one([](auto x) { return where(isnan(x) | isinf(x) | !isfinite(x), 1, x); }, -4, 4);
}

TEST_CASE("fuse: activations", "[ops][simd]") {
  check_one([](auto x) { return logsigmoid(x) + 2 * softsign(x) + 3 * silu(x) + 4 * mish(x); }, -4, 4);
  check_one([](auto x) { return elu(x, 0.5) + 2 * celu(x, 2) + 3 * selu(x) + softplus(x, 2); }, -4, 4);
  check_one([](auto x) { return hardtanh(x) + 2 * relu6(x) + 3 * hard_sigmoid(x); }, -4, 7);
}

TEST_CASE("fuse: functions of two", "[ops][simd]") {
  check_two([](auto a, auto b) { return atan2(a, b) + 2 * hypot(a, b) + 3 * copysign(a, b); }, -3, 3);
  check_two([](auto a, auto b) { return fmod(a, b) + 2 * remainder(a, b) + 3 * squared_difference(a, b); },
            -3, 3);
  check_two([](auto a, auto b) { return xlogy(a, b) + 2 * xlog1py(a, b) + 3 * logaddexp(a, b); }, 0.2, 3);
  check_two([](auto a, auto b) { return prelu(a, b) + 2 * lerp(a, b, 0.25) + hypot(a, 2) + atan2(1, b); }, -3,
            3);
}
