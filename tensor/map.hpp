// map: one formula over the elements of up to eight tensors, broadcast, in one SIMD pass.
//
//   Tensor y = kernel::map<float, float>([](auto a, auto b) { return a * exp(b); }, shape, a, b);
//
// The lambda is called with simd::Pack<T, N> (simd::Mask for bool tensors) of whatever width the machine has;
// it must be generic and free of branches on values (use where). It returns a Pack (the result has that
// dtype) or a Mask (bool).
#pragma once

#include <array>
#include <concepts>
#include <cstring>
#include <utility>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/pack.hpp>
#include <xgrad/tensor/pack_math.hpp>
#include <xgrad/tensor/tensor.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel {

/// A row of the loop nest: f, result, inputs, for each input whether it advances (or repeats one element), and how
/// many elements, one at least.
using Row = void (*)(const void* f, void* out, const void* const* in, const bool* advances, std::int64_t n);

struct Source {
  const void* data;
  const Shape* shape;
  std::size_t element;
};

/// Runs `row` over all rows of a result of `shape` into which the sources broadcast (precondition).
void for_rows(const Shape& shape, void* out, std::size_t element, const Source* sources, int count, Row row,
              const void* f);

/// A formula without its type: the kernel of a row, f, and how a capture keeps f; null where there is nothing to
/// keep, because f is a type and no numbers.
struct Formula {
  Row row;
  const void* f;
  std::shared_ptr<const void> (*copy)(const void* f);
};

/// Lets a capture note the call.
void capture_rows(const Tensor& out, std::size_t element, std::span<const Tensor* const> in,
                  std::span<const std::size_t> bytes, const Formula& formula);

/// Runs the formula over K tensors, whose elements take `bytes`. Inlined: an operation on few elements is little more
/// than what stands here.
template <std::size_t K>
[[gnu::always_inline]] inline void run_formula(const Formula& formula, Tensor& out, const Shape& shape,
                                               std::size_t element, const std::array<const Tensor*, K>& in,
                                               const std::array<std::size_t, K>& bytes) {
  const std::int64_t n = shape.size();
  if (n == 0) return;
  using xgrad::detail::address, xgrad::detail::mutable_data;
  bool small = n < parallel_elements;
  for (const Tensor* x : in) small = small && (x == &out || x->shape() == shape);
  if (small) [[likely]] {
    static constexpr bool advances[] = {true, true, true, true, true, true, true, true};
    static_assert(K <= std::size(advances));
    const void* data[K];
    for (std::size_t k = 0; k < K; ++k) data[k] = address(*in[k]);
    formula.row(formula.f, mutable_data<void>(out), data, advances, n);
  } else {
    Source sources[K];
    for (std::size_t k = 0; k < K; ++k) sources[k] = {address(*in[k]), &in[k]->shape(), bytes[k]};
    for_rows(shape, mutable_data<void>(out), element, sources, K, formula.row, formula.f);
  }
  if (xgrad::detail::capturing != nullptr) [[unlikely]]
    capture_rows(out, element, in, bytes, formula);
}

/// The same in a new tensor.
template <std::size_t K>
Tensor map_formula(const Formula& formula, const Shape& shape, DType dtype,
                   const std::array<const Tensor*, K>& in, const std::array<std::size_t, K>& bytes) {
  Tensor out(shape, dtype);
  run_formula<K>(formula, out, shape, size_of(dtype), in, bytes);
  return out;
}

/// The same over `target`.
template <std::size_t K>
void map_formula_over(const Formula& formula, Tensor& target, std::size_t element,
                      const std::array<const Tensor*, K>& in, const std::array<std::size_t, K>& bytes) {
  run_formula<K>(formula, target, target.shape(), element, in, bytes);
}

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

