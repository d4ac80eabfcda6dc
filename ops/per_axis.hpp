// Options that are one number for each of two axes.
#pragma once

#include <array>
#include <concepts>
#include <xgrad/autograd/operand.hpp>

namespace xgrad {

/// A number for each of two axes, or one for both: 2, or {2, 1} for (height, width).
struct PerAxis {
  std::array<std::int64_t, 2> sizes;
  template <std::integral I>
  PerAxis(I both) : sizes{static_cast<std::int64_t>(both), static_cast<std::int64_t>(both)} {}
  PerAxis(std::int64_t height, std::int64_t width) : sizes{height, width} {}
};

namespace detail {

inline constexpr std::int64_t per_axis_limit = std::int64_t{1} << 31;

/// The number for one of a call's axes, at least `least` and below 2^31. Throws Error, also if there is but one axis
/// and the numbers differ.
std::int64_t number_of(const Call& call, const char* what, const PerAxis& given, int axes, int axis,
                       std::int64_t least);

/// Of a kernel that covers `kernel` places of an axis with `padded` ones: throws ShapeError with `shown` unless it
/// fits.
void require_fit(const Call& call, std::int64_t kernel, bool dilated, std::int64_t padded, int axis,
                 const std::string& shown);

}  // namespace detail
}  // namespace xgrad
