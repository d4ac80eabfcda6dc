#include <xgrad/autograd/scope.hpp>
#include <xgrad/nn/sequential.hpp>

namespace xgrad {

Sequential::Sequential(std::vector<Part> parts) : parts_(std::move(parts)) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    for (Parameter& parameter : parts_[i].parameters)
      parameter.set_name(std::to_string(i) + "." + parameter.name());
  }
}

Variable Sequential::operator()(Operand x) const {
  const detail::At at(x.where());
  Variable y = x.variable();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Scope scope(std::to_string(i));
    y = parts_[i].call(y);
  }
  return y;
}

std::vector<Parameter> Sequential::parameters() const {
  std::vector<Parameter> all;
  for (const Part& part : parts_) all.insert(all.end(), part.parameters.begin(), part.parameters.end());
  return all;
}

}  // namespace xgrad
