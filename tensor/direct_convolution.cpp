#include <algorithm>
#include <vector>
#include <xgrad/tensor/direct_convolution.hpp>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/pack.hpp>

namespace xgrad::kernel::detail {
namespace {

using simd::Pack;

// The padded image, cut into phases: for strides (s, t), every s-th row and t-th column from each of the first s x t
// elements. What a tap meets at result p of a phase's width then lies at p behind a fixed place.
struct Layout {
  std::int64_t rows, width, phase, channel;  // rows and width of a phase; elements of one, and of a channel
  std::int64_t results;                      // with the columns between the rows of the result

  explicit Layout(const DirectSizes& s) {
    const auto phase_size = [](const ConvAxis& axis) {
      return axis.out + (axis.taps - 1) * axis.dilation / axis.stride;
    };
    rows = phase_size(s.high);
    width = phase_size(s.wide);
    phase = rows * width;
    channel = s.high.stride * s.wide.stride * phase;
    results = (s.high.out - 1) * width + s.wide.out;
  }

  std::int64_t place(const DirectSizes& s, std::int64_t k, std::int64_t l) const {
    const std::int64_t down = k * s.high.dilation, right = l * s.wide.dilation;
    return (down % s.high.stride * s.wide.stride + right % s.wide.stride) * phase +
           down / s.high.stride * width + right / s.wide.stride;
  }
};

// The padded image of one channel, in phases.
template <class T>
void lay_out(const DirectSizes& s, const Layout& layout, const T* x, T* to) {
  for (std::int64_t down = 0; down < s.high.stride; ++down) {
    for (std::int64_t right = 0; right < s.wide.stride; ++right) {
      for (std::int64_t i = 0; i < layout.rows; ++i, to += layout.width) {
        const std::int64_t row = i * s.high.stride + down - s.high.before;
        if (row < 0 || row >= s.high.in) {
          std::fill_n(to, layout.width, T(0));
          continue;
        }
        // Columns j with 0 <= j stride + shift < in.
        const std::int64_t shift = right - s.wide.before, step = s.wide.stride;
        const std::int64_t begin = std::clamp<std::int64_t>(shift < 0 ? (step - 1 - shift) / step : 0, 0,
                                                            layout.width),
                           room = s.wide.in - 1 - shift,
                           end =
                               std::clamp<std::int64_t>(room < 0 ? 0 : room / step + 1, begin, layout.width);
        const T* from = x + row * s.wide.in + shift;
        std::fill_n(to, begin, T(0));
        if (step == 1) {
          std::copy(from + begin, from + end, to + begin);
        } else {
          for (std::int64_t j = begin; j < end; ++j) to[j] = from[j * step];
        }
        std::fill_n(to + end, layout.width - end, T(0));
      }
    }
  }
}

template <class T>
struct Job {
  const T *image, *packed, *bias;
  T *y, *results;
  const std::int64_t* places;  // of the taps
  std::int64_t first, last, room;
};

// How many results of how many channels are summed in registers at once.
template <int Bytes>
constexpr int channels_at_once = Bytes == 64 ? 8 : 4;
constexpr int vectors_at_once = 3;  // and one or two for the rest
constexpr std::int64_t slack = 64 * vectors_at_once;

// The weights of the channels of a block beside each other, block by block.
template <class T>
struct Packing {
  template <int Bytes>
  static void run(const DirectSizes* sizes, const T* from, T* to) {
    constexpr int O = channels_at_once<Bytes>;
    const DirectSizes& s = *sizes;
    const std::int64_t taps = s.high.taps * s.wide.taps;
    for (std::int64_t o = 0; o < s.out; o += O) {
      for (std::int64_t c = 0; c < s.in; ++c) {
        const T* w = from + o * s.from_out + c * s.from_in + (s.to_tap < 0 ? taps - 1 : 0);
        for (std::int64_t t = 0; t < taps; ++t) {
          for (int k = 0; k < O; ++k) *to++ = o + k < s.out ? w[k * s.from_out + t * s.to_tap] : T(0);
        }
      }
    }
  }
};

template <class T>
struct Direct {
  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const DirectSizes* sizes, const Layout* layout,
                                                const Job<T>* job) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T)), O = channels_at_once<Bytes>;
    const DirectSizes& s = *sizes;
    const std::int64_t taps = s.high.taps * s.wide.taps;
    for (std::int64_t o = job->first; o < job->last; o += O) {
      const std::int64_t count = std::min<std::int64_t>(O, job->last - o);
      T shifts[O] = {};
      if (job->bias != nullptr) std::copy_n(job->bias + o, count, shifts);
      const T* w = job->packed + o * s.in * taps;
      for (std::int64_t p = 0; p < layout->results; p += vectors_at_once * N) {
        const std::int64_t left = layout->results - p;
        if (left > 2 * N) {
          block<N, O, 3>(s.in, layout->channel, taps, *job, w, shifts, p);
        } else if (left > N) {
          block<N, O, 2>(s.in, layout->channel, taps, *job, w, shifts, p);
        } else {
          block<N, O, 1>(s.in, layout->channel, taps, *job, w, shifts, p);
        }
      }
      T* y = job->y + o * s.high.out * s.wide.out;
      for (std::int64_t k = 0; k < count; ++k) {
        const T* from = job->results + k * job->room;
        for (std::int64_t i = 0; i < s.high.out; ++i, from += layout->width, y += s.wide.out)
          std::copy_n(from, s.wide.out, y);
      }
    }
  }

  template <int N, int O, int vectors>
  [[gnu::always_inline]] static inline void block(std::int64_t channels, std::int64_t channel,
                                                  std::int64_t taps, const Job<T>& job, const T* w,
                                                  const T* shifts, std::int64_t p) {
    using V = Pack<T, N>;
    V sum[O][vectors];
#pragma GCC unroll 8
    for (int k = 0; k < O; ++k) {
#pragma GCC unroll 3
      for (int v = 0; v < vectors; ++v) sum[k][v] = V(shifts[k]);
    }
    const T* image = job.image + p;
#pragma GCC unroll 1
    for (std::int64_t c = 0; c < channels; ++c, image += channel) {
#pragma GCC unroll 1
      for (std::int64_t t = 0; t < taps; ++t, w += O) {
        const T* from = image + job.places[t];
        V x[vectors];
#pragma GCC unroll 3
        for (int v = 0; v < vectors; ++v) x[v] = V::load(from + v * N);
#pragma GCC unroll 8
        for (int k = 0; k < O; ++k) {
          const V by(w[k]);
#pragma GCC unroll 3
          for (int v = 0; v < vectors; ++v) sum[k][v] = mul_add(by, x[v], sum[k][v]);
        }
      }
    }
#pragma GCC unroll 8
    for (int k = 0; k < O; ++k) {
#pragma GCC unroll 3
      for (int v = 0; v < vectors; ++v) sum[k][v].store(job.results + k * job.room + p + v * N);
    }
  }
};

}  // namespace

