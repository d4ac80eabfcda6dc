#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <ostream>
#include <set>
#include <sstream>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/tensor/philox.hpp>

namespace xgrad {
namespace {

using Point = std::vector<std::vector<double>>;  // for each input its elements, row-major

// What is checked: inputs by name, and f as a function of their values. With a tape, `leaves` are filled with
// the inputs' places on it.
struct Subject {
  std::vector<std::string> names;
  std::vector<Shape> shapes;
  Point start;
  std::function<Variable(Tape*, const std::vector<Tensor>&, Variables& leaves)> call;

  std::vector<Tensor> tensors(const Point& x) const {
    std::vector<Tensor> values;
    for (std::size_t i = 0; i < x.size(); ++i) values.emplace_back(shapes[i], x[i]);
    return values;
  }
  std::int64_t elements() const {
    std::int64_t n = 0;
    for (const Shape& shape : shapes) n += shape.size();
    return n;
  }
};

// A scalar function with an analytic gradient.
struct Scalar {
  std::function<double(const Point&)> value;
  std::function<Point(const Point&)> gradient;
};

double dot(const Tensor& a, const Tensor& b) {
  long double total = 0;  // the differences below subtract such sums
  const double *p = a.data<double>(), *q = b.data<double>();
  for (std::int64_t i = 0; i < a.size(); ++i) total += static_cast<long double>(p[i]) * q[i];
  return static_cast<double>(total);
}

Point to_point(const std::vector<Variable>& values) {
  Point x;
  for (const Variable& v : values) x.push_back(v.value().to_vector<double>());
  return x;
}

Tensor random_like(const Shape& shape, Generator& random) {
  Tensor result(shape, float64);
  random.fill_normal(
      std::span<double>(detail::mutable_data<double>(result), static_cast<std::size_t>(shape.size())), 0, 1);
  return result;
}

Variable require_float64(Variable y) {
  if (y.dtype() == float64) return y;
  throw DTypeError(std::string("gradcheck: the function's result is ") + name(y.dtype()) +
                   "; it must compute in float64: are its data float32?");
}

Variable value_at(const Subject& f, const Point& x) {
  const Tape::Pause pause;
  Variables leaves(x.size());
  return require_float64(f.call(nullptr, f.tensors(x), leaves));
}

// <f(x), cotangent>, differentiated by one backward pass.
Scalar first_order(const Subject& f, const Tensor& cotangent) {
  return {[&f, cotangent](const Point& x) { return dot(value_at(f, x).value(), cotangent); },
          [&f, cotangent](const Point& x) {
            Tape tape;
            Variables leaves(x.size()), gradients;
            const Variable y = require_float64(f.call(&tape, f.tensors(x), leaves));
            const Gradients all = y.is_constant() ? Gradients() : tape.backward(y, {.seed = cotangent});
            for (std::size_t i = 0; i < x.size(); ++i) {
              gradients.push_back(y.is_constant() ? Variable(zeros(f.shapes[i], float64))
                                                  : all.or_zeros(leaves[i]));
            }
            return to_point(gradients);
          }};
}

// <gradient of f, directions>, differentiated by a backward pass over the graph of the backward pass.
Scalar second_order(const Subject& f, const Tensor& cotangent, const std::vector<Tensor>& directions) {
  const Scalar first = first_order(f, cotangent);
  return {[first, directions](const Point& x) {
            const Point g = first.gradient(x);
            long double total = 0;
            for (std::size_t i = 0; i < g.size(); ++i) {
              const double* d = directions[i].data<double>();
              for (std::size_t k = 0; k < g[i].size(); ++k) total += static_cast<long double>(g[i][k]) * d[k];
            }
            return static_cast<double>(total);
          },
          [&f, cotangent, directions](const Point& x) {
            Tape tape;
            Variables leaves(x.size());
            Point sum;
            for (const Shape& shape : f.shapes) sum.emplace_back(static_cast<std::size_t>(shape.size()), 0.0);
            const Variable y = require_float64(f.call(&tape, f.tensors(x), leaves));
            if (y.is_constant()) return sum;
            const Gradients gradients = tape.backward(y, {.seed = cotangent, .create_graph = true});
            for (std::size_t i = 0; i < x.size(); ++i) {
              const Variable* g = gradients.find(leaves[i]);
              if (g == nullptr || g->is_constant()) continue;
              const Gradients again = tape.backward(*g, {.seed = directions[i], .retain = true});
              for (std::size_t j = 0; j < x.size(); ++j) {
                const Variable* h = again.find(leaves[j]);
                if (h == nullptr) continue;
                const double* p = h->value().data<double>();
                for (std::size_t k = 0; k < sum[j].size(); ++k) sum[j][k] += p[k];
              }
            }
            return sum;
          }};
}

// A line through the start: a coordinate's, or a dense random one of length 1.
struct Line {
  std::size_t input = 0;
  std::int64_t index = -1;
  std::shared_ptr<const Point> direction;  // of a dense line
  double scale = 1;

