// Arrays whose axes have names, and the product of two of them: what einsum and tensordot stand on.
#pragma once

#include <vector>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

namespace detail {

using Labels = std::vector<int>;

/// The dtype in which factors meet: bool counts as int64.
DType factor_dtype(const Call& call, std::span<const Operand* const> operands);

/// One label for each axis; none twice.
struct Labelled {
  Variable value;
  Labels labels;
};

bool contains(const Labels& labels, int label);

/// The axes in the order of `labels`, which names the same ones.
Variable in_order(const Labelled& x, const Labels& labels);

/// The sum over all axes that `kept` does not name.
Labelled summed(const Labelled& x, const Labels& kept);

/// The sum of the products of a and b over all labels that `kept` does not name. What both have has one size
/// (precondition). Runs as a (batched) matrix product, or as a product of elements if nothing is summed.
Labelled contract(const Labelled& a, const Labelled& b, const Labels& kept);

}  // namespace detail

}  // namespace xgrad
