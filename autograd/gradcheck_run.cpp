#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <xgrad/autograd/gradcheck_impl.hpp>

namespace xgrad::detail::checking {
namespace {

bool any_of(const std::vector<Point>& points, bool (*holds)(double)) {
  return std::any_of(points.begin(), points.end(), [&](const Point& x) {
    return std::any_of(x.begin(), x.end(),
                       [&](const auto& part) { return std::any_of(part.begin(), part.end(), holds); });
  });
}

bool is_nan(double x) { return std::isnan(x); }

std::string place(const GradProbe& p) {
  return p.index < 0 ? p.input : p.input + "[" + std::to_string(p.index) + "]";
}

// As it is written in a call: what is not the default.
std::string shown(const GradCheckOptions& options) {
  const GradCheckOptions usual;
  std::string text;
  const auto add = [&](const char* field, auto value, auto usual_value) {
    if (value == usual_value) return;
    std::ostringstream number;
    number << std::setprecision(17) << value;
    text += (text.empty() ? "." : ", .") + std::string(field) + " = " + number.str();
  };
  add("order", options.order, usual.order);
  add("atol", options.atol, usual.atol);
  add("rtol", options.rtol, usual.rtol);
  add("seed", options.seed, std::uint64_t{0});  // always shown
  add("full_limit", options.full_limit, usual.full_limit);
  add("coordinates", options.coordinates, usual.coordinates);
  add("directions", options.directions, usual.directions);
  add("max_kinks", options.max_kinks, usual.max_kinks);
  add("cotangents", options.cotangents, usual.cotangents);
  return "gradcheck(f, inputs, {" + text + "})";
}

class Checker {
 public:
  Checker(const Subject& f, const GradCheckOptions& options)
      : f_(f), options_(options), random_(options.seed), by_input_(f.names.size()) {
    report_.seed = options.seed;
    for (const std::string& name : f.names) report_.inputs.push_back({name});
  }

  GradReport run() {
    const Shape shape = f_.value(f_.start).shape();
    std::vector<Tensor> cotangents;
    for (int k = 0; k < (shape.size() == 1 ? 1 : std::max(1, options_.cotangents)); ++k) {
      cotangents.push_back(shape.size() == 1 ? ones(shape, float64) : random_like(shape, random_));
    }
    check(first_order(f_, cotangents), 1);
    if (!is_connected(f_)) problem("nothing on the tape connects the result with an input: it is a constant");
    const auto nonzero = [](double g) { return g != 0; };
    if (any_of(first_order(f_, {zeros(shape, float64)}).gradients(f_.start), nonzero)) {
      problem("a cotangent of 0 gives a gradient that is not 0");
    }
    disagrees_ = !transposes_agree(f_, cotangents[0], directions(), options_, report_);
    if (options_.order == 2) {
      const std::vector<Tensor> u = directions(), v = directions();
      const Slopes along = second_order(f_, cotangents[0], u);
      check(along, 2);
      const Slopes across = second_order(f_, cotangents[0], v);
      const HessianAlong a{along.gradients(f_.start)[0], u}, b{across.gradients(f_.start)[0], v};
      disagrees_ |= !is_symmetric(a, b, options_, report_);
      disagrees_ |= !hessians_agree(f_, cotangents[0], a, options_, report_);
    }
    finish();
    return std::move(report_);
  }

 private:
  void problem(std::string text) { report_.problems.push_back(std::move(text)); }

  std::vector<Tensor> directions() {
    std::vector<Tensor> all;
    for (const Shape& shape : f_.shapes) all.push_back(random_like(shape, random_));
    return all;
  }

  void check_repeats(const Slopes& slopes, const std::vector<Point>& gradients) {
    if (any_of(gradients, is_nan)) return problem("the gradient has a NaN");
    poison(f_);
    const std::vector<Point> again = slopes.gradients(f_.start);
    if (any_of(again, is_nan)) {
      problem("the gradient has a NaN when memory is full of NaN: a kernel does not write all of its result");
    } else if (again != gradients) {
      problem("two runs give different gradients");
    }
  }

