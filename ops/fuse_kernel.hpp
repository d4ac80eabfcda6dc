// The kernels of fuse: one pass over the elements of up to eight tensors, on dual numbers.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <xgrad/ops/dual.hpp>
#include <xgrad/ops/formula.hpp>
#include <xgrad/ops/fuse_walk.hpp>
#include <xgrad/tensor/map.hpp>

namespace xgrad::kernel {

namespace detail {

/// f on dual numbers that carry the partials of the inputs in Active.
template <unsigned Active, class F, class V, std::size_t... I>
auto on_duals(const F& f, std::index_sequence<I...>, const std::same_as<V> auto&... x) {
  const auto seeded = [](auto index, const V& value) {
    constexpr unsigned i = index;
    dual::Dual<V, Active&(1u << i)> seed(value);
    if constexpr (seed.count == 1) seed.template partial<i>() = V(1);
    return seed;
  };
  return dual::Dual<V, Active>(f(seeded(std::integral_constant<unsigned, I>{}, x)...));
}

/// A sum whose terms are added as a binary counter carries: pairwise.
template <class T>
class PairwiseSum {
 public:
  [[gnu::always_inline]] void add(T term) {
    for (std::uint64_t carry = count_++; (carry & 1) != 0; carry >>= 1) term += partial_[--top_];
    partial_[top_++] = term;
  }
  [[gnu::always_inline]] T total() {
    T total(0);
    while (top_ > 0) total += partial_[--top_];
    return total;
  }

 private:
  T partial_[48];
  int top_ = 0;
  std::uint64_t count_ = 0;
};

/// The rows of tensors of one shape (or of one element): sums of values or not, partials times cotangents or
/// a scale.
template <class T, std::size_t N, unsigned Active, bool Sums, class F>
struct FusedKernel {
  static constexpr int outputs = std::popcount(Active);

  struct Arguments {
    const F* f;
    std::array<const T*, N> in;
    std::array<bool, N> advances;
    const T* cotangent;  // not for sums
    bool cotangent_advances;
    T scale;                                                      // of sums
    std::array<T*, static_cast<std::size_t>(outputs) + 1> out{};  // partials, in the order of the inputs
  };

  template <int Bytes>
  static void run(const Arguments* a, std::int64_t n, T* total) {
    constexpr int lanes = Bytes / static_cast<int>(sizeof(T));
    run<lanes>(*a, n, total, std::make_index_sequence<N>{});
  }

  // `a` is a copy, and f: behind pointers they would be read again after every store.
  template <int L, std::size_t... I>
  static void run(const Arguments a, std::int64_t n, T* total, std::index_sequence<I...>) {
    using V = Pack<T, L>;
    const F f = *a.f;
    alignas(64) T copies[N + 1][L];
    const auto stream = [&](std::size_t i, const T* data, bool advances) {
      if (advances) return Stream<T, T, L>{data, -1};
      for (int k = 0; k < L; ++k) copies[i][k] = *data;
      return Stream<T, T, L>{copies[i], 0};
    };
    const std::array<Stream<T, T, L>, N> in{stream(I, a.in[I], a.advances[I])...};
    const auto g = Sums ? Stream<T, T, L>{} : stream(N, a.cotangent, a.cotangent_advances);
    const V scale(Sums ? a.scale : T(1));
    const auto step = [&](std::int64_t i, auto&& load, auto&& store) {
      const auto y = on_duals<Active, F, V>(f, std::index_sequence<I...>{}, load(in[I])...);
      V factor = scale;
      if constexpr (!Sums) factor = load(g);
      std::size_t slot = 0;
      y.each([&](auto k) { store(factor * y.template partial<k>(), a.out[slot++] + i); });
      return y.value;
    };
    const auto whole = [&](std::int64_t i) {
      return step(
          i, [&](const auto& s) { return s.load(i); }, [](const V& v, T* p) { v.store(p); });
    };
    const auto part = [&](std::int64_t i, int rest) {
      return step(
          i, [&](const auto& s) { return s.load_some(i, rest); },
          [&](const V& v, T* p) { v.store_some(p, rest); });
    };
    if constexpr (Sums) {
      *total = sum<V>(n, whole, part);
    } else {
      std::int64_t i = 0;
      for (; i + L <= n; i += L) whole(i);
      if (i < n) part(i, static_cast<int>(n - i));
    }
  }

