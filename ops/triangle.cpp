#include <limits>
#include <xgrad/ops/moving.hpp>
#include <xgrad/ops/triangle.hpp>
#include <xgrad/tensor/triangle.hpp>

namespace xgrad {

using detail::Call, detail::linear, detail::moved;

namespace {

struct Line {
  std::int64_t offset;
  int first, second;
};

// The diagonal and its adjoint are each other's pullbacks.
Variable laid(const Call& call, const Variable& x, const Shape& shape, Line line);

Variable read(const Call& call, const Variable& x, Line line) {
  return moved(call, kernel::diagonal(x.value(), line.offset, line.first, line.second), x, [&] {
    return linear([=, shape = x.shape()](const Variable& g) { return laid(call, g, shape, line); },
                  [=](const Variable& t) { return read(call, t, line); });
  });
}

Variable laid(const Call& call, const Variable& x, const Shape& shape, Line line) {
  return moved(call, kernel::on_diagonal(x.value(), shape, line.offset, line.first, line.second), x, [&] {
    return linear([=](const Variable& g) { return read(call, g, line); },
                  [=](const Variable& t) { return laid(call, t, shape, line); });
  });
}

Variable triangle(const Call& call, const Variable& x, std::int64_t offset, bool lower) {
  return moved(call, kernel::triangle(x.value(), offset, lower), x, [&] {
    const auto map = [=](const Variable& t) { return triangle(call, t, offset, lower); };
    return linear(map, map);
  });
}

Variable triangle(const char* op, Operand& x, std::int64_t offset, bool lower) {
  const Call call(op, x);
  if (x.rank() < 2) call.fail<ShapeError>("there are fewer than two axes: " + x.describe());
  return triangle(call, x.variable(), offset, lower);
}

}  // namespace

Variable diagonal(Operand x, std::int64_t offset, int first, int second) {
  const Call call("diagonal", x);
  const Line line{offset, call.axis(first, x), call.axis(second, x)};
  if (line.first == line.second) {
    call.fail<ShapeError>("axis " + std::to_string(first) + " of " + x.describe() + " is named twice");
  }
  return read(call, x.variable(), line);
}

Variable diag(Operand x, std::int64_t offset) {
  const Call call("diag", x);
  if (x.rank() == 2) return read(call, x.variable(), {offset, 0, 1});
  if (x.rank() != 1) call.fail<ShapeError>("neither a vector nor a matrix: " + x.describe());
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (offset < -most || offset > most)
    call.fail<ShapeError>("the offset is too large: " + std::to_string(offset));
  const std::int64_t n = x.shape().size() + (offset < 0 ? -offset : offset);
  return laid(call, x.variable(), {n, n}, {offset, 0, 1});
}

Variable tril(Operand x, std::int64_t offset) { return triangle("tril", x, offset, true); }
Variable triu(Operand x, std::int64_t offset) { return triangle("triu", x, offset, false); }

}  // namespace xgrad
