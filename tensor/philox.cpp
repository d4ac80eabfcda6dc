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
#include <xgrad/tensor/error.hpp>
#include <xgrad/tensor/philox.hpp>

#ifdef __FAST_MATH__
#error "philox.cpp promises the same bits everywhere; -ffast-math breaks the promise"
#endif

namespace xgrad {
namespace {

static_assert(std::numeric_limits<double>::is_iec559 && FLT_EVAL_METHOD == 0, "plain IEEE doubles, no x87");

using Bits = std::array<std::uint64_t, 2>;

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

// k / 2^53: exact for every k <= 2^53.
double scaled(std::uint64_t k) { return static_cast<double>(k) * 0x1p-53; }

template <std::size_t N>
double horner(double x, const double (&coefficients)[N]) {
  double y = coefficients[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) y = y * x + coefficients[i];
  return y;
}

// For normal x > 0: log(m 2^e) = e log 2 + 2 atanh(s), s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt(2)).
// |s| < 0.1716, so that the series is cut at a relative 1e-18.
double log_of(double x) {
  constexpr double series[] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9, 1.0 / 11,
                               1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  constexpr std::uint64_t fraction = (std::uint64_t{1} << 52) - 1;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto e = static_cast<int>(bits >> 52) - 1023;
  auto m = std::bit_cast<double>((bits & fraction) | std::uint64_t{1023} << 52);  // in [1, 2)
  if (m >= 1.4142135623730951) {
    m *= 0.5;
    e += 1;
  }
  const double s = (m - 1) / (m + 1);
  return e * 0x1.62e42fefa39efp-1 + 2 * s * horner(s * s, series);
}

// cos and sin of 2 pi u for u in [0, 1). The turn is reduced exactly, to a quarter q and an angle of at most
// pi / 4 beside it; there the Taylor series are cut at 2e-18.
std::pair<double, double> cos_sin_of_turn(double u) {
  constexpr double cosine[] = {1.0,
                               -1.0 / 2,
                               1.0 / 24,
                               -1.0 / 720,
                               1.0 / 40320,
                               -1.0 / 3628800,
                               1.0 / 479001600,
                               -1.0 / 87178291200,
                               1.0 / 20922789888000};
  constexpr double sine[] = {1.0,
                             -1.0 / 6,
                             1.0 / 120,
                             -1.0 / 5040,
                             1.0 / 362880,
                             -1.0 / 39916800,
                             1.0 / 6227020800,
                             -1.0 / 1307674368000,
                             1.0 / 355687428096000};
  const int q = static_cast<int>(4 * u + 0.5);
  const double x = (4 * u - q) * 0x1.921fb54442d18p+0;  // times pi / 2
  const double c = horner(x * x, cosine);
  const double s = x * horner(x * x, sine);
  switch (q & 3) {
    case 0:
      return {c, s};
    case 1:
      return {-s, c};
    case 2:
      return {-c, -s};
    default:
      return {s, -c};
  }
}

// Box-Muller: both normals of a block from both its numbers. The logarithm's argument is in (0, 1].
std::array<double, 2> normals(Bits bits) {
  const double r = std::sqrt(-2 * log_of(scaled((bits[0] >> 11) + 1)));
  const auto [c, s] = cos_sin_of_turn(scaled(bits[1] >> 11));
  return {r * c, r * s};
}

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

// Element i is finish(prepare(block)[half]) of its position; prepare runs once for both halves.
template <class T, class Prepare, class Finish>
void Generator::fill(std::span<T> out, Prepare prepare, Finish finish) {
  detail::note_obstacle("it draws random numbers; pass them in as an argument");
  for (std::size_t i = 0; i < out.size();) {
    const auto pair = prepare(block(position_ / 2));
    for (auto half = position_ % 2; half < 2 && i < out.size(); ++half, ++position_)
      out[i++] = finish(pair[half]);
  }
}

template <class T>
void Generator::uniform(std::span<T> out, double lo, double hi) {
  const auto ends = range<T>(lo, hi);
  const auto same = [](Bits bits) { return bits; };
  fill(out, same, [=](std::uint64_t bits) {
    return std::clamp(static_cast<T>(lo + (hi - lo) * scaled(bits >> 11)), ends.first, ends.second);
  });
}

template <class T>
void Generator::normal(std::span<T> out, double mean, double stddev) {
  const bool fits = std::abs(mean) + 8.6 * stddev <= largest<T>;  // false for infinities and NaN too
  if (!(stddev >= 0) || !fits)
    throw Error(
        "fill_normal: stddev must not be negative, and mean +- 8.6 stddev must be within the type: mean " +
        number(mean) + ", stddev " + number(stddev));
  fill(out, normals, [=](double z) { return static_cast<T>(mean + stddev * z); });
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
