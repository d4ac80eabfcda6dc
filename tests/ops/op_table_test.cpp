// The properties that all operations share, one test case each, over the rows of op_table.hpp.
#include "op_table.hpp"

#include <cfenv>
#include <iostream>
#include <map>
#include <regex>
#include <sstream>
#include <xgrad/tensor/simd.hpp>

using namespace op_table;

namespace {

constexpr DType floating[] = {float32, float64};
constexpr double eps64 = std::numeric_limits<double>::epsilon();
constexpr double eps32 = std::numeric_limits<float>::epsilon();

std::vector<SimdLevel> simd_levels() {
  std::vector<SimdLevel> levels;
  for (SimdLevel level : {SimdLevel::sse2, SimdLevel::avx2, SimdLevel::avx512}) {
    if (level <= best_simd_level()) levels.push_back(level);
  }
  return levels;
}

struct RestoreSimd {
  SimdLevel level = simd_level();
  ~RestoreSimd() { set_simd_level(level); }
};

std::string shown(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& shape : shapes) text += to_string(shape) + " ";
  return text;
}

std::vector<Shape> vectors(const Row& row, std::int64_t n) {
  return std::vector<Shape>(row.inputs(), Shape{n});
}

// The shapes at which values and slopes are compared with the formula: SIMD tails, and what broadcasts.
std::vector<std::vector<Shape>> all_shapes(const Row& row) {
  std::vector<std::vector<Shape>> all = row.shapes;
  for (std::int64_t n = 0; n <= 17; ++n) all.push_back(vectors(row, n));
  all.push_back(vectors(row, 1000));
  if (row.inputs() == 2 && row.facts.broadcasts) {
    all.push_back({{0, 3}, {3}});
    all.push_back({{0, 1}, {1, 3}});
    all.push_back({{17, 19}, {19}});
    all.push_back({{17, 1}, {1, 23}});
    all.push_back({{17, 19}, {17, 1}});
  }
  return all;
}

// Where element i of a result of shape `to` comes from in an operand of shape `from`.
std::size_t source(std::size_t i, const Shape& to, const Shape& from) {
  std::size_t place = 0, stride = 1;
  for (int axis = to.rank() - 1, own = from.rank() - 1; own >= 0; --axis, --own) {
    const auto size = static_cast<std::size_t>(to[axis]);
    if (from[own] != 1) place += i % size * stride;
    stride *= static_cast<std::size_t>(from[own]);
    i /= size;
  }
  return place;
}

std::vector<Dual> point(const std::vector<Doubles>& in, const std::vector<Tensor>& inputs, const Shape& shape,
                        std::size_t i) {
  std::vector<Dual> x;
  for (std::size_t k = 0; k < in.size(); ++k) x.emplace_back(in[k][source(i, shape, inputs[k].shape())]);
  return x;
}

// The largest distance of a result from the formula, and where it was.
struct Worst {
  double ulp = 0;
  std::string where = "everywhere right";
};

Worst worst_value(const Row& row, const Tensor& y, const std::vector<Tensor>& inputs) {
  std::vector<Doubles> in;
  for (const Tensor& x : inputs) in.push_back(doubles(x));
  Worst worst;
  detail::visit(y.dtype(), [&]<class T>(T) {
    const std::vector<T> got = y.to_vector<T>();
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::vector<Dual> x = point(in, inputs, y.shape(), i);
      const long double truth = row.formula(x).v;
      double distance = 0;
      if constexpr (std::is_floating_point_v<T>) {
        distance = ulps<T>(got[i], truth);
      } else {
        distance = static_cast<long double>(got[i]) == truth ? 0 : Inf;
      }
      if (distance <= worst.ulp) continue;
      std::ostringstream text;
      text.precision(17);
      for (const Dual& operand : x) text << static_cast<double>(operand.v) << ' ';
      text << "-> " << +got[i] << ", not " << static_cast<double>(truth);
      worst = {distance, text.str()};
    }
  });
  return worst;
}

// The gradients of sum(f(inputs)) by dual numbers.
std::vector<Doubles> dual_gradients(const Row& row, const Shape& shape, const std::vector<Tensor>& inputs) {
  std::vector<Doubles> in;
  for (const Tensor& x : inputs) in.push_back(doubles(x));
  std::vector<Doubles> gradients;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    std::vector<long double> total(in[k].size(), 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape.size()); ++i) {
      std::vector<Dual> x = point(in, inputs, shape, i);
      x[k].d = 1;
      total[source(i, shape, inputs[k].shape())] += row.formula(x).d;
    }
    gradients.emplace_back(total.begin(), total.end());
  }
  return gradients;
}

