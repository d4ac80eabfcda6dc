#include <xgrad/ops/update.hpp>
#include <xgrad/tensor/map.hpp>

namespace xgrad {

void sgd_update(Parameter& parameter, const Tensor& gradient, double learning_rate, double weight_decay) {
  parameter.update([&](Tensor& p) {
    detail::visit_floating(p.dtype(), [&]<class T>(T) {
      kernel::map_in_place<T, T>([=](auto p, auto g) { return p - learning_rate * (g + weight_decay * p); },
                                 p, gradient);
    });
  });
}

void momentum_update(Parameter& parameter, Tensor& velocity, const Tensor& gradient, double learning_rate,
                     double momentum, double weight_decay) {
  detail::visit_floating(gradient.dtype(), [&]<class T>(T) {
    kernel::map_in_place<T, T, T>(
        [=](auto v, auto g, auto p) { return momentum * v + (g + weight_decay * p); }, velocity, gradient,
        parameter.value());
    parameter.update([&](Tensor& p) {
      kernel::map_in_place<T, T>([=](auto p, auto v) { return p - learning_rate * v; }, p, velocity);
    });
  });
}

}  // namespace xgrad