bool DirectSizes::pays() const {
  const Layout layout(*this);
  const std::int64_t taps = high.taps * wide.taps, most = std::int64_t{1} << 18;
  const auto small = [](const ConvAxis& axis) { return axis.stride <= 4; };
  return small(high) && small(wide) && taps > 1 && in > 0 && out >= 4 && in * taps <= 4096 &&
         in * layout.channel <= most && high.out > 0 && wide.out > 0 && 4 * layout.width <= 5 * wide.out &&
         layout.results >= 64;
}

std::int64_t packed_size(const DirectSizes& s) {
  return (s.out + 7) / 8 * 8 * s.in * s.high.taps * s.wide.taps;
}

template <class T>
void pack_weights(const DirectSizes& sizes, const T* w, T* packed) {
  xgrad::detail::dispatch<Packing<T>, const DirectSizes*, const T*, T*>(&sizes, w, packed);
}

template <class T>
void convolve_directly(const DirectSizes& sizes, const T* x, const T* packed, const T* bias, T* y,
                       std::int64_t first, std::int64_t last) {
  const Layout layout(sizes);
  const std::int64_t room = layout.results + slack, most = 8, image_size = sizes.in * layout.channel + slack;
  const xgrad::detail::Storage storage(static_cast<std::size_t>(image_size + most * room) * sizeof(T));
  T* image = static_cast<T*>(storage.data());
  for (std::int64_t c = 0; c < sizes.in; ++c)
    lay_out(sizes, layout, x + c * sizes.high.in * sizes.wide.in, image + c * layout.channel);
  std::fill_n(image + sizes.in * layout.channel, slack, T(0));
  std::vector<std::int64_t> places;
  for (std::int64_t k = 0; k < sizes.high.taps; ++k) {
    for (std::int64_t l = 0; l < sizes.wide.taps; ++l) places.push_back(layout.place(sizes, k, l));
  }
  const Job<T> job{image, packed, bias, y, image + image_size, places.data(), first, last, room};
  xgrad::detail::dispatch<Direct<T>, const DirectSizes*, const Layout*, const Job<T>*>(&sizes, &layout, &job);
}

template void pack_weights<float>(const DirectSizes&, const float*, float*);
template void pack_weights<double>(const DirectSizes&, const double*, double*);
template void convolve_directly<float>(const DirectSizes&, const float*, const float*, const float*, float*,
                                       std::int64_t, std::int64_t);
template void convolve_directly<double>(const DirectSizes&, const double*, const double*, const double*,
                                        double*, std::int64_t, std::int64_t);

}  // namespace xgrad::kernel::detail
