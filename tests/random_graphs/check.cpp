#include "check.hpp"

#include <bit>
#include <cmath>
#include <sstream>
#include <xgrad/autograd/compile.hpp>
#include <xgrad/autograd/forward.hpp>

#include "slope.hpp"

namespace random_graphs {

namespace {

constexpr double first_step = 0.02;
// Of the slope's scale. Differences must be known to `conclusive`; a gradient may be off by `tolerance` and the
// estimated error of the differences, ten times.
constexpr double tolerance = 1e-9, conclusive = 1e-6;
constexpr double forward_tolerance = 1e-12;  // no differences: rounding alone

double value_at(const Graph& graph, const Point& x) { return graph(x[0], x[1], x[2], x[3]).value().item(); }

double inner(const Tensor& a, const Tensor& b, double& squares) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    total += x[i] * y[i];
    squares += x[i] * x[i] * y[i] * y[i];
  }
  return total;
}

/// The gradient along the direction; `scale` becomes its size without the cancellation between elements.
double along(const std::vector<Tensor>& gradient, const Point& direction, double* scale = nullptr) {
  double total = 0, squares = 0;
  for (std::size_t i = 0; i < inputs; ++i) total += inner(gradient[i], direction[i], squares);
  if (scale != nullptr) *scale = std::max(std::sqrt(squares), std::abs(total));
  return total;
}

template <class... A>
std::string text(const A&... parts) {
  std::ostringstream out;
  out.precision(17);
  (out << ... << parts);
  return out.str();
}

/// Compares a slope with differences of f.
void compare(Report& report, double analytic, const std::function<double(double)>& slope_at,
             const std::function<double(double)>& f, double scale, Verdict fault) {
  double& shown = fault == Verdict::slope ? report.slope_error : report.second_error;
  Slope first, numeric;
  // A function may look flat, or converge to another number, with steps too large for it.
  for (double step : {first_step, first_step / 64, first_step / 4096, first_step / 262144}) {
    numeric = central_slope(f, step, tolerance * scale);
    if (step == first_step) first = numeric;
    report.evaluations += numeric.evaluations;
    const double error = std::abs(analytic - numeric.value), bound = tolerance * scale + 10 * numeric.error;
    shown = error / scale;
    if (fault == Verdict::slope) report.bound = bound / scale;
    if (numeric.error <= conclusive * scale && error <= bound) return;
  }
  const bool steady = first.error <= conclusive * scale &&
                      std::abs(first.value - numeric.value) <= 10 * (first.error + numeric.error);
  const Slope right = one_sided_slope(f, 1, first_step), left = one_sided_slope(f, -1, first_step);
  report.evaluations += right.evaluations + left.evaluations;
  const double width = 10 * (right.error + left.error) + tolerance * scale;
  const bool kink = std::abs(right.value - left.value) > width;
  const bool between = analytic >= std::min(right.value, left.value) - width &&
                       analytic <= std::max(right.value, left.value) + width;
  // Where a few units in the last place of the inputs change the slope as much, differences cannot tell.
  const double error = std::abs(analytic - first.value);
  double noise = 0;
  for (double h : {-1e-14, -1e-15, 1e-15, 1e-14}) noise = std::max(noise, std::abs(slope_at(h) - analytic));
  report.verdict = kink && between                ? Verdict::kink
                   : steady && error > 10 * noise ? fault
                                                  : Verdict::inconclusive;
  report.message = text("analytic ", analytic, ", numeric ", first.value, " +- ", first.error,
                        ", from the right ", right.value, " +- ", right.error, ", from the left ", left.value,
                        " +- ", left.error, ", scale ", scale);
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!(a[i].shape() == b[i].shape())) return false;
    const std::vector<double> x = a[i].to_vector<double>(), y = b[i].to_vector<double>();
    for (std::size_t k = 0; k < x.size(); ++k) {
      if (std::bit_cast<std::uint64_t>(x[k]) != std::bit_cast<std::uint64_t>(y[k])) return false;
    }
  }
  return a.size() == b.size();
}

void check_replays(Report& report, const Graph& graph) {
  const auto f = [&](const Variable& a, const Variable& b, const Variable& c, const Variable& d) {
    Tape tape;
    const std::array<Variable, inputs> x{tape.watch(a.value()), tape.watch(b.value()), tape.watch(c.value()),
                                         tape.watch(d.value())};
    const Variable cost = graph(x[0], x[1], x[2], x[3]);
    std::vector<Tensor> made{cost.value()};
    if (cost.is_constant()) return made;
    const Gradients gradients = tape.backward(cost);
    for (const Variable& leaf : x) made.push_back(gradients.or_zeros(leaf).value());
    return made;
  };
  auto step = compile(f);
  for (double h : {0.0, 0.3, -0.7}) {
    const Point p = moved(graph.point(), graph.direction(), h);
    const std::vector<Tensor> plain = f(p[0], p[1], p[2], p[3]), replayed = step(p[0], p[1], p[2], p[3]);
    if (same_bits(plain, replayed)) continue;
    report.verdict = Verdict::replay;
    report.message = text("call with h = ", h, ": ", to_string(step.report()));
    return;
  }
  report.replayed = step.report().replays == 2;
  if (!report.replayed) report.message = step.report().reason;
}

