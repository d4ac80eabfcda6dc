// The rows of linear algebra. Included by op_table.hpp alone.
#pragma once

namespace op_table {

/// x, if it is no matrix or not square; else with a diagonal that keeps it far from singular.
inline Variable dominant(const Variable& x) {
  const bool square = x.rank() > 1 && x.shape()[x.rank() - 1] == x.shape()[x.rank() - 2];
  return square ? x + 6 * eye(x.shape()[x.rank() - 1], x.dtype()) : x;
}

/// x with 4, 8, 12, ... on the diagonal: no two eigenvalues or singular values are close.
inline Variable spread(const Variable& x) {
  const std::int64_t m = x.shape()[x.rank() - 2], n = x.shape()[x.rank() - 1];
  Doubles values(static_cast<std::size_t>(m * n), 0);
  for (std::int64_t i = 0; i < std::min(m, n); ++i)
    values[static_cast<std::size_t>(i * n + i)] = 4.0 * static_cast<double>(i + 1);
  return x + Tensor(Shape{m, n}, values).astype(x.dtype());
}

/// Symmetric and positive.
inline Variable positive(const Variable& x) {
  return matmul(x, x, {.b = true}) + eye(x.shape()[x.rank() - 2], x.dtype());
}

// clang-format off

inline const std::vector<Row>& linalg_rows() {
  constexpr Interval wide{-2, 2}, unit{-1, 1};
  static const Facts ties{.distinct = true};
  static const std::vector<std::vector<Shape>> square{{{3, 3}}, {{1, 1}}, {{2, 2, 2}}}, matrix{{{3, 3}}, {{4, 2}}, {{2, 2, 3}}},
    sides{{{3, 3}, {3}}, {{3, 3}, {3, 3}}, {{2, 2}, {3, 2, 1}}, {{2, 2, 2}, {2, 3}}, {{2, 1, 2, 2}, {3, 2, 2}}};
  static const std::vector<Row> rows = {
    // name             call                                                                   inputs          shapes
    {"matmul",          [](X x) { return matmul(x[0], x[1]); },                                {wide, wide},   {{{2, 1, 2, 3}, {2, 3, 1}}, {{2, 2, 3}, {3, 4}}, {{2, 3}, {2, 3, 1}}, {{3}, {2, 3, 2}}, {{2, 2, 3}, {3}}}},
    {"matmul",          [](X x) { return matmul(x[0], x[1], {.a = true, .b = true}); },        {wide, wide},   {{{2, 3, 2}, {2, 4, 3}}, {{2, 3, 2}, {1, 3}}}},
    {"matmul_add",      [](X x) { return matmul_add(x[0], x[1], x[2]); },                      {wide, wide, wide}, {{{2, 2, 3}, {3, 2}, {2}}, {{2, 2, 3}, {3, 2}, {2, 1, 2}}, {{2, 2, 3}, {2, 3, 1}, {}}}},
    {"outer",           [](X x) { return outer(x[0], x[1]); },                                 {wide, wide},   {{{2}, {3}}, {{3}, {3}}, {{1}, {2}}}},
    {"dot",             [](X x) { return dot(x[0], x[1]); },                                   {wide, wide},   {{{3}, {3}}, {{2, 3}, {3}}, {{2, 3}, {3, 2}}, {{2, 2}, {2, 2, 3}}, {{}, {2}}}},
    {"tensordot",       [](X x) { return tensordot(x[0], x[1]); },                             {wide, wide},   {{{2, 3}, {2, 3}}, {{2, 3, 2}, {3, 2, 2}}}},
    {"tensordot",       [](X x) { return tensordot(x[0], x[1], {0}, {-1}); },                  {wide, wide},   {{{2, 3}, {1, 2}}, {{2, 3}, {3, 1, 2}}}},
    {"einsum",          [](X x) { return einsum("ij,jk->ik", {x[0], x[1]}); },                 {wide, wide},   {{{2, 3}, {3, 2}}, {{2, 2}, {2, 2}}}},
    {"einsum",          [](X x) { return einsum("...i,i...->...", {x[0], x[1]}); },            {wide, wide},   {{{2}, {2}}, {{2, 3}, {3, 2}}, {{3, 1, 2}, {2, 2}}}},
    {"einsum",          [](X x) { return einsum("iij,jk,k", {x[0], x[1], x[2]}); },            {wide, wide, wide}, {{{2, 2, 3}, {3, 2}, {2}}}},
    {"trace",           [](X x) { return trace(x[0]); },                                       {wide},         matrix},
    {"trace",           [](X x) { return trace(x[0], 1, 0); },                                 {wide},         matrix},
    {"solve",           [](X x) { return solve(dominant(x[0]), x[1]); },                       {wide, wide},   sides},
    {"triangular_solve", [](X x) { return triangular_solve(dominant(x[0]), x[1]); },           {wide, wide},   sides},
    {"triangular_solve", [](X x) { return triangular_solve(dominant(x[0]), x[1], {.lower = false, .transposed = true}); }, {wide, wide}, sides},
    {"triangular_solve", [](X x) { return triangular_solve(x[0], x[1], {.unit_diagonal = true}); }, {unit, wide}, {{{2, 2}, {2}}, {{3, 3}, {2, 3, 2}}}},
    {"inverse",         [](X x) { return inverse(dominant(x[0])); },                           {wide},         square},
    {"det",             [](X x) { return det(x[0]); },                                         {wide},         square},
    {"slogdet",         [](X x) { return slogdet(dominant(x[0])).logabsdet; },                 {wide},         square},
    {"logdet",          [](X x) { return logdet(dominant(x[0])); },                            {wide},         square},
    {"matrix_norm",     [](X x) { return matrix_norm(x[0]); },                                 {wide},         matrix},
    {"matrix_norm",     [](X x) { return matrix_norm(spread(x[0]), "nuc", true); },            {wide},         matrix},
    {"matrix_norm",     [](X x) { return matrix_norm(spread(x[0]), 2); },                      {wide},         matrix},
    {"matrix_norm",     [](X x) { return matrix_norm(spread(x[0]), -2); },                     {wide},         matrix},
    {"matrix_norm",     [](X x) { return matrix_norm(x[0], 1); },                              {wide},         matrix,   ties},
    {"matrix_norm",     [](X x) { return matrix_norm(x[0], INFINITY, true); },                 {wide},         matrix,   ties},
    {"cholesky",        [](X x) { return cholesky(positive(x[0])); },                          {wide},         matrix},
    {"cholesky",        [](X x) { return cholesky(dominant(x[0])); },                          {unit},         square},
    {"eigh",            [](X x) { return eigh(spread(x[0])).values; },                         {unit},         square},
    {"eigh",            [](X x) { return eigh(spread(x[0])).vectors; },                        {unit},         {{{3, 3}}, {{2, 2, 2}}}},
    {"svd",             [](X x) { return svd(spread(x[0])).u; },                               {unit},         matrix},
    {"svd",             [](X x) { return svd(spread(x[0])).s; },                               {unit},         matrix},
    {"svd",             [](X x) { return svd(spread(x[0])).vh; },                              {unit},         matrix},
    {"qr",              [](X x) { return qr(spread(x[0])).q; },                                {unit},         matrix},
    {"qr",              [](X x) { return qr(spread(x[0])).r; },                                {unit},         matrix},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
