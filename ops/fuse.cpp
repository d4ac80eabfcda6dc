#include <algorithm>
#include <utility>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/fuse.hpp>

namespace xgrad::detail {

FusedInputs::FusedInputs(const char* op, std::initializer_list<Operand*> operands)
    : call(op, **operands.begin()), dtype(float32), count(operands.size()) {
  std::array<const Operand*, 8> all{};
  std::copy(operands.begin(), operands.end(), all.begin());
  const std::span<const Operand* const> meet(all.data(), count);
  const DType common = call.common_dtype(meet);
  if (is_floating(common)) dtype = common;
  shape = call.common_shape(meet);
  std::size_t i = 0;
  for (Operand* x : operands) {
    at[i] = &x->as(dtype);
    if (xgrad::detail::tracked(*at[i], &call)) tracked |= 1u << i;
    ++i;
  }
}

namespace {

/// What numbers alone are while a lambda runs.
class NumberDType {
 public:
  explicit NumberDType(DType dtype) : before_(std::exchange(number_dtype, dtype)) {}
  ~NumberDType() { number_dtype = before_; }
  NumberDType(const NumberDType&) = delete;
  NumberDType& operator=(const NumberDType&) = delete;

 private:
  DType before_;
};

}  // namespace

Variable folded(const Variable& t, Fold fold) {
  return fold == Fold::none ? t : fold == Fold::sum ? sum(t) : mean(t);
}

Variable pushed_sum(const Variable& t, const Tensor& partial) { return sum(Variable(partial) * t); }

void pull_graph(const Variable& g, std::span<const Variable> inputs, std::uint64_t wanted,
                Variable* contributions, Variable (*run)(const void* f, const Variable* inputs),
                const void* f) {
  std::vector<Variable> own(inputs.begin(), inputs.end()), asked;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if ((wanted >> i & 1) == 0) continue;
    own[i] = independent(own[i]);
    asked.push_back(own[i]);
  }
  const Variable y = [&] {
    const NumberDType numbers(g.dtype());
    return run(f, own.data());
  }();
  if (!tracked(y)) {  // the function is a constant
    for (std::size_t i = 0; i < own.size(); ++i) {
      if ((wanted >> i & 1) != 0) contributions[i] = Variable(zeros(own[i].shape(), own[i].dtype()));
    }
    return;
  }
  const Gradients all =
      Tape::recording()->backward(y, {.seed = g, .create_graph = true, .wrt = std::move(asked)});
  for (std::size_t i = 0; i < own.size(); ++i) {
    if ((wanted >> i & 1) != 0) contributions[i] = all.or_zeros(own[i]);
  }
}

}  // namespace xgrad::detail
