#include "catalogue.hpp"

#include <algorithm>
#include <ops/op_table.hpp>
#include <xgrad/autograd/checkpoint.hpp>
#include <xgrad/autograd/custom.hpp>
#include <xgrad/autograd/forward.hpp>

namespace random_graphs {

using namespace op_table;

namespace {

Variable attention(const Variable& q, const Variable& k, const Variable& v) {
  return matmul(softmax(matmul(q, k, {.b = true}) / std::sqrt(static_cast<double>(q.shape()[1]))), v);
}

Variable lstm_gates(const Variable& gates, const Variable& cell) {
  const std::vector<Variable> g = split(gates, 4, -1);
  return sigmoid(g[0]) * cell + sigmoid(g[1]) * tanh(g[2]) + tanh(cell) * sigmoid(g[3]);
}

Variable cubed(const Variable& x) {
  static const auto cube = custom([](const Variable& v) { return v * v * v; },
                                  [](const Variable& g, const Variable& y, const Variable& v) {
                                    return 3 * g * v * v + 0 * stop_gradient(y);
                                  },
                                  "cube");
  return cube(x);
}

// clang-format off

const std::vector<Row>& own_rows() {
  constexpr Interval wide{-2, 2};
  static const Facts ties{.distinct = true};
  static const Facts whole{.kinks = {-2, -1, 0, 1, 2}}, half{.kinks = {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}}, zero{.kinks = {0}};
  static const std::vector<std::vector<Shape>> any{{Shape{}}, {{4}}, {{2, 3}}, {{1, 3, 1}}, {{17}}, {{2, 1, 3, 2}}};
  static const std::vector<std::vector<Shape>> triples{{{5}, {5}, {5}}, {{2, 3}, {3}, {2, 1}}, {Shape{}, {4}, {3, 1}}, {{2, 1, 3}, {4, 1}, Shape{}}, {{9, 1}, {1, 8}, {8}}};
  static const std::vector<Row> rows = {
    // What the table's rows compute on purpose with another gradient, in pairs that undo each other.
    {"stop_gradient",    [](X x) { return x[0] + (stop_gradient(x[0]) - stop_gradient(x[0])); },     {wide}, any},
    {"scale_gradient",   [](X x) { return scale_gradient(scale_gradient(x[0], 4), 0.25); },          {wide}, any},
    {"flip_gradient",    [](X x) { return flip_gradient(flip_gradient(x[0])); },                     {wide}, any},
    {"straight_through", [](X x) { return straight_through(stop_gradient(x[0]), x[0]); },            {wide}, any},
    // Steps, between them.
    {"sign",  [](X x) { return sign(x[0]) * x[0]; },  {wide}, any, zero},
    {"floor", [](X x) { return x[0] - floor(x[0]); }, {wide}, any, whole},
    {"ceil",  [](X x) { return x[0] * ceil(x[0]); },  {wide}, any, whole},
    {"trunc", [](X x) { return x[0] - trunc(x[0]); }, {wide}, any, whole},
    {"round", [](X x) { return x[0] * round(x[0]); }, {wide}, any, half},
    // What is no operation of one row.
    {"fuse",       [](X x) { return fuse([](auto a, auto b, auto c) { return where(a > b, a * tanh(c), b * cos(c)); }, x[0], x[1], x[2]); },  {wide, wide, wide}, triples, ties},
    {"fuse",       [](X x) { return fuse([](auto a, auto b, auto c) { return log1p(a * a) / (1 + exp(b - c)); }, x[0], x[1], x[2]); },      {wide, wide, wide}, triples},
    {"fuse_sum",   [](X x) { return fuse_sum([](auto a, auto b, auto c) { return a * sin(b) + sqrt(2 + c * c); }, x[0], x[1], x[2]); },      {wide, wide, wide}, triples},
    {"where",      [](X x) { return where(x[0] > x[1], x[1] * x[2], x[0] - x[2]); },                 {wide, wide, wide}, triples, ties},
    {"x * x",      [](X x) { return x[0] * x[0] + sin(x[0]); },                                      {wide}, any},
    {"sum",        [](X x) { return sum(x[0], {0, 2}) * sum(x[0], {1, -1}, true); },                 {wide}, {{{2, 3, 3, 2}}, {{1, 3, 3, 2}}}},
    {"matmul",     [](X x) { return matmul(x[0], x[1]); },                                           {wide, wide}, {{{9, 17}, {17, 5}}, {{1, 33}, {33, 3}}, {{8, 8}, {8}}}},
    {"attention",  [](X x) { return attention(x[0], x[1], x[2]); },                                  {wide, wide, wide}, {{{3, 4}, {5, 4}, {5, 2}}, {{1, 2}, {3, 2}, {3, 3}}}},
    {"lstm",       [](X x) { return lstm_gates(x[0], x[1]); },                                       {wide, wide}, {{{8}, {2}}, {{3, 12}, {3, 3}}}},
    {"checkpoint", [](X x) { return checkpoint([](const Variable& a, const Variable& b) { return tanh(a * b) - sum(square(a)) * b; }, x[0], x[1]); }, {wide, wide}, broadcast_pairs},
    {"custom",     [](X x) { return cubed(x[0]); },                                                  {wide}, any},
    {"grad",       [](X x) { return grad([](const Variable& v) { return sum(sin(v) * square(v)); })(x[0]); },                                {wide}, any},
    {"grad",       [](X x) { return grad<0>([](const Variable& a, const Variable& b) { return sum(tanh(matmul(a, b))); })(x[0], x[1]); },    {wide, wide}, {{{2, 3}, {3, 2}}, {{1, 4}, {4, 3}}}},
    {"jvp",        [](X x) { return jvp([](const Variable& v) { return softmax(v) * exp(v); })(x[0], square(x[0])).tangent; },               {wide}, {{{4}}, {{2, 3}}}},
  };
  return rows;
}

// clang-format on

bool one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Without spread they meet a variance of 0, or equal columns.
const std::vector<std::string> spread_rows{"std",        "layer_norm", "rms_norm",
                                           "group_norm", "batch_norm", "matrix_norm"};
// LAPACK's signs jump where an element beside the diagonal is 0.
const std::vector<std::string> signed_rows{"qr", "svd", "eigh"};

Entry entry(const Row& row, bool linear_algebra) {
  Entry made{row.name, row.call, {}, row.shapes, row.facts.kinks};
  for (const auto& [low, high] : row.domain) made.domain.push_back({low, high});
  made.apart = row.facts.distinct || !row.facts.differentiable || one_of(spread_rows, row.name) ||
               one_of(signed_rows, row.name);
  if (one_of(signed_rows, row.name)) made.domain[0] = {0.1, 1};
  // With elements of -2 in all places, a matrix of 6 on the diagonal is singular.
  for (Domain& d : made.domain) {
    if (linear_algebra && d.low == -2) d = {-1.7, 1.7};
  }
  // Where the result is a step, 0 is one; in a norm of a matrix, its elements' signs are.
  if (!row.facts.differentiable || row.name == "matrix_norm") made.kinks.push_back(0);
  const auto unbounded = [](const Domain& i) { return i.low == -i.high && i.high >= 2; };
  made.unbounded = !made.apart && !linear_algebra && made.kinks.empty() && row.facts.everywhere &&
                   std::all_of(made.domain.begin(), made.domain.end(), unbounded);
  return made;
}

}  // namespace

const std::vector<std::string>& replaced_rows() {
  static const std::vector<std::string> names{
      "stop_gradient", "scale_gradient", "flip_gradient", "straight_through", "sign", "floor",
      "ceil",          "trunc",          "round"};
  return names;
}

const std::vector<Entry>& catalogue() {
  static const std::vector<Entry> entries = [] {
    std::vector<std::string> linear;
    for (const Row& row : linalg_rows()) linear.push_back(row.name);
    std::vector<Entry> made;
    for (const Row& row : all_rows()) {
      if (!one_of(replaced_rows(), row.name)) made.push_back(entry(row, one_of(linear, row.name)));
    }
    for (const Row& row : own_rows()) made.push_back(entry(row, false));
    return made;
  }();
  return entries;
}

}  // namespace random_graphs
