// Softmax, its relatives and layer_norm against long double loops: sizes, axes, infinities.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>
#include <xgrad/tensor/rowwise.hpp>
#include <xgrad/tensor/strided.hpp>

#include "support.hpp"

using namespace xgrad;
using namespace xgrad::test;

namespace {

using Real = long double;
constexpr double Inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

Tensor random_normal(const Shape& shape, DType dtype, std::mt19937& random, double scale = 1) {
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& v : values) v = normal(random) * scale;
  return before_guard_page(Tensor(shape, values).astype(dtype));
}

// Runs f(line of x, ...) over the lines along axis 1 of (outer, n, inner) arrays and puts back what it returns.
template <class F, class... In>
std::vector<double> each_line(const Shape& s, F f, const In&... in) {
  std::vector<double> out(static_cast<std::size_t>(s.size()));
  for (std::int64_t o = 0; o < s[0]; ++o) {
    for (std::int64_t c = 0; c < s[2]; ++c) {
      const auto at = [&](std::int64_t i) { return static_cast<std::size_t>((o * s[1] + i) * s[2] + c); };
      const auto line = [&](const Tensor& t) {
        const auto values = t.to_vector<double>();
        std::vector<Real> picked;
        for (std::int64_t i = 0; i < s[1]; ++i) picked.push_back(values[at(i)]);
        return picked;
      };
      const std::vector<Real> result = f(static_cast<std::size_t>(o * s[2] + c), line(in)...);
      for (std::int64_t i = 0; i < s[1]; ++i)
        out[at(i)] = static_cast<double>(result[static_cast<std::size_t>(i)]);
    }
  }
  return out;
}

Real lse(const std::vector<Real>& x) {
  Real top = x[0], sum = 0;
  for (Real v : x) top = std::max(top, v);
  for (Real v : x) sum += std::exp(v - top);
  return top + std::log(sum);
}

double worst(const Tensor& t, const std::vector<double>& expected) {
  const auto values = t.to_vector<double>();
  if (values.size() != expected.size()) return Inf;
  double most = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = std::abs(values[i] - expected[i]) / (1 + std::abs(expected[i]));
    most = error <= most ? most : std::isnan(error) ? Inf : error;
  }
  return most;
}

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (std::int64_t n = 1; n <= 17; ++n) {
    for (std::int64_t other : {1, 3, 16, 19}) all.push_back({other, n, 1}), all.push_back({2, n, other});
  }
  for (std::int64_t n : {31, 32, 33, 63, 64, 65, 100, 257})
    all.push_back({3, n, 1}), all.push_back({1, n, 20});
  all.push_back({1, 2100, 1}), all.push_back({1, 33, 130}), all.push_back({2, 40, 128});
  return all;
}

}  // namespace

TEMPLATE_TEST_CASE("softmax and its relatives: every size, rows and columns", "[simd]", float, double) {
  const DType dtype = dtype_of<TestType>;
  const double tolerance = 8 * static_cast<double>(std::numeric_limits<TestType>::epsilon());
  std::mt19937 random(1);
  on_each_simd_level([&] {
    for (const Shape& s : shapes()) {
      INFO(to_string(s));
      const Tensor x = random_normal(s, dtype, random, 3), g = random_normal(s, dtype, random);
      const auto softmax = [](std::size_t, std::vector<Real> v) {
        const Real whole = lse(v);
        for (Real& e : v) e = std::exp(e - whole);
        return v;
      };
      const auto log_softmax = [](std::size_t, std::vector<Real> v) {
        const Real whole = lse(v);
        for (Real& e : v) e -= whole;
        return v;
      };
      const Tensor y = kernel::softmax(x, 1), l = kernel::log_softmax(x, 1), z = kernel::logsumexp(x, 1);
      CHECK(worst(y, each_line(s, softmax, x)) < tolerance);
      CHECK(worst(l, each_line(s, log_softmax, x)) < tolerance);
      CHECK(z.shape() == Shape{s[0], 1, s[2]});
      std::vector<double> sums;
      each_line(
          s, [&](std::size_t, std::vector<Real> v) { return sums.push_back(static_cast<double>(lse(v))), v; },
          x);
      CHECK(worst(z, sums) < tolerance);
      CHECK(worst(kernel::softmax_backward(y, g, 1),
                  each_line(
                      s,
                      [](std::size_t, std::vector<Real> y, std::vector<Real> g) {
                        Real dot = 0;
                        for (std::size_t i = 0; i < y.size(); ++i) dot += y[i] * g[i];
                        for (std::size_t i = 0; i < y.size(); ++i) y[i] *= g[i] - dot;
                        return y;
                      },
                      y, g)) < tolerance);
      CHECK(worst(kernel::log_softmax_backward(l, g, 1),
                  each_line(
                      s,
                      [](std::size_t, std::vector<Real> y, std::vector<Real> g) {
                        Real sum = 0;
                        for (Real v : g) sum += v;
                        for (std::size_t i = 0; i < y.size(); ++i) g[i] -= std::exp(y[i]) * sum;
                        return g;
                      },
                      l, g)) < 16 * tolerance);
      // the cross entropy of random labels
      std::vector<std::int64_t> labels;
      std::vector<double> losses;
      each_line(
          s,
          [&](std::size_t, std::vector<Real> v) {
            labels.push_back(static_cast<std::int64_t>(random() % v.size()));
            losses.push_back(static_cast<double>(lse(v) - v[static_cast<std::size_t>(labels.back())]));
            return v;
          },
          x);
      const Tensor label = before_guard_page(Tensor({s[0], s[2]}, labels));
      const Tensor weight = random_normal({s[0], s[2]}, dtype, random);
      const auto weights = weight.to_vector<double>();
      const auto forward = kernel::softmax_cross_entropy(x, label, 1);
      CHECK(forward.loss.shape() == label.shape());
      CHECK(worst(forward.loss, losses) < tolerance);
      CHECK(worst(kernel::softmax_cross_entropy_backward(x, label, forward, weight, 1),
                  each_line(
                      s,
                      [&](std::size_t r, std::vector<Real> v) {
                        v = softmax(r, v);
                        v[static_cast<std::size_t>(labels[r])] -= 1;
                        for (Real& e : v) e *= weights[r];
                        return v;
                      },
                      x)) < tolerance);
    }
  });
}

