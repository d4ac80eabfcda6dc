// The search for the operation at fault: planted bugs are found, named and placed; sound operations are not blamed.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/nn/init.hpp>
#include <xgrad/tensor/philox.hpp>

#include "planted.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace xgrad;
using planted::custom;
using planted::square_with;

Tensor numbers(const Shape& shape, std::uint64_t stream = 1, double low = 0.5, double high = 2) {
  Generator generator(23, stream);
  return uniform(shape, generator, low, high, float64);
}

std::string here(int line) { return "gradcheck_faults_test.cpp:" + std::to_string(line); }

// The one fault of a failed check.
GradFault only_fault(const GradReport& report) {
  INFO(to_string(report));
  CHECK_FALSE(report.passed);
  REQUIRE(report.faults.size() == 1);
  return report.faults[0];
}

// The course's three-layer network with its gradient check: dims 4, 5, 3, 1.
struct Course {
  Parameter W1{"W1", numbers({5, 4}, 1, -1, 1)}, b1{"b1", numbers({5, 1}, 2, -1, 1)};
  Parameter W2{"W2", numbers({3, 5}, 3, -1, 1)}, b2{"b2", numbers({3, 1}, 4, -1, 1)};
  Parameter W3{"W3", numbers({1, 3}, 5, -1, 1)}, b3{"b3", numbers({1, 1}, 6, -1, 1)};
  Tensor X = numbers({4, 3}, 7, -1, 1), Y = tensor({{1, 1, 0}}, float64);
  std::vector<Parameter> parameters() const { return {W1, b1, W2, b2, W3, b3}; }
};

}  // namespace

TEST_CASE("The course's planted bugs are located in its own backward pass", "[gradcheck][faults]") {
  // backward_propagation_n as the notes have it, by hand: dW2 is doubled, and db1 is 4 / m times the sum.
  struct Factors {
    double W2, b1;
  };
  const Factors factors = GENERATE(values<Factors>({{1, 1}, {2, 1}, {1, 4}, {2, 4}}));
  const Course net;
  const auto cost = [&]() -> Variable {
    const double m = 3;
    const Variable W1 = net.W1, b1 = net.b1, W2 = net.W2, b2 = net.b2, W3 = net.W3, b3 = net.b3;
    const auto hidden = [&] {
      const Tape::Pause pause;
      const Variable A1 = relu(matmul(W1, net.X) + b1), A2 = relu(matmul(W2, A1) + b2);
      return Variables{A1, A2, sigmoid(matmul(W3, A2) + b3)};
    }();
    const Variable A1 = hidden[0].value(), A2 = hidden[1].value(), A3 = hidden[2].value();
    const Tensor J = [&] {
      const Tape::Pause pause;
      return mean(binary_cross_entropy(A3, net.Y)).value();
    }();
    const Tensor w2 = W2.value(), w3 = W3.value();
    return custom(J, {W1, b1, W2, b2, W3, b3}, [=, X = net.X, Y = net.Y](const Variable& g, std::size_t k) {
      const Variable dZ3 = g * (A3 - Y);
      const Variable dZ2 = matmul(w3, dZ3, {.a = true}) * (A2 > 0);
      const Variable dZ1 = matmul(w2, dZ2, {.a = true}) * (A1 > 0);
      switch (k) {
        case 0:
          return matmul(dZ1, X, {.b = true}) / m;
        case 1:
          return factors.b1 / m * sum(dZ1, 1, true);
        case 2:
          return matmul(dZ2, A1, {.b = true}) / m * factors.W2;
        case 3:
          return sum(dZ2, 1, true) / m;
        case 4:
          return matmul(dZ3, A2, {.b = true}) / m;
        default:
          return sum(dZ3, 1, true) / m;
      }
    });
  };
  const GradReport report = gradcheck(cost, net.parameters());
  INFO(to_string(report));
  const bool bug = factors.W2 != 1 || factors.b1 != 1;
  CHECK(report.passed != bug);
  CHECK((report.relative_difference > 1e-3) == bug);
  CHECK((report.relative_difference < 1e-7) != bug);
  std::vector<std::string> wrong;
  for (const GradInput& input : report.inputs) {
    if (input.failed > 0) wrong.push_back(input.name);
  }
  std::vector<std::string> planted, named;
  if (factors.b1 != 1) planted.push_back("b1");
  if (factors.W2 != 1) planted.push_back("W2");
  CHECK(wrong == planted);
  for (const GradFault& fault : report.faults) {
    CHECK(fault.op == "custom");
    named.push_back(fault.what);
  }
  std::vector<std::string> expected;
  if (factors.b1 != 1)
    expected.push_back("its pullback for b1 (input 1) gives 4 times the change of its result");
  if (factors.W2 != 1)
    expected.push_back("its pullback for W2 (input 2) gives 2 times the change of its result");
  CHECK_THAT(named, Catch::UnorderedEquals(expected));
}

