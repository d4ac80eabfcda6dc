// The rows of op_table.hpp for what takes, adds, picks and orders elements.
#pragma once

#include "../op_table.hpp"

namespace op_table {

/// Fixed indices from -n to n - 1.
inline Tensor indices_for(const Shape& shape, std::int64_t n) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<std::int64_t>(i * 5 + 1) % (2 * n) - n;
  return Tensor(shape, values);
}

// clang-format off

inline const std::vector<Row>& indexing_rows() {
  constexpr Interval wide{-2, 2};
  static const Facts ties{.distinct = true}, none{.differentiable = false};
  static const std::vector<std::vector<Shape>> some{{{4}}, {{2, 3}}, {{3, 1, 2}}}, pairs{{{3}, {3}}, {{2, 3}, {2, 3}}};
  static const std::vector<Row> rows = {
    // name               call                                                                                        inputs        shapes
    {"take",              [](X x) { return take(x[0], indices_for({2, 3}, x[0].shape()[0])); },                       {wide},       some},
    {"take",              [](X x) { return take(x[0], indices_for({5}, x[0].shape()[x[0].rank() - 1]), -1); },        {wide},       some},
    {"take",              [](X x) { return take(x[0], -1, 0); },                                                      {wide},       some},
    {"take_along_axis",   [](X x) { return take_along_axis(x[0], argsort(stop_gradient(x[0])), -1); },                {wide},       some,  ties},
    {"take_along_axis",   [](X x) { return take_along_axis(x[0], tensor({{1, 0, 1, -2}}, int64), 1); },               {wide},       {{{2, 3}}, {{3, 2}}}},
    {"index_add",         [](X x) { return index_add(x[0], indices_for({x[1].shape()[0]}, x[0].shape()[0]), x[1]); }, {wide, wide}, {{{3}, {3}}, {{2, 3}, {2, 3}}, {{3, 2}, {5, 2}}, {{2, 3}, {4, 1}}}},
    {"scatter_add",       [](X x) { return scatter_add(x[0], indices_for(x[1].shape(), 2), x[1]); },                  {wide, wide}, {{{3}, {3}}, {{2, 3}, {2, 3}}, {{3, 2}, {5, 2}}}},
    {"pick",              [](X x) { return pick(x[0], labels_for(x[0].shape(), -1)); },                               {wide},       {{{3}}, {{5, 3}}, {{2, 2, 4}}}},
    {"pick",              [](X x) { return pick(x[0], labels_for(x[0].shape(), 0), 0); },                             {wide},       {{{3}}, {{3, 5}}, {{4, 2, 2}}}},
    {"embedding",         [](X x) { return embedding(x[0], tensor({{1, 0, 1}}, int64)); },                            {wide},       {{{2, 3}}, {{4, 1}}}},
    {"masked_fill",       [](X x) { return masked_fill(x[0], greater(x[0], 0), x[1]); },                              {wide, wide}, pairs, {.kinks = {0}}},
    {"masked_fill",       [](X x) { return masked_fill(x[0], greater(x[0], 0), 0.5); },                               {wide},       some,  {.kinks = {0}}},
    {"sort",              [](X x) { return sort(x[0]); },                                                             {wide},       some,  ties},
    {"sort",              [](X x) { return sort(x[0], 0, true); },                                                    {wide},       some,  ties},
    {"topk",              [](X x) { return topk(x[0], 2).values; },                                                   {wide},       {{{4}}, {{2, 3}}, {{3, 1, 2}}},  ties},
    {"topk",              [](X x) { return topk(x[0], 1, 0, false).values; },                                         {wide},       some,  ties},
    {"topk",              [](X x) { return topk(x[0], 2).indices; },                                                  {wide},       some,  none},
    {"argsort",           [](X x) { return argsort(x[0]); },                                                          {wide},       some,  none},
    {"argmin",            [](X x) { return argmin(x[0]); },                                                           {wide},       some,  none},
    {"nonzero",           [](X x) { return stack(nonzero(x[0])); },                                                   {wide},       some,  none},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
