#include <unordered_map>
#include <xgrad/autograd/palette.hpp>

namespace xgrad::detail {
namespace {

constexpr OpColours other{"#cfd8dc", "#8a979d", "#212121"};        // grey
constexpr OpColours elementwise{"#fff9c4", "#cbb956", "#212121"};  // yellow
constexpr OpColours movement{"#c8e6c9", "#81a384", "#212121"};     // green
constexpr OpColours product{"#1565c0", "#003c8f", "#ffffff"};      // dark blue
constexpr OpColours reduction{"#e1bee7", "#a57cab", "#212121"};    // purple
constexpr OpColours activation{"#ffe0b2", "#cb9a5b", "#212121"};   // orange
constexpr OpColours loss{"#ffcdd2", "#cb7d84", "#212121"};         // pink

const std::unordered_map<std::string_view, const OpColours*>& table() {
  // clang-format off
  static const auto& map = *new std::unordered_map<std::string_view, const OpColours*>{
      {"add", &elementwise}, {"sub", &elementwise}, {"mul", &elementwise}, {"div", &elementwise},
      {"neg", &elementwise}, {"pow", &elementwise}, {"square", &elementwise}, {"abs", &elementwise},
      {"maximum", &elementwise}, {"minimum", &elementwise}, {"clip", &elementwise}, {"where", &elementwise},
      {"exp", &elementwise}, {"expm1", &elementwise}, {"log", &elementwise}, {"log1p", &elementwise},
      {"sqrt", &elementwise},
      {"alias", &movement}, {"reshape", &movement}, {"transpose", &movement}, {"broadcast_to", &movement},
      {"concat", &movement}, {"slice", &movement}, {"unslice", &movement}, {"view", &movement},
      {"flatten", &movement}, {"expand_dims", &movement}, {"squeeze", &movement}, {"permute_dims", &movement},
      {"matrix_transpose", &movement}, {"swapaxes", &movement}, {"moveaxis", &movement}, {"tile", &movement},
      {"repeat", &movement}, {"meshgrid", &movement}, {"stack", &movement}, {"split", &movement},
      {"unstack", &movement}, {"flip", &movement}, {"roll", &movement}, {"pad", &movement},
      {"diagonal", &movement}, {"diag", &movement}, {"tril", &movement}, {"triu", &movement},
      {"take", &movement}, {"take_along_axis", &movement}, {"index_add", &movement},
      {"scatter_add", &movement}, {"pick", &movement}, {"embedding", &movement}, {"sort", &movement},
      {"topk", &movement},
      {"matmul", &product},
      {"conv1d", &product}, {"conv2d", &product}, {"conv_transpose1d", &product},
      {"conv_transpose2d", &product}, {"conv1d_weight", &product}, {"conv2d_weight", &product},
      {"max_pool1d", &reduction}, {"max_pool2d", &reduction}, {"avg_pool1d", &reduction},
      {"avg_pool2d", &reduction}, {"adaptive_avg_pool1d", &reduction}, {"adaptive_avg_pool2d", &reduction},
      {"sum", &reduction}, {"sum_to", &reduction}, {"mean", &reduction}, {"max", &reduction},
      {"min", &reduction}, {"logsumexp", &reduction},
      {"amax", &reduction}, {"amin", &reduction}, {"prod", &reduction}, {"logmeanexp", &reduction},
      {"var", &reduction}, {"std", &reduction}, {"norm", &reduction}, {"sum_squares", &reduction},
      {"cumsum", &reduction}, {"cumprod", &reduction}, {"logcumsumexp", &reduction},
      {"cummax", &reduction}, {"cummin", &reduction},
      {"sigmoid", &activation}, {"tanh", &activation}, {"relu", &activation}, {"leaky_relu", &activation},
      {"softplus", &activation}, {"softmax", &activation}, {"log_softmax", &activation},
      {"masked_softmax", &activation},
      {"squared_error", &loss}, {"binary_cross_entropy", &loss}, {"binary_cross_entropy_with_logits", &loss},
  };
  // clang-format on
  return map;
}

}  // namespace

const OpColours& colours_of(std::string_view op) {
  const auto found = table().find(op);
  return found == table().end() ? other : *found->second;
}

bool is_symmetric(std::string_view op) {
  return op == "add" || op == "mul" || op == "maximum" || op == "minimum" || op == "squared_error";
}

}  // namespace xgrad::detail
