// The rows of op_table.hpp for shapes, parts and orders of axes.
#pragma once

#include "../op_table.hpp"

namespace op_table {

// clang-format off

inline const std::vector<Row>& shaping_rows() {
  constexpr Interval wide{-2, 2};
  static const std::vector<std::vector<Shape>> any{{Shape{}}, {{4}}, {{2, 3}}, {{1, 3, 1}}}, matrix{{{2, 3}}, {{3, 1}}, {{1, 4}}}, cube{{{2, 3, 4}}, {{1, 3, 2}}}, pairs{{{2}, {2}}, {{2, 3}, {2, 3}}};
  static const std::vector<Row> rows = {
    // name               call                                                                 inputs          shapes
    {"flatten",           [](X x) { return flatten(x[0]); },                                   {wide},         any},
    {"flatten",           [](X x) { return flatten(x[0], 1, -1); },                            {wide},         cube},
    {"expand_dims",       [](X x) { return expand_dims(x[0], {0, -1}); },                      {wide},         any},
    {"squeeze",           [](X x) { return squeeze(x[0]); },                                   {wide},         any},
    {"squeeze",           [](X x) { return squeeze(x[0], {0, 2}); },                           {wide},         {{{1, 3, 1}}, {{1, 1, 1}}}},
    {"permute_dims",      [](X x) { return permute_dims(x[0], {1, -1, 0}); },                  {wide},         cube},
    {"matrix_transpose",  [](X x) { return matrix_transpose(x[0]); },                          {wide},         {{{2, 3}}, {{2, 3, 4}}}},
    {"swapaxes",          [](X x) { return swapaxes(x[0], 0, -1); },                           {wide},         {{{4}}, {{2, 3}}, {{2, 3, 4}}}},
    {"moveaxis",          [](X x) { return moveaxis(x[0], 0, -1); },                           {wide},         {{{4}}, {{2, 3}}, {{2, 3, 4}}}},
    {"moveaxis",          [](X x) { return moveaxis(x[0], {0, -1}, {1, 0}); },                 {wide},         cube},
    {"tile",              [](X x) { return tile(x[0], {2, 3}); },                              {wide},         any},
    {"repeat",            [](X x) { return repeat(x[0], 2); },                                 {wide},         any},
    {"repeat",            [](X x) { return repeat(x[0], 3, -1); },                             {wide},         matrix},
    {"repeat",            [](X x) { return repeat(x[0], {2, 0, 1}, 0); },                      {wide},         {{{3}}, {{3, 2}}}},
    {"meshgrid",          [](X x) { return meshgrid({x[0], arange(0, 3, 1, x[0].dtype())})[0]; },                {wide}, {{{2}}, {Shape{}}}},
    {"meshgrid",          [](X x) { return meshgrid({arange(0, 3, 1, x[0].dtype()), x[0]}, Indexing::ij)[1]; },  {wide}, {{{2}}, {{4}}}},
    {"stack",             [](X x) { return stack({x[0], x[1]}); },                             {wide, wide},   pairs},
    {"stack",             [](X x) { return stack({x[0], x[1], x[0]}, -1); },                   {wide, wide},   pairs},
    {"split",             [](X x) { return split(x[0], 2, -1)[1]; },                           {wide},         {{{4}}, {{3, 2}}}},
    {"split",             [](X x) { return split(x[0], {1, 3})[1]; },                          {wide},         {{{5}}, {{4, 2}}}},
    {"unstack",           [](X x) { return unstack(x[0], 1)[0]; },                             {wide},         matrix},
    {"view",              [](X x) { return view(x[0], {-1, newaxis(), range(0, 3, 2), ellipsis()}); }, {wide}, cube},
    {"view",              [](X x) { return x[0](ellipsis(), 0); },                             {wide},         {{{4}}, {{2, 3}}, {{2, 2, 2}}}},
    {"flip",              [](X x) { return flip(x[0]); },                                      {wide},         any},
    {"flip",              [](X x) { return flip(x[0], {0, -1}); },                             {wide},         cube},
    {"roll",              [](X x) { return roll(x[0], 2); },                                   {wide},         any},
    {"roll",              [](X x) { return roll(x[0], {1, -2}, {0, -1}); },                    {wide},         cube},
    {"pad",               [](X x) { return pad(x[0], 1, PadMode::constant, 0.5); },            {wide},         any},
    {"pad",               [](X x) { return pad(x[0], {{2, 1}, {0, 3}}, PadMode::reflect); },   {wide},         matrix},
    {"pad",               [](X x) { return pad(x[0], 2, PadMode::edge); },                     {wide},         any},
    {"pad",               [](X x) { return pad(x[0], {{0, 5}, {2, 2}}, PadMode::wrap); },      {wide},         matrix},
    {"diagonal",          [](X x) { return diagonal(x[0]); },                                  {wide},         {{{3, 3}}, {{2, 4}}, {{2, 3, 2}}}},
    {"diagonal",          [](X x) { return diagonal(x[0], -1, -1, 0); },                       {wide},         {{{3, 3}}, {{3, 2, 3}}}},
    {"diag",              [](X x) { return diag(x[0], 1); },                                   {wide},         {{{3}}, {{2, 3}}}},
    {"tril",              [](X x) { return tril(x[0], 1); },                                   {wide},         {{{3, 4}}, {{2, 3, 3}}}},
    {"triu",              [](X x) { return triu(x[0]); },                                      {wide},         {{{3, 4}}, {{2, 3, 3}}}},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
