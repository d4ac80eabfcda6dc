// Repeating elements: what a broadcast writes out.
#pragma once

#include <cstdint>

namespace xgrad::kernel::detail {

/// to[i * repeat + k] = from[i * step] for i < count and k < repeat, in vectors as wide as the machine has.
/// T is std::uint8_t, std::uint32_t or std::uint64_t: bits are moved, whatever they mean. Nothing is written
/// behind the last place.
template <class T>
void spread(T* to, const T* from, std::int64_t step, std::int64_t count, std::int64_t repeat);

}  // namespace xgrad::kernel::detail
