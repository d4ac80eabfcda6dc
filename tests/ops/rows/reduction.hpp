// The rows of op_table.hpp for reductions, statistics, norms and scans.
#pragma once

#include "../op_table.hpp"

namespace op_table {

// clang-format off

inline const std::vector<Row>& reduction_rows() {
  constexpr Interval wide{-2, 2}, positive{0.3, 2};
  static const Facts ties{.distinct = true}, none{.differentiable = false}, kink{.kinks = {0}}, apart{.kinks = {0}, .distinct = true};
  static const std::vector<std::vector<Shape>> any_shape{{Shape{}}, {{4}}, {{2, 3}}, {{1, 3, 1}}}, matrix{{{2, 3}}, {{3, 1}}, {{1, 4}}}, cube{{{2, 3, 4}}, {{1, 3, 2}}};
  static const std::vector<std::vector<Shape>> several{{{4}}, {{2, 3}}, {{1, 3, 2}}}, lines{{{1}}, {{5}}, {{2, 3}}, {{3, 1}}}, columns{{{4}}, {{2, 3}}, {{3, 1, 2}}}, longer{{{5}}, {{2, 3}}, {{3, 1, 2}}};
  static const auto open = [](X x) { return greater(add(x[0].value(), 0.5), 0); };
  static const std::vector<Row> rows = {
    // name             call                                                                            inputs          shapes
    {"prod",            [](X x) { return prod(x[0]); },                                                 {wide},         any_shape},
    {"prod",            [](X x) { return prod(x[0], -1); },                                             {wide},         matrix},
    {"prod",            [](X x) { return prod(x[0], {0, 2}, true); },                                   {wide},         cube},
    {"amax",            [](X x) { return amax(x[0], {-1}, true); },                                     {wide},         matrix,   ties},
    {"amin",            [](X x) { return amin(x[0]); },                                                 {wide},         any_shape, ties},
    {"any",             [](X x) { return any(x[0], -1); },                                              {wide},         matrix,   none},
    {"all",             [](X x) { return all(x[0]); },                                                  {wide},         any_shape, none},
    {"count_nonzero",   [](X x) { return count_nonzero(x[0], 0, true); },                               {wide},         matrix,   none},
    {"logmeanexp",      [](X x) { return logmeanexp(x[0]); },                                           {wide},         any_shape},
    {"logmeanexp",      [](X x) { return logmeanexp(x[0], {0, 1}, true); },                             {wide},         cube},
    {"masked_softmax",  [](X x) { return masked_softmax(x[0], open(x)); },                              {wide},         {{{6}}, {{2, 3}}, {{2, 1, 5}}}, {.kinks = {-0.5}}},
    {"masked_softmax",  [](X x) { return masked_softmax(x[0], equal_to(arange(0, 3, 1, float64), 1).value(), 0); }, {wide}, {{{4, 3}}, {{2, 1, 3}}}},
    {"var",             [](X x) { return var(x[0]); },                                                  {wide},         several},
    {"var",             [](X x) { return var(x[0], -1, {.correction = 1}); },                           {wide},         {{{4}}, {{2, 3}}, {{3, 2}}}},
    {"var",             [](X x) { return var(x[0], {0, 2}, {.correction = 0.5, .keepdims = true}); },   {wide},         cube},
    {"std",             [](X x) { return xgrad::std(x[0]); },                                           {wide},         several},
    {"std",             [](X x) { return xgrad::std(x[0], 1, {.correction = 1, .keepdims = true}); },   {wide},         {{{2, 3}}, {{1, 4}}, {{2, 3, 2}}}},
    {"norm",            [](X x) { return norm(x[0]); },                                                 {wide},         any_shape, kink},
    {"norm",            [](X x) { return norm(x[0], 1, 0); },                                           {wide},         matrix,   kink},
    {"norm",            [](X x) { return norm(x[0], 3, {0, -1}, true); },                               {wide},         cube,     kink},
    {"norm",            [](X x) { return norm(x[0], 0.5, 1); },                                         {positive},     matrix},
    {"norm",            [](X x) { return norm(x[0], -2); },                                             {positive},     any_shape},
    {"norm",            [](X x) { return norm(x[0], Inf, -1, true); },                                  {positive},     matrix,   ties},
    {"norm",            [](X x) { return norm(neg(x[0]), -Inf); },                                      {positive},     any_shape, ties},
    {"sum_squares",     [](X x) { return sum_squares(x[0]); },                                          {wide},         any_shape},
    {"sum_squares",     [](X x) { return sum_squares(x[0], {1, 2}); },                                  {wide},         cube},
    {"normalize",       [](X x) { return normalize(x[0]); },                                            {wide},         several,  kink},
    {"normalize",       [](X x) { return normalize(x[0], 3, 0, 0.1); },                                 {positive},     columns},
    {"normalize",       [](X x) { return normalize(x[0], 2, 0, 100); },                                 {wide},         several,  kink},  // below eps
    {"cumsum",          [](X x) { return cumsum(x[0]); },                                               {wide},         lines},
    {"cumsum",          [](X x) { return cumsum(x[0], 0, {.reverse = true}); },                         {wide},         lines},
    {"cumsum",          [](X x) { return cumsum(x[0], 1, {.reverse = true, .exclusive = true}); },      {wide},         cube},
    {"cumprod",         [](X x) { return cumprod(x[0]); },                                              {wide},         lines},
    {"cumprod",         [](X x) { return cumprod(x[0], 0, {.reverse = true}); },                        {wide},         lines},
    {"cumprod",         [](X x) { return cumprod(x[0], 1, {.exclusive = true}); },                      {wide},         cube},
    {"cumprod",         [](X x) { return cumprod(x[0], -1, {.reverse = true, .exclusive = true}); },    {wide},         longer},
    {"logcumsumexp",    [](X x) { return logcumsumexp(x[0]); },                                         {wide},         lines},
    {"logcumsumexp",    [](X x) { return logcumsumexp(x[0], 0, true); },                                {wide},         cube},
    {"cummax",          [](X x) { return cummax(x[0]); },                                               {wide},         lines,    apart},
    {"cummin",          [](X x) { return cummin(x[0], 0); },                                            {wide},         cube,     apart},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
