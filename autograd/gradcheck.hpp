// Gradient checking: a function's derivative from its tape against differences of its values. Gradients are
// checked, not believed.
//
//   GradReport report = gradcheck([](const Variables& x) { return sum(x[0] * exp(x[1])); }, {a, b});
//   GradReport report = gradcheck([&] { return cost(model(X), Y); }, model.parameters());
//
// How: everything runs in float64. Along each coordinate (or, above `full_limit` elements, along random
// directions and a stratified sample of coordinates) the slope is a central 4-point difference with step
// eps^(1/5) max(1, |x|), whose error is estimated by a second one with a quarter of the step; while the two
// disagree the step shrinks. An analytic value a and a numeric value n fit if |a - n| <= atol + rtol max(|a|,
// |n|) + 4 error. Where they do not fit and the one-sided slopes differ is a kink: there any value between these
// fits, and it is counted. Order 2 checks the derivative's own graph the same way: the differences are taken of the
// analytic gradient.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>
#include <xgrad/autograd/parameter.hpp>
#include <xgrad/autograd/variable.hpp>

namespace xgrad {

using Variables = std::vector<Variable>;

struct GradCheckOptions {
  int order = 1;  ///< 1, or 2: the second derivatives, too
  double atol = 1e-8, rtol = 1e-6;
  std::uint64_t seed = 1;          ///< of the random cotangents and directions
  std::int64_t full_limit = 4096;  ///< with more elements in all, a sample of them is checked
  int coordinates = 64;            ///< of the sample, for each input
  int directions = 2;              ///< dense random directions of the sample
  double max_kinks = 0.1;          ///< share of the probes that may be kinks
};

/// One slope: along a coordinate of an input, or along a random direction.
struct GradProbe {
  int order = 1;
  std::string input;        ///< "x0", or a parameter's name; "all" for a direction
  std::int64_t index = -1;  ///< row-major; -1 for a direction
  double analytic = 0, numeric = 0, error = 0, step = 0;
  bool kink = false;
  /// |analytic - numeric| beyond what is allowed, as a multiple of it: above 1 fails.
  double excess = 0;
};

struct GradReport {
  bool passed = false;
  /// The course's number: ||a - n|| / (||a|| + ||n||) over all probes of order 1. Below 1e-7 is right, above
  /// 1e-3 wrong.
  double relative_difference = 0;
  std::vector<GradProbe> worst;  ///< at most five, the worst first
  std::int64_t probes = 0, failed = 0, kinks = 0;
  /// What is wrong with the check or the function itself: all slopes 0 (vacuous), an input without influence,
  /// two runs that differ, a cotangent 0 that does not give gradient 0.
  std::vector<std::string> problems;  ///< these fail the check
  std::vector<std::string> notes;     ///< these do not
};

/// What was checked, the verdict, and the worst places.
std::ostream& operator<<(std::ostream& out, const GradReport& report);
std::string to_string(const GradReport& report);

/// Checks the gradient of f with respect to `inputs`, which are converted to float64. f's result may have any
/// shape: it is contracted with a fixed random cotangent. Throws what f throws; Error if there are no inputs
/// or the order is not 1 or 2.
GradReport gradcheck(const std::function<Variable(const Variables&)>& f, const std::vector<Tensor>& inputs,
                     const GradCheckOptions& options = {});

/// Checks the gradient of f with respect to parameters it uses. They are converted to float64 for the check,
/// and are bit for bit as before afterwards, also when f throws. Data that f uses must be float64.
GradReport gradcheck(const std::function<Variable()>& f, const std::vector<Parameter>& parameters,
                     const GradCheckOptions& options = {});

}  // namespace xgrad
