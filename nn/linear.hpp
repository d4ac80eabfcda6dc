// The general fully connected layer, with examples in rows as in PyTorch.
#pragma once

#include <vector>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/nn/init.hpp>

namespace xgrad {

struct LinearOptions {
  bool bias = true;
  Initializer init = he_init;
  std::uint64_t seed = 1;
  DType dtype = float32;
};

/// y = x W^T + b. x is (m, inputs), W (outputs, inputs), b (outputs,), y (m, outputs); x may also be one
/// example (inputs,) or have more axes in front. Parameters: "weight" and "bias". Throws ShapeError if x's last
/// axis is not of size `inputs`.
class Linear {
 public:
  /// Throws ShapeError if a size is below 1.
  Linear(std::int64_t inputs, std::int64_t outputs, const LinearOptions& options = {});

  Variable operator()(Operand x) const;
  std::vector<Parameter> parameters() const;

 private:
  Parameter weight_;
  std::vector<Parameter> bias_;  // one, or none
};

}  // namespace xgrad
