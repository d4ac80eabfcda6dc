// Names of samples and what they are in xgrad: convolution, pooling, normalisation and losses.
#pragma once

#include "linear_algebra.hpp"

namespace oracle {

/// One number or two.
inline PerAxis pair_of(const Json& value) {
  if (value.is_number()) return value.get<std::int64_t>();
  return {value[0].get<std::int64_t>(), value[1].get<std::int64_t>()};
}

inline ConvOptions convolution_of(A a) {
  return {.stride = pair_of(a["stride"]),
          .padding = pair_of(a["padding"]),
          .dilation = pair_of(a["dilation"]),
          .groups = a.whole("groups")};
}
inline ConvTransposeOptions transposed_of(A a) {
  return {.stride = pair_of(a["stride"]),
          .padding = pair_of(a["padding"]),
          .output_padding = pair_of(a["output_padding"]),
          .dilation = pair_of(a["dilation"]),
          .groups = a.whole("groups")};
}
inline MaxPoolOptions max_pool_of(A a) {
  return {
      .stride = pair_of(a["stride"]), .padding = pair_of(a["padding"]), .dilation = pair_of(a["dilation"])};
}
inline AvgPoolOptions avg_pool_of(A a) {
  return {.stride = pair_of(a["stride"]),
          .padding = pair_of(a["padding"]),
          .count_include_pad = a.flag("count_include_pad")};
}

inline Variable normalized(X x, A a) {
  const auto constant = [&](const char* name) {
    return Tensor(x[1].shape(), a[name].get<std::vector<double>>());
  };
  BatchNormalized result =
      batch_norm(x[0], x[1], x[2], constant("running_mean"), constant("running_variance"),
                 {.training = a.flag("training"), .momentum = a.real("momentum"), .eps = a.real("eps")});
  return a.text("part") == "y" ? result.y : a.text("part") == "mean" ? result.mean : result.variance;
}

// clang-format off

inline const std::map<std::string, Call> network_calls{
  {"conv1d",              [](X x, A a) { return x.size() == 2 ? conv1d(x[0], x[1], convolution_of(a)) : conv1d(x[0], x[1], x[2], convolution_of(a)); }},
  {"conv2d",              [](X x, A a) { return x.size() == 2 ? conv2d(x[0], x[1], convolution_of(a)) : conv2d(x[0], x[1], x[2], convolution_of(a)); }},
  {"conv2d_same",         [](X x, A) { return conv2d(x[0], x[1], {.padding = "same"}); }},
  {"conv_transpose1d",    [](X x, A a) { return x.size() == 2 ? conv_transpose1d(x[0], x[1], transposed_of(a)) : conv_transpose1d(x[0], x[1], x[2], transposed_of(a)); }},
  {"conv_transpose2d",    [](X x, A a) { return x.size() == 2 ? conv_transpose2d(x[0], x[1], transposed_of(a)) : conv_transpose2d(x[0], x[1], x[2], transposed_of(a)); }},
  {"max_pool1d",          [](X x, A a) { return max_pool1d(x[0], a.whole("kernel"), max_pool_of(a)); }},
  {"max_pool2d",          [](X x, A a) { return max_pool2d(x[0], pair_of(a["kernel"]), max_pool_of(a)); }},
  {"avg_pool1d",          [](X x, A a) { return avg_pool1d(x[0], a.whole("kernel"), avg_pool_of(a)); }},
  {"avg_pool2d",          [](X x, A a) { return avg_pool2d(x[0], pair_of(a["kernel"]), avg_pool_of(a)); }},
  {"adaptive_avg_pool1d", [](X x, A a) { return adaptive_avg_pool1d(x[0], a.whole("size")); }},
  {"adaptive_avg_pool2d", [](X x, A a) { return adaptive_avg_pool2d(x[0], pair_of(a["size"])); }},
  {"layer_norm",          [](X x, A a) { return layer_norm(x[0], x[1], x[2], a.real("eps")); }},
  {"rms_norm",            [](X x, A a) { return rms_norm(x[0], x[1], a.real("eps")); }},
  {"batch_norm",          normalized},
  {"group_norm",          [](X x, A a) { return group_norm(x[0], a.whole("groups"), x[1], x[2], a.real("eps")); }},
  {"squared_error",                    [](X x, A) { return squared_error(x[0], x[1]); }},
  {"binary_cross_entropy",             [](X x, A) { return binary_cross_entropy(x[0], x[1]); }},
  {"binary_cross_entropy_with_logits", [](X x, A) { return binary_cross_entropy_with_logits(x[0], x[1]); }},
  {"softmax_cross_entropy",            [](X x, A a) { return softmax_cross_entropy(x[0], x[1], a.axis()); }},
};

// clang-format on

}  // namespace oracle
