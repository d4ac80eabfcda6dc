// Names of samples and what they are in xgrad: functions of elements.
#pragma once

#include <map>

#include "samples.hpp"

namespace oracle {

using X = const std::vector<Variable>&;
using A = const Args&;

// clang-format off

inline const std::map<std::string, Call> elementwise_calls{
  {"neg",          [](X x, A) { return neg(x[0]); }},
  {"abs",          [](X x, A) { return abs(x[0]); }},
  {"square",       [](X x, A) { return square(x[0]); }},
  {"sign",         [](X x, A) { return sign(x[0]); }},
  {"floor",        [](X x, A) { return floor(x[0]); }},
  {"ceil",         [](X x, A) { return ceil(x[0]); }},
  {"round",        [](X x, A) { return round(x[0]); }},
  {"trunc",        [](X x, A) { return trunc(x[0]); }},
  {"exp",          [](X x, A) { return exp(x[0]); }},
  {"exp2",         [](X x, A) { return exp2(x[0]); }},
  {"expm1",        [](X x, A) { return expm1(x[0]); }},
  {"log",          [](X x, A) { return log(x[0]); }},
  {"log2",         [](X x, A) { return log2(x[0]); }},
  {"log10",        [](X x, A) { return log10(x[0]); }},
  {"log1p",        [](X x, A) { return log1p(x[0]); }},
  {"sqrt",         [](X x, A) { return sqrt(x[0]); }},
  {"rsqrt",        [](X x, A) { return rsqrt(x[0]); }},
  {"reciprocal",   [](X x, A) { return reciprocal(x[0]); }},
  {"sin",          [](X x, A) { return sin(x[0]); }},
  {"cos",          [](X x, A) { return cos(x[0]); }},
  {"tan",          [](X x, A) { return tan(x[0]); }},
  {"asin",         [](X x, A) { return asin(x[0]); }},
  {"acos",         [](X x, A) { return acos(x[0]); }},
  {"atan",         [](X x, A) { return atan(x[0]); }},
  {"sinh",         [](X x, A) { return sinh(x[0]); }},
  {"cosh",         [](X x, A) { return cosh(x[0]); }},
  {"tanh",         [](X x, A) { return tanh(x[0]); }},
  {"asinh",        [](X x, A) { return asinh(x[0]); }},
  {"acosh",        [](X x, A) { return acosh(x[0]); }},
  {"atanh",        [](X x, A) { return atanh(x[0]); }},
  {"lgamma",       [](X x, A) { return lgamma(x[0]); }},
  {"digamma",      [](X x, A) { return digamma(x[0]); }},
  {"polygamma",    [](X x, A a) { return polygamma(a.axis("n"), x[0]); }},
  {"erf",          [](X x, A) { return erf(x[0]); }},
  {"erfc",         [](X x, A) { return erfc(x[0]); }},
  {"isnan",        [](X x, A) { return isnan(x[0]); }},
  {"isinf",        [](X x, A) { return isinf(x[0]); }},
  {"isfinite",     [](X x, A) { return isfinite(x[0]); }},

  {"sigmoid",      [](X x, A) { return sigmoid(x[0]); }},
  {"logsigmoid",   [](X x, A) { return logsigmoid(x[0]); }},
  {"softsign",     [](X x, A) { return softsign(x[0]); }},
  {"softplus",     [](X x, A a) { return a.real("beta") == 1 ? softplus(x[0]) : softplus(x[0], a.real("beta")); }},
  {"relu",         [](X x, A) { return relu(x[0]); }},
  {"silu",         [](X x, A) { return silu(x[0]); }},
  {"mish",         [](X x, A) { return mish(x[0]); }},
  {"selu",         [](X x, A) { return selu(x[0]); }},
  {"relu6",        [](X x, A) { return relu6(x[0]); }},
  {"hard_sigmoid", [](X x, A) { return hard_sigmoid(x[0]); }},
  {"gelu",         [](X x, A) { return gelu(x[0]); }},
  {"gelu_tanh",    [](X x, A) { return gelu(x[0], true); }},
  {"leaky_relu",   [](X x, A a) { return leaky_relu(x[0], a.real("slope")); }},
  {"elu",          [](X x, A a) { return elu(x[0], a.real("alpha")); }},
  {"celu",         [](X x, A a) { return celu(x[0], a.real("alpha")); }},
  {"hardtanh",     [](X x, A a) { return hardtanh(x[0], a.real("low"), a.real("high")); }},
  {"clip",         [](X x, A a) { return clip(x[0], a.real("low"), a.real("high")); }},
  {"power",        [](X x, A a) { return pow(x[0], a.real("exponent")); }},
  {"root",         [](X x, A a) { return pow(x[0], a.real("exponent")); }},
  {"prelu",        [](X x, A) { return prelu(x[0], x[1]); }},
  {"glu",          [](X x, A a) { return glu(x[0], a.axis()); }},

  {"add",                [](X x, A) { return x[0] + x[1]; }},
  {"sub",                [](X x, A) { return x[0] - x[1]; }},
  {"mul",                [](X x, A) { return x[0] * x[1]; }},
  {"div",                [](X x, A) { return x[0] / x[1]; }},
  {"pow",                [](X x, A) { return pow(x[0], x[1]); }},
  {"maximum",            [](X x, A) { return maximum(x[0], x[1]); }},
  {"minimum",            [](X x, A) { return minimum(x[0], x[1]); }},
  {"atan2",              [](X x, A) { return atan2(x[0], x[1]); }},
  {"hypot",              [](X x, A) { return hypot(x[0], x[1]); }},
  {"fmod",               [](X x, A) { return fmod(x[0], x[1]); }},
  {"remainder",          [](X x, A) { return remainder(x[0], x[1]); }},
  {"copysign",           [](X x, A) { return copysign(x[0], x[1]); }},
  {"xlogy",              [](X x, A) { return xlogy(x[0], x[1]); }},
  {"xlog1py",            [](X x, A) { return xlog1py(x[0], x[1]); }},
  {"logaddexp",          [](X x, A) { return logaddexp(x[0], x[1]); }},
  {"squared_difference", [](X x, A) { return squared_difference(x[0], x[1]); }},
  {"less",               [](X x, A) { return x[0] < x[1]; }},
  {"less_equal",         [](X x, A) { return x[0] <= x[1]; }},
  {"greater",            [](X x, A) { return x[0] > x[1]; }},
  {"greater_equal",      [](X x, A) { return x[0] >= x[1]; }},
  {"equal_to",           [](X x, A) { return x[0] == x[1]; }},
  {"not_equal_to",       [](X x, A) { return x[0] != x[1]; }},
  {"logical_and",        [](X x, A) { return x[0] & x[1]; }},
  {"logical_or",         [](X x, A) { return x[0] | x[1]; }},
  {"logical_xor",        [](X x, A) { return logical_xor(x[0], x[1]); }},
  {"logical_not",        [](X x, A) { return !x[0]; }},
  {"where",              [](X x, A) { return where(x[0], x[1], x[2]); }},
  {"lerp",               [](X x, A) { return lerp(x[0], x[1], x[2]); }},
};

// clang-format on

}  // namespace oracle
