#include <xgrad/autograd/scope.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/ops/ops.hpp>

namespace xgrad {
namespace {

Tensor initial_weight(std::int64_t inputs, std::int64_t outputs, const LinearOptions& options) {
  if (inputs < 1 || outputs < 1) {
    throw ShapeError("Linear: sizes are at least 1, not " + std::to_string(inputs) + " and " +
                     std::to_string(outputs));
  }
  Generator random(options.seed);
  return options.init({outputs, inputs}, random, options.dtype);
}

}  // namespace

Linear::Linear(std::int64_t inputs, std::int64_t outputs, const LinearOptions& options)
    : weight_("weight", initial_weight(inputs, outputs, options)) {
  if (options.bias) bias_.emplace_back("bias", zeros({outputs}, options.dtype));
}

Variable Linear::operator()(Operand x) const {
  const detail::At at(x.where());
  const Variable& v = x.variable();
  // A row vector has no transpose flag of its own: W x is the same product.
  if (bias_.empty()) return v.rank() == 1 ? matmul(weight_, v) : matmul(v, weight_, {.b = true});
  return v.rank() == 1 ? matmul_add(weight_, v, bias_[0]) : matmul_add(v, weight_, bias_[0], {.b = true});
}

std::vector<Parameter> Linear::parameters() const {
  std::vector<Parameter> all{weight_};
  all.insert(all.end(), bias_.begin(), bias_.end());
  return all;
}

}  // namespace xgrad
