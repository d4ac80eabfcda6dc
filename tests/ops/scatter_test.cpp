// index_add and scatter_add, against loops, for any number of threads.
#include <threads_scope.hpp>
#include <xgrad/ops/gathering.hpp>

#include "moving.hpp"

using namespace moving;

TEST_CASE("index_add and scatter_add: sums and both gradients", "[ops]") {
  std::mt19937 random(12);
  for (int round = 0; round < 40; ++round) {
    const int rank = between(random, 1, 3), axis = below(random, rank);
    const Shape from = random_shape(random, rank, 1);
    for (bool along : {false, true}) {
      Numbers sizes(from.begin(), from.end());
      auto& size = sizes[static_cast<std::size_t>(axis)];
      size = below(random, 6);
      const Tensor index = random_indices(random, along ? shape_of(sizes) : Shape{size}, from[axis]);
      const auto place = [&](Numbers at) {
        auto& i = at[static_cast<std::size_t>(axis)];
        i = wrapped(index, along ? at : Numbers{i}, from[axis]);
        return flat(at, from);
      };
      for (DType dtype : {float32, float64, int64}) {
        const Tensor x = test::random_whole(from, dtype, random),
                     u = test::random_whole(shape_of(sizes), dtype, random);
        const auto f = [&](const Variable& a, const Variable& b) {
          return along ? scatter_add(a, index, b, axis) : index_add(a, index, b, axis - rank);
        };
        Doubles expected = doubles(x);
        std::size_t next = 0;
        const Doubles updates = doubles(u);
        test::for_each_index(u.shape(), [&](const Numbers& at) {
          expected[static_cast<std::size_t>(place(at))] += updates[next++];
        });
        const Variable y = f(x, u);
        CHECK(y.dtype() == dtype);
        CHECK(doubles(y) == expected);
        if (!is_floating(dtype)) continue;
        const Tensor weights = test::random_whole(from, dtype, random),
                     t = test::random_whole(u.shape(), dtype, random);
        Doubles picked, pushed(expected.size(), 0);
        next = 0;
        test::for_each_index(u.shape(), [&](const Numbers& at) {
          picked.push_back(doubles(weights)[static_cast<std::size_t>(place(at))]);
          pushed[static_cast<std::size_t>(place(at))] += doubles(t)[next++];
        });
        Tape tape;
        const Variable a = tape.watch(x), b = tape.watch(u), z = f(a, b);
        CHECK(doubles(forward(tape, b, t, z)) == pushed);
        CHECK(doubles(forward(tape, a, x, z)) == doubles(x));
        const Gradients grad = tape.backward(z, {.seed = weights});
        CHECK(doubles(grad.or_zeros(a)) == doubles(weights));
        CHECK(doubles(grad.or_zeros(b)) == picked);
      }
    }
  }
  const Tensor twice = tensor({1, 1}, int64), pair = tensor({{1, 1}}, int64);
  CHECK(doubles(index_add(zeros({3}), twice, 2)) == Doubles{0, 4, 0});
  CHECK(doubles(index_add(zeros({2, 2}), 1, tensor({3, 4}))) == Doubles{0, 0, 3, 4});
  CHECK(doubles(index_add(zeros({3}, int64), twice, 0.5)) == Doubles{0, 1, 0});  // a real number: float32
  CHECK(doubles(scatter_add(zeros({3, 2}), pair, 1)) == Doubles{0, 0, 1, 1, 0, 0});
  CHECK(doubles(scatter_add(ones({3}, bool_), twice, true)) == Doubles{1, 3, 1});
  check_orders([&](const Variables& v) { return index_add(v[0], twice, v[1], 0); },
               {counting({2, 3}), counting({3})});
  check_orders([&](const Variables& v) { return scatter_add(v[0], pair, v[1]); },
               {counting({3, 2}), counting({1, 2})});
  auto both = [&](const Variable& x, const Variable& at, const Variable& u) {
    return std::vector<Variable>{index_add(x, at, u), scatter_add(x, at, u), take(x, at),
                                 take_along_axis(x, at)};
  };
  auto compiled = compile(both);
  for (int i = 0; i < 4; ++i) {  // other indices in each replay
    test::check_call(both, compiled, test::random_whole({5}, float32, random), random_indices(random, {7}, 5),
                     test::random_whole({7}, float32, random));
  }
  CHECK(compiled.report().replays == 3);
}

TEST_CASE("Sums into one place are the same bits for any number of threads", "[ops]") {
  std::mt19937 random(13);
  std::normal_distribution<float> normal;
  const auto noise = [&](const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(shape.size()));
    for (float& value : values) value = normal(random);
    return Tensor(shape, values);
  };
  const Tensor tokens = random_indices(random, {5000}, 11), g = noise({5000, 48}), flat_g = noise({200000});
  const Tensor places_of = random_indices(random, {200000}, 7),
               lines = random_indices(random, {3, 4000, 40}, 9), updates = noise({3, 4000, 40}),
               table = noise({3, 9, 40});
  const auto all_of = [&] {
    return std::vector<Variable>{
        index_add(zeros({11, 48}), tokens, g), index_add(zeros({7}), places_of, flat_g),
        scatter_add(zeros({3, 9, 40}), lines, updates, 1), take(g, tokens), take_along_axis(table, lines, 1)};
  };
  std::vector<Variable> alone;
  {
    const Threads one(1);
    alone = all_of();
  }
  for (int n : {2, 3, 4, 7}) {
    const Threads many(n);
    const auto together = all_of();
    for (std::size_t i = 0; i < alone.size(); ++i) {
      INFO(n << " threads, " << i);
      CHECK(test::same_bits(alone[i].value(), together[i].value()));
    }
  }
}
