// The kernels that move elements from place to place, on memory that faults behind its end.
#include <xgrad/tensor/gather.hpp>
#include <xgrad/tensor/sort.hpp>
#include <xgrad/tensor/triangle.hpp>

#include "support.hpp"

using namespace xgrad;
using test::before_guard_page, test::same_bits;

namespace {

Tensor indices(const Shape& shape, std::int64_t n, std::mt19937& random) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(shape.size()));
  for (std::int64_t& value : values)
    value = static_cast<std::int64_t>(random() % static_cast<unsigned>(2 * n)) - n;
  return Tensor(shape, values);
}

}  // namespace

TEST_CASE("Moving kernels read nothing behind their arrays", "[tensor]") {
  std::mt19937 random(1);
  for (DType dtype : {float32, float64, int64, bool_}) {
    for (std::int64_t inner : {1, 2, 3, 4, 5, 7, 16, 33, 70}) {
      INFO(name(dtype) << " " << inner);
      const Tensor x = test::random_whole({3, 5, inner}, dtype, random), guarded = before_guard_page(x);
      const Tensor at = indices({4}, 5, random), along = indices({3, 4, inner}, 5, random);
      CHECK(same_bits(kernel::take(guarded, before_guard_page(at), 1), kernel::take(x, at, 1)));
      CHECK(same_bits(kernel::take_along(guarded, before_guard_page(along), 1),
                      kernel::take_along(x, along, 1)));
      if (dtype != bool_) {
        const Tensor u = test::random_whole({3, 4, inner}, dtype, random), updates = before_guard_page(u);
        CHECK(same_bits(kernel::add_at(&guarded, x.shape(), before_guard_page(at), updates, 1),
                        kernel::add_at(&x, x.shape(), at, u, 1)));
        CHECK(same_bits(kernel::add_along(&guarded, x.shape(), before_guard_page(along), updates, 1),
                        kernel::add_along(&x, x.shape(), along, u, 1)));
      }
      for (int axis : {0, 1, 2}) {
        const std::int64_t n = x.shape()[axis];
        const std::vector<kernel::Picked> turned{{n - 1, -1, n}, {0, 1, n}, {n - 1, 0, 2}},
            rolled{{n / 2, 1, n - n / 2}, {0, 1, n / 2}};
        for (const auto& list : {turned, rolled}) {
          CHECK(same_bits(kernel::runs(guarded, list, axis), kernel::runs(x, list, axis)));
        }
        CHECK(same_bits(kernel::argsort(guarded, axis, false), kernel::argsort(x, axis, false)));
        CHECK(same_bits(kernel::arg_topk(guarded, 1, axis, true), kernel::arg_topk(x, 1, axis, true)));
      }
      const std::vector<std::int64_t> before{0, 1, 2};
      CHECK(same_bits(kernel::pad(guarded, {3, 7, inner + 3}, before, 1),
                      kernel::pad(x, {3, 7, inner + 3}, before, 1)));
      CHECK(same_bits(kernel::diagonal(guarded, 1, 1, 2), kernel::diagonal(x, 1, 1, 2)));
      for (bool lower : {false, true}) {
        CHECK(same_bits(kernel::triangle(guarded, 0, lower), kernel::triangle(x, 0, lower)));
      }
    }
  }
}

TEST_CASE("Runs of places: neighbours become one", "[tensor]") {
  const auto shown = [](const std::vector<std::int64_t>& places) {
    std::string text;
    for (const kernel::Picked& run : kernel::runs_of(places)) {
      text += std::to_string(run.first) + (run.count == 1 ? "" : " by " + std::to_string(run.step)) + " x" +
              std::to_string(run.count) + "; ";
    }
    return text;
  };
  CHECK(shown({}) == "");
  CHECK(shown({4}) == "4 x1; ");
  CHECK(shown({0, 0, 0}) == "0 by 0 x3; ");
  CHECK(shown({2, 1, 0, 1, 2, 2, 7}) == "2 by -1 x3; 1 by 1 x2; 2 x1; 7 x1; ");
  CHECK(shown({0, 5, 10}) == "0 x1; 5 x1; 10 x1; ");
}
