// Parts of a tensor by ranges: slice, and view in xtensor's notation. g is the cotangent of the result.
#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <vector>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/tensor/strided.hpp>

namespace xgrad {

/// start, start + step, ... before stop, as Python's slices: left out means from the very end, negative
/// counts from the end, and out of range is cut off.
struct Range {
  std::optional<std::int64_t> start = std::nullopt;
  std::optional<std::int64_t> stop = std::nullopt;
  std::int64_t step = 1;
};

/// The ranges of the first axes, all of the others. Gradient: g at the picked places, 0 elsewhere. Throws
/// ShapeError if there are more ranges than axes or a step is 0.
Variable slice(Operand x, const std::vector<Range>& ranges);
/// One range of one axis.
Variable slice(Operand x, int axis, Range range);

/// range(stop), range(start, stop), range(start, stop, step); a bound may be `_`: from the very end.
constexpr Range range(std::optional<std::int64_t> stop) { return {std::nullopt, stop, 1}; }
constexpr Range range(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                      std::int64_t step = 1) {
  return {start, stop, step};
}
namespace placeholders {
inline constexpr std::nullopt_t _ = std::nullopt;
}

/// What one index of a view is, as xtensor writes them: a number drops its axis, a Range keeps a part of it,
/// all() keeps all of it, newaxis() adds an axis of size 1 and ellipsis() keeps as many axes as are left.
class Index {
 public:
  enum class Kind : std::uint8_t { place, range, newaxis, ellipsis };
  using Location = std::source_location;

  template <std::integral I>
  requires(!std::same_as<I, bool>)  // a mask is no place
      Index(I place, Location where = Location::current())
      : where_(where), range_{static_cast<std::int64_t>(place)}, kind_(Kind::place) {}
  Index(Range range, Location where = Location::current()) : where_(where), range_(range) {}
  explicit Index(Kind kind, Location where) : where_(where), kind_(kind) {}

  Kind kind() const { return kind_; }
  std::int64_t place() const { return *range_.start; }
  const Range& range() const { return range_; }
  Location where() const { return where_; }

  /// x(first, rest...): the first index knows the user's line.
  template <class... I>
  friend Variable view_at(const Variable& x, const Index& first, const I&... rest) {
    return view(Operand(x, first.where()), {first, Index(rest)...});
  }

 private:
  Location where_;
  Range range_;
  Kind kind_ = Kind::range;
};

inline Index all(std::source_location where = std::source_location::current()) {
  return Index(Index::Kind::range, where);
}
inline Index newaxis(std::source_location where = std::source_location::current()) {
  return Index(Index::Kind::newaxis, where);
}
inline Index ellipsis(std::source_location where = std::source_location::current()) {
  return Index(Index::Kind::ellipsis, where);
}

/// x at these indices, those of the first axes, also written x(range(0, 3), all(), newaxis(), 2, ellipsis()).
/// Gradient: g at the picked places, 0 elsewhere. Throws ShapeError if a number is not in [-size, size) of its
/// axis, there are more indices than axes, a step is 0 or there are two ellipses.
Variable view(Operand x, std::initializer_list<Index> indices);

namespace detail {

/// The places of a range on an axis of `size`. Precondition: its step is not 0.
kernel::Picked resolve(const Range& range, std::int64_t size);
/// All places of each axis.
std::vector<kernel::Picked> all_places(const Shape& shape);
/// The places (one entry for each axis of x), in the shape `result`; and the adjoint: zeros of `shape` with x's
/// elements at these places.
Variable picked(const Call& call, const Variable& x, std::vector<kernel::Picked> places, const Shape& result);
Variable placed(const Call& call, const Variable& x, const Shape& shape, std::vector<kernel::Picked> places);
/// Part [start, stop) of one axis; with `drop`, which needs exactly one place, without the axis.
Variable part(const Call& call, const Variable& x, int axis, std::int64_t start, std::int64_t stop,
              bool drop = false);

}  // namespace detail
}  // namespace xgrad
