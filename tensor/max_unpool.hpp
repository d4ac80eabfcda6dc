// The gradient of max_pool, rows of windows at a time. Included by sources only.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <xgrad/tensor/pooling.hpp>

namespace xgrad::kernel::detail {

using Window = Windows::Window;

// f(pixel) for all pixels of a window.
template <class F>
void each_pixel(const Pooling& how, std::int64_t start, const Window& rows, const Window& columns,
                const F& f) {
  for (std::int64_t k = 0; k < rows.count; ++k) {
    for (std::int64_t l = 0; l < columns.count; ++l)
      f(start + k * how.high.step * how.wide.size + l * how.wide.step);
  }
}

// Neighbouring windows of a row whose places for one tap lie `stride` apart, from `place` on: all but a few that the
// ends of the axis cut off.
struct Run {
  std::int64_t window, count, place, stride;
};

inline std::vector<Run> runs_of(const Windows& axis, std::int64_t tap) {
  std::vector<Run> runs;
  for (std::int64_t j = 0; j < axis.count(); ++j) {
    const Window& window = axis.windows[static_cast<std::size_t>(j)];
    if (window.count <= tap) continue;
    const std::int64_t place = window.first + tap * axis.step;
    Run* run = runs.empty() ? nullptr : &runs.back();
    if (run != nullptr && run->window + run->count == j) {
      const std::int64_t distance = place - run->place - (run->count - 1) * run->stride;
      if (run->count == 1) run->stride = distance;
      if (run->stride == distance) {
        ++run->count;
        continue;
      }
    }
    runs.push_back({j, 1, place, 1});
  }
  return runs;
}

// a where x is y, and 0 elsewhere, without a branch, which would often be foretold wrong.
template <class T>
T where_equal(T x, T y, T a) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return std::bit_cast<T>(std::bit_cast<Bits>(a) & (Bits{0} - static_cast<Bits>(x == y)));
}

// f(i, i * stride) for i < n; the usual strides are constants.
template <class F>
void strided(std::int64_t n, std::int64_t stride, const F& f) {
  if (stride == 1) {
    for (std::int64_t i = 0; i < n; ++i) f(i, i);
  } else if (stride == 2) {
    for (std::int64_t i = 0; i < n; ++i) f(i, 2 * i);
  } else {
    for (std::int64_t i = 0; i < n; ++i) f(i, i * stride);
  }
}

// All windows of a row at once, tap by tap.
template <class T>
class MaxUnpool {
 public:
  explicit MaxUnpool(const Pooling& how) : how_(how), ties_(how.wide.windows.size()), shares_(ties_.size()) {
    std::int64_t taps = 0;
    for (const Window& window : how.wide.windows) taps = std::max(taps, window.count);
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (const Run& run : runs_of(how.wide, tap)) runs_.push_back(run);
    }
  }

  void run(const T* x, const T* y, const T* g, T* out) {
    std::fill_n(out, how_.pixels(), T(0));
    for (const Window& rows : how_.high.windows) {
      if (!share(x, y, g, rows)) spread_nan(y, out, rows);
      each_run(rows, [&](const Run& run, std::int64_t place) {
        const T *from = x + place, *top = y + run.window, *shares = shares_.data() + run.window;
        T* __restrict to = out + place;
        strided(run.count, run.stride,
                [=](std::int64_t i, std::int64_t at) { to[at] += where_equal(from[at], top[i], shares[i]); });
      });
      y += ties_.size();
      g += ties_.size();
    }
  }

 private:
  // f(run, where it begins in the plane) for all taps of a row of windows.
  template <class F>
  void each_run(const Window& rows, const F& f) const {
    for (std::int64_t k = 0; k < rows.count; ++k) {
      for (const Run& run : runs_) f(run, (rows.first + k * how_.high.step) * how_.wide.size + run.place);
    }
  }

  // What each maximum has of g; false if a window's maximum is NaN, which equals nothing.
  bool share(const T* x, const T* y, const T* g, const Window& rows) {
    std::fill(ties_.begin(), ties_.end(), T(0));
    each_run(rows, [&](const Run& run, std::int64_t place) {
      const T *from = x + place, *top = y + run.window;
      T* __restrict ties = ties_.data() + run.window;
      strided(run.count, run.stride,
              [=](std::int64_t i, std::int64_t at) { ties[i] += where_equal(from[at], top[i], T(1)); });
    });
    bool numbers = true;
    for (std::size_t j = 0; j < ties_.size(); ++j) {
      numbers &= y[j] == y[j];
      shares_[j] = g[j] / ties_[j];
    }
    return numbers;
  }
  void spread_nan(const T* y, T* out, const Window& rows) const {
    for (std::size_t j = 0; j < ties_.size(); ++j) {
      if (y[j] == y[j]) continue;
      const Window& columns = how_.wide.windows[j];
      each_pixel(how_, rows.first * how_.wide.size + columns.first, rows, columns,
                 [&](std::int64_t pixel) { out[pixel] += y[j]; });
    }
  }

  const Pooling& how_;
  std::vector<Run> runs_;
  std::vector<T> ties_, shares_;
};

}  // namespace xgrad::kernel::detail
