// The Tensor handle: making, reading, reshaping, converting, comparing.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>
#include <xgrad/tensor/tensor.hpp>

using namespace xgrad;

namespace {

constexpr double Inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();
constexpr DType all_dtypes[] = {float32, float64, int64, bool_};

using Doubles = std::vector<double>;
Doubles values(const Tensor& tensor) { return tensor.to_vector<double>(); }

}  // namespace

TEST_CASE("DType: names and sizes") {
  CHECK(std::string(name(float32)) == "float32");
  CHECK(std::string(name(float64)) == "float64");
  CHECK(std::string(name(int64)) == "int64");
  CHECK(std::string(name(bool_)) == "bool");
  CHECK(size_of(float32) == 4);
  CHECK(size_of(float64) == 8);
  CHECK(size_of(int64) == 8);
  CHECK(size_of(bool_) == 1);
  CHECK(is_floating(float64));
  CHECK_FALSE(is_floating(int64));
  CHECK_FALSE(is_floating(bool_));
}

TEST_CASE("Tensor: the default is empty") {
  const Tensor empty;
  CHECK(empty.shape() == Shape{0});
  CHECK(empty.dtype() == float32);
  CHECK(empty.bytes() == 0);
  CHECK(values(empty).empty());
}

TEST_CASE("Tensor: factories in every dtype") {
  for (DType dtype : all_dtypes) {
    INFO(name(dtype));
    CHECK(zeros({2, 3}, dtype).dtype() == dtype);
    CHECK(values(zeros({2, 3}, dtype)) == Doubles(6, 0));
    CHECK(values(ones({2, 3}, dtype)) == Doubles(6, 1));
    CHECK(values(full({2}, 7, dtype)) == Doubles(2, dtype == bool_ ? 1 : 7));
    CHECK(scalar(1, dtype).rank() == 0);
    CHECK(scalar(1, dtype).item() == 1);
    CHECK(values(eye(2, dtype)) == Doubles{1, 0, 0, 1});
    CHECK(values(tensor({0, 1, 1}, dtype)) == Doubles{0, 1, 1});
    CHECK(zeros({0, 3}, dtype).size() == 0);
    CHECK(zeros({0, 3}, dtype).bytes() == 0);
    CHECK(ones({}, dtype).item() == 1);
  }
  CHECK(zeros({1}).dtype() == float32);
  CHECK(eye(0).shape() == Shape{0, 0});
  CHECK_THROWS_AS(eye(-1), ShapeError);
  CHECK(full({1}, 2.75, int64).item() == 2);
  CHECK(std::isnan(full({3}, NaN).at({2})));
}

TEST_CASE("tensor: lists and rows") {
  CHECK(tensor({1, 2, 3}).shape() == Shape{3});
  const Tensor matrix = tensor({{1, 2, 3}, {4, 5, 6}});
  CHECK(matrix.shape() == Shape{2, 3});
  CHECK(values(matrix) == Doubles{1, 2, 3, 4, 5, 6});
  CHECK(tensor({{1, 2}}).shape() == Shape{1, 2});
  CHECK(tensor({{1}, {2}}).shape() == Shape{2, 1});  // two rows, not two numbers
  CHECK(tensor({{1}}).shape() == Shape{1, 1});
  CHECK(tensor({{}, {}}).shape() == Shape{2, 0});
  const int whole = 2;
  CHECK(values(tensor({whole, 2.5})) == Doubles{2, 2.5});
  CHECK_THROWS_WITH(tensor({{1, 2}, {3}}), "tensor: the rows differ in length: 2 and 1");
  CHECK_THROWS_AS(tensor({{1, 2}, {3}}), ShapeError);
}

TEST_CASE("Tensor: made from values in row-major order") {
  CHECK(values(Tensor({2, 2}, std::vector<float>{1, 2, 3, 4})) == Doubles{1, 2, 3, 4});
  CHECK(Tensor({1}, std::vector<std::int64_t>{5}).dtype() == int64);
  const bool flags[] = {true, false};
  CHECK(values(Tensor({2}, std::span<const bool>(flags))) == Doubles{1, 0});
  CHECK(Tensor({0, 2}, std::vector<double>{}).shape() == Shape{0, 2});
  CHECK_THROWS_WITH(Tensor({2, 2}, std::vector<float>(3)), "Tensor: the shape (2, 2) needs 4 values, not 3");
  CHECK_THROWS_AS(Tensor({2, 2}, std::vector<float>(5)), ShapeError);
}

