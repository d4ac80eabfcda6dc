#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <xgrad/autograd/gradcheck_impl.hpp>

namespace xgrad::detail::checking {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr int shrinks = 8, growths = 2;  // of the step, by 4 each
constexpr double rough = 1e-4;  // relative: what a difference at a kink, or an unsettled one, is good for

double power_of_two(double x) { return std::exp2(std::round(std::log2(x))); }

// The functions along a line; what is evaluated for one of them is there for the others.
class Ray {
 public:
  Ray(const Slopes& f, const Point& x, const Line& line) : f_(f), x_(x), line_(line) {}
  double operator()(double t, std::size_t which) {
    auto found = known_.find(t);
    if (found == known_.end()) found = known_.emplace(t, f_.values(line_.at(x_, t))).first;
    return found->second[which];
  }
  double scale() const { return line_.scale; }

 private:
  const Slopes& f_;
  const Point& x_;
  const Line& line_;
  std::map<double, std::vector<double>> known_;
};

struct Verdict {
  Ray& ray;
  std::size_t which;
  const GradCheckOptions& options;
  GradProbe result;

  double phi(double t) { return ray(t, which); }
  double stencil(double h) { return (8 * (phi(h) - phi(-h)) - (phi(2 * h) - phi(-2 * h))) / (12 * h); }
  double allowed(double numeric, double error) const {
    return options.atol + options.rtol * std::max(std::abs(result.analytic), std::abs(numeric)) + 4 * error;
  }
  double magnitude() const {
    return std::max({std::abs(result.analytic), std::abs(result.numeric), options.atol});
  }

  // Keeps the estimate that changed least from step to step; true if the analytic value agrees with one of them.
  bool agrees() {
    double best = infinity;
    const auto try_step = [&](double h, double neighbour) {
      const double estimate = stencil(h);
      const double error = std::abs(estimate - neighbour);
      const bool fits = std::abs(result.analytic - estimate) <= allowed(estimate, 0);
      if (fits || error < best || !std::isfinite(result.numeric)) {
        result.numeric = estimate, result.error = error, result.step = h;
        if (error < best) best = error;
      }
      if (fits) result.excess = std::abs(result.analytic - estimate) / allowed(estimate, 0);
      return std::pair(estimate, fits);
    };
    const double h = first_step(ray.scale());
    const auto [first, fits] = try_step(h, 0);
    result.error = 0;  // nothing to compare with yet
    best = infinity;
    if (fits) return true;
    double last = first;
    for (int k = 1; k <= shrinks; ++k) {
      const auto [estimate, now] = try_step(h * std::exp2(-2 * k), last);
      if (now) return true;
      last = estimate;
    }
    last = first;
    for (int k = 1; k <= growths; ++k) {
      const auto [estimate, now] = try_step(h * std::exp2(2 * k), last);
      if (now) return true;
      last = estimate;
    }
    return false;
  }

  // Slopes from the two sides that differ, and go on differing as the step shrinks.
  bool is_kink() {
    const double at_x = phi(0), small = power_of_two(1e-6 * ray.scale());
    const auto slope = [&](double t) { return (phi(t) - at_x) / t; };
    const double plus = slope(small), minus = slope(-small), gap = std::abs(plus - minus);
    if (!(gap > rough * magnitude())) return false;
    for (double t : {small / 4, small / 16}) {
      const double change = std::max(std::abs(slope(t) - plus), std::abs(slope(-t) - minus));
      if (!(change < 0.1 * gap)) return false;
    }
    const double low = std::min(plus, minus), high = std::max(plus, minus), slack = rough * magnitude();
    result.kink = true;
    result.step = small;
    result.error = 0;
    result.numeric = std::clamp(result.analytic, low, high);
    const bool between = result.analytic >= low - slack && result.analytic <= high + slack;
    result.excess = between ? 0 : std::abs(result.analytic - result.numeric) / slack;
    if (!std::isfinite(result.analytic)) result.excess = infinity;
    return true;
  }

  // Steps by 4 can all hit the same phase of an oscillation: one in between must agree, too.
  bool is_settled() {
    const double h = result.step, size = std::max(std::abs(phi(h)), std::abs(phi(-h)));
    const double limit = options.atol + rough * std::abs(result.numeric) + 100 * epsilon * size / h;
    return result.error <= limit &&
           std::abs(stencil(0.6875 * h) - result.numeric) <= limit + 4 * result.error;
  }

  void decide() {
    if (agrees() || is_kink()) return;
    // An estimate that never settled may neither excuse a difference nor prove one.
    const bool settled = is_settled();
    const double slack = settled ? result.error : rough * magnitude();
    result.excess = std::abs(result.analytic - result.numeric) / allowed(result.numeric, slack);
    if (!std::isfinite(result.excess)) result.excess = infinity;
    result.inconclusive = result.excess > 1 && !settled && std::isfinite(result.analytic);
  }
};

}  // namespace

double first_step(double scale) { return power_of_two(7.4e-4 * scale); }

GradProbe probe(const Slopes& f, const Point& x, const Line& line, const std::vector<double>& analytic,
                const GradCheckOptions& options) {
  Ray ray(f, x, line);
  GradProbe worst;
  bool kink = false;
  for (std::size_t c = 0; c < analytic.size(); ++c) {
    Verdict verdict{ray, c, options, {}};
    verdict.result.analytic = analytic[c];
    verdict.decide();
    kink = kink || verdict.result.kink;
    const auto rank = [](const GradProbe& p) { return std::pair(p.excess > 1 && !p.inconclusive, p.excess); };
    if (c == 0 || rank(verdict.result) > rank(worst)) worst = verdict.result;
  }
  worst.kink = kink;
  return worst;
}

}  // namespace xgrad::detail::checking