TEMPLATE_TEST_CASE("softmax: down the columns of a tall matrix as along the rows of its transpose", "[simd]",
                   float, double) {
  const DType dtype = dtype_of<TestType>;
  constexpr int swapped[] = {1, 0};
  std::mt19937 random(5);
  for (std::int64_t inner : {23, 500}) {
    const std::int64_t n = (std::int64_t{1} << 21) / inner + 5;  // no whole number of strips
    INFO(n << " x " << inner);
    Tensor x = random_normal({n, inner}, dtype, random, 3);
    const Tensor g = random_normal({n, inner}, dtype, random);
    auto* p = detail::mutable_data<TestType>(x);
    for (std::int64_t i = 0; i < 70; ++i) p[i * inner] = static_cast<TestType>(-Inf);  // whole strips
    for (std::int64_t i = 0; i < n; ++i) p[i * inner + 1] = static_cast<TestType>(-Inf);
    p[5 * inner + 2] = static_cast<TestType>(Inf);
    p[(n - 1) * inner + 3] = static_cast<TestType>(NaN);
    p[(n - 1) * inner + 4] = static_cast<TestType>(900);
    const Tensor across = kernel::permute(x, swapped), g_across = kernel::permute(g, swapped);
    // NaN at the same places, the rest within some ulp of numbers of this size.
    const auto check = [&](const char* what, const Tensor& tall, const Tensor& wide, TestType size) {
      const Tensor turned = kernel::permute(tall, swapped);
      const TestType tolerance = 16 * std::numeric_limits<TestType>::epsilon();
      const auto *found = turned.data<TestType>(), *expected = wide.data<TestType>();
      std::int64_t wrong = turned.size() != wide.size();
      for (std::int64_t i = 0; i < wide.size(); ++i) {
        const TestType a = found[i], b = expected[i];
        wrong += !(a == b || (std::isnan(a) && std::isnan(b)) ||
                   std::abs(a - b) <= tolerance * (size + std::abs(b)));
      }
      INFO(what);
      CHECK(wrong == 0);
    };
    const Tensor y = kernel::softmax(across, 1), l = kernel::log_softmax(across, 1),
                 z = kernel::logsumexp(across, 1);
    check("softmax", kernel::softmax(x, 0), y, TestType(1e-3));
    check("log_softmax", kernel::log_softmax(x, 0), l, 1);
    check("logsumexp", kernel::logsumexp(x, 0), z, 1);
    const Tensor inside = x.reshape({1, n, 1, inner});
    CHECK(kernel::logsumexp(inside, 1).shape() == Shape{1, 1, 1, inner});
    check("logsumexp", kernel::logsumexp(inside, 1).reshape({1, inner}), z, 1);
    check("softmax's gradient", kernel::softmax_backward(kernel::permute(y, swapped), g, 0),
          kernel::softmax_backward(y, g_across, 1), TestType(0.1));
    check("log_softmax's gradient", kernel::log_softmax_backward(kernel::permute(l, swapped), g, 0),
          kernel::log_softmax_backward(l, g_across, 1), 40);
  }
}

