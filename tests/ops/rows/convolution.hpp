// The rows of op_table.hpp for convolutions, pooling, and the normalisation of channels and rows.
#pragma once

#include "../op_table.hpp"

namespace op_table {

/// batch_norm of inputs x, gamma and beta, in training or with fixed statistics.
inline Variable batch_normed(const Variables& x, bool training) {
  const std::int64_t n = x[1].size();
  const Tensor mean = arange(0, static_cast<double>(n)).astype(x[0].dtype()),
               variance = arange(1, static_cast<double>(n) + 1).astype(x[0].dtype());
  return batch_norm(x[0], x[1], x[2], mean, variance, {.training = training, .eps = 0.1}).y;
}

// clang-format off

inline const std::vector<Row>& convolution_rows() {
  constexpr Interval wide{-2, 2};
  static const Facts ties{.distinct = true}, rounds{.ulp = 40};
  static const std::vector<std::vector<Shape>> images{{{1, 2, 4, 5}}, {{2, 1, 3, 4}}}, lines{{{2, 1, 5}}, {{1, 2, 4}}},
    channels{{{4, 3}, {3}, {3}}, {{2, 2, 3}, {2}, {2}}, {{2, 1, 2, 2}, {1}, {1}}};
  static const std::vector<Row> rows = {
    // name                  call                                                                                                   inputs              shapes
    {"conv2d",               [](X x) { return conv2d(x[0], x[1]); },                                                                {wide, wide},       {{{2, 2, 3, 4}, {3, 2, 2, 2}}, {{1, 1, 3, 3}, {1, 1, 3, 3}}, {{1, 2, 2, 2}, {2, 2, 1, 1}}}},
    {"conv2d",               [](X x) { return conv2d(x[0], x[1], x[2], {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2}); }, {wide, wide, wide}, {{{1, 4, 3, 2}, {2, 2, 2, 2}, {2}}}},
    {"conv2d",               [](X x) { return conv2d(x[0], x[1], {.padding = "same"}); },                                           {wide, wide},       {{{1, 1, 3, 3}, {1, 1, 2, 3}}}},
    {"conv1d",               [](X x) { return conv1d(x[0], x[1]); },                                                                {wide, wide},       {{{2, 2, 4}, {3, 2, 2}}, {{1, 2, 3}, {1, 2, 3}}, {{1, 1, 3}, {1, 1, 3}}}},
    {"conv1d",               [](X x) { return conv1d(x[0], x[1], x[2], {.stride = 2, .padding = 1, .groups = 2}); },                {wide, wide, wide}, {{{2, 2, 4}, {4, 1, 3}, {4}}}},
    {"conv_transpose2d",     [](X x) { return conv_transpose2d(x[0], x[1]); },                                                      {wide, wide},       {{{2, 2, 2, 2}, {2, 1, 2, 3}}, {{1, 1, 2, 2}, {1, 1, 2, 2}}}},
    {"conv_transpose2d",     [](X x) { return conv_transpose2d(x[0], x[1], x[2], {.stride = 2, .padding = {0, 1}, .output_padding = 1, .groups = 2}); }, {wide, wide, wide}, {{{1, 2, 2, 2}, {2, 2, 2, 2}, {4}}}},
    {"conv_transpose1d",     [](X x) { return conv_transpose1d(x[0], x[1]); },                                                      {wide, wide},       {{{2, 2, 3}, {2, 1, 2}}, {{1, 1, 3}, {1, 1, 3}}}},
    {"conv_transpose1d",     [](X x) { return conv_transpose1d(x[0], x[1], x[2], {.stride = 3, .output_padding = 2, .dilation = 2}); }, {wide, wide, wide}, {{{1, 2, 2}, {2, 2, 2}, {2}}}},
    {"max_pool2d",           [](X x) { return max_pool2d(x[0], 2); },                                                               {wide},             images, ties},
    {"max_pool2d",           [](X x) { return max_pool2d(x[0], {3, 2}, {.stride = 1, .padding = {1, 0}, .dilation = {1, 2}}); },    {wide},             images, ties},
    {"max_pool1d",           [](X x) { return max_pool1d(x[0], 3, {.stride = 1, .padding = 1}); },                                  {wide},             lines,  ties},
    {"avg_pool2d",           [](X x) { return avg_pool2d(x[0], 2); },                                                               {wide},             images},
    {"avg_pool2d",           [](X x) { return avg_pool2d(x[0], {2, 3}, {.stride = {1, 2}, .padding = 1, .count_include_pad = false}); }, {wide},        images},
    {"avg_pool1d",           [](X x) { return avg_pool1d(x[0], 2, {.stride = 1, .padding = 1}); },                                  {wide},             lines},
    {"adaptive_avg_pool2d",  [](X x) { return adaptive_avg_pool2d(x[0], {2, 3}); },                                                 {wide},             images},
    {"adaptive_avg_pool1d",  [](X x) { return adaptive_avg_pool1d(x[0], 3); },                                                      {wide},             lines},
    {"batch_norm",           [](X x) { return batch_normed(x, true); },                                                             {wide, wide, wide}, channels, rounds},
    {"batch_norm",           [](X x) { return batch_normed(x, false); },                                                            {wide, wide, wide}, channels, rounds},
    {"group_norm",           [](X x) { return group_norm(x[0], 2, x[1], x[2], 0.1); },                                              {wide, wide, wide}, {{{2, 4, 3}, {4}, {4}}, {{3, 4}, {4}, {4}}}, rounds},
    {"rms_norm",             [](X x) { return rms_norm(x[0], x[1]); },                                                              {wide, wide},       {{{4}, {4}}, {{3, 5}, {5}}, {{2, 1, 3}, {3}}}, rounds},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