TEST_CASE("The course's planted bugs are located in a model, with their layers and lines",
          "[gradcheck][faults]") {
  const Course net;
  int first = 0, second = 0;
  const auto cost = [&] {
    Variable A = net.X;
    {
      const Scope scope("layer1");
      first = __LINE__ + 1;
      A = relu(matmul(net.W1, A) + scale_gradient(net.b1, 4));
    }
    {
      const Scope scope("layer2");
      second = __LINE__ + 1;
      A = relu(matmul(scale_gradient(net.W2, 2), A) + net.b2);
    }
    return mean(binary_cross_entropy(sigmoid(matmul(net.W3, A) + net.b3), net.Y));
  };
  const GradReport report = gradcheck(cost, net.parameters());
  INFO(to_string(report));
  CHECK_FALSE(report.passed);
  REQUIRE(report.faults.size() == 2);
  const GradFault &b1 = report.faults[0], &W2 = report.faults[1];
  CHECK(b1.node < W2.node);
  CHECK(b1.op == "scale_gradient");
  CHECK(b1.where == here(first));
  CHECK(b1.scope == "layer1");
  CHECK(b1.what == "its pullback for b1 (input 0) gives 4 times the change of its result");
  CHECK(W2.op == "scale_gradient");
  CHECK(W2.where == here(second));
  CHECK(W2.scope == "layer2");
  CHECK(W2.what == "its pullback for W2 (input 0) gives 2 times the change of its result");
  CHECK_THAT(to_string(report),
             Catch::Contains("  at fault: scale_gradient (at " + here(first) + ", in layer1), node ") &&
                 Catch::Contains("\n  W2: 6 of 15 slopes differ, relative difference 3.3e-01 (wrong)\n") &&
                 Catch::Contains("\n  W3: 0 of 3 slopes differ"));
}

TEST_CASE("In a deep expression the one bad operation is named", "[gradcheck][faults]") {
  const int at = GENERATE(range(0, 6));
  int line = 0;
  const auto f = [&](const Variables& x) {
    Variable y = x[0];
    for (int i = 0; i < 6; ++i) {
      y = tanh(y) + 0.3 * exp(sin(y) * x[1]);
      if (i == at) {
        line = __LINE__ + 1;
        y = square_with(y, [](const Variable& v) { return 2.02 * v; });
      }
      y = y / (1 + sqrt(1 + square(y)));
    }
    return y;
  };
  const GradReport report = gradcheck(f, {numbers({3, 2}), numbers({2}, 2)});
  const GradFault fault = only_fault(report);
  CHECK(fault.op == "custom");
  CHECK(fault.where == here(line));
  CHECK(fault.order == 1);
  CHECK(fault.what == "its pullback for input 0 gives 1.01 times the change of its result");
}

