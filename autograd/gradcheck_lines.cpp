#include <algorithm>
#include <cmath>
#include <xgrad/autograd/gradcheck_impl.hpp>

namespace xgrad::detail::checking {
namespace {

using Indices = std::set<std::int64_t>;

void sample_strata(Indices& picked, std::int64_t n, int count, Generator& random) {
  for (int s = 0; s < count; ++s) {
    const std::int64_t first = n * s / count, last = n * (s + 1) / count;
    if (last == first) continue;
    picked.insert(first +
                  static_cast<std::int64_t>(random.next_index(static_cast<std::uint64_t>(last - first))));
  }
}

void add_extremes(Indices& picked, const std::vector<double>& gradient) {
  if (gradient.empty()) return;
  const auto smaller = [](double a, double b) { return std::abs(a) < std::abs(b); };
  picked.insert(std::max_element(gradient.begin(), gradient.end(), smaller) - gradient.begin());
  const auto zero = std::find(gradient.begin(), gradient.end(), 0.0);
  if (zero != gradient.end()) picked.insert(zero - gradient.begin());
}

Line dense_line(const Subject& f, Generator& random) {
  auto direction = std::make_shared<Point>();
  double square = 0;
  for (const Shape& shape : f.shapes) direction->push_back(random_like(shape, random).to_vector<double>());
  for (const auto& part : *direction) {
    for (double v : part) square += v * v;
  }
  for (auto& part : *direction) {
    for (double& v : part) v /= std::sqrt(square);
  }
  return {0, -1, direction, 1};
}

}  // namespace

Point Line::at(const Point& x, double t) const {
  Point moved = x;
  if (direction == nullptr) {
    moved[input][static_cast<std::size_t>(index)] += t;
    return moved;
  }
  for (std::size_t i = 0; i < moved.size(); ++i) {
    for (std::size_t k = 0; k < moved[i].size(); ++k) moved[i][k] += t * (*direction)[i][k];
  }
  return moved;
}

double Line::slope(const Point& gradient) const {
  if (direction == nullptr) return gradient[input][static_cast<std::size_t>(index)];
  long double total = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    for (std::size_t k = 0; k < gradient[i].size(); ++k) {
      total += static_cast<long double>(gradient[i][k]) * (*direction)[i][k];
    }
  }
  return static_cast<double>(total);
}

std::vector<Line> lines_of(const Subject& f, const std::vector<Point>& gradients,
                           const GradCheckOptions& options, Generator& random) {
  std::vector<Line> lines;
  const bool full = f.elements() <= options.full_limit;
  for (std::size_t i = 0; i < f.start.size(); ++i) {
    const auto coordinate = [&](std::int64_t k) {
      lines.push_back({i, k, nullptr, std::max(1.0, std::abs(f.start[i][static_cast<std::size_t>(k)]))});
    };
    if (full) {
      for (std::int64_t k = 0; k < f.shapes[i].size(); ++k) coordinate(k);
      continue;
    }
    Indices picked;
    sample_strata(picked, f.shapes[i].size(), options.coordinates, random);
    for (const Point& gradient : gradients) add_extremes(picked, gradient[i]);
    for (std::int64_t k : picked) coordinate(k);
  }
  for (int d = 0; !full && d < options.directions; ++d) lines.push_back(dense_line(f, random));
  return lines;
}

}  // namespace xgrad::detail::checking