  void check(const Slopes& slopes, int order) {
    const std::vector<Point> gradients = slopes.gradients(f_.start);
    check_repeats(slopes, gradients);
    bool all_zero = true;
    std::vector<bool> matters(f_.start.size(), false);
    for (const Line& line : lines_of(f_, gradients, options_, random_)) {
      std::vector<double> analytic;
      for (const Point& gradient : gradients) analytic.push_back(line.slope(gradient));
      GradProbe p = probe(slopes, f_.start, line, analytic, options_);
      const bool along_input = line.direction == nullptr;
      p.order = order;
      p.input = along_input ? f_.names[line.input] : "all";
      p.index = line.index;
      const bool some = std::any_of(analytic.begin(), analytic.end(), [](double a) { return a != 0; });
      if (some || std::abs(p.numeric) > options_.atol) {
        all_zero = false;
        if (along_input) matters[line.input] = true;
      }
      count(p, along_input ? static_cast<std::int64_t>(line.input) : -1);
      if (p.excess > 1) failing_.push_back({p.excess, line});
      report_.worst.push_back(std::move(p));
    }
    if (order != 1) return;
    if (all_zero) return problem("vacuous: every slope is 0, so nothing was checked");
    for (std::size_t i = 0; i < matters.size(); ++i) {
      if (!matters[i] && !f_.start[i].empty()) {
        report_.notes.push_back("no slope of " + f_.names[i] + " differs from 0: is it used?");
      }
    }
  }

  void count(const GradProbe& p, std::int64_t input) {
    const bool failed = p.excess > 1 && !p.inconclusive;
    ++report_.probes;
    report_.kinks += p.kink;
    report_.inconclusive += p.inconclusive;
    report_.failed += failed;
    if (p.kink && report_.at_kinks.size() < 10) report_.at_kinks.push_back(p);
    if (p.order != 1) return;
    total_.add(p.analytic, p.numeric);
    if (input < 0) return;
    const auto i = static_cast<std::size_t>(input);
    by_input_[i].add(p.analytic, p.numeric);
    ++report_.inputs[i].probes;
    report_.inputs[i].failed += failed;
  }

  void finish() {
    report_.relative_difference = total_.relative();
    for (std::size_t i = 0; i < by_input_.size(); ++i) {
      report_.inputs[i].relative_difference = by_input_[i].relative();
    }
    if (static_cast<double>(report_.kinks) > options_.max_kinks * static_cast<double>(report_.probes)) {
      problem(std::to_string(report_.kinks) + " of " + std::to_string(report_.probes) +
              " probes are kinks; choose inputs away from them, or raise max_kinks");
    }
    std::stable_sort(report_.worst.begin(), report_.worst.end(),
                     [](const GradProbe& a, const GradProbe& b) { return a.excess > b.excess; });
    if (report_.inconclusive > 0) {
      const auto first = std::find_if(report_.worst.begin(), report_.worst.end(),
                                      [](const GradProbe& p) { return p.inconclusive; });
      problem(std::to_string(report_.inconclusive) + " of " + std::to_string(report_.probes) +
              " slopes are inconclusive: ill-conditioned or not smooth, first at " + place(*first));
    }
    if (report_.worst.size() > 5) report_.worst.resize(5);
    report_.passed = report_.failed == 0 && report_.problems.empty();
    if (options_.locate && (report_.failed > 0 || disagrees_)) locate();
    if (!report_.passed) report_.notes.push_back("to repeat: " + shown(options_));
  }

  void locate() {
    std::stable_sort(failing_.begin(), failing_.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    constexpr std::size_t most = 16;
    std::vector<Line> lines;
    std::set<std::size_t> inputs;  // the worst line of each
    for (const auto& [excess, line] : failing_) {
      if (lines.size() < most && (line.direction != nullptr || inputs.insert(line.input).second)) {
        lines.push_back(line);
      }
    }
    auto all = std::make_shared<Point>();
    const double n = static_cast<double>(f_.elements());
    for (std::size_t i = 0; i < f_.start.size(); ++i) {
      all->push_back(random_like(f_.shapes[i], random_).to_vector<double>());
      for (std::size_t k = 0; k < all->back().size(); ++k) {
        all->back()[k] *= std::max(1.0, std::abs(f_.start[i][k])) / std::sqrt(n);
      }
    }
    lines.push_back({0, -1, all, 1});
    report_.faults = faults_of(f_, lines, options_, 1);
    if (report_.faults.empty()) report_.faults = faults_of(f_, lines, options_, 2);
    if (report_.faults.empty()) report_.notes.push_back("every operation's pullback fits its own values");
  }

  const Subject& f_;
  const GradCheckOptions& options_;
  Generator random_;
  GradReport report_;
  Difference total_;
  std::vector<Difference> by_input_;
  std::vector<std::pair<double, Line>> failing_;
  bool disagrees_ = false;
};

}  // namespace

GradReport check(const Subject& f, const GradCheckOptions& options) { return Checker(f, options).run(); }

}  // namespace xgrad::detail::checking