TEST_CASE("Wrong axes, transposes and forgotten inputs are located", "[gradcheck][faults]") {
  const Tensor a = numbers({3, 3}), b = numbers({3, 3}, 2);
  SECTION("transposed") {
    const auto f = [](const Variables& x) {
      const Variable y = custom((stop_gradient(sin(x[0])) * 2).value(), {sin(x[0])},
                                [](const Variable& g, std::size_t) { return transpose(g) * 2; });
      return exp(y);
    };
    CHECK(only_fault(gradcheck(f, {a})).op == "custom");
  }
  SECTION("the two inputs' gradients are swapped") {
    const auto f = [](const Variables& x) {
      const Variable p = sin(x[0]), q = cos(x[1]);
      return exp(custom((stop_gradient(p) - stop_gradient(q)).value(), {p, q},
                        [](const Variable& g, std::size_t k) { return k == 1 ? g : -g; }));
    };
    const GradReport report = gradcheck(f, {a, b});
    INFO(to_string(report));
    REQUIRE(report.faults.size() == 2);
    for (const GradFault& fault : report.faults) {
      CHECK(fault.op == "custom");
      CHECK(fault.what == "its pullback for input " + std::to_string(fault.input) +
                              " gives -1 times the change of its result");
    }
    CHECK(report.faults[0].input == 0);
    CHECK(report.faults[1].input == 1);
  }
  SECTION("an input that was cut off") {
    int line = 0;
    const auto f = [&](const Variables& x) {
      const Variable p = sin(x[0]), q = stop_gradient(cos(x[1]));
      line = __LINE__ + 1;
      return exp(p * q);
    };
    const GradFault fault = only_fault(gradcheck(f, {a, b}));
    CHECK(fault.op == "mul");
    CHECK(fault.where == here(line));
    CHECK(fault.what == "its input 1 changes with the inputs but is a constant of the tape");
  }
  SECTION("NaN") {
    const auto f = [](const Variables& x) {
      return exp(square_with(sin(x[0]), [](const Variable& v) { return v * NAN; }));
    };
    CHECK(only_fault(gradcheck(f, {a})).what == "its pullback for input 0 gives NaN or infinity");
  }
  SECTION("a gradient where nothing changes") {
    const auto f = [](const Variables& x) {
      const Variable p = sin(x[0]);
      return x[0] *
             custom(ones({3, 3}, float64), {p}, [](const Variable& g, std::size_t) { return g * 0.5; });
    };
    CHECK_THAT(only_fault(gradcheck(f, {a})).what,
               Catch::StartsWith("its pullback for input 0 gives a change of ") &&
                   Catch::EndsWith(" where its result does not change"));
  }
}

TEST_CASE("A single bad element is enough to find the operation", "[gradcheck][faults]") {
  const auto f = [](const Variables& x) {
    return sin(square_with(x[0] * 0.5, [](const Variable& v) {
      std::vector<double> factors(500, 2.0);
      factors[123] = 2.001;
      return v * Tensor({500}, factors);
    }));
  };
  CHECK(only_fault(gradcheck(f, {numbers({500})})).op == "custom");
}

TEST_CASE("Kinks and memory that is written twice blame nobody", "[gradcheck][faults]") {
  SECTION("relu, max and abs at their kinks") {
    Tensor x = numbers({12}, 1, -1, 1);
    detail::mutable_data<double>(x)[4] = 0;
    detail::mutable_data<double>(x)[8] = detail::mutable_data<double>(x)[9];
    const auto f = [](const Variables& v) {
      const Variable y = relu(v[0]) + abs(v[0]) + 0.1 * max(reshape(v[0], {6, 2}), 1, true);
      return square_with(2 + sum(y), [](const Variable& u) { return 3 * u; });
    };
    CHECK(only_fault(gradcheck(f, {x}, {.max_kinks = 1})).op == "custom");
  }
  SECTION("a large temporary that the next operation overwrites") {
    const Tensor x = numbers({20000});
    const auto f = [](const Variables& v) {
      return sum(square_with(exp(-(sin(v[0]) + 1) * 0.5) + 1, [](const Variable& u) { return 2.1 * u; }));
    };
    CHECK(only_fault(gradcheck(f, {x}, {.coordinates = 4})).op == "custom");
  }
}