  Point at(const Point& x, double t) const {
    Point moved = x;
    if (direction == nullptr) {
      moved[input][static_cast<std::size_t>(index)] += t;
    } else {
      for (std::size_t i = 0; i < moved.size(); ++i) {
        for (std::size_t k = 0; k < moved[i].size(); ++k) moved[i][k] += t * (*direction)[i][k];
      }
    }
    return moved;
  }
  double slope(const Point& gradient) const {
    if (direction == nullptr) return gradient[input][static_cast<std::size_t>(index)];
    long double total = 0;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      for (std::size_t k = 0; k < gradient[i].size(); ++k) {
        total += static_cast<long double>(gradient[i][k]) * (*direction)[i][k];
      }
    }
    return static_cast<double>(total);
  }
};

// Strata of equal length with one coordinate each, and the coordinates of the largest and of a zero gradient.
std::set<std::int64_t> sample(const std::vector<double>& gradient, int count, Generator& random) {
  const auto n = static_cast<std::int64_t>(gradient.size());
  std::set<std::int64_t> picked;
  for (int s = 0; s < count; ++s) {
    const std::int64_t first = n * s / count, last = n * (s + 1) / count;
    if (last > first)
      picked.insert(first +
                    static_cast<std::int64_t>(random.next_index(static_cast<std::uint64_t>(last - first))));
  }
  const auto larger = [](double a, double b) { return std::abs(a) < std::abs(b); };
  if (n > 0) picked.insert(std::max_element(gradient.begin(), gradient.end(), larger) - gradient.begin());
  const auto zero = std::find(gradient.begin(), gradient.end(), 0.0);
  if (zero != gradient.end()) picked.insert(zero - gradient.begin());
  return picked;
}

std::vector<Line> lines_of(const Subject& f, const Point& gradient, const GradCheckOptions& options,
                           Generator& random) {
  std::vector<Line> lines;
  const bool full = f.elements() <= options.full_limit;
  for (std::size_t i = 0; i < f.start.size(); ++i) {
    const auto coordinate = [&](std::int64_t k) {
      lines.push_back({i, k, nullptr, std::max(1.0, std::abs(f.start[i][static_cast<std::size_t>(k)]))});
    };
    if (full) {
      for (std::int64_t k = 0; k < f.shapes[i].size(); ++k) coordinate(k);
    } else {
      for (std::int64_t k : sample(gradient[i], options.coordinates, random)) coordinate(k);
    }
  }
  for (int d = 0; !full && d < options.directions; ++d) {
    auto direction = std::make_shared<Point>();
    double square = 0;
    for (const Shape& shape : f.shapes) direction->push_back(random_like(shape, random).to_vector<double>());
    for (const auto& part : *direction) {
      for (double v : part) square += v * v;
    }
    for (auto& part : *direction) {
      for (double& v : part) v /= std::sqrt(square);
    }
    lines.push_back({0, -1, direction, 1});
  }
  return lines;
}

constexpr int shrinks = 9;

double power_of_two(double x) { return std::exp2(std::round(std::log2(x))); }

// The slope along a line by differences, and what it says of the analytic one.
GradProbe probe(const Scalar& f, const Point& x, const Line& line, double analytic,
                const GradCheckOptions& options) {
  GradProbe result;
  result.analytic = analytic;
  const auto phi = [&](double t) { return f.value(line.at(x, t)); };
  // Powers of two, so that x + h - x is h. eps^(1/5): where a 4-point stencil's truncation meets its
  // rounding.
  double h = power_of_two(7.4e-4 * line.scale), previous = 0,
         best_error = std::numeric_limits<double>::infinity();
  const auto allowed = [&](double numeric, double error) {
    return options.atol + options.rtol * std::max(std::abs(analytic), std::abs(numeric)) + 4 * error;
  };
  for (int k = 0; k < shrinks; ++k, h /= 4) {
    const double estimate = (8 * (phi(h) - phi(-h)) - (phi(2 * h) - phi(-2 * h))) / (12 * h);
    const double error = k == 0 ? 0 : std::abs(estimate - previous);
    if (k == 0 || error < best_error || !std::isfinite(result.numeric)) {
      result.numeric = estimate, result.error = error, result.step = h;
      if (k > 0) best_error = error;
    }
    // Agreement within the plain tolerance needs no error estimate.
    if (std::abs(analytic - estimate) <= allowed(estimate, 0)) {
      result.numeric = estimate, result.error = error, result.step = h;
      result.excess = std::abs(analytic - estimate) / allowed(estimate, 0);
      return result;
    }
    previous = estimate;
  }
  const double magnitude = std::max({std::abs(analytic), std::abs(result.numeric), options.atol});
  // A kink at x itself: slopes from the two sides that differ, and go on differing as the step shrinks.
  const double at_x = phi(0), small = power_of_two(1e-6 * line.scale);
  const auto right = [&](double t) { return (phi(t) - at_x) / t; };
  const double plus = right(small), minus = right(-small), plus4 = right(small / 4),
               minus4 = right(-small / 4);
  const double gap = std::abs(plus - minus), gap4 = std::abs(plus4 - minus4);
  if (gap > 1e-4 * magnitude && gap4 > 0.7 * gap) {
    result.kink = true;
    const double low = std::min(plus, minus), high = std::max(plus, minus), slack = 1e-4 * magnitude;
    result.numeric = std::clamp(analytic, low, high);
    result.excess =
        analytic >= low - slack && analytic <= high + slack ? 0 : std::abs(analytic - result.numeric) / slack;
    if (!std::isfinite(analytic)) result.excess = std::numeric_limits<double>::infinity();
    return result;
  }
  // An estimate that never settled may not excuse a difference by its own error.
  const double error = std::min(result.error, 1e-4 * magnitude);
  result.excess = std::abs(analytic - result.numeric) / allowed(result.numeric, error);
  if (!std::isfinite(result.excess)) result.excess = std::numeric_limits<double>::infinity();
  return result;
}

struct Checker {
  const Subject& f;
  const GradCheckOptions& options;
  Generator random;
  GradReport report;
  long double difference = 0, analytic_norm = 0, numeric_norm = 0;