// |a - b| in units of eps max(1, |b|): what is left of the digits where 1 - y^2 and the like cancel.
double distance(double a, double b, double eps) {
  if (same(a, b)) return 0;
  if (!std::isfinite(a) || !std::isfinite(b)) return Inf;
  return std::abs(a - b) / (eps * std::max(1.0, std::abs(b)));
}
double distance(const Doubles& a, const Doubles& b, double eps) {
  if (a.size() != b.size()) return Inf;
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, distance(a[i], b[i], eps));
  return worst;
}

void check_gradients(const std::vector<Tensor>& a, const std::vector<Tensor>& b, double eps, double limit) {
  REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k) {
    INFO("input " << k << ":\n" << a[k] << "\n" << b[k]);
    CHECK(distance(doubles(a[k]), doubles(b[k]), eps) <= limit);
  }
}

std::vector<double> special(DType dtype) {
  std::vector<double> values{0.0, -0.0, 1, -1, 0.5, 2, 400, -400, 1e-30, -1e-30, Inf, -Inf};
  detail::visit_floating(dtype, [&]<class T>(T) {
    using Limits = std::numeric_limits<T>;
    for (T x : {Limits::denorm_min(), Limits::min(), Limits::min() / 3, Limits::max(), Limits::epsilon()}) {
      values.insert(values.end(), {double(x), double(-x)});
    }
  });
  return values;
}

// The special values that row's operands may have: all, or those within the domain.
std::vector<Tensor> special_inputs(const Row& row, DType dtype) {
  const Doubles numbers = special(dtype);
  std::vector<Doubles> columns(row.inputs());
  const std::size_t second = row.inputs() == 2 ? numbers.size() : 1;
  const bool probabilities = row.name == "binary_cross_entropy";
  for (std::size_t i = 0; i < numbers.size() * second; ++i) {
    const double a = numbers[i % numbers.size()], b = numbers[i / numbers.size()];
    if (!row.facts.everywhere && (b < 0 || b > 1 || (probabilities && (a < 0 || a > 1)))) continue;
    columns[0].push_back(a);
    if (row.inputs() == 2) columns[1].push_back(b);
  }
  std::vector<Tensor> inputs;
  for (const Doubles& column : columns) {
    inputs.push_back(Tensor(Shape{static_cast<std::int64_t>(column.size())}, column).astype(dtype));
  }
  return inputs;
}

}  // namespace

TEST_CASE("ops: values agree with the formula", "[ops][simd]") {
  std::map<std::string, double> figures[2];
  for (const Row& row : elementwise_rows()) {
    for (DType dtype : floating) {
      INFO(row.name << " " << name(dtype));
      for (const auto& shapes : all_shapes(row)) {
        INFO(shown(shapes));
        const std::vector<Tensor> inputs = as(dtype, sample(row, shapes));
        const Variable y = row.call(Variables(inputs.begin(), inputs.end()));
        Shape expected = shapes[0];
        for (const Shape& shape : shapes) expected = *broadcast(expected, shape);
        REQUIRE(y.shape() == expected);
        CHECK(y.is_constant());
        CHECK(y.dtype() == (row.facts.integers == bool_ ? bool_ : dtype));
        const Worst worst = worst_value(row, y.value(), inputs);
        INFO(worst.where);
        CHECK(worst.ulp <= row.facts.ulp);
        double& figure = figures[dtype == float64][row.name];
        figure = std::max(figure, worst.ulp);
      }
    }
  }
  if (std::getenv("XGRAD_TEST_FIGURES") != nullptr) {
    for (const auto& [name, ulp] : figures[0])
      std::cout << name << ' ' << ulp << ' ' << figures[1][name] << '\n';
  }
}

TEST_CASE("ops: infinities, zeros, large and denormal numbers", "[ops][simd]") {
  for (const Row& row : elementwise_rows()) {
    for (DType dtype : floating) {
      INFO(row.name << " " << name(dtype));
      const std::vector<Tensor> inputs = special_inputs(row, dtype);
      std::feclearexcept(FE_ALL_EXCEPT);
      const Result result = run(row.call, inputs);
      const Worst worst = worst_value(row, result.value.value(), inputs);
      INFO(worst.where);
      CHECK(worst.ulp <= row.facts.ulp);
    }
  }
}

