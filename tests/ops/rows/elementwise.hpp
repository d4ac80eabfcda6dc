// The rows of the elementary functions, of steps and divisions, and of the activations that are made of them.
#pragma once

#include "dual_functions.hpp"

namespace op_table {

// clang-format off

constexpr auto Steps = Facts{.integers = int64, .slopes = false};

inline const std::vector<Row>& math_rows() {
  static const std::vector<Row> rows = {
    // name             call                                             formula                                       domain       facts
    unary("exp2",       [](const auto& x) { return exp2(x); },           [](Dual x) { return exp2(x); },               {-3, 3},     {.ulp = 2}),
    unary("log2",       [](const auto& x) { return log2(x); },           [](Dual x) { return log2(x); },               {0.1, 5},    {.ulp = 2}),
    unary("log10",      [](const auto& x) { return log10(x); },          [](Dual x) { return log10(x); },              {0.1, 5},    {.ulp = 2}),
    unary("rsqrt",      [](const auto& x) { return rsqrt(x); },          [](Dual x) { return rsqrt(x); },              {0.3, 5},    {.ulp = 2}),
    unary("cbrt",       [](const auto& x) { return cbrt(x); },           [](Dual x) { return cbrt(x); },               {0.3, 5},    {.ulp = 2}),
    unary("cbrt",       [](const auto& x) { return cbrt(x); },           [](Dual x) { return cbrt(x); },               {-5, -0.3},  {.ulp = 2}),
    unary("reciprocal", [](const auto& x) { return reciprocal(x); },     [](Dual x) { return 1 / x; },                 {0.3, 3}),
    unary("sin",        [](const auto& x) { return sin(x); },            [](Dual x) { return sin(x); },                {-6, 6},     {.ulp = 2}),
    unary("cos",        [](const auto& x) { return cos(x); },            [](Dual x) { return cos(x); },                {-6, 6},     {.ulp = 2}),
    unary("tan",        [](const auto& x) { return tan(x); },            [](Dual x) { return tan(x); },                {-1.2, 1.2}, {.ulp = 2}),
    unary("asin",       [](const auto& x) { return asin(x); },           [](Dual x) { return asin(x); },               {-0.9, 0.9}, {.ulp = 2}),
    unary("acos",       [](const auto& x) { return acos(x); },           [](Dual x) { return acos(x); },               {-0.9, 0.9}, {.ulp = 2}),
    unary("atan",       [](const auto& x) { return atan(x); },           [](Dual x) { return atan(x); },               {-4, 4},     {.ulp = 2}),
    unary("sinh",       [](const auto& x) { return sinh(x); },           [](Dual x) { return sinh(x); },               {-3, 3},     {.ulp = 2}),
    unary("cosh",       [](const auto& x) { return cosh(x); },           [](Dual x) { return cosh(x); },               {-3, 3},     {.ulp = 2}),
    unary("asinh",      [](const auto& x) { return asinh(x); },          [](Dual x) { return asinh(x); },              {-4, 4},     {.ulp = 2}),
    unary("acosh",      [](const auto& x) { return acosh(x); },          [](Dual x) { return acosh(x); },              {1.3, 5},    {.ulp = 2}),
    unary("atanh",      [](const auto& x) { return atanh(x); },          [](Dual x) { return atanh(x); },              {-0.8, 0.8}, {.ulp = 2}),
    unary("lgamma",     [](const auto& x) { return lgamma(x); },         [](Dual x) { return lgamma(x); },             {2.2, 6},    {.ulp = 4}),
    unary("lgamma",     [](const auto& x) { return lgamma(x); },         [](Dual x) { return lgamma(x); },             {-0.8, -0.3}, {.ulp = 6}),
    unary("digamma",    [](const auto& x) { return digamma(x); },        [](Dual x) { return polygamma(0, x); },       {1.6, 6},    {.ulp = 4}),
    unary("digamma",    [](const auto& x) { return digamma(x); },        [](Dual x) { return polygamma(0, x); },       {0.3, 1.3},  {.ulp = 4}),
    unary("polygamma",  [](const auto& x) { return polygamma(0, x); },   [](Dual x) { return polygamma(0, x); },       {1.6, 6},    {.ulp = 4}),
    unary("polygamma",  [](const auto& x) { return polygamma(1, x); },   [](Dual x) { return polygamma(1, x); },       {0.5, 5},    {.ulp = 8}),
    unary("polygamma",  [](const auto& x) { return polygamma(3, x); },   [](Dual x) { return polygamma(3, x); },       {0.8, 5},    {.ulp = 16}),

    unary("sign",       [](const auto& x) { return sign(x); },           [](Dual x) { return flat(x > 0 ? 1 : x < 0 ? -1 : 0); }, {-3, 3}, Steps),
    unary("floor",      [](const auto& x) { return floor(x); },          [](Dual x) { return flat(std::floor(x.v)); },     {-3, 3}, Steps),
    unary("ceil",       [](const auto& x) { return ceil(x); },           [](Dual x) { return flat(std::ceil(x.v)); },      {-3, 3}, Steps),
    unary("round",      [](const auto& x) { return round(x); },          [](Dual x) { return flat(std::nearbyint(x.v)); }, {-3, 3}, Steps),
    unary("trunc",      [](const auto& x) { return trunc(x); },          [](Dual x) { return flat(std::trunc(x.v)); },     {-3, 3}, Steps),

    binary("atan2",     [](const auto& a, const auto& b) { return atan2(a, b); },     [](Dual a, Dual b) { return atan2(a, b); },     {0.3, 3}, {-3, 3},      {.ulp = 2}),
    binary("hypot",     [](const auto& a, const auto& b) { return hypot(a, b); },     [](Dual a, Dual b) { return hypot(a, b); },     {-3, 3}, {0.3, 3},      {.ulp = 2}),
    binary("fmod",      [](const auto& a, const auto& b) { return fmod(a, b); },      [](Dual a, Dual b) { return fmod(a, b); },      {-5.9, -5}, {2.1, 2.4}, {.integers = int64, .nan_a = Nan::linear}),
    binary("remainder", [](const auto& a, const auto& b) { return remainder(a, b); }, [](Dual a, Dual b) { return remainder(a, b); }, {-5.9, -5}, {2.1, 2.4}, {.integers = int64, .nan_a = Nan::linear}),
    binary("copysign",  [](const auto& a, const auto& b) { return copysign(a, b); },  [](Dual a, Dual b) { return copysign(a, b); },  {-3, 3}, {-3, 3},       {.kinks = {0}, .nan_b = Nan::ignored}),
    binary("squared_difference", [](const auto& a, const auto& b) { return squared_difference(a, b); }, [](Dual a, Dual b) { return (a - b) * (a - b); }, {-3, 3}, {-3, 3}, {.ulp = 2, .integers = int64}),
    binary("xlogy",     [](const auto& a, const auto& b) { return xlogy(a, b); },     [](Dual a, Dual b) { return a == 0 ? a * 0 : a * log(b); },   {0.3, 3}, {1.2, 3},  {.ulp = 3, .nan_a = Nan::linear}),
    binary("xlog1py",   [](const auto& a, const auto& b) { return xlog1py(a, b); },   [](Dual a, Dual b) { return a == 0 ? a * 0 : a * log1p(b); }, {0.3, 3}, {0.2, 3},  {.ulp = 3, .nan_a = Nan::linear}),
    binary("logaddexp", [](const auto& a, const auto& b) { return logaddexp(a, b); }, [](Dual a, Dual b) { return log_sum(a, b); },   {0.1, 3}, {-3, 3},      {.ulp = 3}),

    unary("isnan",      [](const auto& x) { return isnan(x); },          [](Dual x) { return Dual(std::isnan(x.v)); },    {-3, 3}, NoGradient),
    unary("isinf",      [](const auto& x) { return isinf(x); },          [](Dual x) { return Dual(std::isinf(x.v)); },    {-3, 3}, NoGradient),
    unary("isfinite",   [](const auto& x) { return isfinite(x); },       [](Dual x) { return Dual(std::isfinite(x.v)); }, {-3, 3}, NoGradient),
    binary("logical_xor", [](const auto& a, const auto& b) { return logical_xor(greater(a, 0), greater(b, 0)); }, [](Dual a, Dual b) { return Dual((a > 0) != (b > 0)); }, {-3, 3}, {-3, 3}, OfBools),

    unary("scale_gradient",   [](const auto& x) { return scale_gradient(x, -0.5); },        [](Dual x) { return Dual(x.v, -0.5L * x.d); },          {-3, 3}, {.integers = int64, .nan_a = Nan::linear, .slopes = false}),
    unary("flip_gradient",    [](const auto& x) { return flip_gradient(x); },               [](Dual x) { return Dual(x.v, -x.d); },                 {-3, 3}, {.integers = int64, .nan_a = Nan::linear, .slopes = false}),
    unary("straight_through", [](const auto& x) { return straight_through(round(x), x); },  [](Dual x) { return Dual(std::nearbyint(x.v), x.d); },  {-3, 3}, {.nan_a = Nan::linear, .slopes = false}),
  };
  return rows;
}

inline const std::vector<Row>& activation_rows() {
  static const std::vector<Row> rows = {
    unary("softplus",     [](const auto& x) { return softplus(x, 2); },       [](Dual x) { return log_of_1_plus_exp(2 * x) / 2; },                {-4, 4}, {.ulp = 2}),
    unary("logsigmoid",   [](const auto& x) { return logsigmoid(x); },        [](Dual x) { return -log_of_1_plus_exp(-x); },                      {-6, 6}, {.ulp = 2}),
    unary("softsign",     [](const auto& x) { return softsign(x); },          [](Dual x) { return x > 1e30L ? 1 : x < -1e30L ? -1 : x / (1 + (x > 0 ? x : -x)); }, {-3, 3}, {.kinks = {0}, .ulp = 2}),
    unary("silu",         [](const auto& x) { return silu(x); },              [](Dual x) { return x < -20000 ? 0 : x > 0 ? x / (1 + exp(-x)) : x * exp(x) / (1 + exp(x)); }, {-6, 6}, {.ulp = 4}),
    unary("mish",         [](const auto& x) { return mish(x); },              [](Dual x) { return mish_formula(x); },                             {-6, 6}, {.ulp = 4}),
    unary("elu",          [](const auto& x) { return elu(x); },               [](Dual x) { return x > 0 ? x : expm1(x); },                        {-3, 3}, {.kinks = {0}, .ulp = 2}),
    unary("elu",          [](const auto& x) { return elu(x, 0.5); },          [](Dual x) { return x > 0 ? x : 0.5 * expm1(x); },                  {-3, 3}, {.kinks = {0}, .ulp = 2}),
    unary("selu",         [](const auto& x) { return selu(x); },              [](Dual x) { return 1.0507009873554804934193349852946L * (x > 0 ? x : 1.6732632423543772848170429916717L * expm1(x)); }, {-3, 3}, {.kinks = {0}, .ulp = 4}),
    unary("celu",         [](const auto& x) { return celu(x); },              [](Dual x) { return x > 0 ? x : expm1(x); },                        {-3, 3}, {.kinks = {0}, .ulp = 2}),
    unary("celu",         [](const auto& x) { return celu(x, 2); },           [](Dual x) { return x > 0 ? x : 2 * expm1(x / 2); },                {-3, 3}, {.kinks = {0}, .ulp = 2}),
    unary("hardtanh",     [](const auto& x) { return hardtanh(x); },          [](Dual x) { return x > -1 ? x < 1 ? x : 1 : -1; },                 {-3, 3}, {.kinks = {-1, 1}}),
    unary("hardtanh",     [](const auto& x) { return hardtanh(x, -2, 0.5); }, [](Dual x) { return x > -2 ? x < 0.5 ? x : 0.5 : -2; },             {-3, 3}, {.kinks = {-2, 0.5}}),
    unary("relu6",        [](const auto& x) { return relu6(x); },             [](Dual x) { return x > 0 ? x < 6 ? x : 6 : 0; },                   {-3, 9}, {.kinks = {0, 6}}),
    unary("hard_sigmoid", [](const auto& x) { return hard_sigmoid(x); },      [](Dual x) { return x > -3 ? x < 3 ? (x + 3) / 6 : 1 : 0; },        {-5, 5}, {.kinks = {-3, 3}, .ulp = 2}),
    binary("prelu",       [](const auto& a, const auto& b) { return prelu(a, b); }, [](Dual a, Dual b) { return a > 0 ? a : b * a; },             {-3, 3}, {-3, 3}, {.kinks = {0}, .nan_b = Nan::ignored}),
  };
  return rows;
}

/// Those with three operands, or made of halves.
inline const std::vector<Row>& composed_rows() {
  constexpr Interval wide{-2, 2};
  static const std::vector<Row> rows = {
    {"lerp", [](X x) { return lerp(x[0], x[1], x[2]); },  {wide, wide, wide}, {{{5}, {5}, {5}}, {{2, 3}, {3}, {2, 1}}, {{4}, {4}, {}}, {{}, {3}, {2, 1}}}},
    {"lerp", [](X x) { return lerp(x[0], x[1], 0.25); },  {wide, wide},       broadcast_pairs},
    {"glu",  [](X x) { return glu(x[0]); },               {wide},             {{{4}}, {{3, 2}}, {{2, 1, 6}}}},
    {"glu",  [](X x) { return glu(x[0], 0); },            {wide},             {{{2}}, {{4, 3}}}},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