  void problem(std::string text) { report.problems.push_back(std::move(text)); }

  void check(const Scalar& scalar, int order) {
    const Point gradient = scalar.gradient(f.start);
    if (gradient != scalar.gradient(f.start)) {
      bool nan = false;
      for (const auto& part : gradient)
        nan = nan || std::any_of(part.begin(), part.end(), [](double v) { return v != v; });
      problem(nan ? "the gradient has a NaN" : "two runs give different gradients");
    }
    bool all_zero = true;
    std::vector<bool> matters(f.start.size(), false);
    for (const Line& line : lines_of(f, gradient, options, random)) {
      GradProbe p = probe(scalar, f.start, line, line.slope(gradient), options);
      p.order = order;
      p.input = line.direction == nullptr ? f.names[line.input] : "all";
      p.index = line.index;
      if (p.analytic != 0 || std::abs(p.numeric) > options.atol) {
        all_zero = false;
        if (line.direction == nullptr) matters[line.input] = true;
      }
      ++report.probes;
      report.kinks += p.kink;
      report.failed += p.excess > 1;
      if (order == 1) {
        const long double a = p.analytic, n = p.numeric;
        difference += (a - n) * (a - n), analytic_norm += a * a, numeric_norm += n * n;
      }
      report.worst.push_back(std::move(p));
    }
    if (order == 1 && all_zero) problem("vacuous: every slope is 0, so nothing was checked");
    for (std::size_t i = 0; i < matters.size(); ++i) {
      if (order == 1 && !all_zero && !matters[i] && !f.start[i].empty()) {
        report.notes.push_back("no slope of " + f.names[i] + " differs from 0: is it used?");
      }
    }
  }

