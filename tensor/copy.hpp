// Copying a few elements: short loops in place of calls of memcpy, which cost more than what they move.
#pragma once

#include <cstdint>
#include <cstring>

namespace xgrad::kernel::detail {

/// 16 bytes of T.
template <class T>
struct Quad {
  static constexpr std::int64_t lanes = 16 / sizeof(T);
  typedef T Memory __attribute__((vector_size(16), aligned(alignof(T)), may_alias));
};

/// n elements that do not overlap. The empty asm keeps the compiler from making a call of the loop.
template <class T>
inline void copy_few(T* to, const T* from, std::int64_t n) {
  using Memory = typename Quad<T>::Memory;
  constexpr std::int64_t lanes = Quad<T>::lanes;
  if (n >= 256 / static_cast<std::int64_t>(sizeof(T))) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  } else if (n >= lanes) {
    for (std::int64_t i = 0; i + lanes <= n; i += lanes) {
      *reinterpret_cast<Memory*>(to + i) = *reinterpret_cast<const Memory*>(from + i);
      asm("" : "+r"(i));
    }
    *reinterpret_cast<Memory*>(to + n - lanes) = *reinterpret_cast<const Memory*>(from + n - lanes);
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      to[i] = from[i];
      asm("" : "+r"(i));
    }
  }
}

template <int n, class T>
inline void copy_short_rows(T* to, std::int64_t to_step, const T* from, std::int64_t from_step,
                            std::int64_t rows) {
  for (std::int64_t i = 0; i < rows; ++i) std::memcpy(to + i * to_step, from + i * from_step, n * sizeof(T));
}

/// Rows of n elements. Those of a known size are a few moves.
template <class T>
inline void copy_rows(T* to, std::int64_t to_step, const T* from, std::int64_t from_step, std::int64_t rows,
                      std::int64_t n) {
  switch (n) {
    case 1:
      return copy_short_rows<1>(to, to_step, from, from_step, rows);
    case 2:
      return copy_short_rows<2>(to, to_step, from, from_step, rows);
    case 3:
      return copy_short_rows<3>(to, to_step, from, from_step, rows);
    case 4:
      return copy_short_rows<4>(to, to_step, from, from_step, rows);
    case 5:
      return copy_short_rows<5>(to, to_step, from, from_step, rows);
    case 6:
      return copy_short_rows<6>(to, to_step, from, from_step, rows);
    case 8:
      return copy_short_rows<8>(to, to_step, from, from_step, rows);
    default:
      for (std::int64_t i = 0; i < rows; ++i) copy_few(to + i * to_step, from + i * from_step, n);
  }
}

/// Each of `count` elements `repeat` times. Writes up to 15 bytes behind the last one.
template <class T>
inline void stretch(T* to, const T* from, std::int64_t count, std::int64_t repeat) {
  using Memory = typename Quad<T>::Memory;
  constexpr std::int64_t lanes = Quad<T>::lanes;
  const auto put = [](T* p, T value) { *reinterpret_cast<Memory*>(p) = value - Memory{}; };
  if (repeat <= lanes) {
    for (std::int64_t i = 0; i < count; ++i) put(to + i * repeat, from[i]);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i, to += repeat) {
    for (std::int64_t k = 0; k < repeat; k += lanes) put(to + k, from[i]);
  }
}

/// n times the same element.
template <class T>
inline void fill_few(T* to, T value, std::int64_t n) {
  using Memory = typename Quad<T>::Memory;
  constexpr std::int64_t lanes = Quad<T>::lanes;
  if (n < lanes) {
    for (std::int64_t i = 0; i < n; ++i) {
      to[i] = value;
      asm("" : "+r"(i));
    }
    return;
  }
  const Memory many = value - Memory{};
  for (std::int64_t i = 0; i + lanes <= n; i += lanes) *reinterpret_cast<Memory*>(to + i) = many;
  *reinterpret_cast<Memory*>(to + n - lanes) = many;
}

/// The first n elements of `to` again and again, up to `total`.
template <class T>
inline void repeat_front(T* to, std::int64_t n, std::int64_t total) {
  if (total <= 64) {
    for (std::int64_t i = n; i < total; i += n) copy_few(to + i, to, i + n <= total ? n : total - i);
    return;
  }
  constexpr std::int64_t enough = 4096 / static_cast<std::int64_t>(sizeof(T));  // stays in the cache
  for (std::int64_t ready = n, filled = n; filled < total;) {
    const std::int64_t more = ready <= total - filled ? ready : total - filled;
    copy_few(to + filled, to, more);
    filled += more;
    if (ready < enough) ready = filled;
  }
}

}  // namespace xgrad::kernel::detail
