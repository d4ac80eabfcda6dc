#include <algorithm>
#include <numeric>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/matrices.hpp>
#include <xgrad/ops/shaping.hpp>
#include <xgrad/tensor/batched.hpp>

namespace xgrad::detail {
namespace {

// "(1, 2)": where matrix `i` stands in a batch.
std::string place_in(const Shape& batch, std::int64_t i) {
  std::string text;
  for (int axis = batch.rank() - 1; axis >= 0; i /= batch[axis--]) {
    text = std::to_string(i % batch[axis]) + (text.empty() ? "" : ", " + text);
  }
  return batch.rank() == 1 ? text : "(" + text + ")";
}

template <class F>
Variable chosen(const Variable& x, const F& keep, Operand other) {
  const std::int64_t rows = x.shape()[x.rank() - 2], columns = x.shape()[x.rank() - 1];
  Tensor mask({rows, columns}, bool_);
  bool* p = mutable_data<bool>(mask);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) *p++ = keep(i, j);
  }
  return where(mask, x, std::move(other));
}

}  // namespace

DType floating_dtype(const Call& call, std::initializer_list<const Operand*> operands) {
  const DType common = call.common_dtype(operands);
  return is_floating(common) ? common : float32;
}

void require_matrices(const Call& call, const Operand& x, std::int64_t limit) {
  if (x.rank() < 2) call.fail<ShapeError>(x.describe() + " is no matrix");
  for (int axis = x.rank() - 2; axis < x.rank(); ++axis) {
    if (x.shape()[axis] < limit) continue;
    call.fail<ShapeError>("a size of " + x.describe() + " is beyond LAPACK's limit, " +
                          std::to_string(limit - 1));
  }
}

void require_square(const Call& call, const Operand& x, std::int64_t limit) {
  require_matrices(call, x, limit);
  if (x.shape()[x.rank() - 1] == x.shape()[x.rank() - 2]) return;
  call.fail<ShapeError>("the matrix is not square: " + x.describe());
}

void require_success(const Call& call, const Tensor& info, const Shape& shape, const std::string& described,
                     const char* is, const char* number) {
  const auto check = [=, batch = kernel::batch_of(shape), n = info.size(), scope = CapturedScope()](
                         void* const*, const void* const* in) {
    const auto* code = static_cast<const std::int64_t*>(in[0]);
    const auto* bad = std::find_if(code, code + n, [](std::int64_t c) { return c != 0; });
    if (bad == code + n) return;
    std::string details = number;
    if (const auto at = details.find('#'); at != std::string::npos)
      details.replace(at, 1, std::to_string(*bad));
    const std::string which = batch.rank() == 0 ? "" : "matrix " + place_in(batch, bad - code) + " of ";
    scope.enter([&] { call.fail<Error>(which + described + " " + is + " (" + details + ")"); });
  };
  launch({}, {&info}, check);
}

Variable adjoint(const Variable& x) {
  std::vector<int> order(static_cast<std::size_t>(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 2], order[order.size() - 1]);
  return transpose(x, order);
}

Variable diagonal_of(const Variable& x, int row, int column) {
  std::vector<int> order;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis != row && axis != column) order.push_back(axis);
  }
  order.insert(order.end(), {row, column});
  const Variable last = std::is_sorted(order.begin(), order.end()) ? x : transpose(x, order);
  const std::int64_t m = x.shape()[row], n = x.shape()[column], k = std::min(m, n);
  // Every (n + 1)-th element of a matrix laid out flat.
  const Shape flat = kernel::with_batch(kernel::batch_of(last.shape()), {m * n});
  return slice(reshape(last, flat), -1, {0, k == 0 ? 0 : (k - 1) * (n + 1) + 1, n + 1});
}

Variable per_matrix(const Variable& x) { return reshape(x, kernel::with_batch(x.shape(), {1, 1})); }
Variable per_row(const Variable& x) { return reshape(x, kernel::with_batch(x.shape(), {1})); }
Variable per_column(const Variable& x) {
  return reshape(x, kernel::with_batch(kernel::batch_of(x.shape(), 1), {1, x.shape()[x.rank() - 1]}));
}

Variable triangle_of(const Variable& x, bool lower, bool diagonal) {
  return chosen(
      x, [=](std::int64_t i, std::int64_t j) { return i == j ? diagonal : lower == (j < i); }, 0);
}

Variable with_diagonal(const Variable& x, double value) {
  return chosen(
      x, [](std::int64_t i, std::int64_t j) { return i != j; }, value);
}

Variable symmetric_part(const Variable& x) { return (x + adjoint(x)) * 0.5; }

}  // namespace xgrad::detail
