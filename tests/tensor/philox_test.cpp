#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/philox.hpp>

// Every number here is fixed by its seed: a test passes always or never.

namespace {

using xgrad::Generator;
using Words = std::array<std::uint32_t, 4>;

std::vector<double> uniforms(Generator g, std::size_t n, double lo = 0, double hi = 1) {
  std::vector<double> x(n);
  g.fill_uniform(x, lo, hi);
  return x;
}

std::vector<double> normals(Generator g, std::size_t n, double mean = 0, double stddev = 1) {
  std::vector<double> x(n);
  g.fill_normal(x, mean, stddev);
  return x;
}

std::vector<double> moved_by(double shift, std::vector<double> x) {
  for (auto& value : x) value += shift;
  return x;
}

// The mean of the k-th powers.
double moment(const std::vector<double>& x, int k) {
  double sum = 0;
  for (auto value : x) sum += std::pow(value, k);
  return sum / static_cast<double>(x.size());
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const double mx = moment(x, 1), my = moment(y, 1);
  double xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) xy += (x[i] - mx) * (y[i] - my);
  return xy / std::sqrt(moment(moved_by(-mx, x), 2) * moment(moved_by(-my, y), 2)) /
         static_cast<double>(x.size());
}

// Kolmogorov-Smirnov: sqrt(n) times the largest distance of the empirical from the true distribution
// function; above 1.95 once in a thousand samples.
template <class Cdf>
double kolmogorov_smirnov(std::vector<double> x, Cdf cdf) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double distance = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double p = cdf(x[i]), k = static_cast<double>(i);
    distance = std::max({distance, p - k / n, (k + 1) / n - p});
  }
  return distance * std::sqrt(n);
}

