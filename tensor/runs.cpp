#include <cstring>
#include <xgrad/tensor/around.hpp>
#include <xgrad/tensor/copy.hpp>
#include <xgrad/tensor/gather.hpp>

namespace xgrad::kernel {

using detail::Around;

namespace {

// Runs of a few elements: one after the other, each for all arrays.
template <class T>
void copy_narrow(T* to, const T* from, std::span<const Picked> runs, std::int64_t arrays, std::int64_t n,
                 std::int64_t width) {
  for (const Picked& run : runs) {
    detail::copy_rows(to, width, from + run.first, n, arrays, run.count);
    to += run.count;
  }
}

// One run of rows of `inner` elements.
template <class T>
void copy_run(T* to, const T* from, const Picked& run, std::int64_t inner) {
  from += run.first * inner;
  if (run.step == 1) return detail::copy_few(to, from, run.count * inner);
  if (inner > 1) return detail::copy_rows(to, inner, from, run.step * inner, run.count, inner);
  if (run.step == 0) return detail::fill_few(to, *from, run.count);
  if (run.step == -1) return void(std::reverse_copy(from - run.count + 1, from + 1, to));
  for (std::int64_t i = 0; i < run.count; ++i) to[i] = from[i * run.step];
}

template <class T>
void add_run(T* to, const T* from, const Picked& run, std::int64_t inner) {
  for (std::int64_t i = 0; i < run.count; ++i) {
    T* __restrict target = to + (run.first + i * run.step) * inner;
    const T* __restrict source = from + i * inner;
    for (std::int64_t k = 0; k < inner; ++k) target[k] += source[k];
  }
}

std::int64_t total(std::span<const Picked> runs) {
  std::int64_t count = 0;
  for (const Picked& run : runs) count += run.count;
  return count;
}

}  // namespace

std::vector<Picked> runs_of(std::span<const std::int64_t> places) {
  std::vector<Picked> runs;
  for (std::int64_t place : places) {
    if (!runs.empty()) {
      Picked& run = runs.back();
      const std::int64_t step = place - (run.first + (run.count - 1) * run.step);
      const bool fits = run.count == 1 ? step >= -1 && step <= 1 : step == run.step;
      if (fits) {
        run.step = step;
        ++run.count;
        continue;
      }
    }
    runs.push_back({place, 1, 1});
  }
  return runs;
}

Tensor runs(const Tensor& x, std::span<const Picked> runs, int axis) {
  const std::int64_t count = total(runs);
  const Tensor result(detail::resized(x.shape(), axis, count), x.dtype());
  if (result.size() == 0) return result;
  const Around of(x.shape(), axis);
  const bool narrow = of.inner == 1 && count <= 32 &&
                      std::all_of(runs.begin(), runs.end(), [](const Picked& r) { return r.step == 1; });
  const auto run = [list = std::vector(runs.begin(), runs.end()), of, count, narrow,
                    size = size_of(x.dtype())](void* const* out, const void* const* in) {
    detail::visit_size(size, [&]<class T>(T) {
      detail::in_rows(of.outer, count * of.inner, [&](std::int64_t begin, std::int64_t end) {
        if (narrow) {
          return copy_narrow(static_cast<T*>(out[0]) + begin * count,
                             static_cast<const T*>(in[0]) + begin * of.n, list, end - begin, of.n, count);
        }
        for (std::int64_t o = begin; o < end; ++o) {
          const T* from = static_cast<const T*>(in[0]) + o * of.n * of.inner;
          T* to = static_cast<T*>(out[0]) + o * count * of.inner;
          for (const Picked& picked : list) {
            copy_run(to, from, picked, of.inner);
            to += picked.count * of.inner;
          }
        }
      });
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

Tensor add_runs(const Tensor& g, const Shape& shape, std::span<const Picked> runs, int axis) {
  const Tensor result(shape, g.dtype());
  if (result.size() == 0) return result;
  const auto run = [list = std::vector(runs.begin(), runs.end()), of = Around(shape, axis),
                    count = total(runs), dtype = g.dtype()](void* const* out, const void* const* in) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      detail::in_rows(of.outer, of.n * of.inner, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t o = begin; o < end; ++o) {
          T* to = static_cast<T*>(out[0]) + o * of.n * of.inner;
          const T* from = static_cast<const T*>(in[0]) + o * count * of.inner;
          std::fill_n(to, of.n * of.inner, T(0));
          for (const Picked& picked : list) {
            add_run(to, from, picked, of.inner);
            from += picked.count * of.inner;
          }
        }
      });
    });
  };
  xgrad::detail::launch({&result}, {&g}, run);
  return result;
}

namespace {

// Axes before the last one that is padded are walked, what lies behind it is one row.
template <class T>
void pad_rows(T* out, const T* x, const Shape& from, const Shape& shape, std::span<const std::int64_t> before,
              T value) {
  int last = shape.rank() - 1;
  std::int64_t inner = 1;
  for (; last > 0 && from[last] == shape[last]; --last) inner *= shape[last];
  if (shape.rank() == 0) return void(*out = *x);
  const std::int64_t lead = before[static_cast<std::size_t>(last)] * inner, width = from[last] * inner,
                     full = shape[last] * inner;
  if (full < 32) {  // rows this short cost more than what they hold
    std::vector<std::int64_t> strides(before.size());
    std::int64_t stride = 1;
    std::fill_n(out, shape.size(), value);
    for (int a = shape.rank() - 1; a >= 0; stride *= shape[a--]) {
      strides[static_cast<std::size_t>(a)] = stride;
      out += before[static_cast<std::size_t>(a)] * stride;
    }
    return scatter(out, x, sizeof(T), from, strides);
  }
  std::vector<std::int64_t> index(static_cast<std::size_t>(last), 0);
  for (std::int64_t row = 0, rows = full == 0 ? 0 : shape.size() / full; row < rows; ++row, out += full) {
    bool inside = width > 0;
    for (int a = 0; inside && a < last; ++a) {
      const std::int64_t place = index[static_cast<std::size_t>(a)] - before[static_cast<std::size_t>(a)];
      inside = place >= 0 && place < from[a];
    }
    if (inside) {  // the rows of x come in its own order
      detail::fill_few(out, value, lead);
      detail::copy_few(out + lead, x, width);
      detail::fill_few(out + lead + width, value, full - lead - width);
      x += width;
    } else {
      detail::fill_few(out, value, full);
    }
    for (int a = last; a-- > 0 && ++index[static_cast<std::size_t>(a)] == shape[a];)
      index[static_cast<std::size_t>(a)] = 0;
  }
}

}  // namespace

Tensor pad(const Tensor& x, const Shape& shape, std::span<const std::int64_t> before, double value) {
  const Tensor result(shape, x.dtype());
  if (result.size() == 0) return result;
  const auto run = [from = x.shape(), shape, lead = std::vector(before.begin(), before.end()), value,
                    dtype = x.dtype()](void* const* out, const void* const* in) {
    xgrad::detail::visit(dtype, [&]<class T>(T) {
      // Moved by their bits, so that one kernel serves all types of a size.
      const T typed = static_cast<T>(value);
      detail::visit_size(sizeof(T), [&]<class U>(U) {
        U bits;
        std::memcpy(&bits, &typed, sizeof bits);
        pad_rows(static_cast<U*>(out[0]), static_cast<const U*>(in[0]), from, shape, lead, bits);
      });
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace xgrad::kernel
