#include <algorithm>
#include <utility>
#include <xgrad/tensor/copy.hpp>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/spread.hpp>

namespace xgrad::kernel::detail {
namespace {

template <class T>
struct Spread {
  static constexpr std::int64_t aligned_from = 2048 / sizeof(T);  // from here on whole lines pay

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(T* to, const T* from, std::int64_t step, std::int64_t count,
                                                std::int64_t repeat) {
    constexpr std::int64_t N = Bytes / sizeof(T);
    typedef T Memory __attribute__((vector_size(Bytes), aligned(alignof(T)), may_alias));
    if constexpr (Bytes > 16) {
      if (repeat < N) return run<Bytes / 2>(to, from, step, count, repeat);
    }
    for (std::int64_t i = 0; i < count; ++i, to += repeat) {
      Memory many;
      fill(many, from[i * step], std::make_index_sequence<Bytes / sizeof(T)>{});
      const auto put = [&](std::int64_t k) __attribute__((always_inline)) {
        *reinterpret_cast<Memory*>(to + k) = many;
      };
      std::int64_t k = 0;
      if (repeat >= aligned_from) {  // the first vector is cut off where a line of the cache begins
        put(0);
        k = static_cast<std::int64_t>((Bytes - reinterpret_cast<std::uintptr_t>(to) % Bytes) / sizeof(T));
      }
#pragma GCC unroll 4
      for (; k + N <= repeat; k += N) put(k);
      put(repeat - N);  // overlaps its neighbour
    }
  }

  // By way of 16 bytes: GCC 12 fills a wider vector lane by lane.
  template <class Memory, std::size_t... I>
  [[gnu::always_inline]] static inline void fill(Memory& many, T value, std::index_sequence<I...>) {
    typedef T Vector __attribute__((vector_size(16)));
    const Vector few = value - Vector{};
    many = __builtin_shufflevector(few, few, static_cast<int>(I * 0)...);
  }
};

}  // namespace

template <class T>
void spread(T* to, const T* from, std::int64_t step, std::int64_t count, std::int64_t repeat) {
  constexpr std::int64_t lanes = 16 / sizeof(T);
  if (repeat >= lanes) {
    return xgrad::detail::dispatch<Spread<T>, T*, const T*, std::int64_t, std::int64_t, std::int64_t>(
        to, from, step, count, repeat);
  }
  // Short ones are written too far, and over it again.
  const std::int64_t free = std::max<std::int64_t>(count - (16 + repeat - 1) / repeat, 0);
  if (step == 1) {
    stretch(to, from, free, repeat);
  } else {
    for (std::int64_t i = 0; i < free; ++i) stretch(to + i * repeat, from + i * step, 1, repeat);
  }
  for (std::int64_t i = free; i < count; ++i) fill_few(to + i * repeat, from[i * step], repeat);
}

template void spread(std::uint8_t*, const std::uint8_t*, std::int64_t, std::int64_t, std::int64_t);
template void spread(std::uint32_t*, const std::uint32_t*, std::int64_t, std::int64_t, std::int64_t);
template void spread(std::uint64_t*, const std::uint64_t*, std::int64_t, std::int64_t, std::int64_t);

}  // namespace xgrad::kernel::detail
