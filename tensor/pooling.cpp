#include <limits>
#include <xgrad/tensor/around.hpp>
#include <xgrad/tensor/max_unpool.hpp>
#include <xgrad/tensor/pooling.hpp>

namespace xgrad::kernel {
namespace {

using detail::each_pixel, detail::MaxUnpool, detail::Window;

// f(plane) for all planes of an array of `size` elements.
template <class F>
void each_plane(const Pooling& how, std::int64_t size, const F& f) {
  const std::int64_t planes = size / how.pixels();
  detail::in_rows(planes, how.pixels(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane) f(plane);
  });
}

// Folds each window of a plane: its rows first, side by side, then what is left of it.
template <class T, class F, class Finish>
void fold(const Pooling& how, const T* x, T* y, T start, const F& f, const Finish& finish) {
  const std::int64_t width = how.wide.size;
  std::vector<T> line(static_cast<std::size_t>(width));
  for (const Window& rows : how.high.windows) {
    std::fill(line.begin(), line.end(), start);
    T* __restrict to = line.data();
    for (std::int64_t k = 0; k < rows.count; ++k) {
      const T* __restrict from = x + (rows.first + k * how.high.step) * width;
      for (std::int64_t i = 0; i < width; ++i) to[i] = f(to[i], from[i]);
    }
    for (const Window& columns : how.wide.windows) {
      T all = start;
      for (std::int64_t l = 0; l < columns.count; ++l) all = f(all, to[columns.first + l * how.wide.step]);
      *y++ = finish(all, rows, columns);
    }
  }
}

template <class T>
T divisor(const Window& rows, const Window& columns) {
  return static_cast<T>(rows.divisor) * static_cast<T>(columns.divisor);
}

template <class T>
void unpool_means(const Pooling& how, const T* g, T* x) {
  const std::int64_t width = how.wide.size;
  std::vector<T> line(static_cast<std::size_t>(width));
  std::fill_n(x, how.pixels(), T(0));
  for (const Window& rows : how.high.windows) {
    std::fill(line.begin(), line.end(), T(0));
    for (const Window& columns : how.wide.windows) {
      const T share = *g++ / divisor<T>(rows, columns);
      for (std::int64_t l = 0; l < columns.count; ++l)
        line[static_cast<std::size_t>(columns.first + l * how.wide.step)] += share;
    }
    for (std::int64_t k = 0; k < rows.count; ++k) {
      T* __restrict to = x + (rows.first + k * how.high.step) * width;
      const T* __restrict from = line.data();
      for (std::int64_t i = 0; i < width; ++i) to[i] += from[i];
    }
  }
}

// f(place of the window, start of the window in the plane, its rows and columns) for all windows of a plane.
template <class F>
void each_window(const Pooling& how, const F& f) {
  std::int64_t place = 0;
  for (const Window& rows : how.high.windows) {
    for (const Window& columns : how.wide.windows)
      f(place++, rows.first * how.wide.size + columns.first, rows, columns);
  }
}
template <class T>
void choose_in_plane(const Pooling& how, const T* x, const T* y, const T* t, T* out) {
  each_window(how, [&](std::int64_t place, std::int64_t start, const Window& rows, const Window& columns) {
    T total = 0, ties = 0;
    each_pixel(how, start, rows, columns, [&](std::int64_t pixel) {
      const bool is_top = x[pixel] == y[place];
      total += is_top ? t[pixel] : T(0);
      ties += is_top ? T(1) : T(0);
    });
    out[place] = ties == 0 ? std::numeric_limits<T>::quiet_NaN() : total / ties;
  });
}

// f(out, in), typed, as one kernel; in(i) is the i-th input.
template <class F>
Tensor launched(const Shape& shape, std::initializer_list<const Tensor*> in, const F& f) {
  const Tensor result(shape, (*in.begin())->dtype());
  const auto run = [f, dtype = result.dtype()](void* const* out, const void* const* sources) {
    xgrad::detail::visit_floating(dtype, [&]<class T>(T) {
      f(static_cast<T*>(out[0]), [sources](std::size_t i) { return static_cast<const T*>(sources[i]); });
    });
  };
  xgrad::detail::launch({&result}, in, run);
  return result;
}

}  // namespace

Tensor mean_pool(const Pooling& how, const Tensor& x, const Shape& shape) {
  return launched(shape, {&x}, [how, size = x.size()]<class T>(T* y, const auto& in) {
    const auto mean = [](T all, const Window& rows, const Window& columns) {
      return all / divisor<T>(rows, columns);
    };
    each_plane(how, size, [&](std::int64_t p) {
      fold(
          how, in(0) + p * how.pixels(), y + p * how.places(), T(0), [](T a, T b) { return a + b; }, mean);
    });
  });
}

Tensor mean_unpool(const Pooling& how, const Tensor& g, const Shape& shape) {
  return launched(shape, {&g}, [how, size = shape.size()]<class T>(T* x, const auto& in) {
    each_plane(how, size,
               [&](std::int64_t p) { unpool_means(how, in(0) + p * how.places(), x + p * how.pixels()); });
  });
}

Tensor max_pool(const Pooling& how, const Tensor& x, const Shape& shape) {
  return launched(shape, {&x}, [how, size = x.size()]<class T>(T* y, const auto& in) {
    const auto larger = [](T a, T b) { return b > a || b != b ? b : a; };  // NaN stays
    const auto as_it_is = [](T all, const Window&, const Window&) { return all; };
    each_plane(how, size, [&](std::int64_t p) {
      fold(how, in(0) + p * how.pixels(), y + p * how.places(), -std::numeric_limits<T>::infinity(), larger,
           as_it_is);
    });
  });
}

Tensor choose(const Pooling& how, const Tensor& x, const Tensor& y, const Tensor& t) {
  return launched(y.shape(), {&x, &y, &t}, [how, size = x.size()]<class T>(T* out, const auto& in) {
    each_plane(how, size, [&](std::int64_t p) {
      const std::int64_t pixels = p * how.pixels(), places = p * how.places();
      choose_in_plane(how, in(0) + pixels, in(1) + places, in(2) + pixels, out + places);
    });
  });
}

Tensor max_unpool(const Pooling& how, const Tensor& x, const Tensor& y, const Tensor& g) {
  return launched(x.shape(), {&x, &y, &g}, [how, size = x.size()]<class T>(T* out, const auto& in) {
    detail::in_rows(size / how.pixels(), how.pixels(), [&](std::int64_t begin, std::int64_t end) {
      MaxUnpool<T> unpool(how);
      for (std::int64_t p = begin; p < end; ++p) {
        const std::int64_t pixels = p * how.pixels(), places = p * how.places();
        unpool.run(in(0) + pixels, in(1) + places, in(2) + places, out + pixels);
      }
    });
  });
}

}  // namespace xgrad::kernel
