// A Catch2 matcher for gradients (Catch2 version 2).
//
//   REQUIRE_THAT(f, HasCorrectGradients({a, b}).order(2).seed(7));
//
// f takes Variables, or, where one nest of tensors is given, that nest (<xgrad/autograd/nest.hpp>).
#pragma once

#include <catch2/catch.hpp>
#include <xgrad/autograd/gradcheck.hpp>

namespace xgrad {

template <class N = Variables>
class HasCorrectGradients : public Catch::MatcherBase<std::function<Variable(const detail::Watched<N>&)>> {
 public:
  explicit HasCorrectGradients(N inputs) : inputs_(std::move(inputs)) {}
  HasCorrectGradients& order(int order) { return options_.order = order, *this; }
  HasCorrectGradients& seed(std::uint64_t seed) { return options_.seed = seed, *this; }
  HasCorrectGradients& tolerance(double atol, double rtol) {
    options_.atol = atol, options_.rtol = rtol;
    return *this;
  }
  HasCorrectGradients& options(const GradCheckOptions& options) { return options_ = options, *this; }

  bool match(const std::function<Variable(const detail::Watched<N>&)>& f) const override {
    report_ = gradcheck(f, inputs_, options_);
    return report_.passed;
  }
  std::string describe() const override {
    const std::string test = Catch::getResultCapture().getCurrentTestName();
    return "has correct gradients\n" + to_string(report_) + "  in the test \"" + test + "\"";
  }

 private:
  N inputs_;
  GradCheckOptions options_;
  mutable GradReport report_;
};

}  // namespace xgrad
