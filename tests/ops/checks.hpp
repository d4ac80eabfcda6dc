// What the tests of the operations share: running a function with its gradients, and comparing numbers.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/tape.hpp>

namespace checks {

using namespace xgrad;

inline constexpr double Inf = std::numeric_limits<double>::infinity();
inline constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

using Doubles = std::vector<double>;
using Function = std::function<Variable(const Variables&)>;

inline Doubles doubles(const Tensor& x) { return x.to_vector<double>(); }
inline Doubles doubles(const Variable& x) { return doubles(x.value()); }

/// Equal, where NaN equals NaN.
inline bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
inline bool same(const Doubles& a, const Doubles& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return same(x, y); });
}

/// A value, and the gradients of its sum with respect to the inputs.
struct Result {
  Variable value;
  std::vector<Tensor> gradients;
};

inline Result run(const Function& f, const std::vector<Tensor>& inputs, bool create_graph = false) {
  Tape tape;
  Variables leaves;
  for (const Tensor& x : inputs) leaves.push_back(tape.watch(x));
  Result result{f(leaves), {}};
  if (result.value.is_constant()) {
    for (const Tensor& x : inputs) result.gradients.push_back(zeros(x.shape(), x.dtype()));
    return result;
  }
  const Tensor seed = ones(result.value.shape(), result.value.dtype());
  const Gradients all = tape.backward(result.value, {.seed = seed, .create_graph = create_graph});
  for (const Variable& x : leaves) result.gradients.push_back(all.or_zeros(x).value());
  return result;
}

/// The slope of a function of one number.
template <class F>
double slope(F f, double x, DType dtype = float64) {
  return run([&](const Variables& v) { return f(v[0]); }, {scalar(x, dtype)}).gradients[0].item();
}

/// The text of the exception that f throws.
template <class E = Error, class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// How many units in the last place of T lie between y and the truth, which T may round or overflow.
template <class T>
double ulps(T y, long double truth) {
  const T rounded = static_cast<T>(truth);
  if (y == rounded || (std::isnan(y) && std::isnan(rounded))) return 0;
  if (!std::isfinite(y) || !std::isfinite(rounded)) return Inf;
  const T size = std::abs(rounded);
  const T unit = std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
  return static_cast<double>(std::abs(static_cast<long double>(y) - truth) / unit);
}

}  // namespace checks
