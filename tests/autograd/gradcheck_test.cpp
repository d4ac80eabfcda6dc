#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>
#include <xgrad/autograd/catch.hpp>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/deep_network.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/philox.hpp>

#include "planted.hpp"

namespace {

using namespace xgrad;
using planted::custom;
using planted::square_with;
using Function = std::function<Variable(const Variables&)>;

Tensor numbers(const Shape& shape, std::uint64_t stream = 1, double low = 0.5, double high = 2) {
  Generator generator(11, stream);
  return uniform(shape, generator, low, high, float64);
}

std::string verdict(const GradReport& report) { return to_string(report); }

}  // namespace

TEST_CASE("Right gradients pass to second order", "[gradcheck]") {
  struct Row {
    const char* name;
    Function f;
    std::vector<Tensor> inputs;
  };
  const Row row = GENERATE(values<Row>({
      {"sum(x x)", [](const Variables& x) { return sum(x[0] * x[0]); }, {numbers({5})}},
      {"linear", [](const Variables& x) { return x[0] * 3; }, {numbers({5})}},
      {"x exp(y)", [](const Variables& x) { return x[0] * exp(x[1]); }, {numbers({3, 4}), numbers({4}, 2)}},
      {"sigmoid(W X + b)",
       [](const Variables& x) { return sigmoid(matmul(x[0], x[1]) + x[2]); },
       {numbers({2, 3}, 1, -1, 1), numbers({3, 4}, 2, -1, 1), numbers({2, 1}, 3, -1, 1)}},
      {"log softmax", [](const Variables& x) { return log_softmax(x[0]); }, {numbers({3, 4})}},
      {"large and small",
       [](const Variables& x) { return x[0] * x[0] / 1e6 + sqrt(x[1]); },
       {tensor({1e5, 1e-5, 1}, float64), tensor({0.1, 1, 1e8}, float64)}},
      {"float32 inputs are converted", [](const Variables& x) { return square(x[0]); }, {tensor({1, 2, 3})}},
      {"scalar", [](const Variables& x) { return tanh(x[0]); }, {scalar(0.3)}},
  }));
  CAPTURE(row.name);
  const GradReport report = gradcheck(row.f, row.inputs, {.order = 2});
  INFO(verdict(report));
  CHECK(report.passed);
  CHECK(report.failed == 0);
  CHECK(report.problems.empty());
  CHECK(report.kinks == 0);
  CHECK(report.relative_difference < 1e-7);
  std::int64_t elements = 0;
  for (const Tensor& x : row.inputs) elements += x.size();
  CHECK(report.probes == 2 * elements);
  CHECK(
      std::any_of(report.worst.begin(), report.worst.end(), [](const GradProbe& p) { return p.order == 1; }));
}

