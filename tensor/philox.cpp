// The build compiles this file with -ffp-contract=off: GCC's default would fuse a * b + c into one rounding
// on machines with FMA and so change the last bits of the normals from machine to machine. The golden values
// in tests/tensor/philox_test.cpp fail if the flag is lost.
#include <algorithm>
#include <bit>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <xgrad/tensor/capture.hpp>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/philox.hpp>
#include <xgrad/tensor/philox_blocks.hpp>

#ifdef __FAST_MATH__
#error "philox.cpp promises the same bits everywhere; -ffast-math breaks the promise"
#endif

namespace xgrad {
namespace {

static_assert(std::numeric_limits<double>::is_iec559 && FLT_EVAL_METHOD == 0, "plain IEEE doubles, no x87");

using Bits = std::array<std::uint64_t, 2>;
using detail::high, detail::low;

std::string number(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

std::string interval(double lo, double hi) { return "[" + number(lo) + ", " + number(hi) + ")"; }

template <class T>
constexpr T largest = std::numeric_limits<T>::max();

// The numbers of type T that [lo, hi) holds, as their first and last.
template <class T>
std::pair<T, T> range(double lo, double hi) {
  if (!(lo <= hi) || !std::isfinite(hi - lo))
    throw Error("fill_uniform: the interval must be finite and not reversed: " + interval(lo, hi));
  if (lo < -largest<T> || hi > largest<T>)
    throw Error("fill_uniform: float cannot hold the interval: " + interval(lo, hi));
  auto first = static_cast<T>(lo), last = static_cast<T>(hi);
  if (lo == hi) return {first, first};
  if (first < lo) first = std::nextafter(first, largest<T>);
  if (last >= hi) last = std::nextafter(last, -largest<T>);
  if (first > last) throw Error("fill_uniform: no float lies in the interval: " + interval(lo, hi));
  return {first, last};
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const auto a = std::uint64_t{0xD2511F53} * counter[0];
    const auto b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
    key[0] += 0x9E3779B9;  // the golden ratio
    key[1] += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

Bits Generator::block(std::uint64_t index) const {
  const auto words =
      philox4x32({low(index), high(index), low(stream_), high(stream_)}, {low(seed_), high(seed_)});
  return {words[0] | std::uint64_t{words[1]} << 32, words[2] | std::uint64_t{words[3]} << 32};
}

// Element i is finish(the number of its position); both numbers of a block are made at once.
template <class T, class Kind, class Finish>
void Generator::fill(std::span<T> out, Kind, Finish finish) {
  detail::note_obstacle("it draws random numbers; pass them in as an argument");
  constexpr std::size_t most = 128;
  const auto blocks = detail::Dispatch<detail::Blocks<Kind>, std::uint64_t, std::uint64_t, std::uint64_t, int,
                                       double*>::select();
  double numbers[2 * most];
  for (std::size_t i = 0; i < out.size();) {
    const std::size_t skipped = position_ % 2, left = out.size() - i,
                      count = std::min(most, (skipped + left + 1) / 2),
                      n = std::min(left, 2 * count - skipped);
    blocks(position_ / 2, seed_, stream_, static_cast<int>(count), numbers);
    for (std::size_t k = 0; k < n; ++k) out[i + k] = finish(numbers[skipped + k]);
    i += n;
    position_ += n;
  }
}

template <class T>
void Generator::uniform(std::span<T> out, double lo, double hi) {
  const auto ends = range<T>(lo, hi);
  fill(out, detail::Uniforms{},
       [=](double u) { return std::clamp(static_cast<T>(lo + (hi - lo) * u), ends.first, ends.second); });
}

template <class T>
void Generator::normal(std::span<T> out, double mean, double stddev) {
  const bool fits = std::abs(mean) + 8.6 * stddev <= largest<T>;  // false for infinities and NaN too
  if (!(stddev >= 0) || !fits)
    throw Error(
        "fill_normal: stddev must not be negative, and mean +- 8.6 stddev must be within the type: mean " +
        number(mean) + ", stddev " + number(stddev));
  fill(out, detail::Normals{}, [=](double z) { return static_cast<T>(mean + stddev * z); });
}

void Generator::fill_uniform(std::span<double> out, double lo, double hi) { uniform(out, lo, hi); }
void Generator::fill_uniform(std::span<float> out, double lo, double hi) { uniform(out, lo, hi); }
void Generator::fill_normal(std::span<double> out, double mean, double stddev) { normal(out, mean, stddev); }
void Generator::fill_normal(std::span<float> out, double mean, double stddev) { normal(out, mean, stddev); }

std::uint64_t Generator::next_index(std::uint64_t bound) {
  detail::note_obstacle("it draws random numbers; pass them in as an argument");
  if (bound == 0) throw Error("next_index: bound must be at least 1");
  // 2^64 mod bound numbers too many for equal shares: the lowest are drawn again.
  const std::uint64_t rejected = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t bits = block(position_ / 2)[position_ % 2];
    ++position_;
    if (bits >= rejected) return bits % bound;
  }
}

std::vector<std::int64_t> Generator::permutation(std::int64_t n) {
  if (n < 0) throw Error("permutation: n must not be negative: " + std::to_string(n));
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[next_index(i)]);
  return order;
}

Generator Generator::split(std::uint64_t stream) const {
  // A block under another key than the numbers' own: for one seed a bijection of (stream_, stream), so that
  // no two children of one seed coincide. The constant is the fraction of pi.
  const Bits child = Generator(seed_ ^ 0x243F6A8885A308D3, stream_).block(stream);
  return Generator(child[0], child[1]);
}

}  // namespace xgrad
