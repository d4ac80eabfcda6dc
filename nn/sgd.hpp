// Stochastic gradient descent.
#pragma once

#include <optional>
#include <vector>
#include <xgrad/autograd/gradients.hpp>

namespace xgrad {

struct SgdOptions {
  double learning_rate = 0.01;
  double momentum = 0;
  double weight_decay = 0;
};

/// The update of the course notes, theta := theta - alpha dtheta, with PyTorch's momentum and weight decay:
///
///   g' = g + weight_decay p;  v = momentum v + g' (at first v = g');  p := p - learning_rate v
///
/// The options may be changed between steps.
class Sgd {
 public:
  /// Throws Error if there are no parameters, or an option is negative or not finite.
  explicit Sgd(std::vector<Parameter> parameters, SgdOptions options = {});

  /// Updates every parameter that has a gradient. Throws GraphError if none has, ShapeError or DTypeError if
  /// a gradient does not fit its parameter; nothing is changed then.
  void step(const Gradients& gradients);

  SgdOptions options;

 private:
  struct State {
    Parameter parameter;
    std::optional<Tensor> velocity;
  };
  std::vector<State> states_;
};

}  // namespace xgrad
