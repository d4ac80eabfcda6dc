#include "graph.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <xgrad/ops/ops.hpp>

namespace random_graphs {

namespace {

constexpr double margin = 0.05;  // from an interval's end to a kink
constexpr int squashes = 8;

/// A smooth function into (0, 1), then into the interval.
Variable squashed(int which, const Variable& u, const Tensor& low, const Tensor& width) {
  switch (which) {
    case 0:
      return low + width * sigmoid(u);
    case 1:
      return low + width * (0.5 + 0.5 * sin(u));
    case 2:
      return low + width * (0.5 + atan(u) / 3.14159265358979);
    case 3:
      return low + width * (0.5 + 0.5 * tanh(u));
    case 4:
      return low + width * (0.5 + 0.5 * u * rsqrt(1 + square(u)));
    case 5:
      return low + 0.5 * width * erfc(u);
    case 6:
      return fuse([](auto x, auto l, auto w) { return l + w * sigmoid(x); }, u, low, width);
    default:
      return fuse([](auto x, auto l, auto w) { return l + w / (1 + x * x); }, u, low, width);
  }
}

struct Segment {
  double low, high;
};

/// The interval without its kinks.
std::vector<Segment> segments_of(double low, double high, std::vector<double> kinks) {
  std::sort(kinks.begin(), kinks.end());
  std::vector<Segment> found;
  for (double kink : kinks) {
    if (kink < low - margin || kink > high + margin) continue;
    if (kink - margin > low) found.push_back({low, kink - margin});
    low = kink + margin;
  }
  if (low < high) found.push_back({low, high});
  return found;
}

/// n intervals that do not touch each other, in random order.
std::vector<Segment> slots(const std::vector<Segment>& segments, std::size_t n, Random& random) {
  double length = 0;
  for (const Segment& s : segments) length += s.high - s.low;
  std::vector<Segment> found;
  for (const Segment& s : segments) {
    const double count = std::ceil(static_cast<double>(n) * (s.high - s.low) / length);
    const double step = (s.high - s.low) / count;
    for (double i = 0; i < count; ++i) {
      found.push_back({s.low + step * (i + 0.1), s.low + step * (i + 0.9)});
    }
  }
  random.shuffle(found);
  found.resize(n);
  return found;
}

/// Some of the segments, in proportion to their lengths.
std::vector<Segment> picked(const std::vector<Segment>& segments, std::size_t n, Random& random) {
  double length = 0;
  for (const Segment& s : segments) length += s.high - s.low;
  std::vector<Segment> found;
  while (found.size() < n) {
    double at = random.uniform() * length;
    std::size_t i = 0;
    while (i + 1 < segments.size() && at > segments[i].high - segments[i].low) {
      at -= segments[i].high - segments[i].low;
      ++i;
    }
    found.push_back(segments[i]);
  }
  return found;
}

Tensor noise(const Shape& shape, Random& random) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& x : values) x = random.normal();
  return Tensor(shape, values);
}

double gain_of(const Tensor& x) {
  double squares = 0;
  for (double v : x.to_vector<double>()) squares += v * v;
  const double size = std::sqrt(squares / static_cast<double>(std::max<std::int64_t>(1, x.size())));
  // Not to exactly 1, where what is squashed would be in the middle of its interval; and 0 stays small.
  return size > 0 ? std::min(0.8 / size, 30.0) : 1;
}

Fitting fitted(const Variable& source, const Shape& shape, Random& random) {
  Fitting made;
  made.shape = shape;
  made.gain = gain_of(source.value());
  if (source.shape() == shape) return made;
  if (source.size() == shape.size()) {
    made.move = Fitting::Move::reshape;
  } else if (broadcast(source.shape(), shape) == shape) {
    made.move = Fitting::Move::broadcast;
  } else {
    made.move = Fitting::Move::take;
    std::vector<std::int64_t> indices(static_cast<std::size_t>(shape.size()));
    const auto n = static_cast<std::size_t>(source.size());
    for (auto& i : indices) i = static_cast<std::int64_t>(random.below(n));
    made.indices = Tensor(shape, indices);
  }
  return made;
}

Variable fit(const Fitting& f, const Variable& source) {
  Variable x = source;
  if (f.move == Fitting::Move::reshape) x = reshape(x, f.shape);
  if (f.move == Fitting::Move::broadcast) x = broadcast_to(x, f.shape);
  if (f.move == Fitting::Move::take) x = take(flatten(x), f.indices);
  if (f.gain != 1) x = x * f.gain;
  return f.squash < 0 ? x : squashed(f.squash, x, f.low, f.width);
}

/// Intervals for all elements of all operands of a step.
void confine(const Entry& entry, std::vector<Fitting>& operands, Random& random) {
  const bool apart = entry.apart || random.chance(0.3);
  std::int64_t total = 0;
  for (const Fitting& f : operands) total += f.shape.size();
  // Ties between operands matter, too: they share their slots, where they have one domain.
  const bool shared = apart && std::all_of(entry.domain.begin(), entry.domain.end(), [&](const auto& d) {
                        return d.low == entry.domain[0].low && d.high == entry.domain[0].high;
                      });
  std::vector<Segment> all;
  if (shared) {
    all = slots(segments_of(entry.domain[0].low, entry.domain[0].high, entry.kinks),
                static_cast<std::size_t>(total), random);
  }
  for (std::size_t i = 0; i < operands.size(); ++i) {
    Fitting& f = operands[i];
    f.squash = static_cast<int>(random.below(squashes));
    const auto n = static_cast<std::size_t>(f.shape.size());
    const std::vector<Segment> segments = segments_of(entry.domain[i].low, entry.domain[i].high, entry.kinks);
    if (!apart && segments.size() == 1) {
      f.low = scalar(segments[0].low, float64);
      f.width = scalar(segments[0].high - segments[0].low, float64);
      continue;
    }
    std::vector<Segment> own;
    if (shared) {
      own.assign(all.end() - static_cast<std::ptrdiff_t>(n), all.end());
      all.resize(all.size() - n);
    } else {
      own = apart ? slots(segments, n, random) : picked(segments, n, random);
    }
    std::vector<double> low, width;
    for (const Segment& s : own) {
      low.push_back(s.low);
      width.push_back(s.high - s.low);
    }
    f.low = Tensor(f.shape, low);
    f.width = Tensor(f.shape, width);
  }
}

}  // namespace