TEST_CASE("softmax: far apart, infinities, NaN", "[simd]") {
  on_each_simd_level([&] {
    CHECK(equal(kernel::softmax(tensor({1000, 0, -1000}), 0), tensor({1, 0, 0})));
    for (std::int64_t n : {2, 10, 16, 17, 40}) {
      for (bool rows : {true, false}) {
        INFO(n << (rows ? " in rows" : " in columns"));
        const Shape shape = rows ? Shape{20, n, 1} : Shape{1, n, 20};
        const auto with = [&](double all, double one) {
          Tensor x = full(shape, all);
          detail::mutable_data<float>(x)[rows ? n - 1 : (n - 1) * 20] = static_cast<float>(one);
          return x;
        };
        const auto first = [&](const Tensor& t) { return static_cast<double>(t.data<float>()[0]); };
        const auto last = [&](const Tensor& t) { return static_cast<double>(t.data<float>()[t.size() - 1]); };
        for (const Tensor& bad : {with(1, NaN), with(1, Inf), with(-Inf, -Inf)}) {
          CHECK(std::isnan(first(kernel::softmax(bad, 1))));
          CHECK(std::isnan(first(kernel::log_softmax(bad, 1))));
          const Tensor labels = zeros({bad.shape()[0], bad.shape()[2]}, int64), one = ones(labels.shape());
          const auto loss = kernel::softmax_cross_entropy(bad, labels, 1);
          CHECK(std::isnan(first(loss.loss)));
          CHECK(std::isnan(first(kernel::softmax_cross_entropy_backward(bad, labels, loss, one, 1))));
        }
        CHECK(last(kernel::softmax(with(0, NaN), 1)) == Approx(1.0 / static_cast<double>(n)));
        CHECK(std::isnan(first(kernel::logsumexp(with(1, NaN), 1))));
        CHECK(first(kernel::logsumexp(with(1, Inf), 1)) == Inf);
        CHECK(first(kernel::logsumexp(with(-Inf, -Inf), 1)) == -Inf);
        CHECK(first(kernel::logsumexp(with(-Inf, 7), 1)) == 7);
        CHECK(first(kernel::softmax(with(2, -Inf), 1)) == Approx(1 / (static_cast<double>(n) - 1)));
      }
    }
  });
  CHECK(kernel::softmax(zeros({0, 3}), 1).shape() == Shape{0, 3});
  CHECK(equal(kernel::softmax(zeros({2, 2, 2}), 1), full({2, 2, 2}, 0.5)));
}

TEMPLATE_TEST_CASE("layer_norm: every size, forward and backward", "[simd]", float, double) {
  const DType dtype = dtype_of<TestType>;
  const double tolerance = 30 * static_cast<double>(std::numeric_limits<TestType>::epsilon());
  std::mt19937 random(3);
  on_each_simd_level([&] {
    for (std::int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 259}) {
      for (std::int64_t rows : {1, 2, 63, 64, 65, 130}) {
        INFO(rows << " rows of " << n);
        const Tensor x = random_normal({rows, n}, dtype, random), g = random_normal({rows, n}, dtype, random);
        const Tensor gamma = random_normal({n}, dtype, random), beta = random_normal({n}, dtype, random);
        const auto xs = x.to_vector<double>(), gs = g.to_vector<double>(), c = gamma.to_vector<double>(),
                   b = beta.to_vector<double>();
        const auto count = static_cast<std::size_t>(n);
        std::vector<double> y, mean, rstd, dx, dgamma(count), dbeta(count);
        for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
          const double *p = xs.data() + r * count, *q = gs.data() + r * count;
          Real m = 0, v = 0, h = 0, hz = 0;
          for (std::size_t i = 0; i < count; ++i) m += p[i];
          m /= static_cast<Real>(n);
          for (std::size_t i = 0; i < count; ++i) v += (p[i] - m) * (p[i] - m);
          const Real s = 1 / std::sqrt(v / static_cast<Real>(n) + 1e-3L);
          for (std::size_t i = 0; i < count; ++i) {
            const Real z = (p[i] - m) * s;
            y.push_back(static_cast<double>(c[i] * z + b[i]));
            h += q[i] * c[i] / static_cast<Real>(n);
            hz += q[i] * c[i] * z / static_cast<Real>(n);
            dgamma[i] += static_cast<double>(q[i] * z);
            dbeta[i] += q[i];
          }
          for (std::size_t i = 0; i < count; ++i) {
            dx.push_back(static_cast<double>(s * (q[i] * c[i] - h - (p[i] - m) * s * hz)));
          }
          mean.push_back(static_cast<double>(m));
          rstd.push_back(static_cast<double>(s));
        }
        const auto forward = kernel::layer_norm(x, gamma, beta, 1e-3);
        CHECK(worst(forward.y, y) < tolerance);
        CHECK(worst(forward.mean, mean) < tolerance);
        CHECK(worst(forward.rstd, rstd) < tolerance);
        CHECK(forward.mean.shape() == Shape{rows, 1});
        const auto backward = kernel::layer_norm_backward(x, gamma, forward, g);
        CHECK(worst(backward.dx, dx) < 4 * tolerance);
        CHECK(worst(backward.dgamma, dgamma) < 4 * tolerance);
        CHECK(worst(backward.dbeta, dbeta) < tolerance);
      }
    }
  });
  CHECK(kernel::layer_norm(zeros({0, 3}), ones({3}), zeros({3}), 1e-5).mean.shape() == Shape{0, 1});
  CHECK(equal(kernel::layer_norm_backward(zeros({0, 3}), ones({3}),
                                          kernel::layer_norm(zeros({0, 3}), ones({3}), zeros({3}), 1e-5),
                                          zeros({0, 3}))
                  .dbeta,
              zeros({3})));
}