TEST_CASE("ops: partials at infinities, zeros, large and denormal numbers", "[ops][simd]") {
  for (const Row& row : elementwise_rows()) {
    if (!row.facts.differentiable || row.inputs() != 1) continue;
    for (DType dtype : floating) {
      INFO(row.name << " " << name(dtype));
      const std::vector<Tensor> inputs = special_inputs(row, dtype);
      const Doubles x = doubles(inputs[0]), g = doubles(run(row.call, inputs).gradients[0]),
                    truth = dual_gradients(row, inputs[0].shape(), inputs)[0];
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::isinf(x[i])) continue;  // inf / inf in the formulas: see the tests of each operation
        INFO("at " << x[i]);
        const double rounded =
            dtype == float32 ? static_cast<double>(static_cast<float>(truth[i])) : truth[i];
        CHECK(distance(g[i], rounded, dtype == float32 ? eps32 : eps64) <= 8);
      }
    }
  }
}

TEST_CASE("ops: partials agree with dual numbers", "[ops][simd]") {
  for (const Row& row : elementwise_rows()) {
    if (!row.facts.differentiable) continue;
    for (const auto& shapes : all_shapes(row)) {
      INFO(row.name << " " << shown(shapes));
      const std::vector<Tensor> inputs = sample(row, shapes, 2);
      const Result result = run(row.call, inputs);
      const std::vector<Doubles> truth = dual_gradients(row, result.value.shape(), inputs);
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        INFO("input " << k);
        CHECK(result.gradients[k].shape() == inputs[k].shape());
        CHECK(result.gradients[k].dtype() == float64);
        CHECK(distance(doubles(result.gradients[k]), truth[k], eps64) <= 8);
      }
    }
  }
}

namespace {

void check_gradients(const Row& row, const std::vector<Shape>& shapes) {
  INFO(row.name << " " << shown(shapes));
  const GradReport report = gradcheck(row.call, sample(row, shapes, 3), {.order = 2});
  INFO(to_string(report));
  CHECK(report.passed);
  CHECK(report.kinks == 0);
  CHECK(report.relative_difference < 1e-7);
}

}  // namespace

TEST_CASE("ops: gradient check of order 1 and 2", "[ops][simd]") {
  for (const Row& row : all_rows()) {
    if (!row.facts.differentiable || !row.facts.slopes) continue;
    for (const auto& shapes : row.shapes) check_gradients(row, shapes);
  }
}

TEST_CASE("ops: gradient check of order 1 and 2 at sizes 1 to 17", "[ops][simd]") {
  for (const Row& row : elementwise_rows()) {
    if (!row.facts.differentiable || !row.facts.slopes) continue;
    for (std::int64_t n = 1; n <= 17; ++n) check_gradients(row, vectors(row, n));
  }
}

TEST_CASE("ops: what has no derivative is a constant", "[ops]") {
  for (const Row& row : all_rows()) {
    if (row.facts.differentiable || row.name == "pow") continue;
    INFO(row.name);
    CHECK(run(row.call, sample(row, row.shapes.back())).value.is_constant());
  }
}

TEST_CASE("ops: float32 gradients agree with float64", "[ops][simd]") {
  for (const Row& row : all_rows()) {
    std::vector<std::vector<Shape>> all = row.shapes;
    if (row.formula != nullptr) all.push_back(vectors(row, 1000));
    for (const auto& shapes : all) {
      INFO(row.name << " " << shown(shapes));
      const std::vector<Tensor> inputs = sample(row, shapes, 4);
      const Result narrow = run(row.call, as(float32, inputs)), wide = run(row.call, inputs);
      CHECK(distance(doubles(narrow.value), doubles(wide.value), eps32) <= 100);
      for (const Tensor& g : narrow.gradients) CHECK(g.dtype() == float32);
      check_gradients(narrow.gradients, wide.gradients, eps32, 100);
    }
  }
}

