// What errors say: the operation as the user wrote it, the rule, both shapes, a hint where one is true, and
// the user's line.
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/ops.hpp>

#include "checks.hpp"

using namespace checks;

namespace {

struct Case {
  int line;
  std::string text;  // the whole message but its end: " (at errors_test.cpp:line)"
  std::string got;
};

// A macro, because the line must be that of the call.
#define CASE(E, text, call)                   \
  Case {                                      \
    __LINE__, text, message<E>([&] { call; }) \
  }

}  // namespace

TEST_CASE("errors: shapes, dtypes, values, each with its line", "[ops]") {
  const Tensor a = zeros({2, 3}), b = zeros({4, 5}), v = zeros({2}), d = zeros({2, 3}, float64),
               i = zeros({2, 3}, int64);
  const Tensor empty = zeros({0, 3}), labels = tensor({0, 7}, int64);
  // clang-format off
  const Case cases[] = {
      CASE(ShapeError, "add: shapes do not broadcast: (2, 3) and (4, 5)", a + b),
      CASE(ShapeError, "add: shapes do not broadcast: (2, 3) and (4, 5)", add(a, b)),
      CASE(ShapeError, "sub: shapes do not broadcast: (2, 3) and (2,); a vector is a row; reshape it to (2, 1) for a column", a - v),
      CASE(ShapeError, "mul: shapes do not broadcast: (2,) and (2, 3); a vector is a row; reshape it to (2, 1) for a column", v * a),
      CASE(ShapeError, "div: shapes do not broadcast: (2, 3) and (3, 2); did you mean transpose?", a / zeros({3, 2})),
      CASE(DTypeError, "mul: dtypes differ: (2, 3) is float32, (2, 3) is float64; convert one with astype(float64)", a * d),
      CASE(DTypeError, "maximum: dtypes differ: (2, 3) is float64, (2, 3) is float32; convert one with astype(float32)", maximum(d, a)),
      CASE(ShapeError, "less: shapes do not broadcast: (2, 3) and (4, 5)", a < b),
      CASE(ShapeError, "equal_to: shapes do not broadcast: (2, 3) and (4, 5)", a == b),
      CASE(ShapeError, "pow: shapes do not broadcast: (2, 3) and (4, 5)", pow(a, b)),
      CASE(DTypeError, "where: the condition (2, 3) is float32, not bool; compare it: x != 0", where(a, a, a)),
      CASE(ShapeError, "where: shapes do not broadcast: (2, 3) and (4, 5)", where(true, a, b)),
      CASE(ShapeError, "where: shapes do not broadcast: (4, 5), (2, 3) and (2, 3)", where(b != 0, a, a)),
      CASE(DTypeError, "where: dtypes differ: (2, 3) is float32, (2, 3) is float64; convert one with astype(float64)", where(true, a, d)),
      CASE(Error,      "clip: the bounds are reversed or NaN: 2.000000 and 1.000000", clip(a, 2, 1)),
      CASE(Error,      "clip: the bounds are reversed or NaN: nan and 1.000000", clip(a, NaN, 1)),
      CASE(ShapeError, "sum: axis 2 is out of range for (2, 3), which has 2 axes", sum(a, 2)),
      CASE(ShapeError, "mean: axis -3 is out of range for (2, 3), which has 2 axes", mean(a, {0, -3})),
      CASE(ShapeError, "sum: axis -2 is named twice", sum(a, {0, -2})),
      CASE(ShapeError, "max: the maximum of no elements: (0, 3)", max(empty)),
      CASE(ShapeError, "min: the minimum of no elements: (0, 3)", min(empty, 0)),
      CASE(ShapeError, "min: axis 5 is out of range for (2, 3), which has 2 axes", min(a, 5)),
      CASE(ShapeError, "logsumexp: axis 1 is out of range for (2,), which has 1 axis", logsumexp(v, 1)),
      CASE(ShapeError, "softmax: axis -1 is out of range for (), which has 0 axes", softmax(scalar(1))),
      CASE(ShapeError, "log_softmax: axis 2 is out of range for (2, 3), which has 2 axes", log_softmax(a, 2)),
      CASE(ShapeError, "reshape: the number of elements differs: (2, 3) to (4, 5)", reshape(a, Shape{4, 5})),
      CASE(ShapeError, "reshape: the number of elements differs: (2, 3) to (7,)", reshape(a, {7})),
      CASE(ShapeError, "reshape: only one size can be -1", reshape(a, {-1, -1})),
      CASE(ShapeError, "reshape: no size fits for -1: (2, 3) has 6 elements", reshape(a, {4, -1})),
      CASE(ShapeError, "transpose: {0, 0} is no order of the axes of (2, 3)", transpose(a, {0, 0})),
      CASE(ShapeError, "transpose: {0} is no order of the axes of (2, 3)", transpose(a, {0})),
      CASE(ShapeError, "transpose: axis 2 is out of range for (2, 3), which has 2 axes", transpose(a, {0, 2})),
      CASE(ShapeError, "broadcast_to: (2, 3) does not broadcast to (4, 5)", broadcast_to(a, {4, 5})),
      CASE(ShapeError, "concat: there are no parts", concat({})),
      CASE(ShapeError, "concat: the parts differ beside axis 0: (2, 3), (4, 5)", concat({a, b})),
      CASE(DTypeError, "concat: dtypes differ: (2, 3) is float32, (2, 3) is int64", concat({a, i})),
      CASE(ShapeError, "concat: axis 2 is out of range for (2, 3), which has 2 axes", concat({a, a}, 2)),
      CASE(ShapeError, "slice: 3 ranges for (2, 3)", slice(a, {{}, {}, {}})),
      CASE(ShapeError, "slice: the step of axis 1 is 0", slice(a, {{}, {0, 1, 0}})),
      CASE(ShapeError, "slice: axis 2 is out of range for (2, 3), which has 2 axes", slice(a, 2, {0, 1})),
      CASE(ShapeError, "matmul: inner sizes differ: (2, 3) x (4, 5)", matmul(a, b)),
      CASE(ShapeError, "matmul: inner sizes differ: (2, 3) x (4, 3); did you mean to transpose the second operand?", matmul(a, zeros({4, 3}))),
      CASE(ShapeError, "matmul: inner sizes differ: (2, 3) x (2, 5); did you mean to transpose the first operand?", matmul(a, zeros({2, 5}))),
      CASE(ShapeError, "matmul: inner sizes differ: (2, 3)^T x (3,); did you mean not to transpose the first operand?", matmul(a, zeros({3}), {.a = true})),
      CASE(ShapeError, "matmul: operands are matrices or vectors: (2, 3) x 2; use * for a scalar", matmul(a, 2)),
      CASE(ShapeError, "matmul: the axes before the last two do not broadcast: (2, 2, 2) x (3, 2, 3)", matmul(zeros({2, 2, 2}), zeros({3, 2, 3}))),
      CASE(ShapeError, "matmul: a size of (2147483648, 0) reaches 2^31, BLAS's limit", matmul(zeros({std::int64_t{1} << 31, 0}), zeros({0, 1}))),
      CASE(ShapeError, "matmul: a vector has no transpose", matmul(v, a, {.a = true})),
      CASE(DTypeError, "matmul: dtypes differ: (2, 3) is float32, (2, 3) is float64; convert one with astype(float64)", matmul(a, d)),
      CASE(ShapeError, "squared_error: the prediction (2, 3) and the target (4, 5) differ in shape; reshape one of them", squared_error(a, b)),
      CASE(ShapeError, "squared_error: the prediction (2,) and the target 1 differ in shape; reshape one of them", squared_error(v, 1)),
      CASE(ShapeError, "binary_cross_entropy: the prediction (2, 3) and the target (2,) differ in shape; reshape one of them", binary_cross_entropy(a, v)),
      CASE(ShapeError, "binary_cross_entropy_with_logits: the prediction (2,) and the target (2, 1) differ in shape; reshape one of them", binary_cross_entropy_with_logits(v, zeros({2, 1}))),
      CASE(Error,      "binary_cross_entropy: a probability is outside [0, 1]: 2.000000 at (1, 0) of (2, 2); apply sigmoid, or use binary_cross_entropy_with_logits", binary_cross_entropy(tensor({{1, 0}, {2, -1}}), zeros({2, 2}))),
      CASE(DTypeError, "squared_error: dtypes differ: (2, 3) is float32, (2, 3) is float64; convert one with astype(float64)", squared_error(a, d)),
      CASE(ShapeError, "softmax_cross_entropy: the labels (2, 3) are not the logits (2, 3) without axis 1", softmax_cross_entropy(a, i)),
      CASE(Error,      "softmax_cross_entropy: label 7 of example 1 is not in [0, 3)", softmax_cross_entropy(a, labels)),
      CASE(DTypeError, "softmax_cross_entropy: the labels (2,) are float32, not int64; convert them with astype(int64)", softmax_cross_entropy(a, v)),
      CASE(ShapeError, "softmax_cross_entropy: axis 2 is out of range for (2, 3), which has 2 axes", softmax_cross_entropy(a, labels, 2)),
      CASE(Error,      "one_hot: label 7 of example 1 is not in [0, 3)", one_hot(labels, 3)),
      CASE(DTypeError, "one_hot: the labels (2,) are float32, not int64; convert them with astype(int64)", one_hot(v, 3)),
      CASE(ShapeError, "one_hot: axis 2 is out of range for a result of 2 axes", one_hot(labels, 8, 2)),
      CASE(ShapeError, "one_hot: the number of classes is negative: -1", one_hot(labels, -1)),
      CASE(ShapeError, "argmax: the maximum of no elements: (0, 3)", argmax(empty, 0)),
      CASE(ShapeError, "argmax: axis 2 is out of range for (2, 3), which has 2 axes", argmax(a, 2)),
  };
  // clang-format on
  for (const Case& c : cases) {
    CHECK(c.got == c.text + " (at errors_test.cpp:" + std::to_string(c.line) + ")");
  }
}

