// Every public operation, one row each (or one for each way of calling it). The properties that all of them
// share are tested in op_table_test.cpp; declared_test.cpp fails if an operation has no row here.
#pragma once

#include <cmath>
#include <random>
#include <xgrad/ops/ops.hpp>

#include "checks.hpp"

namespace op_table {

using namespace checks;

/// A number and its derivative along one input, exact beyond float64: the formulas below are evaluated on it.
struct Dual {
  using Real = long double;
  Real v, d;
  Dual(Real value, Real derivative = 0) : v(value), d(derivative) {}  // NOLINT(google-explicit-constructor)

  friend Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
  friend Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
  friend Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
  friend Dual operator/(Dual a, Dual b) { return {a.v / b.v, (a.d - a.v / b.v * b.d) / b.v}; }
  friend Dual operator-(Dual a) { return {-a.v, -a.d}; }
  friend bool operator<(Dual a, Dual b) { return a.v < b.v; }
  friend bool operator>(Dual a, Dual b) { return a.v > b.v; }
  friend bool operator==(Dual a, Dual b) { return a.v == b.v; }
  friend Dual exp(Dual a) { return {std::exp(a.v), a.d * std::exp(a.v)}; }
  friend Dual expm1(Dual a) { return {std::expm1(a.v), a.d * std::exp(a.v)}; }
  friend Dual log(Dual a) { return {std::log(a.v), a.d / a.v}; }
  friend Dual log1p(Dual a) { return {std::log1p(a.v), a.d / (1 + a.v)}; }
  friend Dual sqrt(Dual a) { return {std::sqrt(a.v), a.d / (2 * std::sqrt(a.v))}; }
  friend Dual tanh(Dual a) { return {std::tanh(a.v), a.d / (std::cosh(a.v) * std::cosh(a.v))}; }
  friend Dual erf(Dual a) { return {std::erf(a.v), a.d * 1.128379167095512573896L * std::exp(-a.v * a.v)}; }
  friend Dual erfc(Dual a) {
    return {std::erfc(a.v), -a.d * 1.128379167095512573896L * std::exp(-a.v * a.v)};
  }
  friend Dual pow(Dual a, Real e) { return {std::pow(a.v, e), a.d * e * std::pow(a.v, e - 1)}; }
  friend Dual pow(Dual a, Dual b) { return {std::pow(a.v, b.v), exp(b * log(a)).d}; }
};

inline Dual log_of_1_plus_exp(Dual x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

inline Dual gelu_formula(Dual x) { return x < -1e30L ? 0 : x * erfc(x * -std::sqrt(0.5L)) / 2; }
inline Dual gelu_tanh_formula(Dual x) {
  if (x < -100 || x > 100) return x < 0 ? 0 : x;
  return x / (1 + exp(-2 * std::sqrt(2 / 3.14159265358979323846L) * (x + 0.044715L * x * x * x)));
}

/// Where an input is sampled.
struct Interval {
  double low, high;
};

/// What a NaN in an input does to the result and to that input's gradient.
enum class Nan {
  spreads,  // both are NaN
  linear,   // the result is NaN; the partial does not depend on this input
  stops,    // no gradient flows; the result is NaN
  ignored,  // documented: the result may be a number
};

/// What is not the same for all rows.
struct Facts {
  std::vector<double> kinks = {};  // inputs stay 0.05 away from these, where slopes are compared
  bool distinct = false;           // and all elements differ
  double ulp = 1;                  // of the value, against the formula
  DType integers = float32;        // what int64 operands give
  Nan nan_a = Nan::spreads, nan_b = Nan::spreads;
  bool differentiable = true;
  bool broadcasts = true;  // or demands equal shapes
  bool everywhere = true;  // or only defined between `low` and `high`
  bool floats = true;      // or the operation itself takes bools, which the call makes
  bool draws = false;      // random numbers, so that it cannot be replayed
  bool slopes =
      true;  // or differences do not show its gradient: steps, and a gradient that is another on purpose
};

struct Row {
  std::string name;  // of the public function
  Function call;
  std::vector<Interval> domain;            // of each input
  std::vector<std::vector<Shape>> shapes;  // of all inputs, for the gradient checks
  Facts facts = {};
  // Elementwise rows only.
  std::function<Dual(const std::vector<Dual>&)> formula = nullptr;
  std::function<Variable(double, const Variable&)> number_left = nullptr;
  std::function<Variable(const Variable&, double)> number_right = nullptr;

  std::size_t inputs() const { return domain.size(); }
};

template <class F, class G>
Row unary(std::string name, F call, G formula, Interval domain, Facts facts = {}) {
  Row row{std::move(name),
          [call](const Variables& x) { return call(x[0]); },
          {domain},
          {{Shape{}}, {{5}}, {{2, 3}}, {{1, 2, 1}}},
          std::move(facts)};
  row.formula = [formula](const std::vector<Dual>& x) -> Dual { return formula(x[0]); };
  return row;
}

inline const std::vector<std::vector<Shape>> equal_pairs = {{Shape{}, Shape{}}, {{5}, {5}}, {{2, 3}, {2, 3}}};
inline const std::vector<std::vector<Shape>> broadcast_pairs = {
    {{3, 4}, {4}},     {{3, 1}, {1, 4}}, {{2, 3, 4}, {3, 1}},          {{4, 1}, {2, 1, 3}}, {Shape{}, {3}},
    {{2, 2}, Shape{}}, {{1}, {5}},       {{2, 1, 3, 1}, {1, 2, 1, 2}}, {{1, 4}, {4}}};

template <class F, class G>
Row binary(std::string name, F call, G formula, Interval a, Interval b, Facts facts = {}) {
  Row row{std::move(name),
          [call](const Variables& x) { return call(x[0], x[1]); },
          {a, b},
          equal_pairs,
          std::move(facts)};
  if (row.facts.broadcasts)
    row.shapes.insert(row.shapes.end(), broadcast_pairs.begin(), broadcast_pairs.end());
  row.formula = [formula](const std::vector<Dual>& x) -> Dual { return formula(x[0], x[1]); };
  row.number_left = [call](double x, const Variable& y) { return call(x, y); };
  row.number_right = [call](const Variable& x, double y) { return call(x, y); };
  return row;
}

/// Labels 0, 1, 2, 0, ... for logits of this shape.
inline Tensor labels_for(const Shape& logits, int axis) {
  std::vector<std::int64_t> sizes(logits.begin(), logits.end());
  sizes.erase(axis < 0 ? sizes.end() + axis : sizes.begin() + axis);
  const Shape shape{std::span<const std::int64_t>(sizes)};
  std::vector<std::int64_t> labels(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 3);
  return Tensor(shape, labels);
}

// clang-format off

using X = const Variables&;
constexpr auto NoGradient = Facts{.integers = bool_, .nan_a = Nan::ignored, .nan_b = Nan::ignored, .differentiable = false};
constexpr auto OfBools = Facts{.integers = bool_, .nan_a = Nan::ignored, .nan_b = Nan::ignored, .differentiable = false, .floats = false};

inline const std::vector<Row>& arithmetic_rows() {
  static const std::vector<Row> rows = {
    // name            call                                                           formula                                                          domain             facts
    unary("neg",       [](const auto& x) { return neg(x); },                          [](Dual x) { return -x; },                                       {-3, 3},           {.integers = int64, .nan_a = Nan::linear}),
    unary("square",    [](const auto& x) { return square(x); },                       [](Dual x) { return x * x; },                                    {-3, 3},           {.integers = int64}),
    unary("abs",       [](const auto& x) { return abs(x); },                          [](Dual x) { return x > 0 ? x : x < 0 ? -x : Dual(0); },         {-3, 3},           {.kinks = {0}, .integers = int64}),
    unary("pow",       [](const auto& x) { return pow(x, 0); },                       [](Dual) { return Dual(1); },                                    {-3, 3},           {.nan_a = Nan::ignored, .differentiable = false}),
    unary("pow",       [](const auto& x) { return pow(x, 1); },                       [](Dual x) { return x; },                                        {-3, 3},           {.nan_a = Nan::linear}),
    unary("pow",       [](const auto& x) { return pow(x, 2); },                       [](Dual x) { return x * x; },                                    {-3, 3}),
    unary("pow",       [](const auto& x) { return pow(x, 3); },                       [](Dual x) { return pow(x, 3.0L); },                             {-3, 3}),
    unary("pow",       [](const auto& x) { return pow(x, -1.0); },                    [](Dual x) { return 1 / x; },                                    {0.3, 3}),
    unary("pow",       [](const auto& x) { return pow(x, 0.5); },                     [](Dual x) { return pow(x, 0.5L); },                             {0.3, 3}),
    unary("pow",       [](const auto& x) { return pow(x, -1.5f); },                   [](Dual x) { return pow(x, -1.5L); },                            {0.3, 3}),
    unary("clip",      [](const auto& x) { return clip(x, -1, 1.5); },                [](Dual x) { return x < -1 ? -1 : x > 1.5 ? 1.5 : x; },          {-3, 3},           {.kinks = {-1, 1.5}}),
    unary("stop_gradient", [](const auto& x) { return stop_gradient(x); },            [](Dual x) { return Dual(x.v); },                                {-3, 3},           {.integers = int64, .nan_a = Nan::stops, .differentiable = false}),

    unary("exp",       [](const auto& x) { return exp(x); },                          [](Dual x) { return exp(x); },                                   {-3, 3},           {.ulp = 2}),
    unary("expm1",     [](const auto& x) { return expm1(x); },                        [](Dual x) { return expm1(x); },                                 {-3, 3},           {.ulp = 2}),
    unary("log",       [](const auto& x) { return log(x); },                          [](Dual x) { return log(x); },                                   {0.1, 5},          {.ulp = 2}),
    unary("log1p",     [](const auto& x) { return log1p(x); },                        [](Dual x) { return log1p(x); },                                 {-0.8, 5},         {.ulp = 2}),
    unary("sqrt",      [](const auto& x) { return sqrt(x); },                         [](Dual x) { return sqrt(x); },                                  {0.1, 5}),

    unary("erf",       [](const auto& x) { return erf(x); },                          [](Dual x) { return erf(x); },                                   {-3, 3},           {.ulp = 2}),
    unary("erfc",      [](const auto& x) { return erfc(x); },                         [](Dual x) { return erfc(x); },                                  {-3, 3},           {.ulp = 4}),

    unary("sigmoid",   [](const auto& x) { return sigmoid(x); },                      [](Dual x) { return x > 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }, {-6, 6},           {.ulp = 2}),
    unary("tanh",      [](const auto& x) { return tanh(x); },                         [](Dual x) { return tanh(x); },                                  {-4, 4},           {.ulp = 2}),
    unary("relu",      [](const auto& x) { return relu(x); },                         [](Dual x) { return x > 0 ? x : 0; },                            {-3, 3},           {.kinks = {0}}),
    unary("leaky_relu", [](const auto& x) { return leaky_relu(x); },                  [](Dual x) { return x > 0 ? x : 0.01 * x; },                     {-3, 3},           {.kinks = {0}}),
    unary("leaky_relu", [](const auto& x) { return leaky_relu(x, 0.25); },            [](Dual x) { return x > 0 ? x : 0.25 * x; },                     {-3, 3},           {.kinks = {0}}),
    unary("gelu",      [](const auto& x) { return gelu(x); },                         [](Dual x) { return gelu_formula(x); },                          {-4, 4},           {.ulp = 5}),
    unary("gelu",      [](const auto& x) { return gelu(x, true); },                   [](Dual x) { return gelu_tanh_formula(x); },                     {-3, 3},           {.ulp = 30}),
    unary("identity",  [](const auto& x) { return identity(x); },                     [](Dual x) { return x; },                                        {-3, 3},           {.integers = int64, .nan_a = Nan::linear}),
    unary("softplus",  [](const auto& x) { return softplus(x); },                     [](Dual x) { return log_of_1_plus_exp(x); },                     {-6, 6},           {.ulp = 2}),

    binary("add",      [](const auto& a, const auto& b) { return add(a, b); },        [](Dual a, Dual b) { return a + b; },                            {-3, 3}, {-3, 3},  {.integers = int64, .nan_a = Nan::linear, .nan_b = Nan::linear}),
    binary("sub",      [](const auto& a, const auto& b) { return sub(a, b); },        [](Dual a, Dual b) { return a - b; },                            {-3, 3}, {-3, 3},  {.integers = int64, .nan_a = Nan::linear, .nan_b = Nan::linear}),
    binary("mul",      [](const auto& a, const auto& b) { return mul(a, b); },        [](Dual a, Dual b) { return a * b; },                            {-3, 3}, {-3, 3},  {.integers = int64, .nan_a = Nan::linear, .nan_b = Nan::linear}),
    binary("div",      [](const auto& a, const auto& b) { return div(a, b); },        [](Dual a, Dual b) { return a / b; },                            {-3, 3}, {0.3, 3}, {.nan_a = Nan::linear}),
    binary("pow",      [](const auto& a, const auto& b) { return pow(a, b); },        [](Dual a, Dual b) { return pow(a, b); },                        {0.3, 3}, {-2, 2}),
    binary("maximum",  [](const auto& a, const auto& b) { return maximum(a, b); },    [](Dual a, Dual b) { return a > b ? a : a < b ? b : (a + b) / 2; }, {-3, 3}, {-3, 3}, {.distinct = true, .integers = int64}),
    binary("minimum",  [](const auto& a, const auto& b) { return minimum(a, b); },    [](Dual a, Dual b) { return a < b ? a : a > b ? b : (a + b) / 2; }, {-3, 3}, {-3, 3}, {.distinct = true, .integers = int64}),
    binary("where",    [](const auto& a, const auto& b) { return where(greater(a, 0), a, b); }, [](Dual a, Dual b) { return a > 0 ? a : b; },          {-3, 3}, {-3, 3},  {.kinks = {0}, .integers = int64, .nan_a = Nan::ignored, .nan_b = Nan::ignored}),

    binary("less",          [](const auto& a, const auto& b) { return less(a, b); },          [](Dual a, Dual b) { return Dual(a < b); },              {-3, 3}, {-3, 3},  NoGradient),
    binary("less_equal",    [](const auto& a, const auto& b) { return less_equal(a, b); },    [](Dual a, Dual b) { return Dual(!(a > b)); },           {-3, 3}, {-3, 3},  NoGradient),
    binary("greater",       [](const auto& a, const auto& b) { return greater(a, b); },       [](Dual a, Dual b) { return Dual(a > b); },              {-3, 3}, {-3, 3},  NoGradient),
    binary("greater_equal", [](const auto& a, const auto& b) { return greater_equal(a, b); }, [](Dual a, Dual b) { return Dual(!(a < b)); },           {-3, 3}, {-3, 3},  NoGradient),
    binary("equal_to",      [](const auto& a, const auto& b) { return equal_to(a, b); },      [](Dual a, Dual b) { return Dual(a.v == b.v); },         {-3, 3}, {-3, 3},  NoGradient),
    binary("not_equal_to",  [](const auto& a, const auto& b) { return not_equal_to(a, b); },  [](Dual a, Dual b) { return Dual(a.v != b.v); },         {-3, 3}, {-3, 3},  NoGradient),

    binary("logical_and",   [](const auto& a, const auto& b) { return logical_and(greater(a, 0), greater(b, 0)); }, [](Dual a, Dual b) { return Dual(a > 0 && b > 0); }, {-3, 3}, {-3, 3}, OfBools),
    binary("logical_or",    [](const auto& a, const auto& b) { return logical_or(greater(a, 0), greater(b, 0)); },  [](Dual a, Dual b) { return Dual(a > 0 || b > 0); }, {-3, 3}, {-3, 3}, OfBools),
    unary("logical_not",    [](const auto& x) { return logical_not(greater(x, 0)); },         [](Dual x) { return Dual(!(x > 0)); },                   {-3, 3},           OfBools),

    unary("fuse",           [](const auto& x) { return fuse([](auto v) { return v * sigmoid(v); }, x); },           [](Dual x) { return x > 0 ? x / (1 + exp(-x)) : x * exp(x) / (1 + exp(x)); }, {-6, 6}, {.ulp = 4}),
    binary("fuse",          [](const auto& a, const auto& b) { return fuse([](auto v, auto w) { return where(v > w, v * w, w - v); }, a, b); },
           [](Dual a, Dual b) { return a > b ? a * b : b - a; },                                                                                       {-3, 3}, {-3, 3},  {.distinct = true, .nan_a = Nan::ignored, .nan_b = Nan::ignored}),

    binary("squared_error", [](const auto& a, const auto& y) { return squared_error(a, y); }, [](Dual a, Dual y) { return (a - y) * (a - y); },        {-3, 3}, {-3, 3},  {.ulp = 2, .broadcasts = false}),
    binary("binary_cross_entropy", [](const auto& a, const auto& y) { return binary_cross_entropy(a, y); },
           [](Dual a, Dual y) { const Dual p = log(a), q = log1p(-a); return -(y * (p < -100 ? -100 : p) + (1 - y) * (q < -100 ? -100 : q)); },        {0.1, 0.9}, {0, 1}, {.ulp = 4, .nan_a = Nan::ignored, .nan_b = Nan::linear, .broadcasts = false, .everywhere = false}),
    binary("binary_cross_entropy_with_logits", [](const auto& z, const auto& y) { return binary_cross_entropy_with_logits(z, y); },
           [](Dual z, Dual y) { return (y == 0 ? 0 : y * log_of_1_plus_exp(-z)) + (y == 1 ? 0 : (1 - y) * log_of_1_plus_exp(z)); },                    {-6, 6}, {0.05, 0.95}, {.ulp = 4, .nan_b = Nan::linear, .broadcasts = false, .everywhere = false}),
  };
  return rows;
}

inline const std::vector<Row>& structural_rows() {
  constexpr Interval wide{-2, 2};
  static const Facts ties{.distinct = true}, none{.differentiable = false};
  static const std::vector<std::vector<Shape>> any{{Shape{}}, {{4}}, {{2, 3}}, {{1, 3, 1}}}, matrix{{{2, 3}}, {{3, 1}}, {{1, 4}}}, cube{{{2, 3, 4}}, {{1, 3, 2}}};
  static const std::vector<Row> rows = {
    // name             call                                                                   inputs          shapes
    {"sum",             [](X x) { return sum(x[0]); },                                         {wide},         any},
    {"sum",             [](X x) { return sum(x[0], -1); },                                     {wide},         matrix},
    {"sum",             [](X x) { return sum(x[0], {0, 2}, true); },                           {wide},         cube},
    {"mean",            [](X x) { return mean(x[0]); },                                        {wide},         any},
    {"mean",            [](X x) { return mean(x[0], 0); },                                     {wide},         matrix},
    {"mean",            [](X x) { return mean(x[0], {-1, 0}, true); },                         {wide},         cube},
    {"max",             [](X x) { return max(x[0]); },                                         {wide},         any,      ties},
    {"max",             [](X x) { return max(x[0], 1); },                                      {wide},         matrix,   ties},
    {"max",             [](X x) { return max(x[0], {0, -1}, true); },                          {wide},         cube,     ties},
    {"min",             [](X x) { return min(x[0]); },                                         {wide},         any,      ties},
    {"min",             [](X x) { return min(x[0], -2); },                                     {wide},         matrix,   ties},
    {"min",             [](X x) { return min(x[0], {0, 1}, true); },                           {wide},         cube,     ties},
    {"logsumexp",       [](X x) { return logsumexp(x[0]); },                                   {wide},         any},
    {"logsumexp",       [](X x) { return logsumexp(x[0], 0); },                                {wide},         matrix},
    {"logsumexp",       [](X x) { return logsumexp(x[0], {1, 2}, true); },                     {wide},         cube},
    {"softmax",         [](X x) { return softmax(x[0]); },                                     {wide},         {{{4}}, {{2, 3}}, {{2, 1, 3}}}},
    {"softmax",         [](X x) { return softmax(x[0], 0); },                                  {wide},         {{{4}}, {{2, 3}}, {{3, 1}}}},
    {"log_softmax",     [](X x) { return log_softmax(x[0]); },                                 {wide},         {{{4}}, {{2, 3}}, {{2, 1, 3}}}},
    {"log_softmax",     [](X x) { return log_softmax(x[0], -2); },                             {wide},         {{{2, 3}}, {{3, 1}}, {{2, 3, 2}}}},
    {"layer_norm",      [](X x) { return layer_norm(x[0], x[1], x[2]); },                      {wide, wide, wide}, {{{4}, {4}, {4}}, {{3, 5}, {5}, {5}}, {{2, 1, 3}, {3}, {3}}}},
    {"layer_norm",      [](X x) { return layer_norm(x[0], x[0], x[0], 0.5); },                 {wide},         {{{2}}, {{5}}}},
    {"fuse_sum",        [](X x) { return fuse_sum([](auto v) { return v * exp(v); }, x[0]); },         {wide},       any},
    {"fuse_sum",        [](X x) { return fuse_sum([](auto v, auto w) { return v * exp(w); }, x[0], x[1]); },  {wide, wide}, broadcast_pairs},
    {"fuse_mean",       [](X x) { return fuse_mean([](auto v) { return v * exp(v); }, x[0]); },        {wide},       any},
    {"fuse_mean",       [](X x) { return fuse_mean([](auto v, auto w) { return v * exp(w); }, x[0], x[1]); }, {wide, wide}, broadcast_pairs},
    {"reshape",         [](X x) { return reshape(x[0], Shape{3, 2}); },                        {wide},         {{{6}}, {{2, 3}}, {{1, 6}}}},
    {"reshape",         [](X x) { return reshape(x[0], {-1}); },                               {wide},         any},
    {"transpose",       [](X x) { return transpose(x[0]); },                                   {wide},         any},
    {"transpose",       [](X x) { return transpose(x[0], {2, 0, 1}); },                        {wide},         cube},
    {"broadcast_to",    [](X x) { return broadcast_to(x[0], {2, 3, 4}); },                     {wide},         {{Shape{}}, {{4}}, {{3, 1}}, {{2, 1, 1}}, {{2, 3, 4}}}},
    {"concat",          [](X x) { return concat({x[0], x[1]}); },                              {wide, wide},   {{{2}, {3}}, {{1, 3}, {2, 3}}, {{2, 3}, {0, 3}}}},
    {"concat",          [](X x) { return concat({x[0], x[1], x[0]}, -1); },                    {wide, wide},   {{{2}, {3}}, {{2, 1}, {2, 3}}}},
    {"slice",           [](X x) { return slice(x[0], {{1, 4}, {std::nullopt, std::nullopt, -1}}); }, {wide},   {{{5, 3}}, {{2, 1}}, {{4, 2, 2}}}},
    {"slice",           [](X x) { return slice(x[0], -1, {.start = 0, .step = 2}); },          {wide},         {{{5}}, {{2, 3}}, {{2, 1, 4}}}},
    {"argmax",          [](X x) { return argmax(x[0]); },                                      {wide},         {{{4}}, {{2, 3}}}, none},
    {"one_hot",         [](X x) { return one_hot(argmax(x[0]), 3); },                          {wide},         {{{3}}, {{2, 3}}}, none},
    {"matmul",          [](X x) { return matmul(x[0], x[1]); },                                {wide, wide},   {{{2, 3}, {3, 4}}, {{1, 3}, {3, 1}}, {{3}, {3, 2}}, {{2, 3}, {3}}, {{3}, {3}}, {{2, 1}, {1, 2}}}},
    {"matmul",          [](X x) { return matmul(x[0], x[1], {.a = true}); },                   {wide, wide},   {{{3, 2}, {3, 4}}, {{3, 2}, {3}}}},
    {"matmul",          [](X x) { return matmul(x[0], x[1], {.b = true}); },                   {wide, wide},   {{{2, 3}, {4, 3}}, {{3}, {2, 3}}}},
    {"matmul",          [](X x) { return matmul(x[0], x[1], {.a = true, .b = true}); },        {wide, wide},   {{{3, 2}, {4, 3}}, {{1, 2}, {3, 1}}}},
    {"matmul_add",      [](X x) { return matmul_add(x[0], x[1], x[2]); },                      {wide, wide, wide}, {{{2, 3}, {3, 4}, {4}}, {{2, 3}, {3, 4}, {2, 1}}, {{2, 3}, {3, 4}, {}}, {{2, 3}, {3, 4}, {2, 4}}, {{3}, {3, 2}, {2}}, {{2, 3}, {3}, {1}}, {{3}, {3}, {}}}},
    {"matmul_add",      [](X x) { return matmul_add(x[0], x[1], x[2], {.a = true, .b = true}); }, {wide, wide, wide}, {{{3, 2}, {4, 3}, {1, 4}}}},
    {"softmax_cross_entropy", [](X x) { return softmax_cross_entropy(x[0], labels_for(x[0].shape(), -1)); },   {wide}, {{{3}}, {{5, 3}}, {{2, 2, 4}}}},
    {"softmax_cross_entropy", [](X x) { return softmax_cross_entropy(x[0], labels_for(x[0].shape(), 0), 0); }, {wide}, {{{3}}, {{3, 5}}, {{4, 2, 2}}}},
  };
  return rows;
}

// clang-format on

}  // namespace op_table

#include "rows/convolution.hpp"
#include "rows/elementwise.hpp"
#include "rows/indexing.hpp"
#include "rows/linalg.hpp"
#include "rows/losses.hpp"
#include "rows/random.hpp"
#include "rows/reduction.hpp"
#include "rows/shaping.hpp"
#include "rows/variants.hpp"

namespace op_table {

inline const std::vector<Row>& elementwise_rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> rows = arithmetic_rows();
    for (const auto* more : {&math_rows(), &activation_rows()})
      rows.insert(rows.end(), more->begin(), more->end());
    return rows;
  }();
  return all;
}

