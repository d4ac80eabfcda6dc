// Programs of captured kernels, without anything that records or differentiates.
#include <algorithm>
#include <optional>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/program.hpp>
#include <xgrad/tensor/reduce.hpp>
#include <xgrad/tensor/strided.hpp>
#include <xgrad/tensor/threads.hpp>

#include "support.hpp"

namespace {

using namespace xgrad;
using detail::Capture, detail::Program;
using test::random_whole, test::same_bits;

Tensor add(const Tensor& a, const Tensor& b) {
  return kernel::map<float, float>([](auto x, auto y) { return x + y; }, *broadcast(a.shape(), b.shape()), a,
                                   b);
}
Tensor twice(const Tensor& x) {
  return kernel::map<float>([](auto v) { return v + v; }, x.shape(), x);
}
// Stays small, whatever comes before it.
Tensor folded(const Tensor& x) {
  return kernel::map<float>([](auto v) { return maximum(minimum(v, 50), -50); }, x.shape(), x);
}

using Results = std::vector<Tensor>;

// What f(x, y) does, as a program.
template <class F>
Program captured(const F& f, const Tensor& x, const Tensor& y) {
  Capture capture(std::vector<const Tensor*>{&x, &y});
  const Results results = f(x, y);
  std::vector<const Tensor*> all;
  for (const Tensor& result : results) all.push_back(&result);
  REQUIRE(capture.obstacle().empty());
  return capture.finish(all);
}

Results run(Program& program, const Tensor& x, const Tensor& y) {
  Results results;
  const Tensor* inputs[] = {&x, &y};
  REQUIRE(program.run(inputs, results));
  return results;
}

void check_same(const Results& a, const Results& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    INFO("result " << i << ":\n" << a[i] << "\n" << b[i]);
    CHECK(same_bits(a[i], b[i]));
  }
}

}  // namespace

TEST_CASE("A program drops what no result needs", "[program]") {
  std::mt19937 random(1);
  const auto f = [](const Tensor& x, const Tensor& y) {
    const Tensor unused = add(twice(x), y), used = add(x, y);
    const Tensor never = twice(used);
    return Results{twice(used)};
  };
  const Tensor x = random_whole({7}, float32, random), y = random_whole({7}, float32, random);
  Program program = captured(f, x, y);
  CHECK(program.calls() == 2);
  CHECK(program.passes() == 2);
  check_same(run(program, y, y), f(y, y));
}

