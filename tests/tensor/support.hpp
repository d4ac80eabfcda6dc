// What the tests of kernels share: every instruction set, random tensors, memory that faults behind its end.
#pragma once

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <vector>
#include <xgrad/tensor/simd.hpp>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad::test {

/// Runs f once with each instruction set of this machine, and goes back to the one in use.
template <class F>
void on_each_simd_level(F f) {
  struct Restore {
    SimdLevel level = simd_level();
    ~Restore() { set_simd_level(level); }
  } restore;
  for (SimdLevel level : {SimdLevel::sse2, SimdLevel::avx2, SimdLevel::avx512}) {
    if (level > best_simd_level()) break;
    INFO("with " << name(level));
    set_simd_level(level);
    f();
  }
}

/// Whole numbers from -9 to 9, so that sums and products are exact (bool: both values).
inline Tensor random_whole(const Shape& shape, DType dtype, std::mt19937& random) {
  Tensor result(shape, dtype);
  detail::visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    auto* p = detail::mutable_data<T>(result);
    for (std::int64_t i = 0; i < result.size(); ++i) {
      p[i] = static_cast<T>(std::is_same_v<T, bool> ? static_cast<int>(random() % 2)
                                                    : static_cast<int>(random() % 19) - 9);
    }
  });
  return result;
}

/// A copy of t whose last byte lies before a page that may not be touched.
inline Tensor before_guard_page(const Tensor& t) {
  constexpr std::size_t page = 4096;
  const std::size_t pages = (t.bytes() + page - 1) / page + 1, total = pages * page;
  struct Mapping {
    void* start;
    std::size_t bytes;
  };
  void* start = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
  char* guard = static_cast<char*>(start) + total - page;
  mprotect(guard, page, PROT_NONE);
  char* data = guard - t.bytes();
  if (t.bytes() > 0) std::memcpy(data, t.raw(), t.bytes());
  return Tensor(t.shape(), t.dtype(),
                detail::Storage::adopt(data, t.bytes(), new Mapping{start, total}, [](void* owner) {
                  auto* mapping = static_cast<Mapping*>(owner);
                  munmap(mapping->start, mapping->bytes);
                  delete mapping;
                }));
}

/// All indices of a shape in row-major order.
template <class F>
void for_each_index(const Shape& shape, F f) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()), 0);
  for (std::int64_t n = shape.size(); n > 0; --n) {
    f(index);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      auto& i = index[static_cast<std::size_t>(axis)];
      if (++i < shape[axis]) break;
      i = 0;
    }
  }
}

/// The place of an index of the result in a tensor of `shape` that is broadcast to it.
inline std::int64_t place_of(const std::vector<std::int64_t>& index, const Shape& shape) {
  std::int64_t place = 0;
  const std::size_t shift = index.size() - static_cast<std::size_t>(shape.rank());
  for (int axis = 0; axis < shape.rank(); ++axis) {
    place = place * shape[axis] + (shape[axis] == 1 ? 0 : index[shift + static_cast<std::size_t>(axis)]);
  }
  return place;
}

/// Whether the bytes are the same: tells -0 from 0 and one NaN from another.
inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.size() == 0 ||
          std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.size()) * size_of(a.dtype())) == 0);
}

}  // namespace xgrad::test
