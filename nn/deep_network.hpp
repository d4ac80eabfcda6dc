// The L-layer network of the course notes, week 4.
#pragma once

#include <concepts>
#include <functional>
#include <vector>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/nn/init.hpp>
#include <xgrad/ops/activation.hpp>

namespace xgrad {

/// What a layer applies to Z: an operation such as relu, or any callable Variable -> Variable.
class Activation {
 public:
  /// From an operation by its name. Picks ours where `using namespace xgrad` finds C's tanh(double), too.
  Activation(Variable (*operation)(Operand)) : f_(operation) {}
  template <class F>
  requires std::invocable<const F&, const Variable&> &&(!std::same_as<F, Activation>)Activation(F f)
      : f_(std::move(f)) {}

  Variable operator()(const Variable& z) const { return f_(z); }

 private:
  std::function<Variable(const Variable&)> f_;
};

struct DeepNetworkOptions {
  Initializer init = he_init;  ///< of the weights; biases begin at 0
  std::uint64_t seed = 1;      ///< layer l draws from stream l of this seed
  DType dtype = float32;
};

/// Z[l] = W[l] A[l-1] + b[l], A[l] = g[l](Z[l]), with A[0] = X.
///
/// sizes = {n[0], ..., n[L]}; X is (n[0], m), examples in columns; W[l] is (n[l], n[l-1]), b[l] is (n[l], 1),
/// A[l] is (n[l], m). The hidden layers' g is `hidden`, the last one's `output`: sigmoid for one probability,
/// identity for logits. Each layer records in a scope of its own, "layer1" and on. Parameters are named W1,
/// b1, W2, ...
class DeepNetwork {
 public:
  /// Throws ShapeError if there are fewer than two sizes or one is below 1.
  explicit DeepNetwork(std::vector<std::int64_t> sizes, Activation hidden = relu, Activation output = sigmoid,
                       const DeepNetworkOptions& options = {});

  /// A[L]. Throws ShapeError if X does not have n[0] rows.
  Variable operator()(Operand X) const;
  /// W1, b1, W2, b2, ...
  std::vector<Parameter> parameters() const;
  std::size_t layers() const { return W.size(); }

  std::vector<Parameter> W, b;  ///< W[0] is the notes' W[1]

 private:
  Activation hidden_, output_;
};

}  // namespace xgrad
