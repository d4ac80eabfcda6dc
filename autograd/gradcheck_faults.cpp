#include <algorithm>
#include <cmath>
#include <cstdio>
#include <xgrad/autograd/draw.hpp>
#include <xgrad/autograd/gradcheck_balance.hpp>

namespace xgrad::detail::checking {
namespace {

constexpr int steps = 9;            // each a quarter of the one before
constexpr double tolerance = 1e-8;  // of the sum of the terms' sizes
constexpr double rough = 1e-4;      // at kinks

class Search {
 public:
  Search(const Subject& f, const GradCheckOptions& options, int order)
      : f_(f), options_(options), order_(order) {
    base_ = trace(f_, f_.start, tape_, order_, options_.seed, 0);
    std::vector<bool> roots(tape_.size());
    if (!base_.result.is_constant()) roots[base_.result.place().index] = true;
    leads_ = lead_to(roots);
    // Of order 2, also what their pullbacks recorded, and what that was computed from.
    for (std::size_t i = base_.nodes; i < tape_.size(); ++i) roots[i] = leads_[owner_of(i)];
    const std::vector<bool> matters = lead_to(roots);
    const Tape::Pause pause;
    cotangents_.resize(tape_.size());
    pulled_.resize(tape_.size());
    for (std::size_t i = 0; i < tape_.size(); ++i) {
      const Node& node = tape_.node(i);
      if (node.pullback == nullptr || node.dtype != float64 || !matters[i]) continue;
      cotangents_[i] = cotangent_of(node, i, options_.seed);
      pulled_[i] = pulled_by(tape_, node, Variable(cotangents_[i]));
    }
  }

  std::vector<GradFault> run(const std::vector<Line>& lines) {
    for (const Line& line : lines) follow(line);
    if (order_ == 2) compare_recorded();
    compare_pushed();
    std::stable_sort(faults_.begin(), faults_.end(), [](const GradFault& a, const GradFault& b) {
      return std::pair(a.node, a.input) < std::pair(b.node, b.input);
    });
    if (!faults_.empty() && !options_.draw.empty()) draw();
    return std::move(faults_);
  }

 private:
  // The nodes that these are computed from, and these.
  std::vector<bool> lead_to(std::vector<bool> roots) const {
    for (std::size_t i = tape_.size(); i-- > 0;) {
      const Node& node = tape_.node(i);
      for (std::uint32_t k = 0; k < node.input_count && roots[i]; ++k) {
        if (node.inputs[k] >= 0) roots[static_cast<std::size_t>(node.inputs[k])] = true;
      }
    }
    return roots;
  }

  Balance balance(std::size_t i, const Stencil& stencil) const {
    return balance_of(tape_, base_, i, cotangents_[i], pulled_[i], stencil);
  }

  // The same operations, so that nodes can be compared one by one.
  bool matches(const Tape& other) const {
    if (other.size() != tape_.size()) return false;
    for (std::size_t i = 0; i < tape_.size(); ++i) {
      if (other.node(i).op != tape_.node(i).op || other.node(i).shape != tape_.node(i).shape) return false;
    }
    return true;
  }
  std::optional<Trace> trace_at(const Line& line, double t) const {
    Tape tape;
    std::optional<Trace> result = trace(f_, line.at(f_.start, t), tape, order_, options_.seed, t);
    if (!matches(tape)) result.reset();
    return result;
  }
  // Calls use(stencil) with traces at these multiples of h.
  template <class Use>
  bool with_traces(const Line& line, double h, const std::vector<std::pair<double, double>>& points,
                   const Use& use) const {
    std::vector<Trace> traces;
    traces.reserve(points.size());
    Stencil stencil;
    for (const auto& [multiple, weight] : points) {
      std::optional<Trace> there = trace_at(line, multiple * h);
      if (!there) return false;
      traces.push_back(std::move(*there));
      stencil.push_back({&traces.back(), weight / h});
    }
    use(stencil);
    return true;
  }

