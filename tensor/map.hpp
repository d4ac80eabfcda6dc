// map: one formula over the elements of up to eight tensors, broadcast, in one SIMD pass.
//
//   Tensor y = kernel::map<float, float>([](auto a, auto b) { return a * exp(b); }, shape, a, b);
//
// The lambda is called with simd::Pack<T, N> (simd::Mask for bool tensors) of whatever width the machine has;
// it must be generic and free of branches on values (use where). It returns a Pack (the result has that
// dtype) or a Mask (bool).
#pragma once

#include <concepts>
#include <cstring>
#include <utility>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/pack.hpp>
#include <xgrad/tensor/pack_math.hpp>
#include <xgrad/tensor/tensor.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel {

/// A row of the loop nest: f, result, inputs, for each input whether it advances (or repeats one element),
/// count.
using Row = void (*)(const void* f, void* out, const void* const* in, const bool* advances, std::int64_t n);

struct Source {
  const void* data;
  const Shape* shape;
  std::size_t element;
};

/// Runs `row` over all rows of a result of `shape` into which the sources broadcast (precondition).
void for_rows(const Shape& shape, void* out, std::size_t element, const Source* sources, int count, Row row,
              const void* f);

/// Lets a capture note the call; `state` owns f.
void capture_rows(const Tensor& out, std::size_t element, std::span<const Tensor* const> in,
                  std::span<const std::size_t> bytes, Row row, const void* f,
                  std::shared_ptr<const void> state);

namespace detail {

using simd::Mask;
using simd::Pack;

template <class... Ts>
struct LaneOf {
  using type = float;  // only masks
};
template <class T, class... Ts>
struct LaneOf<T, Ts...> {
  using type = std::conditional_t<std::same_as<T, bool>, typename LaneOf<Ts...>::type, T>;
};

/// Loads and stores N lanes of T, or of bool as a mask.
template <class T, class Lane, int N>
struct Lanes {
  using Value = Pack<Lane, N>;
  [[gnu::always_inline]] static Value load(const T* p) { return Value::load(p); }
  [[gnu::always_inline]] static Value load_partial(const T* p, int n) { return Value::load_partial(p, n); }
  [[gnu::always_inline]] static void store(Value v, T* p) { v.store(p); }
  [[gnu::always_inline]] static void store_partial(Value v, T* p, int n) { v.store_partial(p, n); }
};
template <class Lane, int N>
struct Lanes<bool, Lane, N> {
  using Value = Mask<Lane, N>;
  typedef signed char Bytes __attribute__((vector_size(N)));
  [[gnu::always_inline]] static Value load(const bool* p) {
    Bytes bytes;
    std::memcpy(&bytes, p, N);
    return Value{__builtin_convertvector(bytes, decltype(Value::v)) != 0};
  }
  [[gnu::always_inline]] static Value load_partial(const bool* p, int n) {
    bool padded[N] = {};
    for (int i = 0; i < n; ++i) padded[i] = p[i];
    return load(padded);
  }
  [[gnu::always_inline]] static void store(Value v, bool* p) {
    const Bytes bytes = __builtin_convertvector(v.v, Bytes) & 1;
    std::memcpy(p, &bytes, N);
  }
  [[gnu::always_inline]] static void store_partial(Value v, bool* p, int n) {
    bool padded[N];
    store(v, padded);
    for (int i = 0; i < n; ++i) p[i] = padded[i];
  }
};

template <class V>
struct ElementOf;
template <class T, int N>
struct ElementOf<Pack<T, N>> {
  using type = T;
};
template <class T, int N>
struct ElementOf<Mask<T, N>> {
  using type = bool;
};

template <class F, class... Ts>
using ResultOf = typename ElementOf<std::remove_cvref_t<decltype(std::declval<const F&>()(
    std::declval<typename Lanes<Ts, typename LaneOf<Ts...>::type,
                                16 / sizeof(typename LaneOf<Ts...>::type)>::Value>()...))>>::type;

/// An input of a row. One that does not advance reads a buffer of copies, so that the loop has no branch for
/// it.
template <class T, class Lane, int N>
struct Stream {
  using L = Lanes<T, Lane, N>;
  const T* data;
  std::int64_t mask;  // -1 advances, 0 repeats
  [[gnu::always_inline]] typename L::Value load(std::int64_t i) const { return L::load(data + (i & mask)); }
  [[gnu::always_inline]] typename L::Value load_partial(std::int64_t i, int n) const {
    return mask != 0 ? L::load_partial(data + i, n) : L::load(data);
  }
};

template <class F, class... Ts>
struct RowKernel {
  using Lane = typename LaneOf<Ts...>::type;
  using Out = ResultOf<F, Ts...>;

