#include <cstring>
#include <xgrad/tensor/around.hpp>
#include <xgrad/tensor/copy.hpp>
#include <xgrad/tensor/gather.hpp>

namespace xgrad::kernel {

using detail::Around;

namespace {

std::int64_t wrapped(std::int64_t index, std::int64_t n) { return index < 0 ? index + n : index; }

// Rows [begin, end) of (outer, count) rows of `inner` elements; Inner: their number, if it is known.
template <int Inner, class T>
void take_rows(T* out, const T* x, const std::int64_t* index, std::int64_t count, const Around& of,
               std::int64_t begin, std::int64_t end) {
  const std::int64_t inner = Inner > 0 ? Inner : of.inner;
  for (std::int64_t row = begin; row < end;) {
    const std::int64_t o = row / count, first = row % count, last = std::min(count, first + end - row);
    const T* from = x + o * of.n * inner;
    T* to = out + row * inner;
    for (std::int64_t k = first; k < last; ++k, to += inner) {
      const T* source = from + wrapped(index[k], of.n) * inner;
      if constexpr (Inner > 0) {
        std::memcpy(to, source, Inner * sizeof(T));
      } else {
        detail::copy_few(to, source, inner);
      }
    }
    row += last - first;
  }
}

template <class T>
void take_rows(T* out, const T* x, const std::int64_t* index, std::int64_t count, const Around& of) {
  detail::in_rows(of.outer * count, of.inner, [&](std::int64_t begin, std::int64_t end) {
    switch (of.inner) {
      case 1:
        return take_rows<1>(out, x, index, count, of, begin, end);
      case 2:
        return take_rows<2>(out, x, index, count, of, begin, end);
      case 3:
        return take_rows<3>(out, x, index, count, of, begin, end);
      case 4:
        return take_rows<4>(out, x, index, count, of, begin, end);
      default:
        return take_rows<0>(out, x, index, count, of, begin, end);
    }
  });
}

// Adds, in the order of the indices; one thread has all of a column.
template <class T>
void add_rows(T* out, const std::int64_t* index, const T* updates, std::int64_t count, const Around& of) {
  detail::in_columns(of, count, [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
    T* target = out + o * of.n * of.inner;
    const T* from = updates + o * count * of.inner;
    for (std::int64_t k = 0; k < count; ++k) {
      T* __restrict to = target + wrapped(index[k], of.n) * of.inner;
      const T* __restrict row = from + k * of.inner;
      for (std::int64_t i = begin; i < end; ++i) to[i] += row[i];
    }
  });
}

// The result of adding to `base` or to zeros: calls add(out, index, updates) on it.
template <class Add>
Tensor added(const Tensor* base, const Shape& shape, const Tensor& index, const Tensor& updates,
             const Add& add) {
  const Tensor result(shape, updates.dtype());
  const auto run = [add, dtype = updates.dtype(), bytes = result.bytes(), based = base != nullptr](
                       void* const* out, const void* const* in) {
    if (bytes > 0 && based) std::memcpy(out[0], in[2], bytes);
    if (bytes > 0 && !based) std::memset(out[0], 0, bytes);
    xgrad::detail::visit(dtype, [&]<class T>(T) {
      if constexpr (!std::is_same_v<T, bool>) {
        add(static_cast<T*>(out[0]), static_cast<const std::int64_t*>(in[0]), static_cast<const T*>(in[1]));
      }
    });
  };
  if (base == nullptr) {
    xgrad::detail::launch({&result}, {&index, &updates}, run);
  } else {
    xgrad::detail::launch({&result}, {&index, &updates, base}, run);
  }
  return result;
}

}  // namespace

Tensor take(const Tensor& x, const Tensor& index, int axis) {
  std::vector<std::int64_t> sizes(x.shape().begin(), x.shape().begin() + axis);
  sizes.insert(sizes.end(), index.shape().begin(), index.shape().end());
  sizes.insert(sizes.end(), x.shape().begin() + axis + 1, x.shape().end());
  const Tensor result(Shape(std::span<const std::int64_t>(sizes)), x.dtype());
  if (result.size() == 0) return result;
  const auto run = [of = Around(x.shape(), axis), count = index.size(), size = size_of(x.dtype())](
                       void* const* out, const void* const* in) {
    detail::visit_size(size, [&]<class T>(T) {
      take_rows(static_cast<T*>(out[0]), static_cast<const T*>(in[0]),
                static_cast<const std::int64_t*>(in[1]), count, of);
    });
  };
  xgrad::detail::launch({&result}, {&x, &index}, run);
  return result;
}

Tensor add_at(const Tensor* base, const Shape& shape, const Tensor& index, const Tensor& updates, int axis) {
  return added(base, shape, index, updates,
               [of = Around(shape, axis), count = index.size()]<class T>(
                   T* out, const std::int64_t* at, const T* from) { add_rows(out, at, from, count, of); });
}

namespace {

template <class T>
void take_lines(T* out, const T* x, const std::int64_t* index, std::int64_t count, const Around& of) {
  detail::in_rows(of.outer * count, of.inner, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end;) {
      const std::int64_t o = row / count, rows = std::min(end - row, count - row % count);
      const T* from = x + o * of.n * of.inner;
      T* to = out + row * of.inner;
      const std::int64_t* at = index + row * of.inner;
      if (of.inner == 1) {
        for (std::int64_t i = 0; i < rows; ++i) to[i] = from[wrapped(at[i], of.n)];
      } else {
        for (std::int64_t r = 0; r < rows; ++r, to += of.inner, at += of.inner) {
          for (std::int64_t i = 0; i < of.inner; ++i) to[i] = from[wrapped(at[i], of.n) * of.inner + i];
        }
      }
      row += rows;
    }
  });
}

