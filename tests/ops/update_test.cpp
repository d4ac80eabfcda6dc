// The updates give the numbers of their formulas, bit for bit.
#include <cstring>
#include <xgrad/ops/update.hpp>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/simd.hpp>
#include <xgrad/tensor/threads.hpp>

#include "fuse_checks.hpp"

using namespace fuse_checks;

namespace {

constexpr double rate = 0.05, momentum = 0.9, decay = 0.01;

bool starts_with(const Tensor& whole, const Tensor& part) {
  return part.size() == 0 || std::memcmp(whole.raw(), part.raw(), part.bytes()) == 0;
}

/// The first n elements, in memory of their own.
Tensor start_of(const Tensor& whole, std::int64_t n) {
  Tensor part({n}, whole.dtype());
  if (n > 0) std::memcpy(detail::mutable_data<void>(part), whole.raw(), part.bytes());
  return part;
}

}  // namespace

TEST_CASE("updates: the bits of their formulas", "[ops][simd]") {
  const int threads = num_threads();
  for (DType dtype : {float32, float64}) {
    std::vector<std::int64_t> sizes{100, 1000, (1 << 17) + 5};
    for (std::int64_t n = 0; n <= 35; ++n) sizes.push_back(n);
    for (std::int64_t n : sizes) {
      INFO(n << " " << name(dtype));
      // The formulas on whole vectors: of a single one that is not full, GCC may compute a lane without FMA.
      const Shape shape{n + 64};
      const Tensor p = numbers(shape, 1).astype(dtype), g = numbers(shape, 2).astype(dtype),
                   v = numbers(shape, 3).astype(dtype);
      const auto [first, second, third] = detail::visit_floating(dtype, [&]<class T>(T) {
        const Tensor next = kernel::map<T, T, T>(
            [](auto v, auto g, auto p) { return momentum * v + (g + decay * p); }, shape, v, g, p);
        return std::tuple(
            next, kernel::map<T, T>([](auto p, auto v) { return p - rate * v; }, shape, p, next),
            kernel::map<T, T>([](auto p, auto g) { return p - rate * (g + decay * p); }, shape, p, g));
      });
      for (int count : {1, 2}) {
        set_num_threads(count);
        Parameter parameter("p", start_of(p, n));
        Tensor velocity = start_of(v, n);
        momentum_update(parameter, velocity, start_of(g, n), rate, momentum, decay);
        CHECK(starts_with(first, velocity));
        CHECK(starts_with(second, parameter.value()));
        Parameter plain("plain", start_of(p, n));
        sgd_update(plain, start_of(g, n), rate, decay);
        CHECK(starts_with(third, plain.value()));
      }
    }
  }
  set_num_threads(threads);
}

TEST_CASE("momentum_update: a value that somebody holds does not change", "[ops]") {
  Parameter p("p", tensor({1, 2, 3}));
  const Tensor held = p.value();
  Tensor velocity = zeros({3});
  momentum_update(p, velocity, held, 0.5, 0.9, 0);
  CHECK(doubles(held) == Doubles{1, 2, 3});
  CHECK(doubles(p.value()) == Doubles{0.5, 1, 1.5});
  CHECK(doubles(velocity) == Doubles{1, 2, 3});
  CHECK(p.version() == 1);
}
