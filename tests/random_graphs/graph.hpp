// Random expression graphs: the same seed, the same graph, on every machine.
//
// A graph has four inputs and 10 to 60 operations of the catalogue. Each takes values made before it, mostly those that
// nobody has used yet, brought into its shapes (reshape, broadcast_to, take) and into its domain by a smooth
// squashing function. The intervals that an element is squashed into end before the operation's kinks, so that no
// direction in the inputs leads across one. The cost is a weighted sum of all values that nothing uses.
#pragma once

#include <array>
#include <cstdint>
#include <random>

#include "catalogue.hpp"

namespace random_graphs {

inline constexpr std::size_t inputs = 4;
using Point = std::array<Tensor, inputs>;

/// A point x + h t.
Point moved(const Point& x, const Point& t, double h);

/// Random numbers that are the same with every standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_(seed) {}
  std::size_t below(std::size_t n) { return bits_() % n; }
  double uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
  bool chance(double p) { return uniform() < p; }
  double normal();
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::mt19937_64 bits_;
};

/// How a value becomes an operand.
struct Fitting {
  std::size_t source = 0;
  Shape shape;
  enum class Move { none, reshape, broadcast, take } move = Move::none;
  Tensor indices;     // of take, in the flattened source
  double gain = 1;    // brings the source to a size of about 1
  int squash = -1;    // which function into (0, 1); none: the number itself
  Tensor low, width;  // the interval, of each element or of all
};

struct Step {
  const Entry* entry;
  std::vector<Fitting> operands;
  double weight = 1;  // of the value in the cost, if nothing uses it
  double gain = 1;    // brings it to a size of about 1 there
};

class Graph {
 public:
  explicit Graph(std::uint64_t seed);

  std::size_t size() const { return steps_.size(); }
  const std::vector<Step>& steps() const { return steps_; }
  /// Where it is checked, and along which direction.
  const Point& point() const { return point_; }
  const Point& direction() const { return direction_; }

  Variable operator()(const Variable& a, const Variable& b, const Variable& c, const Variable& d) const;
  /// All values: the inputs, then one for each step.
  std::vector<Variable> values(const std::vector<Variable>& x) const;

  /// The first n steps.
  Graph prefix(std::size_t n) const;
  /// The last value, and the steps that it is made of.
  Graph last() const;
  /// One line for each step.
  std::string text() const;

 private:
  void append(Random& random, std::vector<Variable>& values);
  Variable evaluate(const Step& step, const std::vector<Variable>& values) const;

  std::vector<Step> steps_;
  Point point_, direction_;
};

}  // namespace random_graphs
