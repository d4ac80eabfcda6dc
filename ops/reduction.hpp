// Reductions along axes, and what is normalised along one. g is the cotangent of the result y.
//
// `axes` is one axis, several ({0, 2}) or left out for all; negative axes count from the end. With `keepdims`
// a reduced axis stays, with size 1. An axis that is out of range or named twice throws ShapeError. Sums are
// pairwise. Integers become float32 where the result is no integer. More of them: statistics.hpp, norms.hpp
// and, along one axis, scans.hpp.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// The axes of a reduction.
class Axes {
 public:
  Axes() = default;
  Axes(int axis) : all_(false), single_(true), axis_(axis) {}
  Axes(std::initializer_list<int> axes) : all_(false), list_(axes) {}
  Axes(std::vector<int> axes) : all_(false), list_(std::move(axes)) {}

  bool all() const { return all_; }
  std::span<const int> list() const { return single_ ? std::span(&axis_, 1) : std::span(list_); }

 private:
  bool all_ = true, single_ = false;
  int axis_ = 0;           // the usual one, without an allocation
  std::vector<int> list_;  // or several
};

/// The sum; 0 over no elements. bool counts as int64. Gradient: g, repeated.
Variable sum(Operand x, Axes axes = {}, bool keepdims = false);
/// The mean; NaN over no elements. Gradient: g / n, repeated.
Variable mean(Operand x, Axes axes = {}, bool keepdims = false);
/// The product; 1 over no elements. bool counts as int64. Gradient: g times the product of all other elements, which is
/// multiplied up and not divided out, so that zeros are as good as other numbers, to any order.
Variable prod(Operand x, Axes axes = {}, bool keepdims = false);
/// The maximum; NaN if there is one. Throws ShapeError over no elements. Gradient: g, split evenly between
/// ties.
Variable max(Operand x, Axes axes = {}, bool keepdims = false);
/// The minimum; as max.
Variable min(Operand x, Axes axes = {}, bool keepdims = false);
/// NumPy's other names of max and min.
Variable amax(Operand x, Axes axes = {}, bool keepdims = false);
Variable amin(Operand x, Axes axes = {}, bool keepdims = false);

/// Whether one element is true, or not 0 (NaN is not 0): a bool, false over no elements. Nothing flows back. Not to be
/// confused with all() without an operand, the index.
Variable any(Operand x, Axes axes = {}, bool keepdims = false);
/// Whether all elements are; true over no elements.
Variable all(Operand x, Axes axes = {}, bool keepdims = false);
/// How many elements are, as int64.
Variable count_nonzero(Operand x, Axes axes = {}, bool keepdims = false);

/// log(sum(exp(x))) without overflow; -inf where all x are. Gradient: g exp(x - y), 0 where y = -inf.
Variable logsumexp(Operand x, Axes axes = {}, bool keepdims = false);
/// log(mean(exp(x))) without overflow, likewise; NaN over no elements. Gradient: g exp(x - y) / n.
Variable logmeanexp(Operand x, Axes axes = {}, bool keepdims = false);

/// exp(x) / sum(exp(x)) along one axis, without overflow. Gradient: y (g - sum(g y)).
Variable softmax(Operand x, int axis = -1);
/// log(softmax(x)) along one axis. Gradient: g - exp(y) sum(g).
Variable log_softmax(Operand x, int axis = -1);
/// softmax over the places where the bool tensor `mask`, which broadcasts to x, is true; 0 elsewhere, whatever x is
/// there, and everywhere in a row that is masked out whole. Gradient: as of softmax. Throws DTypeError unless the mask is
/// bool, ShapeError unless it broadcasts.
Variable masked_softmax(Operand x, Operand mask, int axis = -1);

}  // namespace xgrad
