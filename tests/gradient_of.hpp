// Gradients made by hand.
#pragma once

#include <xgrad/autograd/gradients.hpp>

/// The map that a backward pass would return for one parameter.
inline xgrad::Gradients of(const xgrad::Parameter& parameter, const xgrad::Tensor& gradient) {
  xgrad::Gradients gradients;
  gradients.add({parameter.name(), parameter, {}, gradient});
  return gradients;
}
