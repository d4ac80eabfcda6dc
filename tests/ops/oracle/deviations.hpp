// Where xgrad gives another number than PyTorch, on purpose; oracle_test.cpp shows that each of these is needed.
#pragma once

#include <cmath>
#include <regex>
#include <string>
#include <vector>

namespace oracle {

/// How a number of ours is another one.
enum class Ours {
  nan,       // NaN, where PyTorch gives a number
  number,    // not NaN, where PyTorch gives NaN
  infinite,  // infinite, where PyTorch gives a number
  digits,    // right in more than the 7 digits that PyTorch gives
  tail,      // one of both is lost to underflow: below 1e-40
  finite,    // both are finite
};

struct Deviation {
  Ours ours;
  std::string ops;    // separated by spaces
  std::string place;  // a regular expression for the names of the samples
  std::string reason;

  bool covers(const std::string& op, const std::string& name) const {
    return (" " + ops + " ").find(" " + op + " ") != std::string::npos &&
           std::regex_search(name, std::regex(place));
  }

  bool allows(double ours_is, double torch) const {
    switch (ours) {
      case Ours::nan:
        return std::isnan(ours_is);
      case Ours::number:
        return std::isnan(torch) && !std::isnan(ours_is);
      case Ours::infinite:
        return std::isinf(ours_is) && !std::isnan(torch);
      case Ours::digits:
        return std::abs(ours_is - torch) <= 1e-7 * std::abs(torch);
      case Ours::tail:
        return std::abs(ours_is) < 1e-40 && std::abs(torch) < 1e-40;
      case Ours::finite:
        return std::isfinite(ours_is) && std::isfinite(torch);
    }
    return false;
  }
};

// clang-format off

inline const std::vector<Deviation> deviations{
  // NaN in, NaN out.
  {Ours::nan,      "abs sign floor ceil round trunc relu selu relu6 hard_sigmoid leaky_relu elu celu hardtanh clip maximum minimum norm max_pool1d", "nan",
                   "NaN gives NaN and a NaN gradient; PyTorch's masks let 0 or the whole cotangent through"},
  {Ours::nan,      "hypot", "nan", "NaN gives NaN; C's hypot ignores it beside an infinity"},
  {Ours::nan,      "acosh", "^-", "outside of the domain the gradient is NaN as the value is"},
  {Ours::nan,      "fmod remainder", "", "where the value is NaN, so is the gradient by the divisor"},
  {Ours::nan,      "xlogy xlog1py", "0, (-2|-inf)", "the gradient by x is the logarithm, x = 0 or not"},
  {Ours::nan,      "atan2", "0, -?0$", "at the origin there is no tangent at all"},
  {Ours::nan,      "var logcumsumexp", "^inf$", "an infinity leaves nothing to compare the others with"},
  {Ours::nan,      "polygamma", "-inf", "there is no limit; PyTorch gives an infinity"},

  // A limit exists, and PyTorch finds NaN on its way (inf - inf, 0 inf, 0 / 0).
  {Ours::number,   "softsign silu mish gelu gelu_tanh", "inf|1e300", "the limits at infinity"},
  {Ours::number,   "atan2 hypot copysign", "inf", "the limits at infinity"},
  {Ours::number,   "logaddexp", "inf", "equal infinities share the gradient"},
  {Ours::number,   "polygamma", "at inf", "the limits at infinity"},
  {Ours::number,   "root", "at -inf", "pow is C's, where PyTorch takes the square root"},
  {Ours::number,   "prod cumprod", "inf", "the product of the others, found without a division"},
  {Ours::number,   "logsumexp logmeanexp logcumsumexp", "-inf", "the gradient is 0 where all are -inf"},
  {Ours::number,   "masked_softmax", "all masked", "a row that is masked out is 0"},
  {Ours::number,   "hypot", "^-?0, -?0$", "the gradient at the origin is 0, as of norm"},
  {Ours::number,   "xlogy", "^-?0, -?0$", "the gradient by y is 0 where x is"},
  {Ours::number,   "binary_cross_entropy_with_logits", "inf", "0 on the right side, infinite on the wrong one, never NaN"},

  // Infinite, and said so.
  {Ours::infinite, "xlogy", "^-?0, -?0$", "the gradient by x is log(0)"},
  {Ours::infinite, "digamma polygamma", "-", "the poles; PyTorch's argument is rounded off them"},

  // More digits.
  {Ours::digits,   "digamma", "", "PyTorch's trigamma has 9 digits"},
  {Ours::digits,   "polygamma", "^$|n 1", "PyTorch's trigamma has 9 digits"},
  {Ours::digits,   "hard_sigmoid", "", "PyTorch's 1 / 6 is a float"},
  {Ours::digits,   "binary_cross_entropy", "", "PyTorch's 1e-12 is a float"},
  {Ours::tail,     "sigmoid silu mish gelu gelu_tanh softsign", "^-|1e30|5e-324", "full accuracy on the tails"},
  {Ours::tail,     "log1p", "5e-324", "no flush to zero"},
  {Ours::tail,     "asinh acosh atan2", "1e[23]00", "no overflow of the square of the argument"},

  // Others.
  {Ours::finite,   "cummax cummin", ".", "of equals the first one has the gradient, PyTorch's is the last one"},
  {Ours::finite,   "max_pool1d", "ties|-inf", "ties share, as in max; PyTorch's first one has all"},
  {Ours::finite,   "binary_cross_entropy", "1e-45", "the logarithms are cut off at -100 in the derivative, too, as in the value"},
  {Ours::finite,   "det", "singular", "the cofactors; PyTorch divides by the determinant"},
};

// clang-format on

}  // namespace oracle
