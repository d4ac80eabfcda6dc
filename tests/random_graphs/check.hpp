// What must hold of a random graph: its gradient along a direction is what differences say, in reverse mode and in forward
// mode, and compile() replays its value and gradients to the bit.
#pragma once

#include <functional>
#include <string>

#include "graph.hpp"

namespace random_graphs {

enum class Verdict {
  passed,
  kink,          ///< the slopes of the two sides differ and the gradient lies between them
  inconclusive,  ///< the differences do not converge far enough to tell
  slope,         ///< reverse mode against differences
  forward,       ///< forward mode against reverse mode
  second,        ///< the slope of the gradient, forward over reverse, against differences
  replay,        ///< compile() against the function itself
  error,         ///< it threw, or is not finite
};
const char* name(Verdict verdict);
inline bool failed(Verdict v) {
  return v != Verdict::passed && v != Verdict::kink && v != Verdict::inconclusive;
}

struct Report {
  Verdict verdict = Verdict::passed;
  std::string message;
  double scale = 1;          ///< of the slope: sqrt(sum of (gradient * direction)^2), at least its own size
  double slope_error = 0;    ///< |analytic - numeric| / scale
  double bound = 0;          ///< what was allowed of it
  double forward_error = 0;  ///< |jvp - vjp| / scale
  double second_error = 0;
  int evaluations = 0;
  std::size_t nodes = 0;  ///< on the tape
  bool replayed = false;  ///< or run again, because something in it cannot be replayed
};

/// The function that is checked and its gradients; a test plants faults here.
using Gradient = std::function<std::pair<double, std::vector<Tensor>>(const Graph&, const Point&)>;
std::pair<double, std::vector<Tensor>> reverse_gradient(const Graph& graph, const Point& x);

struct Options {
  bool second = false;  ///< check the second derivative, too
  bool replays = true;
  Gradient gradient = reverse_gradient;
};

Report check(const Graph& graph, const Options& options = {});

/// The smallest prefix of the graph that fails alike, and of that the part that its last value needs if that fails, too.
Graph shrunk(const Graph& graph, Verdict verdict, const Options& options = {});

}  // namespace random_graphs