TEST_CASE("A constant infinity blames nobody", "[gradcheck][faults]") {
  const Tensor infinite = tensor({1, INFINITY, 2, INFINITY}, float64);
  const auto f = [&](const Variables& x) {
    const Variable y = x[0] / where(infinite == INFINITY, INFINITY, x[0]);
    return sum(square_with(sin(x[0]) + y, [](const Variable& v) { return 2.1 * v; }));
  };
  CHECK(only_fault(gradcheck(f, {numbers({4})})).op == "custom");
}

TEST_CASE("What a pullback records wrongly is located by order 2", "[gradcheck][faults]") {
  const Tensor x = numbers({4});
  SECTION("a wrong factor in the graph") {
    const auto f = [](const Variables& v) {
      return exp(square_with(sin(v[0]), [](const Variable& u) {
        return custom((stop_gradient(u) * 2).value(), {u},
                      [](const Variable& g, std::size_t) { return g * 2.001; });
      }));
    };
    const GradFault fault = only_fault(gradcheck(f, {x}, {.order = 2}));
    CHECK(fault.op == "custom");
    CHECK(fault.order == 2);
    CHECK_THAT(fault.what, Catch::StartsWith("in what its pullback records, custom: its pullback"));
  }
  SECTION("a graph that is cut off") {
    const auto f = [](const Variables& v) {
      return exp(square_with(sin(v[0]), [](const Variable& u) { return stop_gradient(u) * 2; }));
    };
    const GradFault fault = only_fault(gradcheck(f, {x}, {.order = 2}));
    CHECK(fault.op == "custom");
    CHECK(fault.order == 2);
    CHECK_THAT(fault.what, Catch::Contains("changes with the inputs but is a constant of the tape"));
  }
  SECTION("a constant instead of a graph") {
    const auto f = [](const Variables& v) {
      const Variable u = sin(v[0]);
      return exp(
          custom((stop_gradient(u) * stop_gradient(u)).value(), {u}, [u](const Variable& g, std::size_t) {
            return Variable((stop_gradient(g) * stop_gradient(u) * 2).value());
          }));
    };
    const GradReport report = gradcheck(f, {x});
    CHECK(report.passed);
    REQUIRE(report.notes.size() == 1);
    CHECK(report.notes[0] == "J u was not compared with J' v: a pullback is not made of operations");
    const GradFault fault = only_fault(gradcheck(f, {x}, {.order = 2}));
    CHECK(fault.op == "custom");
    CHECK(fault.what == "its pullback for input 0 is recorded as a constant, but it changes with the inputs");
  }
  SECTION("one thing when it is recorded, another when it is not") {
    const auto f = [](const Variables& v) {
      return exp(square_with(
          sin(v[0]), [](const Variable& u) { return Tape::recording() != nullptr ? 2.1 * u : 2 * u; }));
    };
    const GradReport report = gradcheck(f, {x});
    CHECK(report.failed == 0);
    REQUIRE(report.problems.size() == 1);
    CHECK_THAT(report.problems[0], Catch::StartsWith("forward and reverse mode disagree: <v, J u> is "));
    CHECK(only_fault(report).what == "its pullback for input 0 gives one thing and records another");
  }
}