TEST_CASE("Wrong gradients fail", "[gradcheck]") {
  struct Row {
    const char* name;
    Function f;
    std::vector<Tensor> inputs;
  };
  const Row row = GENERATE(values<Row>({
      {"wrong sign",
       [](const Variables& x) { return square_with(x[0], [](const Variable& v) { return -2 * v; }); },
       {numbers({5})}},
      {"factor 1 + 1e-4",
       [](const Variables& x) { return square_with(x[0], [](const Variable& v) { return 2.0002 * v; }); },
       {numbers({5})}},
      {"factor 1 + 1e-5",
       [](const Variables& x) { return square_with(x[0], [](const Variable& v) { return 2.00002 * v; }); },
       {numbers({5})}},
      {"offset 1e-5",
       [](const Variables& x) { return square_with(x[0], [](const Variable& v) { return 2 * v + 1e-5; }); },
       {numbers({5})}},
      {"always 0",
       [](const Variables& x) { return square_with(x[0], [](const Variable& v) { return 0 * v; }); },
       {numbers({5})}},
      {"NaN",
       [](const Variables& x) { return square_with(x[0], [](const Variable& v) { return v * NAN; }); },
       {numbers({5})}},
      {"infinite",
       [](const Variables& x) { return square_with(x[0], [](const Variable& v) { return v * INFINITY; }); },
       {numbers({5})}},
      {"transposed",
       [](const Variables& x) {
         return custom((stop_gradient(x[0]) * 2).value(), {x[0]},
                       [](const Variable& g, std::size_t) { return transpose(g) * 2; });
       },
       {numbers({3, 3})}},
      {"the sum over a broadcast axis forgotten: only one row's share",
       [](const Variables& x) {
         return custom((stop_gradient(x[0]) + stop_gradient(x[1])).value(), {x[0], x[1]},
                       [](const Variable& g, std::size_t k) {
                         return k == 0 ? g : reshape(slice(g, 0, {.stop = 1}), {4});
                       });
       },
       {numbers({3, 4}), numbers({4}, 2)}},
      {"one of two inputs forgotten",
       [](const Variables& x) { return x[0] * stop_gradient(x[1]); },
       {numbers({3}), numbers({3}, 2)}},
      {"a gradient for an unused input",
       [](const Variables& x) {
         return custom((stop_gradient(x[0]) * 2).value(), {x[0], x[1]},
                       [](const Variable& g, std::size_t) { return g * 2; });
       },
       {numbers({3}), numbers({3}, 2)}},
      {"inputs swapped",
       [](const Variables& x) {
         return custom((stop_gradient(x[0]) - stop_gradient(x[1])).value(), {x[0], x[1]},
                       [](const Variable& g, std::size_t k) { return k == 1 ? g : -g; });
       },
       {numbers({3}), numbers({3}, 2)}},
      {"gradient of the mean taken for the sum's",
       [](const Variables& x) {
         return custom(sum(stop_gradient(x[0])).value(), {x[0]},
                       [](const Variable& g, std::size_t) { return broadcast_to(g / 7, {7}); });
       },
       {numbers({7})}},
  }));
  CAPTURE(row.name);
  const GradReport report = gradcheck(row.f, row.inputs);
  INFO(verdict(report));
  CHECK_FALSE(report.passed);
  CHECK((report.failed > 0 || !report.problems.empty()));
  CHECK_THAT(verdict(report), Catch::StartsWith("gradient check FAILED"));
}

TEST_CASE("A single bad element in a thousand is found and named", "[gradcheck]") {
  const auto f = [](const Variables& x) {
    return square_with(x[0], [](const Variable& v) {
      std::vector<double> factors(1000, 2.0);
      factors[617] = 2.001;
      return v * Tensor({1000}, factors);
    });
  };
  const GradReport report = gradcheck(f, {numbers({1000})});
  CHECK_FALSE(report.passed);
  CHECK(report.failed == 1);
  CHECK(report.relative_difference < 1e-3);  // the norms alone would have hidden it
  REQUIRE(report.worst.size() == 5);
  CHECK(report.worst[0].input == "x0");
  CHECK(report.worst[0].index == 617);
  CHECK(report.worst[0].excess > 1);
  CHECK(report.worst[0].analytic / report.worst[0].numeric == Approx(1.0005).epsilon(1e-6));
  CHECK(report.worst[1].excess <= 1);
}

TEST_CASE("A wrong second derivative is found by order 2 only", "[gradcheck]") {
  // The first derivative's value is right, its graph is not.
  const auto f = [](const Variables& x) {
    return square_with(x[0], [](const Variable& v) {
      return custom((stop_gradient(v) * 2).value(), {v},
                    [](const Variable& g, std::size_t) { return g * 2.001; });
    });
  };
  CHECK(gradcheck(f, {numbers({4})}).passed);
  const GradReport report = gradcheck(f, {numbers({4})}, {.order = 2});
  INFO(verdict(report));
  CHECK_FALSE(report.passed);
  CHECK(report.failed == 4);
  CHECK(report.worst[0].order == 2);

  // A derivative whose graph is cut off.
  const auto cut = [](const Variables& x) {
    return square_with(x[0], [](const Variable& v) { return stop_gradient(v) * 2; });
  };
  CHECK(gradcheck(cut, {numbers({4})}).passed);
  CHECK_FALSE(gradcheck(cut, {numbers({4})}, {.order = 2}).passed);
}

