// A Catch2 matcher for gradients (Catch2 version 2).
//
//   REQUIRE_THAT(f, HasCorrectGradients({a, b}).order(2));
#pragma once

#include <catch2/catch.hpp>
#include <xgrad/autograd/gradcheck.hpp>

namespace xgrad {

class HasCorrectGradients : public Catch::MatcherBase<std::function<Variable(const Variables&)>> {
 public:
  explicit HasCorrectGradients(std::vector<Tensor> inputs) : inputs_(std::move(inputs)) {}
  HasCorrectGradients& order(int order) { return options_.order = order, *this; }
  HasCorrectGradients& seed(std::uint64_t seed) { return options_.seed = seed, *this; }
  HasCorrectGradients& tolerance(double atol, double rtol) {
    options_.atol = atol, options_.rtol = rtol;
    return *this;
  }

  bool match(const std::function<Variable(const Variables&)>& f) const override {
    report_ = gradcheck(f, inputs_, options_);
    return report_.passed;
  }
  std::string describe() const override { return "has correct gradients\n" + to_string(report_); }

 private:
  std::vector<Tensor> inputs_;
  GradCheckOptions options_;
  mutable GradReport report_;
};

}  // namespace xgrad
