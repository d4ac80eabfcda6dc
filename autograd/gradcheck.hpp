// Gradient checking: a function's derivative from its tape against differences of its values. Gradients are
// checked, not believed.
//
//   GradReport report = gradcheck([](const Variables& x) { return sum(x[0] * exp(x[1])); }, {a, b});
//   GradReport report = gradcheck([&] { return cost(model(X), Y); }, model.parameters());
//   GradReport report = check_gradients(model, cost, std::pair(X, Y));
//
// How: everything runs in float64. Along each coordinate (or, above `full_limit` elements, along random
// directions and a stratified sample of coordinates) the slope is a central 4-point difference with step
// eps^(1/5) max(1, |x|). An analytic value a and a numeric value n fit if |a - n| <= atol + rtol max(|a|, |n|) +
// 4 error. Where they do not, the step shrinks and grows before anything fails: an estimate that never settles
// proves nothing and is called inconclusive. Where the one-sided slopes differ is a kink: there any value between
// these fits, and it is listed. A result with several elements is contracted with random cotangents. Order 2
// checks the derivative's own graph the same way: the differences are taken of the analytic gradient.
//
// Beside the slopes: the same gradient twice, the second time in memory full of NaN; no gradient for a cotangent
// of 0; J u and J' v agree in <v, J u> = <J' v, u>; of order 2, a symmetric Hessian; an input without influence.
// If anything fails, the tape is checked node by node and what is at fault is named (GradFault).
#pragma once

#include <concepts>
#include <functional>
#include <iosfwd>
#include <string>
#include <tuple>
#include <utility>
#include <vector>
#include <xgrad/autograd/nest.hpp>
#include <xgrad/autograd/parameter.hpp>

