// Every row of op_table.hpp compiled: a replay gives the bits of the function itself.
#include <compiled.hpp>

#include "op_table.hpp"

using namespace op_table;
using xgrad::test::check_call;

namespace {

// Fixed numbers that differ from place to place.
Tensor weights(const Shape& shape, DType dtype) {
  Doubles values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.25 * static_cast<double>(i % 7) - 0.5;
  return Tensor(shape, values).astype(dtype);
}

// The row's value, and the gradients of a weighted sum of it.
auto with_gradients(const Row& row) {
  return [&row](const auto&... x) {
    Tape tape;
    const Variables leaves{tape.watch(x.value())...};
    const Variable y = row.call(leaves);
    Variables results{y};
    if (y.is_constant()) return results;
    const Gradients all = tape.backward(sum(y * weights(y.shape(), y.dtype())));
    for (const Variable& leaf : leaves) results.push_back(all.or_zeros(leaf));
    return results;
  };
}

void check_replays(const Row& row, const std::vector<Shape>& shapes, DType dtype) {
  std::string shown;
  for (const Shape& shape : shapes) shown += " " + to_string(shape);
  INFO(row.name << shown << " " << name(dtype));
  const auto f = with_gradients(row);
  auto step = compile(f);
  for (std::uint64_t seed : {1, 2, 3}) {
    const std::vector<Tensor> x = as(dtype, sample(row, shapes, seed));
    if (x.size() == 1) check_call(f, step, x[0]);
    if (x.size() == 2) check_call(f, step, x[0], x[1]);
    if (x.size() == 3) check_call(f, step, x[0], x[1], x[2]);
  }
  CHECK_THAT(
      to_string(step.report()),
      Catch::StartsWith(row.facts.draws ? "0 replays, 0 recordings, 3 plain calls (it draws random numbers"
                                        : "2 replays, 1 recording, 0 plain calls"));
}

}  // namespace

TEST_CASE("Every row replays to the bit", "[compile]") {
  for (const Row& row : all_rows()) {
    for (DType dtype : {float32, float64}) {
      for (const auto& shapes : row.shapes) check_replays(row, shapes, dtype);
    }
  }
}

TEST_CASE("Elementwise rows replay to the bit where they are walked block by block", "[compile]") {
  for (const Row& row : elementwise_rows()) {
    for (DType dtype : {float32, float64}) {
      for (std::int64_t n : {4096, 5000, 70001}) {
        check_replays(row, std::vector<Shape>(row.inputs(), Shape{n}), dtype);
      }
      if (row.inputs() == 1 || !row.facts.broadcasts) continue;
      check_replays(row, {{70, 81}, {81}}, dtype);
      check_replays(row, {{70, 81}, {70, 1}}, dtype);
      check_replays(row, {{70, 1}, {1, 81}}, dtype);
      check_replays(row, {{5000}, Shape{}}, dtype);
      check_replays(row, {Shape{}, {70001}}, dtype);
    }
  }
}

TEST_CASE("Rows replay to the bit with every instruction set", "[compile][simd]") {
  for (const Row& row : elementwise_rows()) {
    check_replays(row, std::vector<Shape>(row.inputs(), Shape{5003}), float32);
  }
}

TEST_CASE("Rows replay without elements", "[compile]") {
  for (const Row& row : elementwise_rows()) {
    for (DType dtype : {float32, float64}) {
      check_replays(row, std::vector<Shape>(row.inputs(), Shape{0}), dtype);
      if (row.inputs() == 2 && row.facts.broadcasts) check_replays(row, {{0, 3}, {3}}, dtype);
    }
  }
}

TEST_CASE("NaN and infinities replay to the bit", "[compile]") {
  for (const Row& row : elementwise_rows()) {
    if (!row.facts.everywhere) continue;
    const auto f = with_gradients(row);
    auto step = compile(f);
    for (double special : {1.0, NaN, Inf, -Inf, -0.0}) {
      INFO(row.name << " at " << special);
      const Tensor x = full({5}, special, float64), y = tensor({1, -1, NaN, Inf, 0}, float64);
      if (row.inputs() == 1) check_call(f, step, x);
      if (row.inputs() == 2) check_call(f, step, x, y);
    }
    CHECK(step.report().replays == 4);
  }
}
