// The columns of an image: for each tap of a kernel, what it meets at each place of the result. Included by
// sources only.
#pragma once

#include <algorithm>
#include <xgrad/tensor/convolution.hpp>
#include <xgrad/tensor/copy.hpp>

namespace xgrad::kernel::detail {

/// The places [first, last) of a result whose tap lies inside of the axis.
struct Inside {
  std::int64_t first, last;
  Inside(const ConvAxis& axis, std::int64_t tap) {
    const std::int64_t missing = axis.before - tap * axis.dilation, room = axis.in - 1 + missing;
    first = missing <= 0 ? 0 : std::min(axis.out, (missing + axis.stride - 1) / axis.stride);
    last = room < 0 ? first : std::clamp(room / axis.stride + 1, first, axis.out);
  }
};

/// Some channels of one image, and rows [first, last) of its result. The columns are (channels * taps, places()).
template <class T>
struct Strip {
  const ConvAxis &high, &wide;
  std::int64_t channels, first, last;

  std::int64_t places() const { return (last - first) * wide.out; }

  /// The columns of x (channels, high.in, wide.in).
  void gather(const T* x, T* columns) const {
    if (keeps_width()) {
      for_each_run([&](std::int64_t c, const Run& run, const Inside& inside) {
        std::fill_n(columns, run.to, T(0));
        if (run.n > 0) copy_few(columns + run.to, x + c * high.in * wide.in + run.from, run.n);
        std::fill_n(columns + run.to + run.n, places() - run.to - run.n, T(0));
        clear_edges(columns, inside);
        columns += places();
      });
      return;
    }
    for_each_row([&](std::int64_t from, std::int64_t n, const Inside& inside) {
      std::fill_n(columns, inside.first, T(0));
      T* to = columns + inside.first;
      if (wide.stride == 1) {
        copy_few(to, x + from, n);
      } else {
        for (std::int64_t i = 0; i < n; ++i) to[i] = x[from + i * wide.stride];
      }
      std::fill_n(to + n, wide.out - inside.first - n, T(0));
      columns += wide.out;
    });
  }

  /// The adjoint: adds the columns to x, and leaves them with zeros where they lie outside.
  void scatter(T* columns, T* x) const {
    if (keeps_width()) {
      for_each_run([&](std::int64_t c, const Run& run, const Inside& inside) {
        clear_edges(columns, inside);
        add(x + c * high.in * wide.in + run.from, columns + run.to, run.n, 1);
        columns += places();
      });
      return;
    }
    for_each_row([&](std::int64_t from, std::int64_t n, const Inside& inside) {
      add(x + from, columns + inside.first, n, wide.stride);
      columns += wide.out;
    });
  }

 private:
  static void add(T* __restrict to, const T* __restrict from, std::int64_t n, std::int64_t step) {
    if (step == 1) {
      for (std::int64_t i = 0; i < n; ++i) to[i] += from[i];
    } else {
      for (std::int64_t i = 0; i < n; ++i) to[i * step] += from[i];
    }
  }

  // Then a tap's row of columns is the image, shifted: one run of it, but for the columns at the edges.
  bool keeps_width() const { return high.stride == 1 && wide.stride == 1 && wide.in == wide.out; }

  // Columns `to` to `to + n` of a tap are elements from `from` on of its channel.
  struct Run {
    std::int64_t to, from, n;
  };
  // f(channel, run, which places of a row lie inside) for each row of columns.
  template <class F>
  void for_each_run(const F& f) const {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t k = 0; k < high.taps; ++k) {
        const std::int64_t down = k * high.dilation - high.before, begin = std::clamp(-down, first, last),
                           end = std::clamp(high.in - down, begin, last);
        for (std::int64_t l = 0; l < wide.taps; ++l) {
          const std::int64_t start = (begin + down) * wide.in + l * wide.dilation - wide.before,
                             skipped = std::max<std::int64_t>(0, -start);
          const std::int64_t n = std::min((end - begin) * wide.in, high.in * wide.in - start) - skipped;
          const Run run{(begin - first) * wide.out + skipped, start + skipped, n};
          f(c, n > 0 ? run : Run{0, 0, 0}, Inside(wide, l));
        }
      }
    }
  }
  void clear_edges(T* columns, const Inside& inside) const {
    if (inside.first > 0) {
      for (std::int64_t i = 0; i < places(); i += wide.out) std::fill_n(columns + i, inside.first, T(0));
    }
    if (inside.last < wide.out) {
      for (std::int64_t i = 0; i < places(); i += wide.out)
        std::fill(columns + i + inside.last, columns + i + wide.out, T(0));
    }
  }

  // f(place in x of the first element inside, how many are, which) for each row of wide.out columns.
  template <class F>
  void for_each_row(const F& f) const {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t k = 0; k < high.taps; ++k) {
        for (std::int64_t l = 0; l < wide.taps; ++l) {
          const Inside inside(wide, l);
          const std::int64_t shift = inside.first * wide.stride + l * wide.dilation - wide.before;
          for (std::int64_t i = first; i < last; ++i) {
            const std::int64_t row = i * high.stride + k * high.dilation - high.before,
                               n = row >= 0 && row < high.in ? inside.last - inside.first : 0;
            f(n > 0 ? (c * high.in + row) * wide.in + shift : 0, n, inside);
          }
        }
      }
    }
  }
};

}  // namespace xgrad::kernel::detail
