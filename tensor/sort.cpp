#include <algorithm>
#include <bit>
#include <limits>
#include <vector>
#include <xgrad/tensor/around.hpp>
#include <xgrad/tensor/sort.hpp>

namespace xgrad::kernel {

using detail::Around;

namespace {

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

// An unsigned number that orders as x does.
template <class T>
KeyOf<T> key_of(T x) {
  using Key = KeyOf<T>;
  if constexpr (std::is_floating_point_v<T>) {
    constexpr Key sign = Key{1} << (8 * sizeof(Key) - 1);
    if (x != x) return std::numeric_limits<Key>::max();
    const Key bits = std::bit_cast<Key>(x == T(0) ? T(0) : x);
    return (bits & sign) != 0 ? ~bits : bits | sign;
  } else if constexpr (std::is_same_v<T, bool>) {
    return x ? 1 : 0;
  } else {
    return static_cast<Key>(x) ^ (Key{1} << 63);
  }
}

// A key and the place it came from: equal keys are in the order of their places.
struct Narrow {
  std::uint64_t both;
  Narrow() = default;
  Narrow(std::uint32_t key, std::int64_t place)
      : both(std::uint64_t{key} << 32 | static_cast<std::uint64_t>(place)) {}
  std::int64_t place() const { return static_cast<std::int64_t>(both & 0xffffffff); }
  std::uint32_t key() const { return static_cast<std::uint32_t>(both >> 32); }
  friend bool operator<(Narrow a, Narrow b) { return a.both < b.both; }
};
template <class Key>
struct Wide {
  Key number;
  std::int64_t from;
  Wide() = default;
  Wide(Key key, std::int64_t place) : number(key), from(place) {}
  std::int64_t place() const { return from; }
  Key key() const { return number; }
  friend bool operator<(const Wide& a, const Wide& b) {
    return a.number != b.number ? a.number < b.number : a.from < b.from;
  }
};

// By the digits of the keys, the last one first; entries that come in the order of their places stay so among
// equals. `other` is as large.
template <class Entry>
void radix_sort(std::vector<Entry>& entries, std::vector<Entry>& other) {
  constexpr int bits = 8, digits = static_cast<int>(sizeof(entries[0].key()));
  std::vector<std::size_t> counts(digits << bits);
  const auto digit = [](const Entry& e, int d) {
    return static_cast<std::size_t>(e.key() >> d * bits & 255);
  };
  for (const Entry& e : entries) {
    for (int d = 0; d < digits; ++d) ++counts[(static_cast<std::size_t>(d) << bits) + digit(e, d)];
  }
  for (int d = 0; d < digits; ++d) {
    std::size_t* count = counts.data() + (static_cast<std::size_t>(d) << bits);
    if (count[digit(entries[0], d)] == entries.size()) continue;  // all have the same
    std::size_t start = 0;
    for (int i = 0; i < 1 << bits; ++i) start += std::exchange(count[i], start);
    for (const Entry& e : entries) other[count[digit(e, d)]++] = e;
    entries.swap(other);
  }
}

template <class Entry>
void sort_all(std::vector<Entry>& entries, std::vector<Entry>& other) {
  if (entries.size() < 1024) return std::sort(entries.begin(), entries.end());
  other.resize(entries.size());
  radix_sort(entries, other);
}

// The k least of n keys, in order: what cannot be among them is not kept.
template <class Entry, class F>
void select(std::vector<Entry>& kept, std::int64_t n, std::size_t k, const F& key) {
  using Key = decltype(key(0));
  const auto cut = [&] {
    std::nth_element(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(k - 1), kept.end());
    kept.resize(k);
  };
  constexpr std::int64_t block = 64;
  const std::size_t enough = std::max<std::size_t>(2 * k, 64);
  kept.clear();
  auto bound = std::numeric_limits<Key>::max();  // no key above it is wanted
  Key keys[block];
  for (std::int64_t start = 0; start < n; start += block) {
    const std::int64_t count = std::min(block, n - start);
    bool any = false;
    for (std::int64_t i = 0; i < count; ++i) keys[i] = key(start + i);
    for (std::int64_t i = 0; i < count; ++i) any |= keys[i] <= bound;
    for (std::int64_t i = 0; any && i < count; ++i) {
      if (keys[i] > bound) continue;
      kept.emplace_back(keys[i], start + i);
      if (kept.size() < enough) continue;
      cut();  // which leaves the largest of them in the last place
      bound = kept.back().key();
    }
  }
  if (kept.size() > k) cut();
  std::sort(kept.begin(), kept.end());
}

template <class Entry, class T>
void order_lines(std::int64_t* out, const T* x, const Around& of, std::int64_t k, bool descending) {
  const std::int64_t lines = of.outer * of.inner;
  const std::int64_t grain =
      std::max<std::int64_t>(1, parallel_elements / 8 / std::max<std::int64_t>(1, of.n));
  xgrad::detail::parallel(lines, grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Entry> entries, other;
    for (std::int64_t line = begin; line < end; ++line) {
      const T* from = x + line / of.inner * of.n * of.inner + line % of.inner;
      std::int64_t* to = out + line / of.inner * k * of.inner + line % of.inner;
      const KeyOf<T> reversal = descending ? ~KeyOf<T>{0} : 0;
      const auto key = [&](std::int64_t i) { return key_of(from[i * of.inner]) ^ reversal; };
      if (k < of.n / 4) {
        select(entries, of.n, static_cast<std::size_t>(k), key);
      } else {
        entries.resize(static_cast<std::size_t>(of.n));
        for (std::int64_t i = 0; i < of.n; ++i) entries[static_cast<std::size_t>(i)] = Entry(key(i), i);
        sort_all(entries, other);
      }
      for (std::int64_t i = 0; i < k; ++i) to[i * of.inner] = entries[static_cast<std::size_t>(i)].place();
    }
  });
}

}  // namespace

Tensor argsort(const Tensor& x, int axis, bool descending) {
  return arg_topk(x, x.shape()[axis], axis, descending);
}

Tensor arg_topk(const Tensor& x, std::int64_t k, int axis, bool descending) {
  const Tensor result(detail::resized(x.shape(), axis, k), int64);
  if (result.size() == 0) return result;
  const auto run = [=, of = Around(x.shape(), axis), dtype = x.dtype()](void* const* out,
                                                                        const void* const* in) {
    xgrad::detail::visit(dtype, [&]<class T>(T) {
      auto* y = static_cast<std::int64_t*>(out[0]);
      const auto* source = static_cast<const T*>(in[0]);
      if constexpr (sizeof(T) < 8) {
        if (of.n <= std::numeric_limits<std::uint32_t>::max()) {
          return order_lines<Narrow>(y, source, of, k, descending);
        }
      }
      order_lines<Wide<KeyOf<T>>>(y, source, of, k, descending);
    });
  };
  xgrad::detail::launch({&result}, {&x}, run);
  return result;
}

}  // namespace xgrad::kernel