TEST_CASE("ops: the recorded derivative is the fused one", "[ops][simd]") {
  const RestoreSimd restore;
  for (SimdLevel level : {SimdLevel::sse2, restore.level}) {
    set_simd_level(level);
    for (const Row& row : all_rows()) {
      if (!row.facts.differentiable) continue;
      std::vector<std::vector<Shape>> all = row.shapes;
      if (row.formula != nullptr) all.push_back(vectors(row, 100));
      for (const auto& shapes : all) {
        for (DType dtype : floating) {
          INFO(row.name << " " << shown(shapes) << name(dtype) << " " << name(level));
          const std::vector<Tensor> inputs = as(dtype, sample(row, shapes, 5));
          const std::vector<Tensor> fused = run(row.call, inputs).gradients,
                                    recorded = run(row.call, inputs, true).gradients;
          // Only the contraction of a * b + c may tell them apart, the short ways of pow, fuse's dual numbers,
          // which multiply in the order of the formula, and kernels of their own, as softmax has one.
          const bool exact = level == SimdLevel::sse2 && row.formula != nullptr && row.name != "pow" &&
                             row.name.rfind("fuse", 0) != 0;
          check_gradients(recorded, fused, dtype == float32 ? eps32 : eps64,
                          exact ? 0 : std::max(4.5, row.facts.ulp));
        }
      }
    }
  }
}

TEST_CASE("ops: NaN in, NaN out, and a NaN gradient", "[ops][simd]") {
  for (const Row& row : elementwise_rows()) {
    for (DType dtype : floating) {
      for (std::size_t k = 0; k < row.inputs(); ++k) {
        for (std::int64_t n : {1, 3, 20}) {
          INFO(row.name << " " << name(dtype) << ", input " << k << " of " << n << " elements");
          std::vector<Tensor> inputs = sample(row, vectors(row, n), 6);
          const std::vector<Tensor> clean = inputs;
          Doubles values = doubles(inputs[k]);
          const std::size_t at = values.size() / 2;
          values[at] = NaN;
          inputs[k] = Tensor(Shape{n}, values);
          const Nan rule = k == 0 ? row.facts.nan_a : row.facts.nan_b;
          if (row.name == "binary_cross_entropy" && k == 0) {
            CHECK_THROWS_AS(run(row.call, as(dtype, inputs)), Error);
            continue;
          }
          const Result result = run(row.call, as(dtype, inputs));
          const Doubles y = doubles(result.value), g = doubles(result.gradients[k]);
          if (rule != Nan::ignored) CHECK(std::isnan(y[at]));
          if (rule == Nan::spreads) CHECK(std::isnan(g[at]));
          if (rule == Nan::stops) CHECK(g[at] == 0);
          if (rule == Nan::linear) {
            CHECK(same(g[at], doubles(run(row.call, as(dtype, clean)).gradients[k])[at]));
          }
          for (std::size_t i = 0; i < y.size(); ++i) {  // and nowhere else
            if (i != at) CHECK_FALSE((std::isnan(y[i]) || std::isnan(g[i])));
          }
        }
      }
    }
  }
}

TEST_CASE("ops: integers and bools", "[ops][simd]") {
  for (const Row& row : elementwise_rows()) {
    const bool probabilities = row.name == "binary_cross_entropy";
    const bool divides = row.name == "fmod" || row.name == "remainder";
    for (std::int64_t n : {1, 5, 16, 19}) {
      for (DType dtype : {int64, bool_}) {
        if (row.name == "where" && dtype == bool_) continue;  // greater(a, 0) is tested with int64
        INFO(row.name << " " << name(dtype) << " " << n);
        std::vector<Tensor> inputs;
        for (std::size_t k = 0; k < row.inputs(); ++k) {
          std::vector<std::int64_t> values(static_cast<std::size_t>(n));
          for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<std::int64_t>((i * 7 + k * 3) % 5) - 2 + static_cast<std::int64_t>(k);
            if (!row.facts.everywhere) values[i] = values[i] > 0;
            if (divides && k == 1 && values[i] == 0) values[i] = 3;  // an error: see math_test.cpp
          }
          inputs.push_back(Tensor(Shape{n}, values).astype(dtype));
        }
        const Variable y = row.call(Variables(inputs.begin(), inputs.end()));
        CHECK(y.is_constant());
        const bool keeps_bool = row.name == "identity" || row.name == "stop_gradient" ||
                                row.name == "scale_gradient" || row.name == "flip_gradient";
        CHECK(y.dtype() == (keeps_bool ? dtype : row.facts.integers));
        if (probabilities) continue;  // the capped logarithms: see loss_test.cpp
        const Worst worst = worst_value(row, y.value(), inputs);
        INFO(worst.where);
        CHECK(worst.ulp <= row.facts.ulp);
      }
    }
    // With a floating tensor, integers are converted to its dtype.
    if (row.inputs() != 2 || row.facts.integers == bool_) continue;
    for (DType dtype : floating) {
      INFO(row.name << " " << name(dtype));
      const std::vector<Tensor> inputs = as(dtype, sample(row, vectors(row, 3)));
      for (DType other : {int64, bool_}) {
        CHECK(row.call({inputs[0], ones({3}, other)}).dtype() == dtype);
        CHECK(row.call({ones({3}, other), inputs[1]}).dtype() == dtype);
      }
    }
  }
}

