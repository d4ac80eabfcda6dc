// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy
// as 1, 2, 3", SC'11).
//
// Thread safety: philox4x32 is pure. A Generator is a plain value: copy it freely, share one between threads
// only to read it.
//
// Invariants:
//  (1) Element i of a fill depends on nothing but (seed, stream, position + i) and the two arguments of the
//      distribution: any thread computes any part with a copy of the generator and seek().
//  (2) A fill of n elements moves the position by n, whatever the distribution and the type; positions count
//      modulo 2^64. A call that throws leaves the position where it was.
//  (3) A float is the double of the same position, rounded (and, if uniform, kept inside [lo, hi)).
//  (4) The same bits on every machine, compiler, thread count and standard library: beyond the integer
//      generator only + - * / and sqrt are used, which IEEE 754 defines to the last bit.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace xgrad {

/// The bare block function: 128 random bits for a 128-bit counter under a 64-bit key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

class Generator {
 public:
  /// Starts at position 0. Different (seed, stream) pairs give unrelated numbers.
  explicit Generator(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  /// Fills with numbers from [lo, hi), never hi itself; lo == hi fills with lo. Throws Error unless both are
  /// finite, lo <= hi, hi - lo is finite and the type has a number in the interval.
  void fill_uniform(std::span<double> out, double lo, double hi);
  void fill_uniform(std::span<float> out, double lo, double hi);

  /// Fills with normal numbers, none further than 8.6 stddev from the mean (Box-Muller from 53 bits). Throws
  /// Error unless both arguments are finite, stddev >= 0 and the type can hold such a number.
  void fill_normal(std::span<double> out, double mean, double stddev);
  void fill_normal(std::span<float> out, double mean, double stddev);

  /// One of 0 ... bound - 1, all equally likely. Moves the position by at least one: rejected draws count.
  /// Throws Error if bound is 0.
  std::uint64_t next_index(std::uint64_t bound);

  /// 0 ... n - 1 in random order, all orders equally likely. Throws Error if n is negative.
  std::vector<std::int64_t> permutation(std::int64_t n);

  /// A child at position 0. It depends on (seed, stream) of this generator and on the argument, not on the
  /// position. Children differ from their parent and from each other, and so do theirs: split(1).split(2) is
  /// neither split(2) nor split(2).split(1). To address the streams of one seed directly, construct them.
  Generator split(std::uint64_t stream) const;

  std::uint64_t position() const { return position_; }
  void seek(std::uint64_t position) { position_ = position; }

 private:
  // The random bits of positions 2 index and 2 index + 1.
  std::array<std::uint64_t, 2> block(std::uint64_t index) const;
  template <class T, class Prepare, class Finish>
  void fill(std::span<T> out, Prepare prepare, Finish finish);
  template <class T>
  void uniform(std::span<T> out, double lo, double hi);
  template <class T>
  void normal(std::span<T> out, double mean, double stddev);

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
};

}  // namespace xgrad
