#include <atomic>
#include <xgrad/tensor/around.hpp>
#include <xgrad/tensor/count.hpp>

namespace xgrad::kernel {
namespace {

// In parts short enough for 32 bits, which are twice as many in a register.
template <class T>
std::int64_t count(const T* in, std::int64_t n) {
  constexpr std::int64_t part = 1 << 16;
  std::int64_t total = 0;
  for (std::int64_t start = 0; start < n; start += part) {
    const std::int64_t end = std::min(n, start + part);
    std::int32_t some = 0;
    for (std::int64_t i = start; i < end; ++i) some += in[i] != T(0);
    total += some;
  }
  return total;
}

// (outer, n, inner) to (outer, inner). The order in which numbers of elements are added does not matter.
template <class T>
void count_middle(const T* in, const detail::Around& around, std::int64_t* out) {
  const auto [outer, n, inner] = around;
  if (inner == 1 && outer == 1) {
    std::atomic<std::int64_t> total{0};
    xgrad::detail::parallel(n, parallel_elements, [&](std::int64_t begin, std::int64_t end) {
      total.fetch_add(count(in + begin, end - begin), std::memory_order_relaxed);
    });
    *out = total;
    return;
  }
  detail::in_columns(around, n,
                     [&, n = n, inner = inner](std::int64_t o, std::int64_t begin, std::int64_t end) {
                       const T* from = in + o * n * inner;
                       std::int64_t* to = out + o * inner;
                       if (inner == 1) {
                         *to = count(from, n);
                         return;
                       }
                       std::fill(to + begin, to + end, 0);
                       for (std::int64_t i = 0; i < n; ++i) {
                         for (std::int64_t c = begin; c < end; ++c) to[c] += from[i * inner + c] != T(0);
                       }
                     });
}

Tensor count_axis(const Tensor& x, int axis) {
  const Tensor result(detail::resized(x.shape(), axis, 1), int64);
  const auto run = [dtype = x.dtype(), around = detail::Around(x.shape(), axis)](void* const* out,
                                                                                 const void* const* in) {
    xgrad::detail::visit(dtype, [&]<class T>(T) {
      count_middle(static_cast<const T*>(in[0]), around, static_cast<std::int64_t*>(out[0]));
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace

Tensor count_nonzero(const Tensor& x, AxisSet axes) {
  if (axes == 0) {  // each element alone
    std::vector<std::int64_t> sizes(x.shape().begin(), x.shape().end());
    sizes.push_back(1);
    return count_axis(x.reshape(Shape(std::span<const std::int64_t>(sizes))), x.rank()).reshape(x.shape());
  }
  // The last run of neighbouring axes as one; of the others, counts are added.
  int last = x.rank();
  while ((axes >> (last - 1) & 1) == 0) --last;
  int first = last - 1;
  while (first > 0 && (axes >> (first - 1) & 1) != 0) --first;
  std::vector<std::int64_t> joined, kept;
  std::int64_t run = 1;
  AxisSet rest = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const bool within = axis >= first && axis < last;
    if (within) run *= x.shape()[axis];
    if (!within || axis == last - 1) joined.push_back(within ? run : x.shape()[axis]);
    kept.push_back(within ? 1 : x.shape()[axis]);
    if (axis < first && (axes >> axis & 1) != 0) rest |= AxisSet{1} << axis;
  }
  const Tensor counts = count_axis(x.reshape(Shape(std::span<const std::int64_t>(joined))), first)
                            .reshape(Shape(std::span<const std::int64_t>(kept)));
  return rest == 0 ? counts : sum(counts, rest);
}

}  // namespace xgrad::kernel
