// logical_and, logical_or, logical_not and their operators.
#include <xgrad/ops/arithmetic.hpp>

#include "checks.hpp"

using namespace checks;

TEST_CASE("logical operations: truth tables", "[ops][simd]") {
  const Variable a = tensor({0, 0, 1, 1}, bool_), b = tensor({0, 1, 0, 1}, bool_);
  for (const Variable& both : {logical_and(a, b), a & b}) {
    CHECK(both.dtype() == bool_);
    CHECK(both.is_constant());
    CHECK(doubles(both) == Doubles{0, 0, 0, 1});
  }
  for (const Variable& either : {logical_or(a, b), a | b}) CHECK(doubles(either) == Doubles{0, 1, 1, 1});
  for (const Variable& none : {logical_not(a), !a}) CHECK(doubles(none) == Doubles{1, 1, 0, 0});
  CHECK(doubles(!(a & b) | (a & !b)) == Doubles{1, 1, 1, 0});
  CHECK(doubles(a & true) == doubles(a));
  CHECK(doubles(true | b) == Doubles(4, 1.0));
}

TEST_CASE("logical operations: sizes and broadcasting", "[ops][simd]") {
  for (std::int64_t n : {0, 1, 3, 8, 15, 17, 64, 1000}) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i * 7 % 3);
    const Variable x = Tensor(Shape{n}, values);
    const Doubles y = doubles((x > 0) & (x < 2)), z = doubles((x == 0) | !(x < 2));
    for (std::size_t i = 0; i < values.size(); ++i) {
      CHECK(y[i] == (values[i] == 1 ? 1 : 0));
      CHECK(z[i] == (values[i] == 1 ? 0 : 1));
    }
  }
  const Variable rows = tensor({{0}, {1}}, bool_), columns = tensor({0, 1, 1}, bool_);
  CHECK((rows & columns).shape() == Shape{2, 3});
  CHECK(doubles(rows & columns) == Doubles{0, 0, 0, 0, 1, 1});
  CHECK(doubles(rows | columns) == Doubles{0, 1, 1, 1, 1, 1});
}

TEST_CASE("logical operations: as a condition", "[ops]") {
  const Result result =
      run([](const Variables& v) { return where((v[0] > -1) & !(v[0] > 1), v[0] * v[0], 0); },
          {tensor({-2, -0.5, 0.5, 2})});
  CHECK(doubles(result.value) == Doubles{0, 0.25, 0.25, 0});
  CHECK(doubles(result.gradients[0]) == Doubles{0, -1, 1, 0});
}

TEST_CASE("logical operations: errors", "[ops]") {
  const Variable t = tensor({1, 0}, bool_), x = tensor({1, 2}), wide = tensor({1, 0, 1}, bool_);
  const auto ends = [](int line) { return "(at logical_test.cpp:" + std::to_string(line) + ")"; };
  for (const std::string& text :
       {message<DTypeError>([&] { logical_and(t, x); }), message<DTypeError>([&] { logical_or(x, t); }),
        message<DTypeError>([&] { logical_not(x); })}) {
    INFO(text);
    CHECK(text.rfind("logical_", 0) == 0);
    CHECK(text.find("(2,) is float32, not bool; compare it: x != 0 (at logical_test.cpp:") !=
          std::string::npos);
  }
  CHECK(message<ShapeError>([&] { t | wide; }) ==
        "logical_or: shapes do not broadcast: (2,) and (3,) " + ends(__LINE__ - 1));
}
