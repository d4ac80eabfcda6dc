#include <xgrad/tensor/blas.hpp>
#include <xgrad/tensor/direct_convolution.hpp>
#include <xgrad/tensor/im2col.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel {

bool ConvSizes::is_pointwise() const {
  const auto plain = [](const ConvAxis& axis) {
    return axis.taps == 1 && axis.stride == 1 && axis.before == 0 && axis.in == axis.out;
  };
  return plain(high) && plain(wide);
}

namespace {

constexpr double worth_a_thread = 1e6;  // floating-point operations

// How an image's result is cut into strips of rows, whose columns stay in the cache.
struct Strips {
  std::int64_t rows, count;
  Strips(const ConvSizes& sizes, std::int64_t channels, std::int64_t at_least = 1) {
    constexpr std::int64_t cached = 1 << 16, enough_places = 256;
    const std::int64_t height = std::max<std::int64_t>(1, channels * sizes.taps());
    const std::int64_t places = std::max(enough_places, cached / height);
    rows = std::clamp<std::int64_t>(places / sizes.wide.out, 1, sizes.high.out);
    if (at_least > 1) rows = std::min(rows, (sizes.high.out + at_least - 1) / at_least);
    count = (sizes.high.out + rows - 1) / rows;
  }
};

double operations(const ConvSizes& s) {
  return 2.0 * static_cast<double>(s.images) * static_cast<double>(s.out) *
         static_cast<double>(s.in_per_group() * s.taps()) * static_cast<double>(s.places());
}

// f(begin, end) for parts of `units` pieces of work of one size.
template <class F>
void in_units(const ConvSizes& sizes, std::int64_t units, const F& f) {
  if (units == 0) return;
  const double each = operations(sizes) / static_cast<double>(units);
  xgrad::detail::parallel(units, static_cast<std::int64_t>(worth_a_thread / (each + 1)) + 1, f);
}

// How many pieces `whole` should at least fall into, so that no thread is left without.
std::int64_t pieces_for_threads(const ConvSizes& sizes, std::int64_t wholes) {
  if (wholes == 0 || wholes >= 2 * num_threads() || operations(sizes) < 2 * worth_a_thread) return 1;
  return (2 * num_threads() + wholes - 1) / wholes;
}

template <class T>
class Buffer {
 public:
  explicit Buffer(std::int64_t count) : storage_(static_cast<std::size_t>(count) * sizeof(T)) {}
  T* data() const { return static_cast<T*>(storage_.data()); }

 private:
  xgrad::detail::Storage storage_;
};

template <class T>
struct Convolution {
  const ConvSizes& s;
  std::int64_t inner = s.in_per_group() * s.taps(), outer = s.out_per_group();

  // Where the channels of a group begin.
  std::int64_t x_of(std::int64_t image, std::int64_t group) const {
    return (image * s.in + group * s.in_per_group()) * s.pixels();
  }
  std::int64_t y_of(std::int64_t image, std::int64_t group) const {
    return (image * s.out + group * outer) * s.places();
  }

  // The columns of rows [first, last), a matrix with rows `step` apart: gathered, or the image itself.
  struct Columns {
    const T* data;
    std::int64_t step;
  };
  Columns columns(const T* x, std::int64_t first, std::int64_t last, T* buffer) const {
    if (s.is_pointwise()) return {x + first * s.wide.in, s.pixels()};
    const detail::Strip<T> strip{s.high, s.wide, s.in_per_group(), first, last};
    strip.gather(x, buffer);
    return {buffer, strip.places()};
  }
  std::int64_t buffer_size(std::int64_t channels, const Strips& strips) const {
    return s.is_pointwise() ? 0 : channels * s.taps() * strips.rows * s.wide.out;
  }