  template <int Bytes>
  static void run(const void* f, void* out, const void* const* in, const bool* advances, std::int64_t n) {
    constexpr int N = Bytes / static_cast<int>(sizeof(Lane));
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      alignas(64) unsigned char copies[sizeof...(Ts)][64];
      const auto stream = [&]<class T>(std::size_t i, const T* data) {
        if (advances[i]) return Stream<T, Lane, N>{data, -1};
        T* buffer = reinterpret_cast<T*>(copies[i]);
        for (int k = 0; k < N; ++k) buffer[k] = *data;
        return Stream<T, Lane, N>{buffer, 0};
      };
      const bool in_place = ((out == in[I]) || ...);
      loop<N>(*static_cast<const F*>(f), static_cast<Out*>(out), n, in_place,
              stream(I, static_cast<const Ts*>(in[I]))...);
    }
    (std::index_sequence_for<Ts...>{});
  }

  // f is a copy: behind a pointer its numbers would be read again after every store.
  template <int N, class... Streams>
  static void loop(const F f, Out* out, std::int64_t n, bool in_place, Streams... in) {
    using Result = Lanes<Out, Lane, N>;
    std::int64_t i = 0;
    for (; i + N <= n; i += N) Result::store(f(in.load(i)...), out + i);
    if (i == n) return;
    if (!in_place && n >= N) {
      // Computing the last lanes twice is cheaper than a partial vector; in place it would apply f twice.
      i = n - N;
      Result::store(f(in.load(i)...), out + i);
    } else {
      const int rest = static_cast<int>(n - i);
      Result::store_partial(f(in.load_partial(i, rest)...), out + i, rest);
    }
  }
};

template <class... Ts, class F>
void map_into(const F& f, Tensor& out, const std::same_as<Tensor> auto&... in) {
  using Kernel = RowKernel<F, Ts...>;
  const Row row = xgrad::detail::Dispatch<Kernel, const void*, void*, const void* const*, const bool*,
                                          std::int64_t>::select();
  const std::int64_t n = out.size();
  if (n == 0) return;
  using xgrad::detail::address;
  if (n < parallel_elements && ((&in == &out || in.shape() == out.shape()) && ...)) {
    const void* data[] = {address(in)...};
    const bool advances[] = {(static_cast<void>(in), n > 1)...};
    row(&f, xgrad::detail::mutable_data<void>(out), data, advances, n);
  } else {
    const Source sources[] = {{address(in), &in.shape(), sizeof(Ts)}...};
    for_rows(out.shape(), xgrad::detail::mutable_data<void>(out), sizeof(typename Kernel::Out), sources,
             sizeof...(in), row, &f);
  }
  if (xgrad::detail::capturing != nullptr) [[unlikely]] {
    const Tensor* inputs[] = {&in...};
    const std::size_t bytes[] = {sizeof(Ts)...};
    auto copy = std::make_shared<F>(f);
    const void* formula = copy.get();
    capture_rows(out, sizeof(typename Kernel::Out), inputs, bytes, row, formula, std::move(copy));
  }
}

}  // namespace detail

/// f of the inputs, element by element. Ts are the inputs' element types (precondition, as is that they
/// broadcast to `shape`); all that are not bool must be the same.
template <Element... Ts, class F>
Tensor map(const F& f, const Shape& shape, const std::same_as<Tensor> auto&... in) {
  static_assert(sizeof...(Ts) == sizeof...(in) && sizeof...(in) <= 8);
  Tensor out(shape, dtype_of<detail::ResultOf<F, Ts...>>);
  detail::map_into<Ts...>(f, out, in...);
  return out;
}

/// The same, written over `target`, which has the result's shape and dtype and may be one of the inputs; for the
/// unique() owner of its storage (precondition).
template <Element... Ts, class F>
void map_over(const F& f, Tensor& target, const std::same_as<Tensor> auto&... in) {
  static_assert(sizeof...(Ts) == sizeof...(in));
  detail::map_into<Ts...>(f, target, in...);
}

}  // namespace xgrad::kernel
