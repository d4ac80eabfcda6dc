#include <algorithm>
#include <bit>
#include <limits>
#include <vector>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/pack.hpp>
#include <xgrad/tensor/reduce.hpp>

namespace xgrad::kernel {
namespace {

using simd::Pack;

struct Sum {
  template <class T>
  static constexpr T identity = T(0);
  template <class V>
  [[gnu::always_inline]] static V combine(V a, V b) {
    return a + b;
  }
};

struct Max {
  template <class T>
  static constexpr T identity = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                                     : std::numeric_limits<T>::lowest();
  template <class V>
  [[gnu::always_inline]] static V combine(V a, V b) {
    return maximum(a, b);  // a NaN on either side wins
  }
};

struct Min {
  template <class T>
  static constexpr T identity = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                                     : std::numeric_limits<T>::max();
  template <class V>
  [[gnu::always_inline]] static V combine(V a, V b) {
    return minimum(a, b);
  }
};

// One element as a vector of its own, so that scalars and vectors share the formulas.
template <class T>
using One = Pack<T, 1>;

constexpr int levels = 60;  // of a pairwise tree: enough for 2^60 blocks

// The sums of consecutive blocks, combined as a binary counter carries: every value meets others of its own
// weight.
template <class Op, class V>
struct PairwiseTree {
  V partial[levels];
  int top = 0;
  std::uint64_t count = 0;
  [[gnu::always_inline]] void push(V value) {
    for (std::uint64_t carry = count++; (carry & 1) != 0; carry >>= 1)
      value = Op::combine(partial[--top], value);
    partial[top++] = value;
  }
  [[gnu::always_inline]] V total(V value) {
    while (top > 0) value = Op::combine(partial[--top], value);
    return value;
  }
};

// Consecutive elements to one.
template <class Op, class T>
struct Row {
  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* in, std::int64_t n, T* out, std::int64_t rows) {
    for (std::int64_t r = 0; r < rows; ++r)
      out[r] = reduce<Bytes / static_cast<int>(sizeof(T))>(in + r * n, n);
  }

  template <int N>
  [[gnu::always_inline]] static inline T reduce(const T* in, std::int64_t n) {
    constexpr int chains = 4, length = 16;  // a block: four independent chains of sixteen vectors
    using V = Pack<T, N>;
    One<T> total(Op::template identity<T>);
    std::int64_t i = 0;
    if (n >= N) {
      PairwiseTree<Op, V> tree;
      for (; i + chains * length * N <= n; i += chains * length * N) {
        V acc[chains];
        for (int c = 0; c < chains; ++c) acc[c] = V::load(in + i + c * N);
        for (int k = 1; k < length; ++k) {
          for (int c = 0; c < chains; ++c)
            acc[c] = Op::combine(acc[c], V::load(in + i + (k * chains + c) * N));
        }
        tree.push(Op::combine(Op::combine(acc[0], acc[1]), Op::combine(acc[2], acc[3])));
      }
      V rest(Op::template identity<T>);
      for (; i + N <= n; i += N) rest = Op::combine(rest, V::load(in + i));
      T lanes[N];
      tree.total(rest).store(lanes);
      for (int half = N / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; ++k) lanes[k] = Op::combine(One<T>(lanes[k]), One<T>(lanes[k + half])).v[0];
      }
      total = One<T>(lanes[0]);
    }
    for (; i < n; ++i) total = Op::combine(total, One<T>(in[i]));
    return total.v[0];
  }
};

// (rows, columns) to (columns,): `columns` of one tile, its neighbours `stride` apart. The scratch holds
// levels + 1 rows.
template <class Op, class T>
struct Columns {
  static constexpr std::int64_t tile = 1024;

  template <int Bytes>
  [[gnu::always_inline]] static inline void run(const T* in, std::int64_t rows, std::int64_t columns,
                                                std::int64_t stride, T* out, T* scratch) {
    constexpr int N = Bytes / static_cast<int>(sizeof(T));
    if (columns >= N) {
      reduce<N>(in, rows, columns, stride, out, scratch);
    } else {
      reduce<1>(in, rows, columns, stride, out, scratch);
    }
  }

  template <int N>
  [[gnu::always_inline]] static inline void reduce(const T* in, std::int64_t rows, std::int64_t columns,
                                                   std::int64_t stride, T* out, T* scratch) {
    using V = Pack<T, N>;
    constexpr std::int64_t block = 128;
    // The last vector overlaps its neighbour instead of being partial; both compute the same.
    const auto each = [&](auto&& f) __attribute__((always_inline)) {
      for (std::int64_t c = 0; c + N <= columns; c += N) f(c);
      if (columns % N != 0) f(columns - N);
    };
    int top = 0;
    std::uint64_t count = 0;
    for (std::int64_t row = 0; row < rows; row += block) {
      const std::int64_t end = row + block < rows ? row + block : rows;
      T* acc = scratch + top * tile;
      std::int64_t r = row;
      for (; r + 8 <= end; r += 8) {
        const T* p = in + r * stride;
        each([&](std::int64_t c) __attribute__((always_inline)) {
          const auto at = [&](int k) __attribute__((always_inline)) { return V::load(p + k * stride + c); };
          const V eight = Op::combine(Op::combine(Op::combine(at(0), at(1)), Op::combine(at(2), at(3))),
                                      Op::combine(Op::combine(at(4), at(5)), Op::combine(at(6), at(7))));
          (r == row ? eight : Op::combine(V::load(acc + shifted<N>(c, columns)), eight))
              .store(acc + shifted<N>(c, columns));
        });
      }
      for (; r < end; ++r) {
        const T* p = in + r * stride;
        each([&](std::int64_t c) __attribute__((always_inline)) {
          const V one = V::load(p + c);
          (r == row ? one : Op::combine(V::load(acc + shifted<N>(c, columns)), one))
              .store(acc + shifted<N>(c, columns));
        });
      }
      ++top;
      for (std::uint64_t carry = count++; (carry & 1) != 0; carry >>= 1) merge<N>(scratch, --top, columns);
    }
    while (top > 1) merge<N>(scratch, --top, columns);
    each([&](std::int64_t c)
             __attribute__((always_inline)) { V::load(scratch + shifted<N>(c, columns)).store(out + c); });
  }