  // All groups of all images, and where that leaves threads without, parts of the result's channels.
  void directly(const detail::DirectSizes& d, const T* x, const T* w, const T* bias, T* y,
                std::int64_t group_weights) const {
    const std::int64_t wholes = s.images * s.groups, eights = (d.out + 7) / 8,
                       blocks = std::clamp<std::int64_t>(pieces_for_threads(s, wholes), 1, eights);
    const std::int64_t each = detail::packed_size(d);
    const Buffer<T> packed(each * s.groups);
    for (std::int64_t group = 0; group < s.groups; ++group)
      detail::pack_weights(d, w + group * group_weights, packed.data() + group * each);
    in_units(s, wholes * blocks, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t unit = begin; unit < end; ++unit) {
        const std::int64_t whole = unit / blocks, group = whole % s.groups, block = unit % blocks;
        detail::convolve_directly(
            d, x + whole * d.in * d.high.in * d.wide.in, packed.data() + group * each,
            bias == nullptr ? nullptr : bias + group * d.out, y + whole * d.out * d.high.out * d.wide.out,
            std::min(d.out, eights * block / blocks * 8), std::min(d.out, eights * (block + 1) / blocks * 8));
      }
    });
  }

  void forward(const T* x, const T* w, const T* bias, T* y) const {
    const detail::DirectSizes direct{s.in_per_group(), outer, s.high, s.wide, inner, s.taps(), 1};
    if (direct.pays()) return directly(direct, x, w, bias, y, outer * inner);
    const Strips strips(s, s.in_per_group(), pieces_for_threads(s, s.images * s.groups));
    in_units(s, s.images * s.groups * strips.count, [&](std::int64_t begin, std::int64_t end) {
      const Buffer<T> buffer(buffer_size(s.in_per_group(), strips));
      for (std::int64_t unit = begin; unit < end; ++unit) {
        const std::int64_t whole = unit / strips.count, image = whole / s.groups, group = whole % s.groups,
                           first = unit % strips.count * strips.rows,
                           last = std::min(first + strips.rows, s.high.out), n = (last - first) * s.wide.out;
        T* to = y + y_of(image, group) + first * s.wide.out;
        if (bias != nullptr || inner == 0) {
          for (std::int64_t o = 0; o < outer; ++o)
            std::fill_n(to + o * s.places(), n, bias == nullptr ? T(0) : bias[group * outer + o]);
        }
        if (inner == 0 || outer == 0) continue;
        const Columns from = columns(x + x_of(image, group), first, last, buffer.data());
        blas_gemm({outer, n, inner, false, false}, w + group * outer * inner, inner, from.data, from.step, to,
                  s.places(), bias != nullptr);
      }
    });
  }

  void transposed(const T* y, const T* w, const T* bias, T* x) const {
    if (s.high.stride == 1 && s.wide.stride == 1) {
      const auto back = [](const ConvAxis& axis) {
        return ConvAxis{axis.out,     axis.taps, axis.in, 1, (axis.taps - 1) * axis.dilation - axis.before,
                        axis.dilation};
      };
      const detail::DirectSizes direct{outer, s.in_per_group(), back(s.high), back(s.wide), s.taps(), inner,
                                       -1};
      if (direct.pays()) return directly(direct, y, w, bias, x, outer * inner);
    }
    const std::int64_t wholes = s.images * s.groups, channels = s.in_per_group();
    const std::int64_t blocks =
        std::clamp<std::int64_t>(pieces_for_threads(s, wholes), 1, std::max<std::int64_t>(1, channels));
    const std::int64_t most = (channels + blocks - 1) / blocks;
    const Strips strips(s, most);
    in_units(s, wholes * blocks, [&](std::int64_t begin, std::int64_t end) {
      const Buffer<T> buffer(buffer_size(most, strips));
      for (std::int64_t unit = begin; unit < end; ++unit) {
        const std::int64_t whole = unit / blocks, image = whole / s.groups, group = whole % s.groups,
                           block = unit % blocks, from = channels * block / blocks,
                           to = channels * (block + 1) / blocks;
        if (from == to) continue;
        T* target = x + x_of(image, group) + from * s.pixels();
        const bool filled = bias != nullptr || outer == 0 || !s.is_pointwise();
        for (std::int64_t c = from; filled && c < to; ++c) {
          std::fill_n(target + (c - from) * s.pixels(), s.pixels(),
                      bias == nullptr ? T(0) : bias[group * channels + c]);
        }
        if (outer == 0) continue;
        const std::int64_t height = (to - from) * s.taps();
        for (std::int64_t first = 0; first < s.high.out; first += strips.rows) {
          const detail::Strip<T> strip{s.high, s.wide, to - from, first,
                                       std::min(first + strips.rows, s.high.out)};
          const std::int64_t n = strip.places();
          T* into = s.is_pointwise() ? target + first * s.wide.in : buffer.data();
          blas_gemm({height, n, outer, true, false}, w + group * outer * inner + from * s.taps(), inner,
                    y + y_of(image, group) + first * s.wide.out, s.places(), into,
                    s.is_pointwise() ? s.pixels() : n, s.is_pointwise() && filled);
          if (!s.is_pointwise()) strip.scatter(buffer.data(), target);
        }
      }
    });
  }

  // Adds up the strips in numbered parts, each into weights of its own, so that the sum does not depend on who
  // runs them.
  void weights(const T* x, const T* y, T* w) const {
    const std::int64_t count = s.out * inner;
    if (count == 0) return;
    const Strips strips(s, s.in_per_group(), pieces_for_threads(s, s.images));
    const std::int64_t units = s.images * strips.count;
    const auto worth = static_cast<std::int64_t>(operations(s) / worth_a_thread);
    const std::int64_t parts =
        std::clamp<std::int64_t>(std::min(worth, units), 1, std::max(1, num_threads()));
    const Buffer<T> others((parts - 1) * count);
    xgrad::detail::parallel(parts, 1, [&](std::int64_t begin, std::int64_t end) {
      const Buffer<T> buffer(buffer_size(s.in_per_group(), strips));
      for (std::int64_t part = begin; part < end; ++part) {
        T* to = part == 0 ? w : others.data() + (part - 1) * count;
        std::fill_n(to, count, T(0));
        for (std::int64_t unit = units * part / parts; unit < units * (part + 1) / parts; ++unit) {
          const std::int64_t image = unit / strips.count, first = unit % strips.count * strips.rows,
                             last = std::min(first + strips.rows, s.high.out);
          for (std::int64_t group = 0; group < s.groups; ++group) {
            const Columns from = columns(x + x_of(image, group), first, last, buffer.data());
            blas_gemm({outer, inner, (last - first) * s.wide.out, false, true},
                      y + y_of(image, group) + first * s.wide.out, s.places(), from.data, from.step,
                      to + group * outer * inner, inner, true);
          }
        }
      }
    });
    for (std::int64_t part = 1; part < parts; ++part) {
      const T* other = others.data() + (part - 1) * count;
      for (std::int64_t i = 0; i < count; ++i) w[i] += other[i];
    }
  }
};

