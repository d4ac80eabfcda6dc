#include <xgrad/tensor/around.hpp>
#include <xgrad/tensor/scan.hpp>

namespace xgrad::kernel {
namespace {

template <class T>
bool better(T x, T best, bool largest) {
  return (largest ? x > best : x < best) || (x != x && best == best);
}

// Along rows one by one: the running extremum rarely changes.
template <bool largest, class T>
void find_in_row(const T* in, std::int64_t n, std::int64_t* out) {
  T best = in[0];
  std::int64_t place = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!(largest ? in[i] <= best : in[i] >= best) && better(in[i], best, largest)) best = in[i], place = i;
    out[i] = place;
  }
}

template <class T>
void find_running(const T* in, const detail::Around& around, bool largest, std::int64_t* out) {
  constexpr std::int64_t together = 64;
  if (around.inner == 1) {
    return detail::in_rows(around.outer, around.n, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) {
        const auto find = largest ? find_in_row<true, T> : find_in_row<false, T>;
        find(in + o * around.n, around.n, out + o * around.n);
      }
    });
  }
  detail::in_columns(around, around.n, [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
    for (std::int64_t from = begin; from < end; from += together) {
      const std::int64_t width = std::min(together, end - from), start = o * around.n * around.inner + from;
      T best[together];
      std::int64_t place[together] = {};
      std::copy_n(in + start, width, best);
      for (std::int64_t i = 0; i < around.n; ++i) {
        const T* row = in + start + i * around.inner;
        std::int64_t* found = out + start + i * around.inner;
        for (std::int64_t c = 0; c < width; ++c) {
          if (better(row[c], best[c], largest)) best[c] = row[c], place[c] = i;
          found[c] = place[c];
        }
      }
    }
  });
}

}  // namespace

Tensor running_argmax(const Tensor& x, int axis, bool largest) {
  const Tensor result(x.shape(), int64);
  if (result.size() == 0) return result;
  const auto run = [=, dtype = x.dtype(), around = detail::Around(x.shape(), axis)](void* const* out,
                                                                                    const void* const* in) {
    xgrad::detail::visit(dtype, [&]<class T>(T) {
      find_running(static_cast<const T*>(in[0]), around, largest, static_cast<std::int64_t*>(out[0]));
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace xgrad::kernel