TEST_CASE("ops: numbers take the dtype of what they meet", "[ops][simd]") {
  for (const Row& row : elementwise_rows()) {
    if (row.inputs() != 2) continue;
    for (DType dtype : floating) {
      INFO(row.name << " " << name(dtype));
      for (std::int64_t n : {1, 5, 18}) {
        const std::vector<Tensor> inputs = as(dtype, sample(row, vectors(row, n), 7));
        const Variable a(inputs[0]), b(inputs[1]);
        const double number = 0.7;
        const Tensor same_number = scalar(number, dtype);
        if (!row.facts.broadcasts) {
          CHECK_THROWS_AS(row.number_left(number, b), ShapeError);
          CHECK_THROWS_AS(row.number_right(a, number), ShapeError);
          continue;
        }
        const Variable left = row.number_left(number, b), right = row.number_right(a, number);
        const DType expected = row.facts.integers == bool_ ? bool_ : dtype;
        // where(condition, ...) takes its condition from its first operand: a number's is 0-d and fits.
        CHECK(left.dtype() == expected);
        CHECK(right.dtype() == expected);
        CHECK(left.shape() == Shape{n});
        CHECK(right.shape() == Shape{n});
        CHECK(worst_value(row, left.value(), {same_number, inputs[1]}).ulp <= row.facts.ulp);
        CHECK(worst_value(row, right.value(), {inputs[0], same_number}).ulp <= row.facts.ulp);
        // The gradient of the tensor is the same as beside a 0-d tensor.
        if (!row.facts.differentiable) continue;
        const Result beside = run([&](X x) { return row.number_left(number, x[0]); }, {inputs[1]});
        check_gradients(beside.gradients,
                        {run(
                             [&](X x) {
                               return row.call({same_number, x[0]});
                             },
                             {inputs[1]})
                             .gradients},
                        eps64, dtype == float32 ? 4 * eps32 / eps64 : 8);
        const Result before = run([&](X x) { return row.number_right(x[0], number); }, {inputs[0]});
        check_gradients(before.gradients,
                        {run(
                             [&](X x) {
                               return row.call({x[0], same_number});
                             },
                             {inputs[0]})
                             .gradients},
                        eps64, dtype == float32 ? 4 * eps32 / eps64 : 8);
      }
    }
  }
}

TEST_CASE("ops: the same tensor twice gets the sum of both partials", "[ops]") {
  for (const Row& row : all_rows()) {
    if (row.inputs() != 2 || !row.facts.differentiable) continue;
    for (const auto& shapes : row.shapes) {
      if (shapes[0] != shapes[1]) continue;
      INFO(row.name << " " << shown(shapes));
      const Tensor x = sample(row, shapes, 8)[0];
      const Result twice = run(
                       [&](X v) {
                         return row.call({v[0], v[0]});
                       },
                       {x}),
                   apart = run(row.call, {x, x});
      Doubles sum = doubles(apart.gradients[0]);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += doubles(apart.gradients[1])[i];
      CHECK(doubles(twice.gradients[0]) == sum);
    }
  }
}

TEST_CASE("ops: empty tensors", "[ops]") {
  for (const Row& row : elementwise_rows()) {
    INFO(row.name);
    const Result result = run(row.call, sample(row, std::vector<Shape>(row.inputs(), Shape{0, 3})));
    CHECK(result.value.shape() == Shape{0, 3});
    for (const Tensor& g : result.gradients) CHECK(g.shape() == Shape{0, 3});
  }
}

