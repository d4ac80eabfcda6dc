// Names of samples and what they are in xgrad: products, solutions and factors of matrices.
#pragma once

#include "shapes.hpp"

namespace oracle {

inline MatrixNorm order_of(A a) {
  const Json& order = a["order"];
  if (order == "fro") return "fro";
  if (order == "nuc") return "nuc";
  return number(order);
}

inline Variable contracted(X x, A a) {
  if (!a.has("axes_b")) return tensordot(x[0], x[1], a.axis("axes_a"));
  return tensordot(x[0], x[1], a.ints("axes_a"), a.ints("axes_b"));
}

// Of what is unique up to signs, the squares.
inline Variable singular(X x, A a) {
  Svd parts = svd(x[0]);
  return a.text("part") == "s" ? parts.s : square(a.text("part") == "u" ? parts.u : parts.vh);
}

// clang-format off

inline const std::map<std::string, Call> linalg_calls{
  {"matmul",           [](X x, A a) { return matmul(x[0], x[1], {.a = a.flag("a"), .b = a.flag("b")}); }},
  {"matmul_add",       [](X x, A) { return matmul_add(x[0], x[1], x[2]); }},
  {"outer",            [](X x, A) { return outer(x[0], x[1]); }},
  {"dot",              [](X x, A) { return dot(x[0], x[1]); }},
  {"einsum",           [](X x, A a) { return einsum(a.text("formula"), x); }},
  {"tensordot",        contracted},
  {"trace",            [](X x, A) { return trace(x[0]); }},
  {"solve",            [](X x, A) { return solve(x[0], x[1]); }},
  {"triangular_solve", [](X x, A a) { return triangular_solve(x[0], x[1], {a.flag("lower"), a.flag("transposed"), a.flag("unit_diagonal")}); }},
  {"inverse",          [](X x, A) { return inverse(x[0]); }},
  {"det",              [](X x, A) { return det(x[0]); }},
  {"slogdet",          [](X x, A a) { return a.text("part") == "sign" ? slogdet(x[0]).sign : slogdet(x[0]).logabsdet; }},
  {"logdet",           [](X x, A) { return logdet(x[0]); }},
  {"cholesky",         [](X x, A) { return cholesky(x[0]); }},
  {"eigh",             [](X x, A a) { return a.text("part") == "values" ? eigh(x[0]).values : square(eigh(x[0]).vectors); }},
  {"svd",              singular},
  {"qr",               [](X x, A a) { return a.text("part") == "q" ? qr(x[0]).q : qr(x[0]).r; }},
  {"matrix_norm",      [](X x, A a) { return matrix_norm(x[0], order_of(a), a.flag("keepdims")); }},
};

// clang-format on

}  // namespace oracle