  void follow(const Line& line) {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tape_.size(); ++i) {
      if (!pulled_[i].empty()) open.push_back(i);
    }
    std::vector<Balance> last(tape_.size());
    std::vector<std::pair<std::size_t, Balance>> suspects;
    double h = first_step(line.scale);
    for (int s = 0; s < steps && !open.empty(); ++s, h /= 4) {
      const auto look = [&](const Stencil& stencil) {
        std::vector<std::size_t> still_open;
        for (std::size_t i : open) {
          const Balance now = balance(i, stencil);
          if (!now.known || std::abs(now.excess()) <= now.allowed(tolerance)) continue;
          if (is_settled(last[i], now)) {
            suspects.emplace_back(i, now);
          } else {
            still_open.push_back(i);
          }
          last[i] = now;
        }
        open = std::move(still_open);
        if (s == 0) check_constants(stencil);
      };
      with_traces(line, h, {{1, 8. / 12}, {-1, -8. / 12}, {2, -1. / 12}, {-2, 1. / 12}}, look);
    }
    for (std::size_t i : open) {  // a gradient that is not finite of changes that are
      if (std::isfinite(last[i].out) && !std::isfinite(last[i].in)) suspects.emplace_back(i, last[i]);
    }
    drop_kinks(line, suspects);
    for (const auto& [i, b] : suspects) {
      const bool one = b.moving_inputs == 1 && b.moving_constant < 0;
      add(i, one ? static_cast<int>(b.moving) : -1, describe(i, b));
    }
  }

  static bool is_settled(const Balance& before, const Balance& now) {
    return before.known && std::isfinite(now.excess()) &&
           std::abs(now.excess() - before.excess()) <= 0.05 * std::abs(now.excess());
  }

  // At a kink of the node itself the two sides differ, and what its pullback says may lie anywhere between.
  void drop_kinks(const Line& line, std::vector<std::pair<std::size_t, Balance>>& suspects) const {
    if (suspects.empty()) return;
    const double h = first_step(line.scale) / 1024;
    const auto one_sided = [&](double sign) {
      std::map<std::size_t, Balance> found;
      with_traces(line, h, {{sign, sign}, {0, -sign}}, [&](const Stencil& stencil) {
        for (const auto& [i, b] : suspects) found[i] = balance(i, stencil);
      });
      return found;
    };
    std::map<std::size_t, Balance> right = one_sided(1), left = one_sided(-1);
    std::erase_if(suspects, [&](const auto& suspect) {
      const Balance &r = right[suspect.first], &l = left[suspect.first];
      if (!r.known || !l.known) return false;
      const double slack = std::max(r.allowed(rough), l.allowed(rough));
      const double low = std::min(r.excess(), l.excess()), high = std::max(r.excess(), l.excess());
      return high - low > 2 * slack && low <= slack && high >= -slack;
    });
  }

  // A pullback whose record is a constant has no derivative; if it changes with the inputs, that is wrong.
  void check_constants(const Stencil& stencil) {
    for (std::size_t p = 0; p < base_.pulled.size(); ++p) {
      const PulledInput& pulled = base_.pulled[p];
      if (!pulled.constant || !leads_[pulled.owner] || pulled.value.dtype() != float64) continue;
      const Product change =
          product(pulled.value, stencil, [&](const Trace& t) -> const Tensor& { return t.pulled[p].value; });
      if (change.known && change.varies && change.size > 40 * change.rounding) {
        add(pulled.owner, static_cast<int>(pulled.k),
            "its pullback for " + input(pulled.owner, pulled.k) +
                " is recorded as a constant, but it changes with the inputs");
      }
    }
  }

  // The same cotangent gives the same contribution, recorded or not.
  void compare_recorded() {
    for (const PulledInput& pulled : base_.pulled) {
      if (!leads_[pulled.owner]) continue;
      const Tensor& plain = pulled_[pulled.owner][pulled.k]->value();
      if (pulled.value.dtype() != float64 || pulled.value.shape() != plain.shape()) continue;
      const double *a = address<double>(plain), *b = address<double>(pulled.value);
      double difference = 0, size = 0;
      for (std::int64_t e = 0; e < plain.size(); ++e) {
        difference = std::max(difference, std::abs(a[e] - b[e]));
        size = std::max(size, std::abs(a[e]));
      }
      if (difference > 1e-9 * size) {
        add(pulled.owner, static_cast<int>(pulled.k),
            "its pullback for " + input(pulled.owner, pulled.k) + " gives one thing and records another");
      }
    }
  }