void check_second(Report& report, const Graph& graph, const Options& options) {
  const Point &x = graph.point(), &t = graph.direction();
  const auto products = hvp(graph)(x[0], x[1], x[2], x[3], t[0], t[1], t[2], t[3]);
  std::vector<Tensor> curved;
  for (const Variable& v : products) curved.push_back(v.value());
  double scale = 0;
  const double analytic = along(curved, t, &scale);
  const auto f = [&](double h) { return along(options.gradient(graph, moved(x, t, h)).second, t); };
  const auto slope_at = [&](double h) {
    const Point p = moved(x, t, h);
    std::vector<Tensor> there;
    for (const Variable& v : hvp(graph)(p[0], p[1], p[2], p[3], t[0], t[1], t[2], t[3]))
      there.push_back(v.value());
    return along(there, t);
  };
  compare(report, analytic, slope_at, f, std::max(scale, report.scale), Verdict::second);
}

void check_all(Report& report, const Graph& graph, const Options& options) {
  const Point &x = graph.point(), &t = graph.direction();
  const auto [value, gradient] = options.gradient(graph, x);
  double scale = 0;
  const double analytic = along(gradient, t, &scale);
  // A slope that is 0 has the value's size for a scale: differences show no less.
  report.scale = scale = std::max(scale, 1e-3 * std::max(1.0, std::abs(value)));
  if (!std::isfinite(value) || !std::isfinite(analytic)) {
    report.verdict = Verdict::error;
    report.message = text("value ", value, ", slope ", analytic);
    return;
  }
  const auto slope_at = [&](double h) { return along(options.gradient(graph, moved(x, t, h)).second, t); };
  const auto f = [&](double h) { return value_at(graph, moved(x, t, h)); };
  compare(report, analytic, slope_at, f, scale, Verdict::slope);
  if (report.verdict != Verdict::passed) return;

  const auto pushed = jvp(graph)(x[0], x[1], x[2], x[3], t[0], t[1], t[2], t[3]);
  const double forward = pushed.tangent.value().item();
  // What cancels in both on different ways is as large as the values are.
  report.forward_error = std::abs(forward - analytic) / std::max(scale, std::max(1.0, std::abs(value)));
  if (!(report.forward_error <= forward_tolerance)) {
    report.verdict = Verdict::forward;
    report.message = text("reverse ", analytic, ", forward ", forward, ", scale ", scale);
    return;
  }
  if (options.second) check_second(report, graph, options);
  if (report.verdict == Verdict::passed && options.replays) check_replays(report, graph);
}

}  // namespace

const char* name(Verdict verdict) {
  static const char* const names[] = {
      "passed", "kink", "inconclusive", "gradient", "forward mode", "second derivative", "replay", "error"};
  return names[static_cast<int>(verdict)];
}

std::pair<double, std::vector<Tensor>> reverse_gradient(const Graph& graph, const Point& x) {
  Tape tape;
  std::vector<Variable> leaves;
  for (const Tensor& tensor : x) leaves.push_back(tape.watch(tensor));
  const Variable cost = graph(leaves[0], leaves[1], leaves[2], leaves[3]);
  std::vector<Tensor> gradient;
  if (cost.is_constant()) {
    for (const Tensor& tensor : x) gradient.push_back(zeros(tensor.shape(), float64));
  } else {
    const Gradients all = tape.backward(cost);
    for (const Variable& leaf : leaves) gradient.push_back(all.or_zeros(leaf).value());
  }
  return {cost.value().item(), gradient};
}

Report check(const Graph& graph, const Options& options) {
  Report report;
  {
    Tape tape;
    const Point& x = graph.point();
    graph(tape.watch(x[0]), tape.watch(x[1]), tape.watch(x[2]), tape.watch(x[3]));
    report.nodes = tape.size();
  }
  try {
    check_all(report, graph, options);
  } catch (const std::exception& error) {
    report.verdict = Verdict::error;
    report.message = error.what();
  }
  return report;
}

Graph shrunk(const Graph& graph, Verdict verdict, const Options& options) {
  for (std::size_t n = 1; n <= graph.size(); ++n) {
    const Graph prefix = graph.prefix(n);
    if (check(prefix, options).verdict != verdict) continue;
    const Graph part = prefix.last();
    return check(part, options).verdict == verdict ? part : prefix;
  }
  return graph;
}

}  // namespace random_graphs
