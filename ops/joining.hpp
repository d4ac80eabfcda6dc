// Several tensors made one, and one made several. g is the cotangent of the result.
#pragma once

#include <initializer_list>
#include <source_location>
#include <vector>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// The parts one after the other along an axis. Gradient: each part's slice of g. Throws ShapeError if there
/// are no parts or their other axes differ, DTypeError if their dtypes do.
Variable concat(const std::vector<Variable>& parts, int axis = 0,
                std::source_location where = std::source_location::current());
/// The parts one after the other along a new axis of the result. Gradient: each part's slice of g. Throws
/// ShapeError if there are no parts or their shapes differ, DTypeError if their dtypes do.
Variable stack(const std::vector<Variable>& parts, int axis = 0,
               std::source_location where = std::source_location::current());

/// `count` parts of equal size along an axis. Gradient of a part: g in its place, 0 elsewhere. Throws
/// ShapeError if the size of the axis is no multiple of `count`.
std::vector<Variable> split(Operand x, std::int64_t count, int axis = 0);
/// The parts before, between and behind these places of an axis, as numpy.split: split(x, {2, 5}) gives the
/// ranges [0, 2), [2, 5) and [5, end). Bounds are those of slice.
std::vector<Variable> split(Operand x, std::initializer_list<std::int64_t> places, int axis = 0);
std::vector<Variable> split(Operand x, const std::vector<std::int64_t>& places, int axis = 0);
/// One part for each place of an axis, which is dropped: the inverse of stack. Gradient of a part: g in its
/// place, 0 elsewhere.
std::vector<Variable> unstack(Operand x, int axis = 0);

}  // namespace xgrad