TEST_CASE("At a kink any slope between the two sides fits", "[gradcheck]") {
  Tensor x = linspace(1, 2, 20, float64);
  detail::mutable_data<double>(x)[3] = 0;
  const GradReport report = gradcheck([](const Variables& v) { return relu(v[0]); }, {x});
  INFO(verdict(report));
  CHECK(report.passed);
  CHECK(report.kinks == 1);
  const auto kink =
      std::find_if(report.worst.begin(), report.worst.end(), [](const GradProbe& p) { return p.kink; });
  if (kink != report.worst.end()) CHECK(kink->index == 3);

  const auto with_slope = [&](double slope) {
    return gradcheck(
        [slope](const Variables& v) {
          return custom(relu(stop_gradient(v[0])).value(), {v[0]}, [=](const Variable& g, std::size_t) {
            return g * where(v[0] > 0, 1, where(v[0] < 0, 0, slope + 0 * v[0]));
          });
        },
        {x, ones({1})});
  };
  CHECK(with_slope(0.5).passed);
  CHECK(with_slope(1).passed);
  CHECK_FALSE(with_slope(-0.5).passed);
  CHECK_FALSE(with_slope(1.5).passed);
}

TEST_CASE("A kink close by is no excuse", "[gradcheck]") {
  const Tensor x = tensor({1e-5, -1e-5, 3e-7}, float64);
  CHECK(gradcheck([](const Variables& v) { return relu(v[0]); }, {x}).passed);
  CHECK_FALSE(gradcheck(
                  [](const Variables& v) {
                    return custom(relu(stop_gradient(v[0])).value(), {v[0]},
                                  [=](const Variable& g, std::size_t) { return g * 0.9; });
                  },
                  {x})
                  .passed);
}

TEST_CASE("Too many kinks fail", "[gradcheck]") {
  Tensor x = linspace(1, 2, 10, float64);
  detail::mutable_data<double>(x)[0] = 0;
  detail::mutable_data<double>(x)[1] = 0;
  const auto f = [](const Variables& v) { return relu(v[0]); };
  const GradReport report = gradcheck(f, {x});
  CHECK_FALSE(report.passed);
  CHECK(report.failed == 0);
  CHECK(report.kinks == 2);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0] == "2 of 10 probes are kinks; choose inputs away from them, or raise max_kinks");
  CHECK(gradcheck(f, {x}, {.max_kinks = 0.2}).passed);
}

TEST_CASE("A check that checks nothing fails", "[gradcheck]") {
  const std::string vacuous = "vacuous: every slope is 0, so nothing was checked";
  const auto problem = [](const Function& f, const std::vector<Tensor>& inputs) {
    const GradReport report = gradcheck(f, inputs);
    CHECK_FALSE(report.passed);
    return report.problems.empty() ? "" : report.problems[0];
  };
  CHECK(problem([](const Variables& x) { return x[0] * 0; }, {numbers({3})}) == vacuous);
  CHECK(problem([](const Variables&) { return Variable(ones({}, float64)); }, {numbers({3})}) == vacuous);
  CHECK(problem([](const Variables& x) { return relu(x[0]); }, {numbers({3}, 1, -2, -1)}) == vacuous);
  CHECK(problem([](const Variables& x) { return sum(x[0]); }, {zeros({0})}) == vacuous);
}

TEST_CASE("An input without influence is noted", "[gradcheck]") {
  const GradReport report =
      gradcheck([](const Variables& x) { return x[0] * x[0]; }, {numbers({3}), numbers({2})});
  CHECK(report.passed);
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0] == "no slope of x1 differs from 0: is it used?");
}

TEST_CASE("A function that changes from run to run fails", "[gradcheck]") {
  int runs = 0;
  const GradReport report =
      gradcheck([&](const Variables& x) { return x[0] * (1 + 1e-12 * ++runs); }, {numbers({3})});
  CHECK_FALSE(report.passed);
  CHECK(std::count(report.problems.begin(), report.problems.end(), "two runs give different gradients") == 1);
}