template <class T>
void add_lines(T* out, const std::int64_t* index, const T* updates, std::int64_t count, const Around& of) {
  detail::in_columns(of, count, [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
    T* to = out + o * of.n * of.inner;
    const T* from = updates + o * count * of.inner;
    const std::int64_t* at = index + o * count * of.inner;
    if (of.inner == 1) {
      for (std::int64_t j = 0; j < count; ++j) to[wrapped(at[j], of.n)] += from[j];
      return;
    }
    for (std::int64_t j = 0; j < count; ++j, from += of.inner, at += of.inner) {
      for (std::int64_t i = begin; i < end; ++i) to[wrapped(at[i], of.n) * of.inner + i] += from[i];
    }
  });
}

// Writes the indices of the first `count` elements that are not 0, a row for each axis.
template <class T>
void find_nonzero(std::int64_t* rows, const T* x, const Shape& shape, std::int64_t count) {
  constexpr std::int64_t block = 256;
  std::int64_t places[block], found = 0;
  const int last = shape.rank() - 1;
  const std::int64_t n = shape[last];
  for (std::int64_t row = 0, all = shape.size() / n; row < all && found < count; ++row, x += n) {
    for (std::int64_t start = 0; start < n && found < count; start += block) {
      const std::int64_t end = std::min(n, start + block);
      std::int64_t here = 0;
      for (std::int64_t j = start; j < end; ++j) {  // no branch: which are 0 is hard to foretell
        places[here] = j;
        here += x[j] != T(0);
      }
      here = std::min(here, count - found);
      std::copy_n(places, here, rows + last * count + found);
      std::int64_t rest = row;
      for (int axis = last - 1; axis >= 0; --axis) {
        std::fill_n(rows + axis * count + found, here, rest % shape[axis]);
        rest /= shape[axis];
      }
      found += here;
    }
  }
}

}  // namespace

Tensor take_along(const Tensor& x, const Tensor& index, int axis) {
  const Tensor result(index.shape(), x.dtype());
  if (result.size() == 0) return result;
  const auto run = [of = Around(x.shape(), axis), count = index.shape()[axis], size = size_of(x.dtype())](
                       void* const* out, const void* const* in) {
    detail::visit_size(size, [&]<class T>(T) {
      take_lines(static_cast<T*>(out[0]), static_cast<const T*>(in[0]),
                 static_cast<const std::int64_t*>(in[1]), count, of);
    });
  };
  xgrad::detail::launch({&result}, {&x, &index}, run);
  return result;
}

Tensor add_along(const Tensor* base, const Shape& shape, const Tensor& index, const Tensor& updates,
                 int axis) {
  return added(base, shape, index, updates,
               [of = Around(shape, axis), count = index.shape()[axis]]<class T>(
                   T* out, const std::int64_t* at, const T* from) { add_lines(out, at, from, count, of); });
}

Tensor nonzero(const Tensor& x, std::int64_t count) {
  const Tensor result({x.rank(), count}, int64);
  if (count == 0) return result;
  const auto run = [shape = x.shape(), dtype = x.dtype(), count](void* const* out, const void* const* in) {
    xgrad::detail::visit(dtype, [&]<class T>(T) {
      find_nonzero(static_cast<std::int64_t*>(out[0]), static_cast<const T*>(in[0]), shape, count);
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace xgrad::kernel