namespace xgrad {

struct GradCheckOptions {
  int order = 1;  ///< 1, or 2: the second derivatives, too
  double atol = 1e-8, rtol = 1e-6;
  std::uint64_t seed = 1;          ///< of the random cotangents and directions
  std::int64_t full_limit = 4096;  ///< with more elements in all, a sample of them is checked
  int coordinates = 64;            ///< of the sample, for each input
  int directions = 2;              ///< dense random directions of the sample
  double max_kinks = 0.1;          ///< share of the probes that may be kinks
  int cotangents = 3;              ///< of a result with more than one element
  bool locate = true;              ///< look for the operation at fault when the check fails
  /// Then draw the graph into this file (.svg, .png, .pdf or .dot) with what is at fault in red. Empty: do not.
  std::string draw = {};
};

/// One slope: along a coordinate of an input, or along a random direction.
struct GradProbe {
  int order = 1;
  std::string input;        ///< "x0", or a parameter's name; "all" for a direction
  std::int64_t index = -1;  ///< row-major; -1 for a direction
  double analytic = 0, numeric = 0, error = 0, step = 0;
  bool kink = false;
  /// The differences never settled: ill-conditioned here, or not smooth.
  bool inconclusive = false;
  /// |analytic - numeric| beyond what is allowed, as a multiple of it: above 1 fails.
  double excess = 0;
};

/// How one input fared, in the slopes of order 1 along its coordinates.
struct GradInput {
  std::string name;
  double relative_difference = 0;  ///< the course's number for this input alone
  std::int64_t probes = 0, failed = 0;
};

/// An operation whose pullback does not fit its values.
struct GradFault {
  std::size_t node = 0;  ///< its index on the tape
  std::string op;        ///< "matmul"
  std::string where;     ///< "train.cpp:31"
  std::string scope;     ///< "model/layer1", or ""
  std::string what;      ///< "its pullback gives 2 times the change of its result, for W2 (input 0)"
  int input = -1;        ///< the one whose derivative is wrong, if it is known
  int order = 1;         ///< 2: its value and gradient fit, but what the pullback records does not
};

struct GradReport {
  bool passed = false;
  /// The course's number: ||a - n|| / (||a|| + ||n||) over all probes of order 1. Below 1e-7 is right, above
  /// 1e-3 wrong. It hides single bad elements, so it is no verdict.
  double relative_difference = 0;
  std::vector<GradProbe> worst;  ///< at most five, the worst first
  std::int64_t probes = 0, failed = 0, kinks = 0, inconclusive = 0;
  /// What is wrong with the check or the function itself: all slopes 0 (vacuous), a result that nothing connects
  /// with the inputs, two runs that differ, a cotangent 0 that does not give gradient 0.
  std::vector<std::string> problems;  ///< these fail the check
  std::vector<std::string> notes;     ///< these do not
  std::vector<GradProbe> at_kinks;    ///< the first ten kinks
  std::vector<GradInput> inputs;
  std::vector<GradFault> faults;  ///< in the order of the tape, the first at fault first
  std::uint64_t seed = 1;         ///< repeats the check
};

/// What was checked, the verdict, and the worst places.
std::ostream& operator<<(std::ostream& out, const GradReport& report);
std::string to_string(const GradReport& report);

/// Checks the gradient of f with respect to `inputs`, which are converted to float64. f's result may have any
/// shape. Throws what f throws; Error if there are no inputs or the order is not 1 or 2.
GradReport gradcheck(const std::function<Variable(const Variables&)>& f, const std::vector<Tensor>& inputs,
                     const GradCheckOptions& options = {});

/// Checks the gradient of f with respect to parameters it uses. They are converted to float64 for the check,
/// and are bit for bit as before afterwards, also when f throws. Data that f uses must be float64.
GradReport gradcheck(const std::function<Variable()>& f, const std::vector<Parameter>& parameters,
                     const GradCheckOptions& options = {});

namespace detail {

/// What a check is made of: f of the values of `inputs`, and of the parameters it uses.
struct GradTask {
  std::function<Variable(const Variables&)> f;
  std::vector<std::string> names;  // of the inputs
  std::vector<Tensor> inputs;
  std::vector<Parameter> parameters;
  /// The same computation in the parameters' own dtype, if it is to be compared.
  std::function<Variable()> original;
};
GradReport gradcheck(const GradTask& task, const GradCheckOptions& options);

template <class M>
concept HasParameters = requires(const M& module) {
  { module.parameters() } -> std::convertible_to<std::vector<Parameter>>;
};

}  // namespace detail

/// Checks the gradient of f with respect to all floating tensors in a nest of them: a Tensor or Variable, vectors,
/// arrays, pairs, tuples and maps of nests, and classes with each_variable (<xgrad/autograd/nest.hpp>), to any
/// depth. f takes the nest with a Variable for each Tensor, and says so: it is no generic lambda. Parts are named "x0.1", "x0.weight".
template <class N, class F>
requires detail::Nest<N> && std::is_invocable_r_v < Variable, const F&, const detail::Watched<N>
& > GradReport gradcheck(const F& f, const N& inputs, const GradCheckOptions& options = {}) {
  detail::Watched<N> nest = detail::watched(inputs);
  detail::GradTask task;
  detail::each_variable(nest, "", [&](Variable& x, const std::string& name) {
    if (!is_floating(x.dtype())) return;
    task.names.push_back(name);
    task.inputs.push_back(x.value());
  });
  task.f = [&](const Variables& values) {
    auto next = values.begin();
    detail::Watched<N> given = nest;
    detail::each_variable(given, "", [&](Variable& x, const std::string&) {
      if (is_floating(x.dtype())) x = *next++;
    });
    return Variable(f(std::as_const(given)));
  };
  return detail::gradcheck(task, options);
}

/// Checks the gradient of f with respect to all parameters of a module.
template <detail::HasParameters M, std::invocable F>
GradReport gradcheck(const F& f, const M& module, const GradCheckOptions& options = {}) {
  detail::GradTask task;
  task.f = [&](const Variables&) { return Variable(f()); };
  task.parameters = module.parameters();
  return detail::gradcheck(task, options);
}

/// Checks a model in one call: the gradients of loss(module, batch), or, with a batch {x, y}, of
/// loss(module(x), y), with respect to all parameters of the module and, in the second form, to a floating x.
/// The batch is a nest of tensors, converted to float64 where they are floating. A float32 model's own gradients
/// are compared with those in float64, too: they must agree as well as their conditioning allows.
template <detail::HasParameters M, class L, detail::Nest B>
GradReport check_gradients(const M& module, const L& loss, const B& batch,
                           const GradCheckOptions& options = {}) {
  using Data = detail::Watched<B>;
  const auto in = [&](DType dtype) {
    Data data = detail::watched(batch);
    detail::each_variable(data, "", [&](Variable& x, const std::string&) {
      if (is_floating(x.dtype())) x = x.value().astype(dtype);
    });
    return data;
  };
  detail::GradTask task;
  task.parameters = module.parameters();
  const DType own = task.parameters.empty() ? float64 : task.parameters[0].dtype();
  const Data data = in(float64), original = in(own);
  if constexpr (std::is_invocable_r_v<Variable, const L&, const M&, const Data&>) {
    task.f = [&](const Variables&) { return Variable(loss(module, data)); };
    if (own != float64) task.original = [&] { return Variable(loss(module, original)); };
  } else {
    static_assert(std::tuple_size_v<Data> == 2, "check_gradients: loss(module, batch), or a batch {x, y}");
    const Variable& x = std::get<0>(data);
    if (is_floating(x.dtype())) {
      task.names = {"x"};
      task.inputs = {x.value()};
    }
    task.f = [&](const Variables& values) {
      return Variable(loss(module(values.empty() ? x : values[0]), std::get<1>(data)));
    };
    if (own != float64) {
      task.original = [&] { return Variable(loss(module(std::get<0>(original)), std::get<1>(original))); };
    }
  }
  return detail::gradcheck(task, options);
}

}  // namespace xgrad
