#include <cmath>
#include <cstring>
#include <xgrad/nn/sgd.hpp>
#include <xgrad/ops/update.hpp>

namespace xgrad {
namespace {

void require_sensible(const SgdOptions& options) {
  for (const auto& [what, value] :
       {std::pair("learning_rate", options.learning_rate), std::pair("momentum", options.momentum),
        std::pair("weight_decay", options.weight_decay)}) {
    if (!(value >= 0) || !std::isfinite(value)) {
      throw Error(std::string("Sgd: ") + what + " is " + std::to_string(value) +
                  "; it must be finite and not negative");
    }
  }
}

// The velocity in the parameter's dtype, and held by nobody else: at first 0, and after the Sgd was copied a
// copy, too.
void own(std::optional<Tensor>& velocity, const Parameter& parameter) {
  if (!velocity) velocity = zeros(parameter.shape(), parameter.dtype());
  if (velocity->dtype() != parameter.dtype()) velocity = velocity->astype(parameter.dtype());
  if (velocity->unique()) return;
  Tensor copy(velocity->shape(), velocity->dtype());
  std::memcpy(detail::mutable_data<void>(copy), velocity->raw(), copy.bytes());
  velocity = std::move(copy);
}

}  // namespace

Sgd::Sgd(std::vector<Parameter> parameters, SgdOptions given) : options(given) {
  if (parameters.empty()) throw Error("Sgd: there are no parameters");
  require_sensible(options);
  for (Parameter& parameter : parameters) states_.push_back({std::move(parameter), std::nullopt});
}

void Sgd::step(const Gradients& gradients) {
  require_sensible(options);
  bool any = false;
  for (const State& state : states_) {
    const Variable* g = gradients.find(state.parameter);
    if (g == nullptr) continue;
    any = true;
    const auto which = [&] { return "Sgd: the gradient of " + state.parameter.name(); };
    if (g->shape() != state.parameter.shape()) {
      throw ShapeError(which() + " has another shape: " + to_string(g->shape()) + " for " +
                       to_string(state.parameter.shape()));
    }
    if (g->dtype() != state.parameter.dtype()) {
      throw DTypeError(which() + " has another dtype: " + name(g->dtype()) + " for " +
                       name(state.parameter.dtype()));
    }
  }
  if (!any) throw GraphError("Sgd: no parameter has a gradient; was the cost computed from this model?");
  for (State& state : states_) {
    const Variable* g = gradients.find(state.parameter);
    if (g == nullptr) continue;
    if (options.momentum == 0) {
      sgd_update(state.parameter, g->value(), options.learning_rate, options.weight_decay);
      continue;
    }
    own(state.velocity, state.parameter);
    momentum_update(state.parameter, *state.velocity, g->value(), options.learning_rate, options.momentum,
                    options.weight_decay);
  }
}

}  // namespace xgrad