  // Blocks of 64 vectors.
  template <class V>
  static T sum(std::int64_t n, const auto& whole, const auto& part) {
    constexpr int block = 64 * V::lanes;
    PairwiseSum<T> all;
    for (std::int64_t start = 0; start < n; start += block) {
      const std::int64_t end = start + block < n ? start + block : n;
      V even(T(0)), odd(T(0));
      std::int64_t i = start;
      for (; i + 2 * V::lanes <= end; i += 2 * V::lanes) {
        even += whole(i);
        odd += whole(i + V::lanes);
      }
      if (i + V::lanes <= end) even += whole(i), i += V::lanes;
      T lanes[V::lanes];
      (even + odd).store(lanes);
      for (int half = V::lanes / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; ++k) lanes[k] += lanes[k + half];
      }
      T total = lanes[0];
      if (i < end) {
        part(i, static_cast<int>(end - i)).store(lanes);
        for (int k = 0; k < static_cast<int>(end - i); ++k) total += lanes[k];
      }
      all.add(total);
    }
    return all.total();
  }
};

/// Whether `x` can be walked together with a result of `shape`: it has that shape, or one element.
inline bool walks(const Tensor& x, const Shape& shape) { return x.size() == 1 || x.shape() == shape; }

/// One call of a fused kernel: a function of addresses and plain values. Large arrays are cut into pieces of
/// one size, whose sums are added pair by pair.
template <class T, unsigned Active, bool Sums, class F, std::size_t N>
struct FusedCall {
  using Kernel = FusedKernel<T, N, Active, Sums, F>;
  using Arguments = typename Kernel::Arguments;
  static constexpr std::int64_t piece = 1 << 16;

  F f;
  std::int64_t n;
  std::array<bool, N + 1> advances;  // the inputs, then the cotangent
  T scale;

  /// out: the partials and, of a sum, the total; in: the inputs and, unless a sum, the cotangent.
  void operator()(void* const* out, const void* const* in) const {
    const auto row = select();
    const Arguments all = arguments(out, in);
    each((n + piece - 1) / piece, out, [&](std::int64_t p, T* total) {
      Arguments a = all;
      for (std::size_t i = 0; i < N; ++i) {
        if (advances[i]) a.in[i] += p * piece;
      }
      move(a, p * piece);
      row(&a, std::min(piece, n - p * piece), total);
    });
  }

  static auto select() {
    return xgrad::detail::Dispatch<Kernel, const Arguments*, std::int64_t, T*>::select();
  }

  Arguments arguments(void* const* out, const void* const* in) const {
    Arguments a{};
    a.f = &f;
    a.scale = scale;
    for (std::size_t i = 0; i < N; ++i) {
      a.advances[i] = advances[i];
      a.in[i] = static_cast<const T*>(in[i]);
    }
    if constexpr (!Sums) {
      a.cotangent_advances = advances[N];
      a.cotangent = static_cast<const T*>(in[N]);
    }
    for (std::size_t k = 0; k < Kernel::outputs; ++k) a.out[k] = static_cast<T*>(out[k]);
    return a;
  }

  /// Moves what has the shape of the result: the partials and the cotangent.
  static void move(Arguments& a, std::int64_t by) {
    if (!Sums && a.cotangent_advances) a.cotangent += by;
    for (std::size_t k = 0; k < Kernel::outputs; ++k) a.out[k] += by;
  }

  /// run(p, total) for all pieces; of a sum, the totals are added.
  template <class Run>
  void each(std::int64_t pieces, void* const* out, const Run& run) const {
    if constexpr (!Sums) {
      xgrad::detail::parallel(pieces, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t p = first; p < last; ++p) run(p, nullptr);
      });
    } else {
      const xgrad::detail::Storage scratch(static_cast<std::size_t>(std::max<std::int64_t>(pieces, 1)) *
                                           sizeof(T));
      T* sums = static_cast<T*>(scratch.data());
      *sums = T(0);
      xgrad::detail::parallel(pieces, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t p = first; p < last; ++p) run(p, sums + p);
      });
      for (std::int64_t step = 1; step < pieces; step *= 2) {
        for (std::int64_t p = 0; p + step < pieces; p += 2 * step) sums[p] += sums[p + step];
      }
      *static_cast<T*>(out[Kernel::outputs]) = *sums * scale;
    }
  }
};

/// The same where inputs broadcast.
template <class T, unsigned Active, bool Sums, class F, std::size_t N>
struct BroadcastCall {
  using Plain = FusedCall<T, Active, Sums, F, N>;
  Plain plain;
  Shape shape;
  std::array<Shape, N> shapes;

  struct Chunk {
    typename Plain::Arguments arguments;
    decltype(Plain::select()) kernel;
    T* start;
    PairwiseSum<T>* sum;
  };

  static void row(const void* state, void* at, const void* const* in, const bool* advances, std::int64_t n) {
    const Chunk& chunk = *static_cast<const Chunk*>(state);
    typename Plain::Arguments a = chunk.arguments;
    for (std::size_t i = 0; i < N; ++i) {
      a.in[i] = static_cast<const T*>(in[i]);
      a.advances[i] = advances[i];
    }
    Plain::move(a, static_cast<T*>(at) - chunk.start);
    T total;
    chunk.kernel(&a, n, &total);
    if constexpr (Sums) chunk.sum->add(total);
  }

