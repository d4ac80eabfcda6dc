#include <algorithm>
#include <cmath>
#include <cstdio>
#include <xgrad/autograd/gradcheck_impl.hpp>

namespace xgrad {
namespace {

using namespace detail::checking;

// Puts the very tensors back, whatever happens.
struct Restore {
  std::vector<Parameter> parameters;
  std::vector<Tensor> values;
  Restore() = default;
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;
  ~Restore() {
    for (std::size_t i = 0; i < values.size(); ++i) {
      parameters[i].cast(values[i].dtype());
      parameters[i].set(values[i]);
    }
  }
  // In float64; of tied ones the first.
  void take(const Parameter& parameter) {
    const auto same = [&](const Parameter& other) { return other.same_as(parameter); };
    if (std::any_of(parameters.begin(), parameters.end(), same)) return;
    parameters.push_back(parameter);
    values.push_back(parameter.value());
    parameters.back().cast(float64);
  }
};

void add_input(Subject& subject, const std::string& name, const Tensor& value) {
  subject.names.push_back(name);
  subject.shapes.push_back(value.shape());
  subject.start.push_back(value.to_vector<double>());
}

// Gradients in the parameters' own dtype; none of those that do not matter.
std::vector<std::vector<double>> own_gradients(const std::function<Variable()>& f,
                                               const std::vector<Parameter>& parameters) {
  Tape tape;
  const Variable y = f();
  const Gradients all = tape.backward(y, {.seed = ones(y.shape(), y.dtype())});
  std::vector<std::vector<double>> gradients;
  for (const Parameter& parameter : parameters) {
    gradients.push_back(all.or_zeros(parameter).value().to_vector<double>());
  }
  return gradients;
}

double relative(const std::vector<double>& a, const std::vector<double>& b) {
  Difference difference;
  for (std::size_t k = 0; k < a.size(); ++k) difference.add(a[k], b[k]);
  return difference.relative();
}

// A float32 gradient may be off by 50 roundings, or by as much as rounding the parameters to float32 matters.
void compare_precisions(const Subject& f, const std::vector<std::vector<double>>& own, GradReport& report) {
  constexpr double eps = 1.2e-7, roundings = 50;
  const Tensor seed = ones(f.value(f.start).shape(), float64);
  const Slopes slopes = first_order(f, {seed});
  const Point exact = slopes.gradients(f.start)[0];
  Point moved = f.start;
  Generator random(report.seed, 1);
  for (auto& part : moved) {
    for (double& x : part) x *= random.next_index(2) == 0 ? 1 + eps : 1 - eps;
  }
  const Point nearby = slopes.gradients(moved)[0];
  for (std::size_t i = 0; i < own.size(); ++i) {
    const double difference = relative(own[i], exact[i]);
    const double allowed = roundings * std::max(eps, relative(nearby[i], exact[i]));
    if (difference <= allowed) continue;
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "%.1e; its conditioning allows %.1e", difference, allowed);
    report.problems.push_back("the float32 gradient of " + f.names[i] +
                              " differs from the one in float64 by " + numbers);
    report.passed = false;
  }
}

}  // namespace

GradReport detail::gradcheck(const GradTask& task, const GradCheckOptions& options) {
  if (options.order != 1 && options.order != 2) {
    throw Error("gradcheck: the order is 1 or 2, not " + std::to_string(options.order));
  }
  if (task.parameters.empty() && task.inputs.empty()) throw Error("gradcheck: there are no inputs");
  std::vector<std::vector<double>> own;
  Restore restore;
  std::vector<Parameter> distinct;
  if (task.original) own = own_gradients(task.original, task.parameters);
  Subject subject;
  std::vector<std::vector<double>> own_distinct;
  for (std::size_t i = 0; i < task.parameters.size(); ++i) {
    const std::size_t before = restore.parameters.size();
    restore.take(task.parameters[i]);
    if (restore.parameters.size() == before) continue;
    add_input(subject, task.parameters[i].name(), restore.values.back());
    if (task.original) own_distinct.push_back(std::move(own[i]));
  }
  for (std::size_t i = 0; i < task.inputs.size(); ++i) add_input(subject, task.names[i], task.inputs[i]);
  subject.call = [&](Tape* tape, const std::vector<Tensor>& values, Variables& leaves) {
    const std::size_t parameters = restore.parameters.size();
    Variables inputs;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i < parameters) {
        restore.parameters[i].set(values[i]);
      } else {
        inputs.push_back(tape != nullptr ? tape->watch(values[i], subject.names[i]) : Variable(values[i]));
        leaves[i] = inputs.back();
      }
    }
    Variable y = task.f(inputs);
    for (std::size_t i = 0; i < parameters; ++i) leaves[i] = restore.parameters[i];
    return y;
  };
  GradReport report = check(subject, options);
  if (task.original) compare_precisions(subject, own_distinct, report);
  return report;
}

GradReport gradcheck(const std::function<Variable(const Variables&)>& f, const std::vector<Tensor>& inputs,
                     const GradCheckOptions& options) {
  detail::GradTask task{f, {}, inputs, {}, {}};
  for (std::size_t i = 0; i < inputs.size(); ++i) task.names.push_back("x" + std::to_string(i));
  return detail::gradcheck(task, options);
}

GradReport gradcheck(const std::function<Variable()>& f, const std::vector<Parameter>& parameters,
                     const GradCheckOptions& options) {
  return detail::gradcheck({[&](const Variables&) { return f(); }, {}, {}, parameters, {}}, options);
}

}  // namespace xgrad