double Random::normal() {
  const double u = 1 - uniform(), v = uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
}

Point moved(const Point& x, const Point& t, double h) {
  Point made;
  for (std::size_t i = 0; i < inputs; ++i) made[i] = (x[i] + t[i] * h).value();
  return made;
}

Graph::Graph(std::uint64_t seed) {
  static const std::vector<Shape> shapes{Shape{}, {3}, {4},    {1, 4},    {2, 3},    {3, 1},
                                         {3, 3},  {5}, {4, 5}, {2, 3, 4}, {1, 3, 2}, {2, 2, 3}};
  Random random(seed);
  std::vector<Variable> values;
  for (std::size_t i = 0; i < inputs; ++i) {
    const Shape& shape = shapes[random.below(shapes.size())];
    point_[i] = noise(shape, random);
    direction_[i] = noise(shape, random);
    values.emplace_back(point_[i]);
  }
  const std::size_t n = 10 + random.below(51);
  while (steps_.size() < n) append(random, values);
}

void Graph::append(Random& random, std::vector<Variable>& values) {
  std::vector<bool> used(values.size());
  for (const Step& step : steps_) {
    for (const Fitting& f : step.operands) used[f.source] = true;
  }
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i] && values[i].size() > 0) fresh.push_back(i);
  }
  const Entry& entry = catalogue()[random.below(catalogue().size())];
  Step step{&entry, {}, 0.5 + random.uniform()};
  for (const Shape& shape : entry.shapes[random.below(entry.shapes.size())]) {
    std::size_t source = random.below(values.size());
    if (!fresh.empty() && random.chance(0.7)) {
      const std::size_t i = random.below(fresh.size());
      source = fresh[i];
      fresh.erase(fresh.begin() + static_cast<std::ptrdiff_t>(i));
    }
    while (values[source].size() == 0) source = random.below(values.size());
    step.operands.push_back(fitted(values[source], shape, random));
    step.operands.back().source = source;
  }
  if (!entry.unbounded || random.chance(0.5)) confine(entry, step.operands, random);
  values.push_back(evaluate(step, values));
  step.gain = gain_of(values.back().value());
  steps_.push_back(std::move(step));
}

Variable Graph::evaluate(const Step& step, const std::vector<Variable>& values) const {
  std::vector<Variable> operands;
  for (const Fitting& f : step.operands) operands.push_back(fit(f, values[f.source]));
  const Variable y = step.entry->call(operands);
  return y.dtype() == float64 ? y : Variable(y.value().astype(float64));
}

std::vector<Variable> Graph::values(const std::vector<Variable>& x) const {
  std::vector<Variable> all = x;
  for (const Step& step : steps_) all.push_back(evaluate(step, all));
  return all;
}

Variable Graph::operator()(const Variable& a, const Variable& b, const Variable& c, const Variable& d) const {
  const std::vector<Variable> all = values({a, b, c, d});
  std::vector<bool> used(all.size());
  for (const Step& step : steps_) {
    for (const Fitting& f : step.operands) used[f.source] = true;
  }
  Variable cost = scalar(0, float64);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Variable& y = all[inputs + i];
    if (used[inputs + i] || y.size() == 0) continue;
    // Phases that differ from place to place, so that nothing cancels by symmetry.
    const Tensor phase = arange(1, static_cast<double>(y.size()) + 1, 1, float64).reshape(y.shape());
    cost = cost + sum(sin(y * steps_[i].gain + phase)) * steps_[i].weight;
  }
  return cost;
}

Graph Graph::prefix(std::size_t n) const {
  Graph made = *this;
  made.steps_.resize(n);
  return made;
}

Graph Graph::last() const {
  std::vector<bool> needed(inputs + steps_.size());
  needed.back() = true;
  for (std::size_t i = steps_.size(); i-- > 0;) {
    if (!needed[inputs + i]) continue;
    for (const Fitting& f : steps_[i].operands) needed[f.source] = true;
  }
  std::vector<std::size_t> place(inputs + steps_.size());
  std::iota(place.begin(), place.begin() + inputs, 0);
  Graph made = *this;
  made.steps_.clear();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!needed[inputs + i]) continue;
    place[inputs + i] = inputs + made.steps_.size();
    made.steps_.push_back(steps_[i]);
    for (Fitting& f : made.steps_.back().operands) f.source = place[f.source];
  }
  return made;
}

std::string Graph::text() const {
  std::ostringstream out;
  for (std::size_t i = 0; i < inputs; ++i)
    out << "  " << i << ": input " << to_string(point_[i].shape()) << '\n';
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    const auto row = static_cast<std::size_t>(step.entry - catalogue().data());
    out << "  " << inputs + i << ": " << step.entry->name << " (row " << row << ") of";
    for (const Fitting& f : step.operands) {
      static const char* const moves[] = {"", " reshaped", " broadcast", " taken"};
      out << ' ' << f.source << moves[static_cast<int>(f.move)] << ' ' << to_string(f.shape);
      if (f.squash >= 0) out << " squashed by " << f.squash;
    }
    out << '\n';
  }
  return out.str();
}

}  // namespace random_graphs
