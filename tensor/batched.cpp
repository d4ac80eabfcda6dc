#include <algorithm>
#include <vector>
#include <xgrad/tensor/batched.hpp>
#include <xgrad/tensor/gemm.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel {

BatchSteps::BatchSteps(const Shape& from, const Shape& to)
    : straight_(from == to || to.size() == 0), sizes_(to) {
  if (straight_) return;  // an empty batch takes no steps
  steps_.assign(static_cast<std::size_t>(to.rank()), 0);
  std::int64_t step = 1;
  for (int axis = from.rank() - 1; axis >= 0; --axis) {
    if (from[axis] != 1) steps_[static_cast<std::size_t>(axis + to.rank() - from.rank())] = step;
    step *= from[axis];
  }
}

Shape batch_of(const Shape& shape, int matrix_axes) {
  return Shape(std::span(shape.begin(), static_cast<std::size_t>(shape.rank() - matrix_axes)));
}

Shape with_batch(const Shape& batch, std::initializer_list<std::int64_t> sizes) {
  const std::size_t rank = static_cast<std::size_t>(batch.rank()) + sizes.size();
  std::int64_t few[Shape::inline_axes];  // no allocation for these
  std::vector<std::int64_t> many(rank > Shape::inline_axes ? rank : 0);
  std::int64_t* all = many.empty() ? few : many.data();
  std::copy(sizes.begin(), sizes.end(), std::copy(batch.begin(), batch.end(), all));
  return Shape(std::span<const std::int64_t>(all, rank));
}

Tensor matmul_batched(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  const int ra = a.rank(), rb = b.rank();
  const Gemm gemm{a.dtype(),
                  a.shape()[ta ? ra - 1 : ra - 2],
                  b.shape()[tb ? rb - 2 : rb - 1],
                  a.shape()[ta ? ra - 2 : ra - 1],
                  ta,
                  tb};
  const Shape batch_a = batch_of(a.shape()), batch_b = batch_of(b.shape()),
              batch = *broadcast(batch_a, batch_b);
  const Tensor result(with_batch(batch, {gemm.m, gemm.n}), a.dtype());
  const auto run = [gemm, count = batch.size(), of_a = BatchSteps(batch_a, batch),
                    of_b = BatchSteps(batch_b, batch)](void* const* out, const void* const* in) {
    const auto bytes = static_cast<std::int64_t>(size_of(gemm.dtype));
    const auto* pa = static_cast<const char*>(in[0]);
    const auto* pb = static_cast<const char*>(in[1]);
    auto* pc = static_cast<char*>(out[0]);
    const auto products = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        gemm_into(gemm, pa + of_a(i) * gemm.m * gemm.k * bytes, pb + of_b(i) * gemm.k * gemm.n * bytes,
                  nullptr, pc + i * gemm.m * gemm.n * bytes);
      }
    };
    const double work =
        2.0 * static_cast<double>(gemm.m) * static_cast<double>(gemm.n) * static_cast<double>(gemm.k);
    constexpr double worth_a_thread = 1e6, worth_a_split = 5e7;
    // A large product uses all threads by itself, and leaves the caches to one pair of factors.
    if (work > worth_a_split) return products(0, count);
    xgrad::detail::parallel(count, static_cast<std::int64_t>(worth_a_thread / (work + 1)) + 1, products);
  };
  xgrad::detail::launch({&result}, {&a, &b}, run);
  return result;
}

}  // namespace xgrad::kernel