TEST_CASE("A cotangent of 0 must give a gradient of 0", "[gradcheck]") {
  const GradReport report = gradcheck(
      [](const Variables& x) {
        return custom((stop_gradient(x[0]) * 2).value(), {x[0]},
                      [](const Variable& g, std::size_t) { return g * 2 + where(g == 0, 1.0, 0 * g); });
      },
      {numbers({3})});
  CHECK_FALSE(report.passed);
  CHECK(std::count(report.problems.begin(), report.problems.end(),
                   "a cotangent of 0 gives a gradient that is not 0") == 1);
}

TEST_CASE("Differences that never settle prove nothing", "[gradcheck]") {
  // Right gradients; but sin oscillates within every step. 2^-6 and 2^-8 are the same phase of the first.
  const double frequency = GENERATE(1e9, 1.2345678e9);
  const auto f = [=](const Variables& x) { return x[0] + 1e-3 * sin(frequency * x[0]); };
  const GradReport report = gradcheck(f, {tensor({0.3, 0.7, 1.1}, float64)});
  INFO(verdict(report));
  CHECK_FALSE(report.passed);
  CHECK(report.failed == 0);
  CHECK(report.inconclusive == 3);
  REQUIRE(report.problems.size() == 1);
  CHECK_THAT(
      report.problems[0],
      Catch::StartsWith("3 of 3 slopes are inconclusive: ill-conditioned or not smooth, first at x0["));
}

TEST_CASE("The step grows where rounding drowns a small one", "[gradcheck]") {
  // A slope of 1 on top of 1e9: the default step sees it to 1e-4 only.
  const auto f = [](const Variables& x) { return x[0] + 1e9; };
  const GradReport report = gradcheck(f, {tensor({0.3, 0.7, 1.1}, float64)}, {.rtol = 1e-4});
  INFO(verdict(report));
  CHECK(report.passed);
}

TEST_CASE("A kernel that does not write all of its result is found", "[gradcheck]") {
  const auto f = [](const Variables& x) {
    return custom((stop_gradient(x[0]) * 2).value(), {x[0]}, [](const Variable& g, std::size_t) {
      const Tensor twice = (g * 2).value();
      Tensor partly(g.shape(), float64);
      for (int i = 0; i < 49; ++i) detail::mutable_data<double>(partly)[i] = twice.data<double>()[i];
      return Variable(partly);
    });
  };
  const GradReport report = gradcheck(f, {numbers({50})});
  INFO(verdict(report));
  CHECK_FALSE(report.passed);
  REQUIRE_FALSE(report.problems.empty());
  CHECK_THAT(report.problems[0], Catch::StartsWith("the gradient has a NaN"));
}

TEST_CASE("A result that nothing connects with the inputs is named", "[gradcheck]") {
  const GradReport report =
      gradcheck([](const Variables& x) { return stop_gradient(x[0]) * 2; }, {numbers({3})});
  INFO(verdict(report));
  CHECK_FALSE(report.passed);
  CHECK(report.failed == 3);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0] == "nothing on the tape connects the result with an input: it is a constant");
}

TEST_CASE("A Hessian that is not symmetric is found", "[gradcheck]") {
  // f = x y with the first derivatives right, but the graph of one of them scaled.
  const auto f = [](const Variables& x) {
    return custom(
        (stop_gradient(x[0]) * stop_gradient(x[1])).value(), {x[0], x[1]},
        [x](const Variable& g, std::size_t k) { return k == 0 ? g * scale_gradient(x[1], 1.5) : g * x[0]; });
  };
  const GradReport report = gradcheck(f, {numbers({}), numbers({}, 2)}, {.order = 2});
  INFO(verdict(report));
  CHECK_FALSE(report.passed);
  CHECK(std::any_of(report.problems.begin(), report.problems.end(), [](const std::string& problem) {
    return problem.rfind("the Hessian is not symmetric: v' H u is ", 0) == 0;
  }));
}

