#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <xgrad/autograd/forward.hpp>
#include <xgrad/autograd/gradcheck_trace.hpp>

namespace xgrad::detail::checking {
namespace {

// A sum, with the sum of its terms' sizes.
struct Sum {
  long double total = 0, size = 0;
  void add(double a, double b) {
    const long double term = static_cast<long double>(a) * b;
    total += term, size += std::abs(term);
  }
  double value() const { return static_cast<double>(total); }
};

// To rounding. A NaN is complained of elsewhere.
bool agree(const Sum& a, double b, const GradCheckOptions& options) {
  constexpr double roundings = 1e-9;
  return !(std::abs(a.value() - b) > options.atol + roundings * static_cast<double>(a.size));
}

template <class... A>
void add_problem(GradReport& report, const char* format, A... a) {
  char text[200];
  std::snprintf(text, sizeof text, format, a...);
  report.problems.push_back(text);
}

// <v, J u> by differences.
double difference_along(const Subject& f, const Tensor& v, const std::vector<Tensor>& u) {
  const double h = first_step(1) / 4;
  const auto at = [&](double t) {
    Point x = f.start;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double* direction = address<double>(u[i]);
      for (std::size_t k = 0; k < x[i].size(); ++k) x[i][k] += t * direction[k];
    }
    return dot(v, f.value(x));
  };
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

}  // namespace

void poison(const Subject& f) {
  constexpr std::size_t most = std::size_t{1} << 26;
  std::vector<std::size_t> sizes;
  {
    Tape tape;
    Variables leaves;
    f.record(tape, f.start, leaves);
    for (std::size_t i = 0; i < tape.size(); ++i) {
      sizes.push_back(static_cast<std::size_t>(tape.node(i).shape.size()) * sizeof(double));
    }
  }
  std::vector<Storage> held;
  std::size_t total = 0;
  for (std::size_t bytes : sizes) {
    if (bytes == 0 || total + 2 * bytes > most) continue;
    total += 2 * bytes;
    for (int k = 0; k < 2; ++k) {  // a value's and a cotangent's
      std::memset(held.emplace_back(bytes).data(), 0xff, bytes);
    }
  }
}

bool is_connected(const Subject& f) {
  Tape tape;
  Variables leaves;
  return !f.record(tape, f.start, leaves).is_constant();
}

bool transposes_agree(const Subject& f, const Tensor& v, const std::vector<Tensor>& u,
                      const GradCheckOptions& options, GradReport& report) {
  Tape tape;
  Variables leaves;
  const Variable y = f.record(tape, f.start, leaves);
  if (y.is_constant()) return true;
  const Variables tangents(u.begin(), u.end());
  const auto cannot_tell = [&] {
    if (can_be_pushed(tape, y)) return false;
    report.notes.push_back("J u was not compared with J' v: a pullback is not made of operations");
    return true;
  };
  double along = 0;
  try {
    along = dot(v, push_forward(tape, leaves, tangents, {&y, 1}, false)[0].value());
  } catch (const GraphError&) {  // a pullback that forward mode needs is no graph
    if (cannot_tell()) return true;
    throw;
  }
  const Gradients reverse = tape.backward(y, {.seed = v, .retain = true});
  Sum sum;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const Variable* g = reverse.find(leaves[i]);
    if (g == nullptr) continue;
    const double *p = address<double>(g->value()), *q = address<double>(u[i]);
    for (std::int64_t k = 0; k < u[i].size(); ++k) sum.add(p[k], q[k]);
  }
  if (agree(sum, along, options)) return true;
  if (cannot_tell()) return true;
  const double slope = difference_along(f, v, u);
  const bool blame_forward = std::abs(along - slope) > std::abs(sum.value() - slope);
  add_problem(report,
              "forward and reverse mode disagree: <v, J u> is %.17g, <J' v, u> is %.17g; differences "
              "contradict %s mode",
              along, sum.value(), blame_forward ? "forward" : "reverse");
  return false;
}

bool is_symmetric(const HessianAlong& a, const HessianAlong& b, const GradCheckOptions& options,
                  GradReport& report) {
  Sum ab, ba;
  for (std::size_t i = 0; i < a.product.size(); ++i) {
    const double *p = address<double>(a.direction[i]), *q = address<double>(b.direction[i]);
    for (std::size_t k = 0; k < a.product[i].size(); ++k) {
      ab.add(a.product[i][k], q[k]);
      ba.add(b.product[i][k], p[k]);
    }
  }
  ab.size += ba.size;
  if (agree(ab, ba.value(), options)) return true;
  add_problem(report, "the Hessian is not symmetric: v' H u is %.17g, u' H v is %.17g", ab.value(),
              ba.value());
  return false;
}

bool hessians_agree(const Subject& f, const Tensor& cotangent, const HessianAlong& a,
                    const GradCheckOptions& options, GradReport& report) {
  Tape tape;
  Variables leaves, slopes;
  const Variable y = f.record(tape, f.start, leaves);
  if (y.is_constant()) return true;
  const Gradients first = tape.backward(y, {.seed = cotangent, .create_graph = true});
  for (const Variable& x : leaves) slopes.push_back(first.or_zeros(x));
  const Variables tangents(a.direction.begin(), a.direction.end());
  const std::vector<Variable> forward = push_forward(tape, leaves, tangents, slopes, false);
  double size = 0, worst = 0, there = 0, here = 0;
  for (std::size_t i = 0; i < a.product.size(); ++i) {
    const double* p = address<double>(forward[i].value());
    for (std::size_t k = 0; k < a.product[i].size(); ++k) {
      size = std::max({size, std::abs(a.product[i][k]), std::abs(p[k])});
      if (std::abs(a.product[i][k] - p[k]) <= worst) continue;
      worst = std::abs(a.product[i][k] - p[k]), there = p[k], here = a.product[i][k];
    }
  }
  constexpr double roundings = 1e-8;
  if (worst <= options.atol + roundings * size) return true;
  add_problem(
      report,
      "forward over reverse and reverse over reverse mode disagree: an element of H u is %.17g and %.17g",
      there, here);
  return false;
}

}  // namespace xgrad::detail::checking
