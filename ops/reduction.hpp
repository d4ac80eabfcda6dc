// Reductions along axes, and what is normalised along one. g is the cotangent of the result y.
//
// `axes` is one axis, several ({0, 2}) or left out for all; negative axes count from the end. With `keepdims`
// a reduced axis stays, with size 1. An axis that is out of range or named twice throws ShapeError. Sums are
// pairwise.
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
/// The maximum; NaN if there is one. Throws ShapeError over no elements. Gradient: g, split evenly between
/// ties.
Variable max(Operand x, Axes axes = {}, bool keepdims = false);
/// The minimum; as max.
Variable min(Operand x, Axes axes = {}, bool keepdims = false);
/// log(sum(exp(x))) without overflow; -inf where all x are. Gradient: g exp(x - y).
Variable logsumexp(Operand x, Axes axes = {}, bool keepdims = false);

/// exp(x) / sum(exp(x)) along one axis, without overflow. Gradient: y (g - sum(g y)).
Variable softmax(Operand x, int axis = -1);
/// log(softmax(x)) along one axis. Gradient: g - exp(y) sum(g).
Variable log_softmax(Operand x, int axis = -1);

}  // namespace xgrad
