// Slopes of functions of one number by differences, with an estimate of their error.
#pragma once

#include <functional>

namespace random_graphs {

struct Slope {
  double value = 0;
  double error = 0;  ///< estimated: truncation and rounding
  int evaluations = 0;
};

/// f'(0): central differences at h = step, step/2, step/4, ..., extrapolated to h = 0 by Neville's scheme in h^2
/// (Ridders's method). At least four of them, of order 8; more until the estimated error is below `target`, at most 14.
Slope central_slope(const std::function<double(double)>& f, double step, double target);

/// f'(0) from one side: from f(0) and f at h, h/2, ... with h = side * step.
Slope one_sided_slope(const std::function<double(double)>& f, double side, double step);

}  // namespace random_graphs
