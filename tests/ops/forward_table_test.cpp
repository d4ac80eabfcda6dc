// Forward mode against reverse mode over the rows of op_table.hpp: <v, J u> = <J^T v, u>, for the operation and for its
// derivatives, recorded and not.
#include <xgrad/autograd/forward.hpp>

#include "op_table.hpp"
#include "push.hpp"

using namespace op_table;

namespace {

/// f's value at x, moved by u, on the tape that records or on none.
std::pair<Variable, Variable> pushed(const Function& f, Variables x, const Variables& u) {
  detail::GradCall call;
  for (Variable& argument : x) argument = call.independent(argument);
  const Variable value = f(x);
  const Variable tangent = call.tangents(x, u, {&value, 1})[0];
  return {call.result(value), tangent};
}

Variables pulled(const Function& f, Variables x, const Variable& v) {
  detail::GradCall call;
  for (Variable& argument : x) argument = call.independent(argument);
  return call.pulled(f(x), v, x);
}

Variables variables(const std::vector<Tensor>& x) { return {x.begin(), x.end()}; }

/// Each instruction set that the machine has, one after the other.
template <class F>
void each_level(const F& f) {
  struct Restore {
    SimdLevel level = simd_level();
    ~Restore() { set_simd_level(level); }
  } const restore;
  for (SimdLevel level : {SimdLevel::sse2, SimdLevel::avx2, SimdLevel::avx512}) {
    if (level > restore.level) continue;
    set_simd_level(level);
    INFO(name(level));
    f();
  }
}

template <class F>
void each_sample(const F& f) {
  for (const Row& row : all_rows()) {
    if (!row.facts.differentiable) continue;
    for (const auto& shapes : row.shapes) {
      std::string shown;
      for (const Shape& shape : shapes) shown += to_string(shape) + " ";
      INFO(row.name << " of " << shown);
      f(row, variables(sample(row, shapes)));
    }
  }
}

}  // namespace

TEST_CASE("forward: <v, J u> = <J^T v, u> for every operation", "[ops][forward]") {
  Noise noise(11);
  int samples = 0;
  each_level([&] {
    each_sample([&](const Row& row, const Variables& x) {
      const Variables u = noise.like(x);
      const auto [y, dy] = pushed(row.call, x, u);
      REQUIRE(dy.shape() == y.shape());
      const Variable v = noise.like(y);
      check_same(Inner::of({v}, {dy}), Inner::of(pulled(row.call, x, v), u), 1e-11);
      ++samples;
    });
  });
  CHECK(samples > 500);
}

TEST_CASE("forward: a recorded tangent is the same, and its gradient the gradient's tangent",
          "[ops][forward]") {
  Noise noise(11);
  each_level([&] {
    each_sample([&](const Row& row, const Variables& x) {
      // A square: the second derivative of a linear operation shows little.
      const Function f = [&](const Variables& a) { return square(row.call(a)); };
      const Variables u = noise.like(x), w = noise.like(x);
      const auto [y, plain] = pushed(f, x, u);
      const Variable v = noise.like(y);
      // Reverse over forward: the gradient of <v, J u>, along w
      const auto [along, moved] =
          pushed([&](const Variables& a) { return sum(v * pushed(f, a, u).second); }, x, w);
      const Variables reverse = pulled([&](const Variables& a) { return sum(v * pushed(f, a, u).second); }, x,
                                       Variable(scalar(1, float64)));
      // Within rounding: kernels fuse multiplications and additions that the recorded form rounds one by one.
      check_same(Inner::of({along}, {Variable(scalar(1, float64))}), Inner::of({v}, {plain}), 1e-14);
      const Inner expected = Inner::of(reverse, w);
      // Forward over forward
      Inner twice;
      twice.add(moved, Variable(scalar(1, float64)));
      check_same(twice, expected, 1e-10);
      // Forward over reverse: J^T v moved along w, times u
      const Function slopes = [&](const Variables& a) {
        const Variables all = pulled(f, a, v);
        Variable total = sum(all[0] * u[0]);
        for (std::size_t i = 1; i < all.size(); ++i) total = total + sum(all[i] * u[i]);
        return total;
      };
      Inner over;
      over.add(pushed(slopes, x, w).second, Variable(scalar(1, float64)));
      check_same(over, expected, 1e-10);
    });
  });
}

TEST_CASE("forward: float32 moves as float64 does", "[ops][forward]") {
  Noise noise(12);
  each_level([&] {
    each_sample([&](const Row& row, const Variables& x) {
      const Variables u = noise.like(x);
      Variables x32, u32, u64;
      for (const Variable& a : x) x32.emplace_back(a.value().astype(float32));
      for (const Variable& a : u) u32.emplace_back(a.value().astype(float32));
      for (const Variable& a : u32) u64.emplace_back(a.value().astype(float64));
      const auto [y, dy] = pushed(row.call, x32, u32);
      REQUIRE(dy.dtype() == y.dtype());
      const Variable wide = pushed(row.call, x, u64).second;
      const Doubles found = doubles(dy), expected = doubles(wide);
      double size = 1;
      for (double value : expected) size = std::max(size, std::abs(value));
      for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) <= 1e-4 * size);
    });
  });
}

TEST_CASE("forward: every operation has a map of its own", "[ops][forward]") {
  // Transposing a pullback is right, but several times the work.
  std::set<std::string> names;
  each_sample([&](const Row& row, const Variables& x) {
    Tape tape;
    Variables leaves;
    for (const Variable& value : x) leaves.push_back(tape.watch(value.value()));
    const Variable y = row.call(leaves);
    names.merge(transposed(tape));
    // ... and so has its pullback, for forward over reverse.
    if (!y.is_constant())
      tape.backward(square(y), {.seed = ones(y.shape(), y.dtype()), .create_graph = true});
    names.merge(transposed(tape));
  });
  CHECK(names == std::set<std::string>{});
}