/// Loads and stores N lanes of T, or of bool as a mask; `some` are n of them, 0 < n < N.
template <class T, class Lane, int N>
struct Lanes {
  using Value = Pack<Lane, N>;
  [[gnu::always_inline]] static Value load(const T* p) { return Value::load(p); }
  [[gnu::always_inline]] static Value load_some(const T* p, int n) { return Value::load_some(p, n); }
  [[gnu::always_inline]] static void store(Value v, T* p) { v.store(p); }
  [[gnu::always_inline]] static void store_some(Value v, T* p, int n) { v.store_some(p, n); }
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
  [[gnu::always_inline]] static Value load_some(const bool* p, int n) {
    bool padded[N] = {};
    for (int i = 0; i < n; ++i) padded[i] = p[i];
    return load(padded);
  }
  [[gnu::always_inline]] static void store(Value v, bool* p) {
    const Bytes bytes = __builtin_convertvector(v.v, Bytes) & 1;
    std::memcpy(p, &bytes, N);
  }
  [[gnu::always_inline]] static void store_some(Value v, bool* p, int n) {
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
  [[gnu::always_inline]] typename L::Value load_some(std::int64_t i, int n) const {
    return mask != 0 ? L::load_some(data + i, n) : L::load(data);
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

  // f stands here once, for whole vectors and for the rest: its copies made most of the library's size. It is a
  // copy itself: behind a pointer its numbers would be read again after every store.
  template <int N, class... Streams>
  static void loop(const F f, Out* out, std::int64_t n, bool in_place, Streams... in) {
    using Result = Lanes<Out, Lane, N>;
    const std::int64_t last = n - N;
    int rest = last < 0 ? static_cast<int>(n) : 0;  // lanes of a partial vector, 0 for a whole one
    for (std::int64_t i = 0;;) {
      const auto load = [&](const auto& stream) {
        return rest == 0 ? stream.load(i) : stream.load_some(i, rest);
      };
      const auto value = f(load(in)...);
      if (rest == 0) {
        Result::store(value, out + i);
      } else {
        Result::store_some(value, out + i, rest);
      }
      i += N;
      if (i <= last) [[likely]]
        continue;
      if (i >= n) return;
      // Computing the last lanes twice is cheaper than a partial vector; in place it would apply f twice.
      if (in_place) {
        rest = static_cast<int>(n - i);
      } else {
        i = last;
      }
    }
  }
};

template <class... Ts>
inline constexpr std::array<std::size_t, sizeof...(Ts)> sizes_of = {sizeof(Ts)...};

template <class... Ts, class F>
Formula formula_of(const F& f) {
  Formula formula{xgrad::detail::Dispatch<RowKernel<F, Ts...>, const void*, void*, const void* const*,
                                          const bool*, std::int64_t>::select(),
                  &f, nullptr};
  if constexpr (!std::is_empty_v<F>) {
    formula.copy = [](const void* from) -> std::shared_ptr<const void> {
      return std::make_shared<F>(*static_cast<const F*>(from));
    };
  }
  return formula;
}

}  // namespace detail

/// f of the inputs, element by element. Ts are the inputs' element types (precondition, as is that they
/// broadcast to `shape`); all that are not bool must be the same.
template <Element... Ts, class F>
Tensor map(const F& f, const Shape& shape, const std::same_as<Tensor> auto&... in) {
  static_assert(sizeof...(Ts) == sizeof...(in) && sizeof...(in) <= 8);
  return map_formula<sizeof...(in)>(detail::formula_of<Ts...>(f), shape, dtype_of<detail::ResultOf<F, Ts...>>,
                                    {&in...}, detail::sizes_of<Ts...>);
}

/// The same, written over `target`, which has the result's shape and dtype and may be one of the inputs; for the
/// unique() owner of its storage (precondition).
template <Element... Ts, class F>
void map_over(const F& f, Tensor& target, const std::same_as<Tensor> auto&... in) {
  static_assert(sizeof...(Ts) == sizeof...(in));
  map_formula_over<sizeof...(in)>(detail::formula_of<Ts...>(f), target, sizeof(detail::ResultOf<F, Ts...>),
                                  {&in...}, detail::sizes_of<Ts...>);
}

}  // namespace xgrad::kernel