TEST_CASE("A wrong forward mode is located", "[gradcheck][faults]") {
  // exp, whose pullback is right and whose push is doubled: at once, or in what its pullback records.
  struct Doubled final : detail::Pullback {
    Variable y;
    bool later;
    Doubled(Variable value, bool in_record) : y(std::move(value)), later(in_record) {}
    Variable pull(const Variable& g, std::size_t) const override {
      if (!later) return g * y;
      const Variable right = g * y;
      if (Tape::recording() == nullptr) return right;
      Variable copy(right.value(), detail::next_place);
      const Variable* inputs[] = {&right};
      detail::record<Doubled>("copy", std::source_location::current(), copy, inputs,
                              Variable(ones(right.shape(), float64)), false);
      return copy;
    }
    std::optional<Variable> push(const Variable& t, std::size_t, const Shape&) const override {
      return later ? t * y : 2 * (t * y);
    }
  };
  const auto exp_with = [](const Variable& x, bool later) {
    const Tensor value = exp(stop_gradient(x)).value();
    if (Tape::recording() == nullptr) return Variable(value);
    Variable y(value, detail::next_place);
    const Variable* inputs[] = {&x};
    detail::record<Doubled>("exponential", std::source_location::current(), y, inputs, y, later);
    return y;
  };
  const Tensor x = numbers({4});
  SECTION("of order 1") {
    const auto f = [&](const Variables& v) { return sin(exp_with(v[0], false)); };
    const GradReport report = gradcheck(f, {x});
    const GradFault fault = only_fault(report);
    CHECK(report.failed == 0);
    REQUIRE(report.problems.size() == 1);
    CHECK_THAT(report.problems[0], Catch::StartsWith("forward and reverse mode disagree: <v, J u> is ") &&
                                       Catch::EndsWith("; differences contradict forward mode"));
    CHECK(fault.op == "exponential");
    CHECK(fault.what == "forward mode for x0 (input 0) gives 2 times what its pullback gives");
  }
  SECTION("of order 2") {
    const auto f = [&](const Variables& v) { return sin(exp_with(v[0], true)); };
    CHECK(gradcheck(f, {x}).passed);
    const GradReport report = gradcheck(f, {x}, {.order = 2});
    const GradFault fault = only_fault(report);
    CHECK(report.failed == 0);
    REQUIRE(report.problems.size() == 1);
    CHECK_THAT(report.problems[0],
               Catch::StartsWith("forward over reverse and reverse over reverse mode disagree: "));
    CHECK(fault.op == "exponential");
    CHECK(fault.order == 2);
    CHECK(
        fault.what ==
        "in what its pullback records, copy: forward mode for input 0 gives 2 times what its pullback gives");
  }
}

TEST_CASE("A report says how to repeat its check", "[gradcheck][faults]") {
  const auto f = [](const Variables& x) {
    return square_with(x[0], [](const Variable& v) { return 2.1 * v; });
  };
  const GradReport report = gradcheck(f, {numbers({3})}, {.order = 2, .seed = 7, .locate = false});
  CHECK_THAT(to_string(report),
             Catch::EndsWith("\n  to repeat: gradcheck(f, inputs, {.order = 2, .seed = 7})\n"));
}

TEST_CASE_METHOD(TemporaryFolder, "The fault is drawn in red", "[gradcheck][faults]") {
  const std::string file = path_ / "fault.dot", none = path_ / "none.dot";
  const auto f = [](const Variables& x) {
    return exp(square_with(sin(x[0]), [](const Variable& v) { return 2.1 * v; }));
  };
  const GradFault fault = only_fault(gradcheck(f, {numbers({3})}, {.draw = file}));
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  CHECK_THAT(text.str(), Catch::Contains("n" + std::to_string(fault.node) + " [fillcolor=\"#d32f2f\""));
  const auto right = [](const Variables& x) { return sin(x[0]); };
  CHECK(gradcheck(right, {numbers({3})}, {.draw = none}).passed);
  CHECK_FALSE(std::filesystem::exists(none));
}

TEST_CASE("The search can be left out", "[gradcheck][faults]") {
  const auto f = [](const Variables& x) {
    return square_with(x[0], [](const Variable& v) { return 2.1 * v; });
  };
  CHECK(gradcheck(f, {numbers({3})}, {.locate = false}).faults.empty());
}