TEST_CASE("ops: shapes that do not fit are named", "[ops]") {
  for (const Row& row : all_rows()) {
    if (row.inputs() != 2) continue;
    INFO(row.name);
    for (DType dtype : floating) {
      // Sampled, so that nothing but the shapes is wrong.
      const std::vector<Tensor> x = as(dtype, sample(row, {{2, 3}, {4, 5}}));
      const std::string text = message<ShapeError>([&] { row.call(Variables(x.begin(), x.end())); });
      INFO(text);
      CHECK(text.rfind(row.name + ": ", 0) == 0);
      CHECK(text.find("(2, 3)") != std::string::npos);
      CHECK(text.find("(4, 5)") != std::string::npos);
      CHECK(std::regex_search(text, std::regex("\\(at \\w+\\.hpp:[0-9]+\\)$")));
    }
  }
}

TEST_CASE("ops: float32 with float64 is an error", "[ops]") {
  for (const Row& row : all_rows()) {
    if (row.inputs() != 2 || !row.facts.floats) continue;
    INFO(row.name);
    for (bool first : {false, true}) {
      std::vector<Tensor> x = sample(row, {{3, 3}, {3, 3}});
      x[first ? 0 : 1] = x[first ? 0 : 1].astype(float32);
      const std::string text = message<DTypeError>([&] { row.call(Variables(x.begin(), x.end())); });
      INFO(text);
      CHECK(text.rfind(row.name + ": ", 0) == 0);
      CHECK(text.find("float32") != std::string::npos);
      CHECK(text.find("float64") != std::string::npos);
      CHECK(text.find("(3, 3)") != std::string::npos);
      CHECK(std::regex_search(text, std::regex("\\(at \\w+\\.hpp:[0-9]+\\)$")));
    }
  }
}

TEST_CASE("ops: a failed operation leaves the tape as it was", "[ops]") {
  for (const Row& row : all_rows()) {
    if (row.inputs() != 2) continue;
    INFO(row.name);
    Tape tape;
    const std::vector<Tensor> x = sample(row, {{2, 3}, {4, 5}});
    const Variable a = tape.watch(x[0]), b = tape.watch(x[1]);
    CHECK_THROWS_AS(row.call({a, b}), ShapeError);
    CHECK(tape.size() == 2);
  }
}

TEST_CASE("ops: every instruction set gives the same numbers", "[ops][simd]") {
  const RestoreSimd restore;
  for (const Row& row : elementwise_rows()) {
    std::vector<std::vector<Shape>> all = all_shapes(row);
    for (DType dtype : floating) {
      for (const auto& shapes : all) {
        const std::vector<Tensor> inputs = as(dtype, sample(row, shapes, 9));
        set_simd_level(SimdLevel::sse2);
        const Result base = run(row.call, inputs);
        for (SimdLevel level : simd_levels()) {
          if (level == SimdLevel::sse2) continue;
          INFO(row.name << " " << name(dtype) << " " << shown(shapes) << name(level));
          set_simd_level(level);
          const Result other = run(row.call, inputs);
          REQUIRE(other.value.dtype() == base.value.dtype());
          double worst = 0;
          detail::visit_floating(dtype, [&]<class T>(T) {
            const auto a = other.value.value().to_vector<T>(), b = base.value.value().to_vector<T>();
            for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, ulps<T>(a[i], b[i]));
          });
          const double allowed = std::max(2.0, row.facts.ulp);
          CHECK(worst <= allowed);
          // Where 1 - y^2 cancels, an ulp is one of the 1. A broadcast operand's gradient is a sum.
          const bool summed = std::any_of(shapes.begin(), shapes.end(),
                                          [&](const Shape& s) { return s != base.value.shape(); });
          check_gradients(other.gradients, base.gradients, dtype == float32 ? eps32 : eps64,
                          summed ? 16 : allowed);
        }
      }
    }
  }
}

TEST_CASE("ops: the floating-point environment is left alone", "[ops][simd]") {
  const int rounding = std::fegetround();
  for (const Row& row : elementwise_rows()) {
    run(row.call, sample(row, row.shapes[0]));
  }
  CHECK(std::fegetround() == rounding);
  volatile float denormal = std::numeric_limits<float>::denorm_min();
  CHECK(denormal * 1.0f != 0);
}