  GradReport run() {
    const Shape shape = value_at(f, f.start).shape();
    const Tensor cotangent = shape.size() == 1 ? ones(shape, float64) : random_like(shape, random);
    check(first_order(f, cotangent), 1);
    for (const auto& part : first_order(f, zeros(shape, float64)).gradient(f.start)) {
      if (std::any_of(part.begin(), part.end(), [](double g) { return g != 0; })) {
        problem("a cotangent of 0 gives a gradient that is not 0");
        break;
      }
    }
    if (options.order == 2) {
      std::vector<Tensor> directions;
      for (const Shape& s : f.shapes) directions.push_back(random_like(s, random));
      check(second_order(f, cotangent, directions), 2);
    }
    const long double norms = std::sqrt(analytic_norm) + std::sqrt(numeric_norm);
    report.relative_difference = norms == 0 ? 0 : static_cast<double>(std::sqrt(difference) / norms);
    if (static_cast<double>(report.kinks) > options.max_kinks * static_cast<double>(report.probes)) {
      problem(std::to_string(report.kinks) + " of " + std::to_string(report.probes) +
              " probes are kinks; choose inputs away from them, or raise max_kinks");
    }
    std::stable_sort(report.worst.begin(), report.worst.end(),
                     [](const GradProbe& a, const GradProbe& b) { return a.excess > b.excess; });
    if (report.worst.size() > 5) report.worst.resize(5);
    report.passed = report.failed == 0 && report.problems.empty();
    return std::move(report);
  }
};

GradReport check(const Subject& f, const GradCheckOptions& options) {
  if (f.names.empty()) throw Error("gradcheck: there are no inputs");
  if (options.order != 1 && options.order != 2) {
    throw Error("gradcheck: the order is 1 or 2, not " + std::to_string(options.order));
  }
  return Checker{f, options, Generator(options.seed), {}}.run();
}

std::vector<double> as_doubles(const Tensor& x) { return x.to_vector<double>(); }

}  // namespace

GradReport gradcheck(const std::function<Variable(const Variables&)>& f, const std::vector<Tensor>& inputs,
                     const GradCheckOptions& options) {
  Subject subject;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    subject.names.push_back("x" + std::to_string(i));
    subject.shapes.push_back(inputs[i].shape());
    subject.start.push_back(as_doubles(inputs[i]));
  }
  subject.call = [&](Tape* tape, const std::vector<Tensor>& values, Variables& leaves) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      leaves[i] = tape != nullptr ? tape->watch(values[i], subject.names[i]) : Variable(values[i]);
    }
    return f(leaves);
  };
  return check(subject, options);
}

GradReport gradcheck(const std::function<Variable()>& f, const std::vector<Parameter>& parameters,
                     const GradCheckOptions& options) {
  // Puts the very tensors back, whatever happens.
  struct Restore {
    std::vector<Parameter> parameters;
    std::vector<Tensor> values;
    ~Restore() {
      for (std::size_t i = 0; i < values.size(); ++i) {
        parameters[i].cast(values[i].dtype());
        parameters[i].set(values[i]);
      }
    }
  } restore;
  for (const Parameter& parameter : parameters) {  // of tied ones the first
    const auto same = [&](const Parameter& other) { return other.same_as(parameter); };
    if (std::none_of(restore.parameters.begin(), restore.parameters.end(), same))
      restore.parameters.push_back(parameter);
  }
  Subject subject;
  for (Parameter& parameter : restore.parameters) {
    restore.values.push_back(parameter.value());
    subject.names.push_back(parameter.name());
    subject.shapes.push_back(parameter.shape());
    subject.start.push_back(as_doubles(parameter.value()));
    parameter.cast(float64);
  }
  subject.call = [&](Tape*, const std::vector<Tensor>& values, Variables& leaves) {
    for (std::size_t i = 0; i < values.size(); ++i) restore.parameters[i].set(values[i]);
    Variable y = f();
    for (std::size_t i = 0; i < values.size(); ++i) leaves[i] = restore.parameters[i];
    return y;
  };
  return check(subject, options);
}

std::ostream& operator<<(std::ostream& out, const GradReport& report) {
  char line[256];
  std::snprintf(line, sizeof line, "gradient check %s: %lld of %lld slopes differ, relative difference %.1e",
                report.passed ? "passed" : "FAILED", static_cast<long long>(report.failed),
                static_cast<long long>(report.probes), report.relative_difference);
  out << line;
  if (report.kinks > 0) out << ", " << report.kinks << " kinks";
  out << '\n';
  for (const std::string& problem : report.problems) out << "  problem: " << problem << '\n';
  for (const std::string& note : report.notes) out << "  note: " << note << '\n';
  for (const GradProbe& p : report.worst) {
    std::snprintf(line, sizeof line, "%s order %d  analytic %.17g  numeric %.17g  (error %.1e, step %.1e)%s",
                  p.excess > 1 ? "wrong:" : "ok:", p.order, p.analytic, p.numeric, p.error, p.step,
                  p.kink ? "  kink" : "");
    out << "  " << p.input;
    if (p.index >= 0) out << '[' << p.index << ']';
    out << "  " << line << '\n';
  }
  return out;
}

std::string to_string(const GradReport& report) {
  std::ostringstream out;
  out << report;
  return out.str();
}

}  // namespace xgrad