  // Where the accumulator of column c lies: the overlapping last vector gets a place of its own, so that
  // nothing is counted twice.
  template <int N>
  [[gnu::always_inline]] static std::int64_t shifted(std::int64_t c, std::int64_t columns) {
    return c % N == 0 ? c : (columns + N - 1) / N * N - N;
  }

  template <int N>
  [[gnu::always_inline]] static inline void merge(T* scratch, int top, std::int64_t columns) {
    T *a = scratch + (top - 1) * tile, *b = scratch + top * tile;
    for (std::int64_t c = 0; c < columns; c += N) {
      Op::combine(Pack<T, N>::load(a + c), Pack<T, N>::load(b + c)).store(a + c);
    }
  }
};

template <class Op, class T>
void reduce_middle(const T* in, T* out, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  if (inner == 1) {
    xgrad::detail::dispatch<Row<Op, T>, const T*, std::int64_t, T*, std::int64_t>(in, n, out, outer);
    return;
  }
  if (n == 0) {
    std::fill_n(out, outer * inner, Op::template identity<T>);
    return;
  }
  using Kernel = Columns<Op, T>;
  const auto kernel =
      xgrad::detail::Dispatch<Kernel, const T*, std::int64_t, std::int64_t, std::int64_t, T*, T*>::select();
  const std::int64_t blocks = (n + 127) / 128;
  const int depth = 2 + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(blocks)));
  // A tile is rounded up to whole vectors: 16 lanes at most.
  const xgrad::detail::Storage scratch(static_cast<std::size_t>(depth) * Kernel::tile * sizeof(T));
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t c = 0; c < inner; c += Kernel::tile) {
      kernel(in + o * n * inner + c, n, std::min(Kernel::tile, inner - c), inner, out + o * inner + c,
             static_cast<T*>(scratch.data()));
    }
  }
}

// The neighbouring axes [first, last) to one of size 1 each.
template <class Op>
Tensor reduce_run(const Tensor& x, int first, int last) {
  std::int64_t outer = 1, n = 1, inner = 1;
  std::vector<std::int64_t> sizes(x.shape().begin(), x.shape().end());
  for (int axis = 0; axis < x.rank(); ++axis) {
    (axis < first ? outer : axis < last ? n : inner) *= x.shape()[axis];
    if (axis >= first && axis < last) sizes[static_cast<std::size_t>(axis)] = 1;
  }
  Tensor result(Shape{std::span<const std::int64_t>(sizes)}, x.dtype());
  xgrad::detail::visit(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_same_v<T, bool>) {
      reduce_middle<Op, T>(x.data<T>(), xgrad::detail::mutable_data<T>(result), outer, n, inner);
    }
  });
  return result;
}

template <class Op>
Tensor reduce(Tensor x, AxisSet axes) {
  const auto has = [&](int axis) { return axis >= 0 && (axes >> axis & 1) != 0; };
  for (int last = x.rank(); last > 0; --last) {  // runs of neighbouring axes, the last run first
    if (!has(last - 1)) continue;
    int first = last - 1;
    while (has(first - 1)) --first;
    x = reduce_run<Op>(x, first, last);
    last = first + 1;
  }
  return x;
}

}  // namespace

Tensor sum(const Tensor& x, AxisSet axes) { return reduce<Sum>(x, axes); }
Tensor max(const Tensor& x, AxisSet axes) { return reduce<Max>(x, axes); }
Tensor min(const Tensor& x, AxisSet axes) { return reduce<Min>(x, axes); }

Tensor argmax(const Tensor& x, int axis) {
  std::int64_t outer = 1, inner = 1;
  const std::int64_t n = x.shape()[axis];
  std::vector<std::int64_t> sizes;
  for (int a = 0; a < x.rank(); ++a) {
    if (a != axis) sizes.push_back(x.shape()[a]), (a < axis ? outer : inner) *= x.shape()[a];
  }
  Tensor result(Shape{std::span<const std::int64_t>(sizes)}, int64);
  auto* out = xgrad::detail::mutable_data<std::int64_t>(result);
  xgrad::detail::visit(x.dtype(), [&](auto zero) {
    const auto* in = static_cast<const decltype(zero)*>(x.raw());
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t c = 0; c < inner; ++c) {
        const auto* p = in + o * n * inner + c;
        std::int64_t best = 0;
        for (std::int64_t i = 1; i < n; ++i) {
          const auto value = p[i * inner], record = p[best * inner];
          if (value > record || (value != value && record == record)) best = i;
        }
        out[o * inner + c] = best;
      }
    }
  });
  return result;
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  AxisSet axes = 0;
  const int shift = x.rank() - shape.rank();
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis < shift || (shape[axis - shift] == 1 && x.shape()[axis] != 1)) axes |= AxisSet{1} << axis;
  }
  return sum(x, axes).reshape(shape);
}

}  // namespace xgrad::kernel
