// Tensors as text, character by character.
#include <catch2/catch.hpp>
#include <limits>
#include <sstream>
#include <string>
#include <vector>
#include <xgrad/tensor/tensor.hpp>

using namespace xgrad;

namespace {

constexpr double Inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("print: scalars have no brackets") {
  CHECK(to_string(scalar(3)) == "3.");
  CHECK(to_string(scalar(-0.5)) == "-0.5");
  CHECK(to_string(scalar(7, int64)) == "7");
  CHECK(to_string(scalar(1, bool_)) == "true");
  CHECK(to_string(scalar(0.1f)) == "0.1");
  CHECK(to_string(scalar(1.0 / 3)) == "0.333333");
  CHECK(to_string(scalar(1.0 / 3, float64)) == "0.33333333");
  CHECK(to_string(scalar(1e10)) == "1e+10");
  CHECK(to_string(scalar(123456)) == "123456.");
  CHECK(to_string(scalar(NaN)) == "nan");
  CHECK(to_string(scalar(-Inf)) == "-inf");
  CHECK(to_string(Tensor({}, std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min()})) ==
        "-9223372036854775808");
}

TEST_CASE("print: elements are aligned at the right") {
  CHECK(to_string(tensor({1, 2, 3})) == "[1., 2., 3.]");
  CHECK(to_string(tensor({-1, 20, 3}, int64)) == "[-1, 20,  3]");
  CHECK(to_string(tensor({-1, 2.5, 3})) == "[-1., 2.5,  3.]");
  CHECK(to_string(tensor({1, 0}, bool_)) == "[ true, false]");
  CHECK(to_string(tensor({{1, -2}, {NaN, Inf}})) ==
        "[[ 1., -2.],\n"
        " [nan, inf]]");
}

TEST_CASE("print: nested axes, blank lines between matrices") {
  CHECK(to_string(tensor({{1}, {2}})) == "[[1.],\n [2.]]");
  CHECK(to_string(arange(0, 12, 1, int64).reshape({2, 2, 3})) ==
        "[[[ 0,  1,  2],\n"
        "  [ 3,  4,  5]],\n"
        "\n"
        " [[ 6,  7,  8],\n"
        "  [ 9, 10, 11]]]");
  CHECK(to_string(ones({1, 1, 1, 2}, int64)) == "[[[[1, 1]]]]");
  CHECK(to_string(arange(0, 4, 1, int64).reshape({2, 1, 2, 1})) ==
        "[[[[0],\n"
        "   [1]]],\n"
        "\n"
        "\n"
        " [[[2],\n"
        "   [3]]]]");
}

TEST_CASE("print: no elements, however many rows") {
  CHECK(to_string(Tensor()) == "[]");
  CHECK(to_string(zeros({0, 3}, int64)) == "[]");
  CHECK(to_string(zeros({3, 0}, bool_)) == "[]");
  CHECK(to_string(zeros({1000000000000, 0})) == "[]");
}

TEST_CASE("print: from 1001 elements on long axes show their ends") {
  CHECK(to_string(arange(0, 1001, 1, int64)) == "[   0,    1,    2, ...,  998,  999, 1000]");
  CHECK(to_string(arange(0, 1000)).find("...") == std::string::npos);
  CHECK(to_string(arange(0, 1200, 1, int64).reshape({200, 6})) ==
        "[[   0,    1,    2,    3,    4,    5],\n"
        " [   6,    7,    8,    9,   10,   11],\n"
        " [  12,   13,   14,   15,   16,   17],\n"
        " ...,\n"
        " [1182, 1183, 1184, 1185, 1186, 1187],\n"
        " [1188, 1189, 1190, 1191, 1192, 1193],\n"
        " [1194, 1195, 1196, 1197, 1198, 1199]]");
  CHECK(to_string(arange(0, 2000, 1, int64).reshape({2, 1000})) ==
        "[[   0,    1,    2, ...,  997,  998,  999],\n"
        " [1000, 1001, 1002, ..., 1997, 1998, 1999]]");
  // The width is that of the elements shown; the hidden 100000 does not count.
  Tensor t = zeros({1001}, int64);
  detail::mutable_data<std::int64_t>(t)[500] = 100000;
  CHECK(to_string(t) == "[0, 0, 0, ..., 0, 0, 0]");
}

TEST_CASE("print: a stream gets the same text, whatever its precision") {
  std::ostringstream out;
  out.precision(2);
  out << tensor({1.23456, 2});
  CHECK(out.str() == "[1.23456,      2.]");
}