TEST_CASE("arange counts as NumPy does") {
  CHECK(values(arange(0, 3)) == Doubles{0, 1, 2});
  CHECK(values(arange(0, 1, 0.25)) == Doubles{0, 0.25, 0.5, 0.75});
  CHECK(values(arange(3, 0, -1)) == Doubles{3, 2, 1});
  CHECK(values(arange(0, 2.5)) == Doubles{0, 1, 2});
  CHECK(values(arange(0, 3, 5)) == Doubles{0});
  CHECK(arange(3, 3).shape() == Shape{0});
  CHECK(arange(3, 0).shape() == Shape{0});
  CHECK(arange(0, 3, -1).shape() == Shape{0});
  CHECK(values(arange(-2, 2, 1, int64)) == Doubles{-2, -1, 0, 1});
  // NumPy's own surprise: (1.3 - 1) / 0.1 is above 3, so the stop is included.
  CHECK(arange(1, 1.3, 0.1, float64).size() == 4);
  // start + i * step, not a running sum.
  CHECK(arange(0, 1000, 0.1, float64).at({9999}) == 9999 * 0.1);
  const char* text = "arange: the bounds and the step must be finite, and the step not 0";
  CHECK_THROWS_WITH(arange(0, 1, 0), text);
  CHECK_THROWS_WITH(arange(0, Inf), text);
  CHECK_THROWS_WITH(arange(NaN, 1), text);
  CHECK_THROWS_AS(arange(0, 1, NaN), Error);
  CHECK_THROWS_WITH(arange(0, 1, 1e-300), "arange: too many elements");
  CHECK_THROWS_AS(arange(-1e308, 1e308), ShapeError);
}

TEST_CASE("linspace meets both ends") {
  CHECK(values(linspace(0, 1, 5)) == Doubles{0, 0.25, 0.5, 0.75, 1});
  CHECK(values(linspace(1, 0, 2)) == Doubles{1, 0});
  CHECK(values(linspace(2, 2, 3)) == Doubles{2, 2, 2});
  CHECK(values(linspace(4, 9, 1)) == Doubles{4});
  CHECK(linspace(0, 1, 0).shape() == Shape{0});
  CHECK(linspace(0, 0.7, 8, float64).at({-1}) == 0.7);
  CHECK(linspace(0, 1, 3, float64).dtype() == float64);
  CHECK(values(linspace(0, 4, 5, int64)) == Doubles{0, 1, 2, 3, 4});
  CHECK_THROWS_WITH(linspace(0, 1, -1), "linspace: the count is negative: -1");
}

TEST_CASE("Tensor: data is typed") {
  const Tensor t = zeros({2, 3});
  CHECK(t.data<float>() == t.raw());
  CHECK_THROWS_WITH(t.data<double>(),
                    "the tensor (2, 3) holds float32, not float64; convert it with astype(float64)");
  CHECK_THROWS_WITH(ones({1}, bool_).data<std::int64_t>(),
                    "the tensor (1,) holds bool, not int64; convert it with astype(int64)");
  CHECK_THROWS_AS(t.data<bool>(), DTypeError);
}

TEST_CASE("Tensor: item") {
  CHECK(scalar(2.5).item() == 2.5);
  CHECK(full({1, 1}, 2.5).item<int>() == 2);
  CHECK(scalar(0.1f).item<float>() == 0.1f);
  CHECK(scalar(1, bool_).item<bool>());
  constexpr std::int64_t big = (std::int64_t{1} << 53) + 1;  // no double
  CHECK(Tensor({}, std::vector<std::int64_t>{big}).item<std::int64_t>() == big);
  CHECK(scalar(-3, int64).item<double>() == -3);
  CHECK_THROWS_WITH(zeros({2, 3}).item(), "item: the tensor (2, 3) has 6 elements, not one");
  CHECK_THROWS_WITH(zeros({0}, int64).item<int>(), "item: the tensor (0,) has 0 elements, not one");
}

TEST_CASE("Tensor: at") {
  const Tensor t = arange(0, 6).reshape({2, 3});
  CHECK(t.at({0, 0}) == 0);
  CHECK(t.at({1, 2}) == 5);
  CHECK(t.at({-1, -3}) == 3);
  CHECK(scalar(4).at({}) == 4);
  CHECK_THROWS_WITH(t.at({1}), "at: 1 indices for the tensor (2, 3)");
  CHECK_THROWS_WITH(t.at({0, 1, 2}), "at: 3 indices for the tensor (2, 3)");
  CHECK_THROWS_WITH(t.at({0, 3}), "at: index 3 is out of range for axis 1 of (2, 3)");
  CHECK_THROWS_WITH(t.at({-3, 0}), "at: index -3 is out of range for axis 0 of (2, 3)");
  CHECK_THROWS_AS(zeros({0}).at({0}), ShapeError);
}

TEST_CASE("Tensor: copies share, unique tells") {
  const Tensor a = ones({3});
  CHECK(a.unique());
  {
    const Tensor b = a, c = a.reshape({3, 1});
    CHECK(b.shares_storage(a));
    CHECK(c.shares_storage(a));
    CHECK_FALSE(a.unique());
  }
  CHECK(a.unique());
  CHECK_FALSE(a.shares_storage(ones({3})));
  CHECK_FALSE(Tensor().shares_storage(Tensor()));
}