double chi_square(const std::vector<int>& counts) {
  const double expected =
      std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
  double sum = 0;
  for (auto count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the published known answers", "[philox]") {
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(xgrad::philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(xgrad::philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(xgrad::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

// Bits, not tolerances: a change here breaks every stored experiment, and a contracted multiply-add fails
// here.
TEST_CASE("The streams of seed 42 are frozen", "[philox]") {
  CHECK(uniforms(Generator(42), 4) ==
        std::vector{0x1.dfd524ee73abcp-2, 0x1.5d0acf5c4afd4p-2, 0x1.4ee9b3f7f36c8p-2, 0x1.d1381bee0e3d6p-2});
  CHECK(normals(Generator(42), 4) == std::vector{-0x1.54ac03c1a032ap-1, 0x1.0938db380d761p+0,
                                                 -0x1.6f135c80fefcap+0, 0x1.b16fd5e6389c6p-2});
  CHECK(Generator(42).permutation(10) == std::vector<std::int64_t>{6, 0, 5, 8, 4, 3, 2, 7, 1, 9});
  CHECK(uniforms(Generator(42).split(1), 1) == std::vector{0x1.df860b1b0388p-7});

  // All 53 bits of 10,000 normals and affine maps, folded (FNV-1a), so that a rare rounding shows too.
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto fold = [&](double x) { hash = (hash ^ std::bit_cast<std::uint64_t>(x)) * 0x100000001b3; };
  for (double x : normals(Generator(42, 7), 10'000, 0.1, 1.7)) fold(x);
  for (double x : uniforms(Generator(42, 7), 10'000, -0.3, 0.7)) fold(x);
  CHECK(hash == 0x259435e15d9bf09b);
}

TEST_CASE("Uniform numbers are uniform", "[philox]") {
  const auto x = uniforms(Generator(1), 100'000);
  const double n = 100'000;
  for (int k = 1; k <= 4; ++k) {
    const double variance = 1.0 / (2 * k + 1) - 1.0 / ((k + 1) * (k + 1));
    INFO("moment " << k);
    CHECK(std::abs(moment(x, k) - 1.0 / (k + 1)) < 4 * std::sqrt(variance / n));
  }
  CHECK(kolmogorov_smirnov(x, [](double u) { return u; }) < 1.95);
  CHECK(std::abs(correlation({x.begin(), x.end() - 1}, {x.begin() + 1, x.end()})) < 4 / std::sqrt(n));
}

TEST_CASE("Normal numbers are normal", "[philox]") {
  const auto z = normals(Generator(2), 100'000);
  const double n = 100'000;
  CHECK(std::abs(moment(z, 1)) < 4 * std::sqrt(1 / n));
  CHECK(std::abs(moment(z, 2) - 1) < 4 * std::sqrt(2 / n));
  CHECK(std::abs(moment(z, 3)) < 4 * std::sqrt(15 / n));
  CHECK(std::abs(moment(z, 4) - 3) < 4 * std::sqrt(96 / n));
  CHECK(kolmogorov_smirnov(z, [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }) < 1.95);
  CHECK(std::abs(correlation({z.begin(), z.end() - 1}, {z.begin() + 1, z.end()})) < 4 / std::sqrt(n));

  // Box-Muller's own risk: the two normals of a block share their radius.
  std::vector<double> even, odd;
  for (std::size_t i = 0; i < z.size(); i += 2)
    even.push_back(z[i] * z[i]), odd.push_back(z[i + 1] * z[i + 1]);
  CHECK(std::abs(correlation(even, odd)) < 4 / std::sqrt(n / 2));
}

TEST_CASE("Own logarithm, sine and cosine agree with libm", "[philox]") {
  const std::size_t n = 1'000'000;
  const auto u = uniforms(Generator(3), n), z = normals(Generator(3), n);
  double worst = 0;
  for (std::size_t i = 0; i < n; i += 2) {
    const double r = std::sqrt(-2 * std::log(u[i] + 0x1p-53)), angle = 2 * std::acos(-1.0) * u[i + 1];
    worst = std::max({worst, std::abs(z[i] - r * std::cos(angle)), std::abs(z[i + 1] - r * std::sin(angle))});
  }
  CHECK(worst < 1e-13);
}

TEST_CASE("Mean and deviation, lo and hi scale the numbers", "[philox]") {
  const auto z = normals(Generator(4), 100), scaled = normals(Generator(4), 100, 3, 0.5);
  const auto u = uniforms(Generator(4), 100), moved = uniforms(Generator(4), 100, -2, 6);
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(scaled[i] == 3 + 0.5 * z[i]);
    CHECK(moved[i] == -2 + 8 * u[i]);
  }
  CHECK(normals(Generator(4), 3, 1.5, 0) == std::vector{1.5, 1.5, 1.5});
  CHECK(uniforms(Generator(4), 3, 1.5, 1.5) == std::vector{1.5, 1.5, 1.5});
}

TEST_CASE("A fill in pieces is the fill at once, in any order", "[philox]") {
  const std::uint64_t start = GENERATE(0, 1, 7, 0xffffffff, 0x1'ffff'ffff, ~std::uint64_t{0} - 5);
  Generator g(5, 6);
  g.seek(start);
  const auto all_u = uniforms(g, 40), all_z = normals(g, 40);
  for (std::size_t cut = 0; cut <= 40; ++cut) {
    std::vector<double> u(40), z(40);
    const auto first = [&](auto& x) { return std::span(x).first(cut); };
    const auto rest = [&](auto& x) { return std::span(x).subspan(cut); };
    Generator later = g;
    later.seek(g.position() + cut);
    later.fill_uniform(rest(u), 0, 1);
    later.seek(g.position() + cut);
    later.fill_normal(rest(z), 0, 1);
    Generator sooner = g;
    sooner.fill_uniform(first(u), 0, 1);
    CHECK(sooner.position() == g.position() + cut);
    sooner.seek(start);
    sooner.fill_normal(first(z), 0, 1);
    CHECK(u == all_u);
    CHECK(z == all_z);
  }
}

TEST_CASE("Floats are the doubles, rounded", "[philox]") {
  std::vector<float> u(10'001), z(10'001);
  Generator g(7), h(7);
  g.fill_uniform(u, -0.5, 0.25);
  h.fill_normal(z, 1, 2);
  CHECK(g.position() == 10'001);
  CHECK(h.position() == 10'001);
  const auto u64 = uniforms(Generator(7), u.size(), -0.5, 0.25), z64 = normals(Generator(7), z.size(), 1, 2);
  for (std::size_t i = 0; i < u.size(); ++i) {
    REQUIRE(u[i] == static_cast<float>(u64[i]));
    REQUIRE(z[i] == static_cast<float>(z64[i]));
  }
}

TEST_CASE("Uniform numbers stay inside [lo, hi)", "[philox]") {
  // With few numbers in the interval about half the draws round to hi unless they are kept from it.
  std::vector<float> narrow(1000);
  const float above_one = std::nextafter(1.0f, 2.0f);
  Generator(8).fill_uniform(narrow, 1, above_one);
  CHECK(std::all_of(narrow.begin(), narrow.end(), [](float x) { return x == 1; }));
  const auto narrow64 = uniforms(Generator(8), 1000, 1, std::nextafter(1.0, 2.0));
  CHECK(std::all_of(narrow64.begin(), narrow64.end(), [](double x) { return x == 1; }));

  // 0.7 is no float, and its nearest one lies below it.
  const double lo = 0.7, hi = lo + 4e-7;
  REQUIRE(static_cast<float>(lo) < lo);
  std::vector<float> odd(1000);
  Generator(8).fill_uniform(odd, lo, hi);
  CHECK(std::all_of(odd.begin(), odd.end(), [=](float x) { return lo <= x && x < hi; }));

  const double max = std::numeric_limits<double>::max();
  for (double x : uniforms(Generator(8), 1000, -max / 2, max / 2)) REQUIRE(std::abs(x) <= max / 2);
}

TEST_CASE("Seeds, streams and children are unrelated", "[philox]") {
  const std::size_t n = 20'000;
  const Generator root(9);
  const std::vector<Generator> all = {root,
                                      Generator(9, 1),
                                      Generator(9, std::uint64_t{1} << 32),
                                      Generator(10),
                                      Generator(std::uint64_t{9} << 32),
                                      root.split(0),
                                      root.split(1),
                                      root.split(2),
                                      root.split(1).split(2),
                                      root.split(2).split(1),
                                      Generator(9, 1).split(1)};
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      INFO("generators " << i << " and " << j);
      CHECK(std::abs(correlation(uniforms(all[i], n), uniforms(all[j], n))) < 4 / std::sqrt(n));
    }

  Generator moved = root;
  moved.seek(1000);
  CHECK(uniforms(moved.split(1), 4) == uniforms(root.split(1), 4));
  CHECK(moved.split(1).position() == 0);
}

TEST_CASE("An index is below its bound and unbiased", "[philox]") {
  Generator g(11);
  for (int i = 0; i < 10; ++i) CHECK(g.next_index(1) == 0);
  CHECK(g.position() == 10);

  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) ++counts.at(g.next_index(10));
  CHECK(chi_square(counts) < 27.9);  // 9 degrees of freedom, once in a thousand

  // 2^64 mod bound is 2^62: without rejection the lowest third would come up half of the time.
  const std::uint64_t bound = std::uint64_t{3} << 62;
  int lowest = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto index = g.next_index(bound);
    REQUIRE(index < bound);
    lowest += index < bound / 3;
  }
  CHECK(std::abs(lowest - 10'000 / 3.0) < 4 * std::sqrt(10'000 * 2 / 9.0));
}

TEST_CASE("A permutation is one, and all are equally likely", "[philox]") {
  Generator g(12);
  CHECK(g.permutation(0).empty());
  CHECK(g.permutation(1) == std::vector<std::int64_t>{0});
  CHECK(g.position() == 0);
  auto order = g.permutation(1000);
  CHECK(order != g.permutation(1000));
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);

  std::vector<int> counts(256);
  for (int i = 0; i < 24'000; ++i) {
    const auto p = g.permutation(4);
    ++counts[static_cast<std::size_t>(p[0] << 6 | p[1] << 4 | p[2] << 2 | p[3])];
  }
  std::erase(counts, 0);
  REQUIRE(counts.size() == 24);
  CHECK(chi_square(counts) < 49.7);  // 23 degrees of freedom, once in a thousand
}

TEST_CASE("Arguments without a meaning throw and leave the position", "[philox]") {
  using Catch::Matchers::Contains;
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const double max = std::numeric_limits<double>::max();
  Generator g(13);
  g.seek(5);
  std::vector<double> x(3);
  std::vector<float> f(3);

  CHECK_THROWS_AS(g.next_index(0), xgrad::Error);
  CHECK_THROWS_WITH(g.next_index(0), Contains("bound"));
  CHECK_THROWS_AS(g.permutation(-1), xgrad::Error);
  CHECK_THROWS_WITH(g.fill_uniform(x, 1, 0.5), Contains("fill_uniform") && Contains("[1, 0.5)"));
  CHECK_THROWS_AS(g.fill_uniform(x, nan, 1), xgrad::Error);
  CHECK_THROWS_AS(g.fill_uniform(x, 0, nan), xgrad::Error);
  CHECK_THROWS_AS(g.fill_uniform(x, 0, inf), xgrad::Error);
  CHECK_THROWS_AS(g.fill_uniform(x, inf, inf), xgrad::Error);
  CHECK_THROWS_AS(g.fill_uniform(x, -max, max), xgrad::Error);
  CHECK_THROWS_WITH(g.fill_uniform(f, 0, 1e39), Contains("float cannot hold"));
  CHECK_THROWS_WITH(g.fill_uniform(f, 0.1, 0.1 + 1e-12), Contains("no float lies"));
  CHECK_THROWS_WITH(g.fill_normal(x, 0, -1), Contains("fill_normal") && Contains("stddev -1"));
  CHECK_THROWS_AS(g.fill_normal(x, 0, nan), xgrad::Error);
  CHECK_THROWS_AS(g.fill_normal(x, nan, 1), xgrad::Error);
  CHECK_THROWS_AS(g.fill_normal(x, -inf, 1), xgrad::Error);
  CHECK_THROWS_AS(g.fill_normal(x, 0, inf), xgrad::Error);
  CHECK_THROWS_AS(g.fill_normal(f, 0, 1e38), xgrad::Error);
  CHECK(g.position() == 5);
  CHECK(x == std::vector<double>(3));
}
