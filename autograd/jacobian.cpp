#include <utility>
#include <xgrad/autograd/jacobian.hpp>
#include <xgrad/autograd/linear.hpp>

namespace xgrad {
namespace detail {
namespace {

// 1 at one place, 0 elsewhere.
Variable unit(const Variable& like, std::int64_t place) {
  return in_row(Variable(ones({}, like.dtype())), place, like.shape());
}

Shape joined(const Shape& a, const Shape& b) {
  std::vector<std::int64_t> sizes(a.begin(), a.end());
  sizes.insert(sizes.end(), b.begin(), b.end());
  return Shape(std::span<const std::int64_t>(sizes));
}

std::int64_t total(std::span<const Variable> all) {
  std::int64_t n = 0;
  for (const Variable& x : all) n += x.size();
  return n;
}

// Of the rows or columns found one by one.
Variable assembled(const Variable& value, const Variable& argument, std::span<const Variable> found,
                   bool columns) {
  const Shape shape = joined(value.shape(), argument.shape());
  if (shape.size() == 0) return Variable(zeros(shape, argument.dtype()));
  if (!columns) return stack_rows(found, shape);
  const Variable stacked = stack_rows(found, joined(argument.shape(), value.shape()));
  return transpose_as(stacked, argument.size(), shape);
}

}  // namespace

std::vector<std::vector<Variable>> jacobians(GradCall& call, std::span<const Variable> values,
                                             std::span<const Variable> arguments, Walks walks) {
  const std::size_t m = values.size(), n = arguments.size();
  std::vector<std::vector<Variable>> result(m, std::vector<Variable>(n));
  if (walks == Walks::fewer && total(arguments) <= total(values)) {
    for (std::size_t j = 0; j < n; ++j) {
      std::vector<std::vector<Variable>> columns(m);
      for (std::int64_t c = 0; c < arguments[j].size(); ++c) {
        const Variable direction = unit(arguments[j], c);
        std::vector<Variable> moved = call.tangents(arguments.subspan(j, 1), {&direction, 1}, values);
        for (std::size_t i = 0; i < m; ++i) columns[i].push_back(std::move(moved[i]));
      }
      for (std::size_t i = 0; i < m; ++i)
        result[i][j] = call.result(assembled(values[i], arguments[j], columns[i], true));
    }
    return result;
  }
  for (std::size_t i = 0; i < m; ++i) {
    std::vector<std::vector<Variable>> rows(n);
    for (std::int64_t r = 0; r < values[i].size(); ++r) {
      std::vector<Variable> pulled = call.pulled(values[i], unit(values[i], r), arguments);
      for (std::size_t j = 0; j < n; ++j) rows[j].push_back(std::move(pulled[j]));
    }
    for (std::size_t j = 0; j < n; ++j)
      result[i][j] = call.result(assembled(values[i], arguments[j], rows[j], false));
  }
  return result;
}

void require_examples(const char* function, const Variable& value) {
  if (value.rank() == 1) return;
  throw ShapeError(std::string(function) + ": the value " + to_string(value.shape()) +
                   " does not hold one number for each example; sum it over all other axes");
}

}  // namespace detail

std::vector<Gradients> example_gradients(Tape& tape, const Variable& costs) {
  detail::require_examples("example_gradients", costs);
  std::vector<Gradients> all;
  for (std::int64_t i = 0; i < costs.size(); ++i)
    all.push_back(tape.backward(costs, {.seed = detail::unit(costs, i), .retain = true}));
  return all;
}

}  // namespace xgrad