TEST_CASE("Tensor: reshape shares the storage and infers one size") {
  const Tensor t = arange(0, 12);
  CHECK(t.reshape({3, 4}).shape() == Shape{3, 4});
  CHECK(t.reshape(Shape{3, 4}).shape() == Shape{3, 4});
  CHECK(t.reshape({3, -1}).shape() == Shape{3, 4});
  CHECK(t.reshape({-1}).shape() == Shape{12});
  CHECK(t.reshape({2, -1, 3}).shape() == Shape{2, 2, 3});
  CHECK(t.reshape({-1, 12}).shape() == Shape{1, 12});
  CHECK(t.reshape(Shape{1, 1, 1, 1, 1, 1, 12}).rank() == 7);
  CHECK(t.reshape({3, 4}).shares_storage(t));
  CHECK(ones({1}).reshape({}).rank() == 0);
  CHECK(scalar(1).reshape({-1}).shape() == Shape{1});
  CHECK(zeros({0, 3}).reshape({-1, 3}).shape() == Shape{0, 3});
  CHECK(zeros({0, 3}).reshape({7, 0}).shape() == Shape{7, 0});
  CHECK_THROWS_WITH(t.reshape({5, 2}), "reshape: the number of elements differs: (12,) to (5, 2)");
  CHECK_THROWS_WITH(t.reshape(Shape{5, 2}), "reshape: the number of elements differs: (12,) to (5, 2)");
  CHECK_THROWS_WITH(t.reshape({5, -1}), "reshape: no size fits for -1: (12,) has 12 elements");
  CHECK_THROWS_WITH(zeros({0}).reshape({0, -1}), "reshape: no size fits for -1: (0,) has 0 elements");
  CHECK_THROWS_WITH(t.reshape({-1, -1}), "reshape: only one size can be -1");
  CHECK_THROWS_WITH(t.reshape({-2, -6}), "reshape: a size is negative: -2");
  CHECK_THROWS_AS(t.reshape({std::int64_t{1} << 62, 4}), ShapeError);
}

TEST_CASE("Tensor: astype converts as static_cast does") {
  const Tensor t = tensor({-1.5, 0, 0.5, 3});
  CHECK(t.astype(float32).shares_storage(t));
  CHECK(values(t.astype(float64)) == Doubles{-1.5, 0, 0.5, 3});
  CHECK(values(t.astype(int64)) == Doubles{-1, 0, 0, 3});
  CHECK(values(t.astype(bool_)) == Doubles{1, 0, 1, 1});
  CHECK(values(tensor({NaN, Inf}).astype(bool_)) == Doubles{1, 1});
  CHECK(std::isinf(scalar(1e300, float64).astype(float32).item()));
  CHECK(zeros({0, 2}).astype(int64).shape() == Shape{0, 2});
  for (DType from : all_dtypes) {
    for (DType to : all_dtypes) {
      INFO(name(from) << " to " << name(to));
      const Tensor converted = tensor({0, 1, 1, 0, 1}, from).astype(to);
      CHECK(converted.dtype() == to);
      CHECK(values(converted) == Doubles{0, 1, 1, 0, 1});
    }
  }
}

TEST_CASE("equal and allclose") {
  const Tensor a = tensor({1, 2});
  CHECK(equal(a, tensor({1, 2})));
  CHECK_FALSE(equal(a, tensor({1, 3})));
  CHECK_FALSE(equal(a, tensor({1, 2}, float64)));
  CHECK_FALSE(equal(a, tensor({{1, 2}})));
  CHECK(equal(zeros({0, 2}), zeros({0, 2})));
  CHECK(equal(scalar(0), scalar(-0.0)));
  CHECK_FALSE(equal(scalar(NaN), scalar(NaN)));

  CHECK(allclose(a, tensor({1.000009, 2}, float64)));
  CHECK_FALSE(allclose(a, tensor({1.00002, 2}, float64)));
  CHECK(allclose(scalar(0), scalar(1e-9)));
  CHECK_FALSE(allclose(scalar(0), scalar(1e-7)));
  CHECK(allclose(scalar(100), scalar(101), 0, 1));
  CHECK_FALSE(allclose(a, tensor({{1, 2}})));
  CHECK(allclose(tensor({NaN, Inf, -Inf}), tensor({NaN, Inf, -Inf})));
  CHECK_FALSE(allclose(tensor({NaN}), tensor({1})));
  CHECK_FALSE(allclose(tensor({Inf}), tensor({-Inf})));
  CHECK_FALSE(allclose(tensor({1}), tensor({Inf})));
}