  void operator()(void* const* out, const void* const* in) const {
    const Chunks chunks(shape, shapes);
    const typename Plain::Arguments all = plain.arguments(out, in);
    plain.each(chunks.count(), out, [&](std::int64_t c, T* total) {
      PairwiseSum<T> sum;
      const Chunk chunk{all, Plain::select(), static_cast<T*>(out[0]), &sum};
      chunks.run(c, out[0], sizeof(T), in, row, &chunk);
      if constexpr (Sums) *total = sum.total();
    });
  }
};

template <class T, unsigned Active, bool Sums, class F, std::size_t N>
void run_fused(const F& f, const Shape& shape, const std::array<const Tensor*, N>& x, const Tensor& g,
               double scale, std::array<Tensor, N>& partials, const Tensor& total) {
  FusedCall<T, Active, Sums, F, N> call{f, shape.size(), {}, static_cast<T>(scale)};
  std::array<const Tensor*, N + 1> in, out;
  std::size_t outputs = 0;
  bool broadcasts = false;
  for (std::size_t i = 0; i < N; ++i) {
    in[i] = x[i];
    call.advances[i] = x[i]->size() != 1;
    broadcasts = broadcasts || !walks(*x[i], shape);
    if ((Active >> i & 1) == 0) continue;
    partials[i] = Tensor(shape, dtype_of<T>);
    out[outputs++] = &partials[i];
  }
  in[N] = &g;
  call.advances[N] = g.size() != 1;
  if (Sums) out[outputs++] = &total;
  const std::span results(out.data(), outputs), sources(in.data(), Sums ? N : N + 1);
  if (!broadcasts) return xgrad::detail::launch(results, sources, call);
  BroadcastCall<T, Active, Sums, F, N> broadcast{call, shape, {}};
  for (std::size_t i = 0; i < N; ++i) broadcast.shapes[i] = x[i]->shape();
  xgrad::detail::launch(results, sources, broadcast);
}

/// Calls run with the constant set of inputs whose partials are wanted: every set for up to three inputs;
/// beyond, all of them, or one at a time.
template <std::size_t N, class Run>
void for_active(unsigned wanted, const Run& run) {
  constexpr unsigned all = (1u << N) - 1;
  if constexpr (N <= 3) {
    [&]<unsigned... M>(std::integer_sequence<unsigned, M...>) {
      ((M + 1 == wanted ? run(std::integral_constant<unsigned, M + 1>{}) : void()), ...);
    }
    (std::make_integer_sequence<unsigned, all>{});
  } else if (wanted == all) {
    run(std::integral_constant<unsigned, all>{});
  } else {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (((wanted >> I & 1) != 0 ? run(std::integral_constant<unsigned, (1u << I)>{}) : void()), ...);
    }
    (std::make_index_sequence<N>{});
  }
}

}  // namespace detail

/// f of the inputs, which broadcast to `shape` (precondition).
template <class T, class F, std::size_t N>
Tensor fused_forward(const F& f, const Shape& shape, const std::array<const Tensor*, N>& x) {
  return [&]<std::size_t... I>(std::index_sequence<I...> indices) {
    const auto value = [&f, indices]<class... V>(const V&... packs) {
      return detail::on_duals<0, F, std::common_type_t<V...>>(f, indices, packs...).value;
    };
    return map<std::conditional_t<(I == I), T, void>...>(value, shape, *x[I]...);
  }
  (std::make_index_sequence<N>{});
}

/// g df/dx_i for the wanted inputs, each of the full shape.
template <class T, class F, std::size_t N>
void fused_reverse(const F& f, const Shape& shape, const Tensor& g, const std::array<const Tensor*, N>& x,
                   unsigned wanted, std::array<Tensor, N>& out) {
  detail::for_active<N>(
      wanted, [&](auto active) { detail::run_fused<T, active, false>(f, shape, x, g, 1, out, Tensor()); });
}

/// scale sum f(x...), and scale df/dx_i of the wanted inputs from the same pass.
template <class T, class F, std::size_t N>
Tensor fused_sum(const F& f, const Shape& shape, const std::array<const Tensor*, N>& x, double scale,
                 unsigned wanted, std::array<Tensor, N>& partials) {
  const Tensor total(Shape(), dtype_of<T>);
  const auto run = [&](auto active) {
    detail::run_fused<T, active, true>(f, shape, x, Tensor(), scale, partials, total);
  };
  if (wanted == 0) {
    run(std::integral_constant<unsigned, 0>{});
  } else {
    detail::for_active<N>(wanted, run);
  }
  return total;
}

/// x times a scalar; x itself where that is 1.
template <class T>
Tensor scaled(const Tensor& x, const Tensor& factor) {
  if (xgrad::detail::is_fixed(factor) && *xgrad::detail::address<T>(factor) == T(1)) return x;
  return map<T, T>([](auto a, auto b) { return a * b; }, x.shape(), x, factor);
}

}  // namespace xgrad::kernel
