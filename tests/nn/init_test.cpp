#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <vector>
#include <xgrad/nn/init.hpp>

// Every number here is fixed by its seed: a test passes always or never.

namespace {

using namespace xgrad;

struct Moments {
  double mean = 0, stddev = 0, largest = 0;
};

Moments moments(const Tensor& x) {
  Moments m;
  const auto n = static_cast<double>(x.size());
  const auto values = x.to_vector<double>();
  for (const double v : values) m.mean += v / n, m.largest = std::max(m.largest, std::abs(v));
  for (const double v : values) m.stddev += (v - m.mean) * (v - m.mean) / n;
  m.stddev = std::sqrt(m.stddev);
  return m;
}

}  // namespace

TEST_CASE("Initial weights have the moments they promise", "[init]") {
  struct Row {
    const char* name;
    Initializer init;
    double stddev;
  };
  const Row row = GENERATE(values<Row>({
      {"small_normal", small_normal_init, 0.01},
      {"xavier", xavier_init, std::sqrt(2.0 / 600)},
      {"he", he_init, std::sqrt(2.0 / 400)},
  }));
  const DType dtype = GENERATE(float32, float64);
  CAPTURE(row.name, name(dtype));
  Generator random(5);
  const Tensor W = row.init({200, 400}, random, dtype);
  CHECK(W.shape() == Shape{200, 400});
  CHECK(W.dtype() == dtype);
  const Moments m = moments(W);  // of 80,000: the errors have deviations of 0.35 % and 0.25 %
  CHECK(std::abs(m.mean) < 0.015 * row.stddev);
  CHECK(m.stddev == Approx(row.stddev).epsilon(0.01));
  CHECK(m.largest > 3.5 * row.stddev);
  CHECK(m.largest < 6 * row.stddev);
}

TEST_CASE("zeros_init gives zeros and draws nothing", "[init]") {
  Generator random(5);
  CHECK(equal(zeros_init({2, 3}, random, float64), zeros({2, 3}, float64)));
  CHECK(random.position() == 0);
}

TEST_CASE("The same seed gives the same bits", "[init]") {
  for (const Initializer& init :
       {Initializer(small_normal_init), Initializer(xavier_init), Initializer(he_init)}) {
    Generator a(9, 2), b(9, 2), other_seed(10, 2), other_stream(9, 3);
    const Tensor W = init({7, 5}, a, float32);
    CHECK(equal(W, init({7, 5}, b, float32)));
    CHECK_FALSE(equal(W, init({7, 5}, other_seed, float32)));
    CHECK_FALSE(equal(W, init({7, 5}, other_stream, float32)));
    CHECK_FALSE(equal(W, init({7, 5}, a, float32)));  // the generator moved on
    Generator wide(9, 2);
    CHECK(equal(W, init({7, 5}, wide, float64).astype(float32)));
  }
}

TEST_CASE("normal and uniform fill any shape", "[init]") {
  Generator random(5);
  const Moments n = moments(normal({100, 10, 50}, random, 3, 2));
  CHECK(n.mean == Approx(3).epsilon(0.01));
  CHECK(n.stddev == Approx(2).epsilon(0.01));
  const Tensor u = uniform({50'000}, random, -1, 3, float64);
  CHECK(moments(u).mean == Approx(1).epsilon(0.02));
  CHECK(moments(u).stddev == Approx(4 / std::sqrt(12.0)).epsilon(0.01));
  for (const double v : u.to_vector<double>()) REQUIRE((v >= -1 && v < 3));
  CHECK(normal({}, random).shape() == Shape{});
  CHECK(uniform({0, 3}, random).size() == 0);
}

TEST_CASE("Initialisers' errors", "[init]") {
  Generator random(5);
  CHECK(complaint<ShapeError>([&] { he_init({3}, random, float32); }) ==
        "a weight has the axes (units, inputs), not (3,)");
  CHECK_THROWS_AS(xavier_init({}, random, float32), ShapeError);
  CHECK(complaint<DTypeError>([&] { normal({3}, random, 0, 1, int64); }) ==
        "random values are float32 or float64, not int64");
  CHECK_THROWS_AS(he_init({3, 3}, random, bool_), DTypeError);
  CHECK_THROWS_AS(normal({3}, random, 0, -1), Error);
  CHECK_THROWS_AS(uniform({3}, random, 1, 0), Error);
  CHECK(random.position() == 0);
  CHECK(he_init({3, 0}, random, float32).size() == 0);
}