inline std::vector<Row> all_rows() {
  std::vector<Row> rows = elementwise_rows();
  rows.insert(rows.end(), structural_rows().begin(), structural_rows().end());
  rows.insert(rows.end(), composed_rows().begin(), composed_rows().end());
  rows.insert(rows.end(), variant_rows().begin(), variant_rows().end());
  rows.insert(rows.end(), shaping_rows().begin(), shaping_rows().end());
  rows.insert(rows.end(), indexing_rows().begin(), indexing_rows().end());
  rows.insert(rows.end(), linalg_rows().begin(), linalg_rows().end());
  rows.insert(rows.end(), reduction_rows().begin(), reduction_rows().end());
  rows.insert(rows.end(), convolution_rows().begin(), convolution_rows().end());
  rows.insert(rows.end(), random_rows().begin(), random_rows().end());
  rows.insert(rows.end(), loss_rows().begin(), loss_rows().end());
  return rows;
}

/// Inputs of a row as float64 that float32 holds exactly, away from its kinks if there are few of them.
inline std::vector<Tensor> sample(const Row& row, const std::vector<Shape>& shapes, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<double> avoided = row.facts.kinks;
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto [low, high] = row.domain[i];
    Doubles values(static_cast<std::size_t>(shapes[i].size()));
    for (double& value : values) {
      const auto near = [&](double kink) { return std::abs(value - kink) < 0.03; };
      do {
        value = static_cast<float>(low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53);
      } while (std::any_of(avoided.begin(), avoided.end(), near));
      if (row.facts.distinct && values.size() < 50) avoided.push_back(value);
    }
    inputs.emplace_back(shapes[i], values);
  }
  return inputs;
}

inline std::vector<Tensor> as(DType dtype, std::vector<Tensor> inputs) {
  for (Tensor& x : inputs) x = x.astype(dtype);
  return inputs;
}

}  // namespace op_table