TEST_CASE("errors: the names of parameters and inputs, and the scope", "[ops]") {
  Tape tape;
  const Parameter W("W1", zeros({20, 12}));
  const Variable X = tape.watch(zeros({9, 12}), "X");
  const Scope model("model");
  const Scope layer("layer1");
  const std::string text = message<ShapeError>([&] { matmul(W, X); });
  const std::string line = std::to_string(__LINE__ - 1);
  CHECK(text ==
        "matmul: inner sizes differ: W1 (20, 12) x X (9, 12); did you mean to transpose X? (at "
        "errors_test.cpp:" +
            line + ", in model/layer1)");
  CHECK(message<ShapeError>([&] { W + X; }).find("add: shapes do not broadcast: W1 (20, 12) and X (9, 12)") ==
        0);
  CHECK(message<DTypeError>([&] {
          W* zeros({20, 12}, float64);
        }).find("mul: dtypes differ: W1 (20, 12) is float32, (20, 12) is float64") == 0);
  CHECK(message<ShapeError>([&] {
          concat({W, X}, 1);
        }).find("concat: the parts differ beside axis 1: W1 (20, 12), X (9, 12)") == 0);
}

TEST_CASE("errors: the line is that of the first operand, through operators and temporaries", "[ops]") {
  const Variable a(zeros({2, 3})), b(zeros({4, 5}));
  const std::string text = message<ShapeError>([&] {
    const Variable c = a * 2 + 1;
    const Variable e = exp(c) / (b + 1);
  });
  CHECK(text.find("(at errors_test.cpp:" + std::to_string(__LINE__ - 2) + ")") != std::string::npos);
}

TEST_CASE("errors: one root catches them all", "[ops]") {
  CHECK_THROWS_AS(Variable(zeros({2})) + zeros({3}), Error);
  CHECK_THROWS_AS(Variable(zeros({2})) + zeros({2}, float64), Error);
  CHECK_THROWS_AS(Variable(zeros({2})) + zeros({3}), std::runtime_error);
}
