// The element types of tensors, known at run time (as in NumPy and PyTorch) so that functions stay plain
// functions.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace xgrad {

enum class DType : std::uint8_t { float32, float64, int64, bool_ };

inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;
inline constexpr DType int64 = DType::int64;
inline constexpr DType bool_ = DType::bool_;

/// "float32", "float64", "int64", "bool".
constexpr const char* name(DType dtype) {
  constexpr const char* names[] = {"float32", "float64", "int64", "bool"};
  return names[static_cast<int>(dtype)];
}

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) {
  constexpr std::size_t sizes[] = {4, 8, 8, 1};
  return sizes[static_cast<int>(dtype)];
}

constexpr bool is_floating(DType dtype) { return dtype == DType::float32 || dtype == DType::float64; }

namespace detail {
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> : std::integral_constant<DType, DType::float32> {};
template <>
struct DTypeOf<double> : std::integral_constant<DType, DType::float64> {};
template <>
struct DTypeOf<std::int64_t> : std::integral_constant<DType, DType::int64> {};
template <>
struct DTypeOf<bool> : std::integral_constant<DType, DType::bool_> {};
}  // namespace detail

/// The C++ types that are stored as they are: float, double, std::int64_t and bool.
template <class T>
concept Element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> ||
    std::same_as<T, bool>;

/// A C++ number: weakly typed, it takes the dtype of the tensor it meets; alone it becomes float32 (bool:
/// bool).
template <class T>
concept Number = std::is_arithmetic_v<T>;

template <Element T>
inline constexpr DType dtype_of = detail::DTypeOf<T>::value;

namespace detail {

/// Calls f with a value of the C++ type of `dtype`: visit(t.dtype(), [&](auto zero) { using T =
/// decltype(zero); ... }).
template <class F>
decltype(auto) visit(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
    case DType::int64:
      return f(std::int64_t{});
    default:
      return f(bool{});
  }
}

/// The same for the two floating types; the dtype must be one of them.
template <class F>
decltype(auto) visit_floating(DType dtype, F&& f) {
  return dtype == DType::float32 ? f(float{}) : f(double{});
}

}  // namespace detail
}  // namespace xgrad