TEST_CASE("The report lists each input and each kink", "[gradcheck]") {
  Tensor x = linspace(1, 2, 12, float64);
  detail::mutable_data<double>(x)[5] = 0;
  const GradReport report =
      gradcheck([](const Variables& v) { return relu(v[0]) + sum(v[1]); }, {x, numbers({2})});
  INFO(verdict(report));
  CHECK(report.passed);
  REQUIRE(report.at_kinks.size() == 1);
  CHECK(report.at_kinks[0].input == "x0");
  CHECK(report.at_kinks[0].index == 5);
  CHECK_THAT(verdict(report), Catch::Contains("\n  kink at x0[5]\n"));
  REQUIRE(report.inputs.size() == 2);
  CHECK(report.inputs[0].probes == 12);
  CHECK(report.inputs[1].probes == 2);
  CHECK(report.inputs[1].relative_difference < 1e-9);
}

TEST_CASE("Of many elements a sample is checked", "[gradcheck]") {
  const Tensor x = numbers({100, 60}), y = numbers({5}, 2);
  const auto f = [](const Variables& v) { return sum(v[0] * v[0]) * sum(v[1]); };
  const GradReport report = gradcheck(f, {x, y}, {.order = 2});
  INFO(verdict(report));
  CHECK(report.passed);
  CHECK(report.probes <= 2 * (64 + 2 + 5 + 2));
  CHECK(report.probes >= 2 * (64 + 5 + 2));

  // One element with a gradient that is much too large.
  const auto bad = [](const Variables& v) {
    return sum(square_with(v[0], [](const Variable& u) {
      std::vector<double> factors(6000, 2.0);
      factors[4321] = 50;
      return u * Tensor({100, 60}, factors);
    }));
  };
  const GradReport found = gradcheck(bad, {x});
  CHECK_FALSE(found.passed);
  CHECK(std::any_of(found.worst.begin(), found.worst.end(),
                    [](const GradProbe& p) { return p.index == 4321 && p.excess > 1; }));
  CHECK(std::any_of(found.worst.begin(), found.worst.end(),
                    [](const GradProbe& p) { return p.input == "all" && p.index == -1; }));

  // Elements that are a little wrong everywhere outside of the sample: the dense directions see them.
  const auto slightly = [](const Variables& v) {
    return sum(square_with(v[0], [](const Variable& u) {
      std::vector<double> factors(6000, 2.0);
      for (std::size_t i = 0; i < 6000; i += 3) factors[i] = 1.9;
      return u * Tensor({100, 60}, factors);
    }));
  };
  CHECK_FALSE(gradcheck(slightly, {x}, {.coordinates = 0}).passed);
}

TEST_CASE("The seed fixes the check", "[gradcheck]") {
  const Tensor x = numbers({100, 60});
  const auto f = [](const Variables& v) { return v[0] * v[0]; };
  CHECK(verdict(gradcheck(f, {x}, {.seed = 3})) == verdict(gradcheck(f, {x}, {.seed = 3})));
  CHECK(verdict(gradcheck(f, {x}, {.seed = 3})) != verdict(gradcheck(f, {x}, {.seed = 4})));
}

TEST_CASE("The parameters of a model are checked in float64 and put back", "[gradcheck]") {
  const DeepNetwork network({3, 4, 1}, tanh);
  const Tensor X = numbers({3, 5}, 1, -1, 1), Y = numbers({1, 5}, 2, 0, 1);
  const auto parameters = network.parameters();
  std::vector<Tensor> before;
  for (const Parameter& p : parameters) before.push_back(p.value());
  const auto unchanged = [&] {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      CHECK(equal(parameters[i].value(), before[i]));
      CHECK(parameters[i].value().shares_storage(before[i]));
    }
  };
  const GradReport report =
      gradcheck([&] { return mean(binary_cross_entropy(network(X), Y)); }, parameters, {.order = 2});
  INFO(verdict(report));
  CHECK(report.passed);
  CHECK(report.probes == 2 * (12 + 4 + 4 + 1));
  CHECK(report.worst[0].input.find_first_of("Wb") == 0);
  unchanged();

  int calls = 0;
  CHECK(complaint<std::runtime_error>([&] {
          gradcheck(
              [&]() -> Variable {
                if (++calls > 7) throw std::runtime_error("no");
                return mean(network(X));
              },
              parameters);
        }) == "no");
  unchanged();
  CHECK(Tape::recording() == nullptr);
}