  // What forward mode makes of a tangent is the transpose of the pullback: <g, push(t)> = <pull(g), t>.
  void compare_pushed() {
    const Tape::Pause pause;
    for (std::size_t i = 0; i < tape_.size(); ++i) {
      for (std::uint32_t k = 0; k < pulled_[i].size(); ++k) {
        if (!pulled_[i][k]) continue;
        const Tensor& pulled = pulled_[i][k]->value();
        Generator random(options_.seed + 1, i + 16);
        const Tensor t = random_like(pulled.shape(), random);
        const auto pushed = pushed_by(tape_.node(i), k, t);
        if (!pushed || pushed->dtype() != float64 || pulled.dtype() != float64) continue;
        const double forward = dot(cotangents_[i], pushed->value()), reverse = dot(pulled, t);
        const double *p = address<double>(pulled), *q = address<double>(t);
        double size = std::abs(forward);
        for (std::int64_t e = 0; e < t.size(); ++e) size += std::abs(p[e] * q[e]);
        if (!(std::abs(forward - reverse) > tolerance * size)) continue;
        char ratio[80];
        std::snprintf(ratio, sizeof ratio, " gives %.6g times what its pullback gives", forward / reverse);
        add(i, static_cast<int>(k), "forward mode for " + input(i, k) + ratio);
      }
    }
  }

  // The function's own node that node i belongs to: itself, or the one whose pullback recorded it.
  std::size_t owner_of(std::size_t i) const {
    if (i < base_.nodes) return i;
    const auto found = std::partition_point(base_.pulled.begin(), base_.pulled.end(),
                                            [&](const PulledInput& p) { return p.last <= i; });
    return found == base_.pulled.end() ? i : found->owner;
  }

  std::string input(std::size_t i, std::uint32_t k) const {
    const std::int32_t index = tape_.node(i).inputs[k];
    const LeafInfo* leaf = index < 0 ? nullptr : tape_.leaf(static_cast<std::size_t>(index));
    const std::string number = "input " + std::to_string(k);
    return leaf == nullptr || leaf->name().empty() ? number : printable(leaf->name()) + " (" + number + ")";
  }

  std::string describe(std::size_t i, const Balance& b) const {
    if (b.moving_constant >= 0) {
      return "its " + input(i, static_cast<std::uint32_t>(b.moving_constant)) +
             " changes with the inputs but is a constant of the tape";
    }
    const std::string whose = b.moving_inputs == 1 ? " for " + input(i, b.moving) : "";
    char text[160];
    if (!std::isfinite(b.in)) return "its pullback" + whose + " gives NaN or infinity";
    const double ratio = b.in / b.out;
    if (std::isfinite(ratio)) {
      std::snprintf(text, sizeof text, " gives %.6g times the change of its result", ratio);
    } else {
      std::snprintf(text, sizeof text, " gives a change of %.6g where its result does not change", b.in);
    }
    return "its pullback" + whose + text;
  }

  // `input`: the one whose derivative is wrong, or -1 if that is not known.
  void add(std::size_t i, int input, const std::string& what) {
    const std::size_t owner = owner_of(i);
    if (owner != i) input = -1;
    for (const GradFault& known : faults_) {
      if (known.node == owner && (input < 0 || known.input < 0 || known.input == input)) return;
    }
    const Node& node = tape_.node(owner);
    GradFault fault{owner, node.op, to_string(node.where), {}, what, input, order_};
    for (std::uint32_t s = node.scope; s != 0; s = tape_.scope(s).parent) {
      fault.scope = tape_.scope(s).name + (fault.scope.empty() ? "" : "/" + fault.scope);
    }
    if (owner != i)
      fault.what = "in what its pullback records, " + std::string(tape_.node(i).op) + ": " + what;
    faults_.push_back(std::move(fault));
  }

  void draw() const {
    std::string dot = to_dot(base_.result, {.show_location = true, .max_nodes = tape_.size()});
    std::string marks;
    for (const GradFault& fault : faults_) {
      marks += "  n" + std::to_string(fault.node) + " [fillcolor=\"#d32f2f\", fontcolor=white];\n";
    }
    dot.insert(dot.rfind('}'), marks);
    render(dot, options_.draw);
  }

  const Subject& f_;
  const GradCheckOptions& options_;
  int order_;
  Tape tape_;
  Trace base_;
  std::vector<bool> leads_;  // to the result
  std::vector<Tensor> cotangents_;
  std::vector<std::vector<std::optional<Variable>>> pulled_;
  std::vector<GradFault> faults_;
};

}  // namespace

std::vector<GradFault> faults_of(const Subject& f, const std::vector<Line>& lines,
                                 const GradCheckOptions& options, int order) {
  return Search(f, options, order).run(lines);
}

}  // namespace xgrad::detail::checking