// f(convolution, out, in), typed, as one kernel with the inputs that are there.
template <class F>
Tensor launched(const ConvSizes& sizes, const Shape& shape, const Tensor& a, const Tensor& b,
                const Tensor* bias, const F& f) {
  const Tensor result(shape, sizes.dtype);
  const auto run = [sizes, f, biased = bias != nullptr](void* const* out, const void* const* in) {
    xgrad::detail::visit_floating(sizes.dtype, [&]<class T>(T) {
      f(Convolution<T>{sizes}, static_cast<const T*>(in[0]), static_cast<const T*>(in[1]),
        biased ? static_cast<const T*>(in[2]) : nullptr, static_cast<T*>(out[0]));
    });
  };
  if (bias == nullptr) {
    xgrad::detail::launch({&result}, {&a, &b}, run);
  } else {
    xgrad::detail::launch({&result}, {&a, &b, bias}, run);
  }
  return result;
}

}  // namespace

Tensor convolve(const ConvSizes& sizes, const Tensor& x, const Tensor& w, const Tensor* bias,
                const Shape& shape) {
  return launched(sizes, shape, x, w, bias,
                  []<class T>(const Convolution<T>& c, const T* from, const T* weights, const T* shift,
                              T* to) { c.forward(from, weights, shift, to); });
}

Tensor convolve_transposed(const ConvSizes& sizes, const Tensor& y, const Tensor& w, const Tensor* bias,
                           const Shape& shape) {
  return launched(sizes, shape, y, w, bias,
                  []<class T>(const Convolution<T>& c, const T* from, const T* weights, const T* shift,
                              T* to) { c.transposed(from, weights, shift, to); });
}

Tensor convolve_weights(const ConvSizes& sizes, const Tensor& x, const Tensor& y, const Shape& shape) {
  return launched(sizes, shape, x, y, nullptr,
                  []<class T>(const Convolution<T>& c, const T* from, const T* by, const T*, T* to) {
                    c.weights(from, by, to);
                  });
}

}  // namespace xgrad::kernel
