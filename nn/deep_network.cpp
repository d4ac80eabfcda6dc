#include <xgrad/autograd/scope.hpp>
#include <xgrad/nn/deep_network.hpp>
#include <xgrad/ops/ops.hpp>

namespace xgrad {

DeepNetwork::DeepNetwork(std::vector<std::int64_t> sizes, Activation hidden, Activation output,
                         const DeepNetworkOptions& options)
    : hidden_(std::move(hidden)), output_(std::move(output)) {
  if (sizes.size() < 2)
    throw ShapeError("DeepNetwork: needs the sizes of the input and of at least one layer");
  for (std::int64_t n : sizes) {
    if (n < 1) throw ShapeError("DeepNetwork: a layer's size is " + std::to_string(n));
  }
  for (std::size_t l = 1; l < sizes.size(); ++l) {
    Generator random(options.seed, l);
    W.emplace_back("W" + std::to_string(l), options.init({sizes[l], sizes[l - 1]}, random, options.dtype));
    b.emplace_back("b" + std::to_string(l), zeros({sizes[l], 1}, options.dtype));
  }
}

Variable DeepNetwork::operator()(Operand X) const {
  const detail::At at(X.where());
  Variable A = X.variable();
  for (std::size_t l = 0; l < layers(); ++l) {
    const Scope scope("layer" + std::to_string(l + 1));
    const Variable Z = matmul_add(W[l], A, b[l]);
    A = l + 1 < layers() ? hidden_(Z) : output_(Z);
  }
  return A;
}

std::vector<Parameter> DeepNetwork::parameters() const {
  std::vector<Parameter> all;
  for (std::size_t l = 0; l < layers(); ++l) all.insert(all.end(), {W[l], b[l]});
  return all;
}

}  // namespace xgrad
