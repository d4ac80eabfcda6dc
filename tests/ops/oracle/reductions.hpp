// Names of samples and what they are in xgrad: reductions and scans.
#pragma once

#include "elementwise.hpp"

namespace oracle {

inline SpreadOptions spread_of(const Args& a) {
  return {.correction = a.real("correction"), .keepdims = a.flag("keepdims")};
}

// clang-format off

inline const std::map<std::string, Call> reduction_calls{
  {"sum",            [](X x, A a) { return sum(x[0], a.axes(), a.flag("keepdims")); }},
  {"mean",           [](X x, A a) { return mean(x[0], a.axes(), a.flag("keepdims")); }},
  {"prod",           [](X x, A a) { return prod(x[0], a.axes(), a.flag("keepdims")); }},
  {"max",            [](X x, A a) { return max(x[0], a.axes(), a.flag("keepdims")); }},
  {"min",            [](X x, A a) { return min(x[0], a.axes(), a.flag("keepdims")); }},
  {"amax",           [](X x, A a) { return amax(x[0], a.axes(), a.flag("keepdims")); }},
  {"amin",           [](X x, A a) { return amin(x[0], a.axes(), a.flag("keepdims")); }},
  {"any",            [](X x, A a) { return any(x[0], a.axes(), a.flag("keepdims")); }},
  {"all",            [](X x, A a) { return all(x[0], a.axes(), a.flag("keepdims")); }},
  {"count_nonzero",  [](X x, A a) { return count_nonzero(x[0], a.axes(), a.flag("keepdims")); }},
  {"logsumexp",      [](X x, A a) { return logsumexp(x[0], a.axes(), a.flag("keepdims")); }},
  {"logmeanexp",     [](X x, A a) { return logmeanexp(x[0], a.axes(), a.flag("keepdims")); }},
  {"sum_squares",    [](X x, A a) { return sum_squares(x[0], a.axes(), a.flag("keepdims")); }},
  {"norm",           [](X x, A a) { return norm(x[0], a.real("p"), a.axes(), a.flag("keepdims")); }},
  {"var",            [](X x, A a) { return var(x[0], a.axes(), spread_of(a)); }},
  {"std",            [](X x, A a) { return xgrad::std(x[0], a.axes(), spread_of(a)); }},
  {"normalize",      [](X x, A a) { return normalize(x[0], a.real("p"), a.axis(), a.real("eps")); }},

  {"cumsum",         [](X x, A a) { return cumsum(x[0], a.axis(), {.reverse = a.flag("reverse")}); }},
  {"cumprod",        [](X x, A a) { return cumprod(x[0], a.axis(), {.reverse = a.flag("reverse")}); }},
  {"logcumsumexp",   [](X x, A a) { return logcumsumexp(x[0], a.axis(), a.flag("reverse")); }},
  {"cummax",         [](X x, A a) { return cummax(x[0], a.axis()); }},
  {"cummin",         [](X x, A a) { return cummin(x[0], a.axis()); }},
  {"softmax",        [](X x, A a) { return softmax(x[0], a.axis()); }},
  {"log_softmax",    [](X x, A a) { return log_softmax(x[0], a.axis()); }},
  {"masked_softmax", [](X x, A a) { return masked_softmax(x[0], x[1], a.axis()); }},
  {"argmax",         [](X x, A a) { return argmax(x[0], a.axis()); }},
  {"argmin",         [](X x, A a) { return argmin(x[0], a.axis()); }},
};

// clang-format on

}  // namespace oracle