TEST_CASE("Tied parameters are checked once", "[gradcheck]") {
  const Parameter w("w", tensor({1, 2}));
  const Tensor before = w.value();
  const GradReport report = gradcheck([&] { return w * w; }, {w, w});
  CHECK(report.passed);
  CHECK(report.probes == 2);
  CHECK(equal(w.value(), before));
}

TEST_CASE("A gradient check inside a recording tape leaves it alone", "[gradcheck]") {
  const Parameter w("w", tensor({1, 2}));
  const Tape tape;
  CHECK(gradcheck([&] { return w * w; }, {w}).passed);
  CHECK(gradcheck([](const Variables& x) { return x[0] * x[0]; }, {w.value()}).passed);
  CHECK(tape.size() == 0);
  CHECK(Tape::recording() == &tape);
}

TEST_CASE("What cannot be checked is an error", "[gradcheck]") {
  const auto f = [](const Variables& x) { return x[0] * x[0]; };
  CHECK(complaint<Error>([&] { gradcheck(f, std::vector<Tensor>{}); }) == "gradcheck: there are no inputs");
  CHECK(complaint<Error>([&] { gradcheck([] { return Variable(1.0); }, std::vector<Parameter>{}); }) ==
        "gradcheck: there are no inputs");
  CHECK(complaint<Error>([&] { gradcheck(f, {numbers({3})}, {.order = 3}); }) ==
        "gradcheck: the order is 1 or 2, not 3");
  CHECK(complaint<Error>([&] { gradcheck(f, {numbers({3})}, {.order = 0}); }) ==
        "gradcheck: the order is 1 or 2, not 0");
  const Tensor data = ones({2});
  CHECK(complaint<DTypeError>(
            [&] { gradcheck([&](const Variables&) { return Variable(data); }, {numbers({2})}); }) ==
        "gradcheck: the function's result is float32; it must compute in float64: are its data float32?");
  const Parameter w("w", ones({2}));
  CHECK_THAT(complaint<DTypeError>([&] { gradcheck([&] { return w * data; }, {w}); }),
             Catch::StartsWith("mul: dtypes differ"));
  CHECK(w.dtype() == float32);
}

TEST_CASE("The report is a text", "[gradcheck]") {
  GradReport report = gradcheck([](const Variables& x) { return 3 * x[0]; }, {tensor({1, 2}, float64)});
  CHECK_THAT(verdict(report),
             Catch::StartsWith("gradient check passed: 0 of 2 slopes differ, relative difference ") &&
                 Catch::Contains("\n  x0[0]  ok: order 1  analytic ") && Catch::Contains("\n  x0[1]  ok:"));
  report = gradcheck(
      [](const Variables& x) {
        return square_with(x[0], [](const Variable& v) { return 3 * v; }) + 0 * x[1];
      },
      {tensor({0.5, 1}, float64), ones({1})});
  CHECK_THAT(
      verdict(report),
      Catch::StartsWith("gradient check FAILED: 2 of 3 slopes differ, relative difference 2.0e-01\n") &&
          Catch::Contains("  note: no slope of x1 differs from 0: is it used?\n") &&
          Catch::Contains("wrong: order 1  analytic "));
  CHECK(report.relative_difference == Approx(0.2));
}

TEST_CASE("The Catch matcher", "[gradcheck]") {
  const auto right = [](const Variables& x) { return x[0] * x[0]; };
  const auto wrong = [](const Variables& x) {
    return square_with(x[0], [](const Variable& v) { return 2.001 * v; });
  };
  CHECK_THAT(right, HasCorrectGradients({numbers({3})}).order(2).seed(5));
  const HasCorrectGradients matcher({numbers({3})});
  CHECK(matcher.match(right));
  CHECK_THAT(matcher.describe(), Catch::StartsWith("has correct gradients\ngradient check passed"));
  CHECK_FALSE(matcher.match(wrong));
  CHECK_THAT(matcher.describe(), Catch::StartsWith("has correct gradients\ngradient check FAILED: 3 of 3"));
  CHECK(HasCorrectGradients({numbers({3})}).tolerance(0, 1e-2).match(wrong));
}
