// Modules one after the other.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <vector>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// Sequential net{Linear(784, 128), relu, Linear(128, 10)};
///
/// Each part is a module or any callable Variable -> Variable. The parts' parameters get dotted names that
/// begin with their part's place: "0.weight", "0.bias", "2.weight", ...; part i records in the scope "i".
class Sequential {
 public:
  /// A callable, and the parameters it brings along if it has any.
  class Part {
   public:
    Part(Variable (*operation)(Operand)) : call(operation) {}
    template <class M>
    requires std::invocable<const M&, const Variable&> &&(!std::same_as<M, Part>)Part(M module) {
      if constexpr (requires { module.parameters(); }) parameters = module.parameters();
      call = std::move(module);
    }
    std::function<Variable(const Variable&)> call;
    std::vector<Parameter> parameters;
  };

  Sequential(std::initializer_list<Part> parts) : Sequential(std::vector<Part>(parts)) {}
  explicit Sequential(std::vector<Part> parts);

  Variable operator()(Operand x) const;
  std::vector<Parameter> parameters() const;

 private:
  std::vector<Part> parts_;
};

}  // namespace xgrad
