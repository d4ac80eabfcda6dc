// What the tests of the edge cases share. Every promise is a TEST_CASE of its own, named by what it is about.
#pragma once

#include <xgrad/ops/ops.hpp>

#include "../ops/checks.hpp"

namespace edges {

using namespace checks;

inline constexpr float tiny = std::numeric_limits<float>::denorm_min();
inline constexpr double nearly_max = 1e38;

/// Values and slopes of a function, element by element.
struct Curve {
  Doubles y, slope;
};

template <class F>
Curve curve(const F& f, const Tensor& x, bool create_graph = false) {
  const Result result = run([&](const Variables& v) { return f(v[0]); }, {x}, create_graph);
  return {doubles(result.value), doubles(result.gradients[0])};
}

/// f at these float32 places, by the fused kernel and as it is recorded for second derivatives: both must agree.
template <class F>
Curve curve(const F& f, const Doubles& x) {
  const Tensor at = Tensor(Shape{static_cast<std::int64_t>(x.size())}, x).astype(float32);
  const Curve fused = curve(f, at), recorded = curve(f, at, true);
  CHECK(same(fused.slope, recorded.slope));
  return fused;
}

/// How far each element is from the truth, at most, in units of the last place of a float.
template <class F>
double worst_ulps(const Doubles& x, const Doubles& y, const F& truth) {
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<long double>(static_cast<float>(x[i]));
    worst = std::max(worst, ulps(static_cast<float>(y[i]), truth(at)));
  }
  return worst;
}

inline bool all_finite(const Doubles& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

inline bool all_nan(const Doubles& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

/// What a message says of a call that stands in this line of this file.
inline std::string at_line(const char* file, int line) {
  const std::string path = file;
  return " (at " + path.substr(path.rfind('/') + 1) + ":" + std::to_string(line) + ")";
}

}  // namespace edges
