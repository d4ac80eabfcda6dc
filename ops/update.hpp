// In-place updates of parameters, one SIMD pass each: what optimizers are made of. Nothing is recorded.
#pragma once

#include <xgrad/autograd/parameter.hpp>

namespace xgrad {

/// g' = g + weight_decay p;  p -= learning_rate g'. The gradient has the parameter's shape and dtype
/// (precondition).
void sgd_update(Parameter& parameter, const Tensor& gradient, double learning_rate, double weight_decay);

/// v = momentum v + g + weight_decay p;  p -= learning_rate v. The velocity v is changed, too; it is the
/// caller's own.
void momentum_update(Parameter& parameter, Tensor& velocity, const Tensor& gradient, double learning_rate,
                     double momentum, double weight_decay);

}  // namespace xgrad