TEST_CASE("Temporaries share their memory", "[program]") {
  std::mt19937 random(2);
  const std::int64_t n = GENERATE(10, 3000, 100'000);
  const auto chain = [](const Tensor& x, const Tensor& y) {
    Tensor z = x;
    for (int i = 0; i < 50; ++i) z = folded(add(twice(z), y));
    return Results{z};
  };
  const Tensor x = random_whole({n}, float32, random), y = random_whole({n}, float32, random);
  Program program = captured(chain, x, y);
  const auto bytes = static_cast<std::size_t>(n) * 4;
  CHECK(program.calls() == 150);
  CHECK(program.temporary_bytes() >= 149 * bytes);
  CHECK(program.planned_bytes() <= 3 * (bytes + 64));
  CHECK(program.passes() == (n > 4096 ? 1 : 150));
  if (n > 4096) CHECK(program.planned_bytes() == 0);  // a block of each is enough
  for (int data = 0; data < 3; ++data) {
    const Tensor a = random_whole({n}, float32, random), b = random_whole({n}, float32, random);
    check_same(run(program, a, b), chain(a, b));
  }
}

TEST_CASE("No temporary is overwritten while it is needed", "[program]") {
  // Random graphs of whole numbers over a few sizes, among them blocks with tails; whatever is picked is
  // needed until then.
  for (unsigned seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    const std::vector<Shape> shapes{{3, 5}, {1, 5}, {70, 61}, {1, 61}, {130, 33}};
    const auto f = [&](const Tensor& x, const Tensor& y) {
      std::mt19937 random(seed);
      Results values{x, y, full({3, 5}, 2), full({70, 61}, 3)};
      const auto any = [&] { return values[random() % values.size()]; };
      const int steps = 10 + static_cast<int>(random() % 60);
      for (int i = 0; i < steps; ++i) {
        const Tensor a = any(), b = any();
        const auto wider = broadcast(a.shape(), b.shape());
        switch (random() % 6) {
          case 0:
            values.push_back(twice(a));
            break;
          case 1:
            values.push_back(kernel::sum_to(a, {1, a.shape()[1]}));
            break;
          case 2:
            values.push_back(kernel::permute(a, std::vector<int>{1, 0}));
            break;
          case 3: {  // in place
            Tensor own = add(a, a);
            kernel::map_over<float, float>([](auto p, auto q) { return p - q; }, own, own, a);
            values.push_back(std::move(own));
            break;
          }
          default:
            if (wider && wider->size() < 20'000) values.push_back(add(a, b));
        }
        values.back() = folded(values.back());
      }
      Results results;
      for (int i = 0; i < 4; ++i) results.push_back(any());
      results.push_back(values.back());
      return results;
    };
    std::mt19937 random(seed);
    const Shape shape = shapes[random() % shapes.size()], other = shapes[random() % shapes.size()];
    const auto drawn = [&](const Shape& s) { return random_whole(s, float32, random); };
    Program program = captured(f, drawn(shape), drawn(other));
    CHECK(program.planned_bytes() <= program.temporary_bytes());
    for (int data = 0; data < 3; ++data) {
      const Tensor x = drawn(shape), y = drawn(other);
      check_same(run(program, x, y), f(x, y));
    }
  }
}

TEST_CASE("A program's results are the caller's own", "[program]") {
  std::mt19937 random(3);
  const Tensor fixed = full({5}, 7);
  const auto f = [&](const Tensor& x, const Tensor& y) {
    const Tensor z = add(x, y);
    return Results{z, z, z.reshape({5, 1}), x, y.reshape({1, 5}), fixed, zeros({0, 3})};
  };
  const auto drawn = [&] { return random_whole({5}, float32, random); };
  Program program = captured(f, drawn(), drawn());
  const Tensor x = drawn(), y = drawn();
  const Results first = run(program, x, y);
  CHECK(first[0].shares_storage(first[2]));
  CHECK(first[3].shares_storage(x));
  CHECK(first[5].shares_storage(fixed));
  const Results kept = f(x, y);
  run(program, y, y);
  check_same(first, kept);  // as they were
}

TEST_CASE("A program runs only where it is right", "[program]") {
  const auto f = [](const Tensor& x, const Tensor& y) {
    const Tensor total = kernel::sum_to(x, {1});
    return Results{total.item() > 0 ? add(x, y) : twice(x)};
  };
  const Tensor up = tensor({1, 2}), down = tensor({-1, -2}), also_up = tensor({2, 1});
  Program program = captured(f, up, down);
  check_same(run(program, also_up, up), f(also_up, up));
  Results results;
  const Tensor* inputs[] = {&down, &up};
  CHECK_FALSE(program.run(inputs, results));
  CHECK(results.empty());
  check_same(run(program, also_up, down), f(also_up, down));
}

TEST_CASE("What cannot be run again is an obstacle", "[program]") {
  const Tensor x = tensor({1, 2});
  Tensor outside = tensor({3, 4});
  const auto obstacle = [&](auto&& f) {
    const Capture capture(std::vector<const Tensor*>{&x});
    f();
    return capture.obstacle();
  };
  CHECK(obstacle([&] { twice(x); }).empty());
  CHECK(obstacle([&] { outside.to_vector<float>(); }).empty());  // the same in each run
  const auto reads = Catch::Contains("reads elements");
  CHECK_THAT(obstacle([&] { x.to_vector<float>(); }), reads);
  CHECK_THAT(obstacle([&] { twice(x).data<float>(); }), reads);
  CHECK_THAT(obstacle([&] { twice(x).at({0}); }), reads);
  CHECK_THAT(obstacle([&] { equal(twice(x), x); }), reads);
  CHECK_THAT(obstacle([&] {
               kernel::map_over<float, float>([](auto a, auto b) { return a + b; }, outside, outside, x);
             }),
             Catch::Contains("writes into a tensor"));
  CHECK_THAT(obstacle([&] {
               detail::note_obstacle("first");
               detail::note_obstacle("second");
             }),
             Catch::Equals("first"));
}

TEST_CASE("A source gives its present value", "[program]") {
  Tensor value = tensor({1, 2});
  const Tensor same = value;  // shares its memory, and stays
  const auto now = [&] { return value; };
  const Tensor x = tensor({10, 20});
  std::optional<Program> program;
  {
    Capture capture(std::vector<const Tensor*>{&x});
    const auto current = [&] { return detail::note_source(value, &value, now); };
    const Tensor result = add(add(current(), current()), add(same, x));
    program.emplace(capture.finish(std::vector<const Tensor*>{&result}));
  }
  const Tensor* inputs[] = {&x};
  Results results;
  value = tensor({3, 5});
  REQUIRE(program->run(inputs, results));
  CHECK(equal(results[0], tensor({17, 32})));
  value = tensor({1, 2, 3});  // another shape
  CHECK_FALSE(program->run(inputs, results));
  CHECK(value.unique());
}

TEST_CASE("Captures do not nest", "[program]") {
  const Capture capture({});
  CHECK_THROWS_AS(Capture({}), GraphError);
  CHECK(capture.obstacle().empty());
}

TEST_CASE("Blocks give the same bits for every number of threads", "[program]") {
  struct Restore {
    int threads = num_threads();
    ~Restore() { set_num_threads(threads); }
  } restore;
  std::mt19937 random(4);
  const std::int64_t n = 300'007;
  const auto f = [](const Tensor& x, const Tensor& y) {
    const Tensor a = add(twice(x), y), b = folded(add(a, x));
    return Results{add(a, b), kernel::sum(b, 1)};
  };
  const Tensor x = random_whole({n}, float32, random), y = random_whole({n}, float32, random);
  Program program = captured(f, x, y);
  const Results expected = f(x, y);
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    check_same(run(program, x, y), expected);
  }
}
