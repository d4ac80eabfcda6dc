// Pooling against plain loops, ties, NaN, and where it must refuse.
#include <compiled.hpp>
#include <complaint.hpp>
#include <threads_scope.hpp>
#include <xgrad/ops/ops.hpp>

#include "push.hpp"

using namespace checks;

namespace {

struct Setting {
  Shape x;
  std::int64_t kernel[2], stride[2], padding[2], dilation[2];

  std::int64_t count(int axis) const {
    return (x[axis + 2] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] + 1;
  }
  Shape y() const { return {x[0], x[1], count(0), count(1)}; }
};

PerAxis pair(const std::int64_t (&n)[2]) { return {n[0], n[1]}; }

Setting random_setting(std::mt19937& random, int largest, bool dilated) {
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() % static_cast<unsigned>(high - low + 1));
  };
  Setting s;
  std::int64_t sizes[2];
  for (int axis = 0; axis < 2; ++axis) {
    do {
      sizes[axis] = between(1, largest), s.kernel[axis] = between(1, 4), s.stride[axis] = between(1, 3);
      s.dilation[axis] = dilated ? between(1, 3) : 1;
      s.padding[axis] = s.dilation[axis] == 1 ? between(0, s.kernel[axis] / 2) : 0;
    } while (sizes[axis] + 2 * s.padding[axis] < s.dilation[axis] * (s.kernel[axis] - 1) + 1);
  }
  s.x = {between(0, 2), between(1, 3), sizes[0], sizes[1]};
  return s;
}

// f(place of the window in y, the places of its elements in x).
template <class F>
void each_window(const Setting& s, const F& f) {
  std::size_t place = 0;
  test::for_each_index(s.y(), [&](const std::vector<std::int64_t>& at) {
    std::vector<std::size_t> elements;
    for (std::int64_t k = 0; k < s.kernel[0]; ++k) {
      for (std::int64_t l = 0; l < s.kernel[1]; ++l) {
        const std::int64_t row = at[2] * s.stride[0] + k * s.dilation[0] - s.padding[0],
                           column = at[3] * s.stride[1] + l * s.dilation[1] - s.padding[1];
        if (row < 0 || row >= s.x[2] || column < 0 || column >= s.x[3]) continue;
        elements.push_back(
            static_cast<std::size_t>(((at[0] * s.x[1] + at[1]) * s.x[2] + row) * s.x[3] + column));
      }
    }
    f(place++, elements);
  });
}

struct Expected {
  Doubles y, dx;
};

Expected maxima(const Setting& s, const Tensor& x, const Tensor& g) {
  const Doubles in = doubles(x), seed = doubles(g);
  Expected e{Doubles(seed.size()), Doubles(in.size(), 0)};
  each_window(s, [&](std::size_t place, const std::vector<std::size_t>& elements) {
    double top = -Inf, ties = 0;
    for (std::size_t i : elements) top = std::max(top, in[i]);
    for (std::size_t i : elements) ties += in[i] == top;
    for (std::size_t i : elements) e.dx[i] += in[i] == top ? seed[place] / ties : 0;
    e.y[place] = top;
  });
  return e;
}

Expected means(const Setting& s, const Tensor& x, const Tensor& g, bool all) {
  const Doubles in = doubles(x), seed = doubles(g);
  Expected e{Doubles(seed.size(), 0), Doubles(in.size(), 0)};
  each_window(s, [&](std::size_t place, const std::vector<std::size_t>& elements) {
    const double n =
        all ? static_cast<double>(s.kernel[0] * s.kernel[1]) : static_cast<double>(elements.size());
    for (std::size_t i : elements) {
      e.y[place] += in[i] / n;
      e.dx[i] += seed[place] / n;
    }
  });
  return e;
}

void check_close(const Variable& a, const Doubles& b, double tolerance) {
  const Doubles values = doubles(a);
  REQUIRE(values.size() == b.size());
  for (std::size_t i = 0; i < b.size(); ++i) CHECK(std::abs(values[i] - b[i]) <= tolerance);
}

template <class F>
void check(const F& f, const Shape& shape, const Tensor& x, const Tensor& g, const Expected& expected,
           double tolerance) {
  Tape tape;
  const Variable leaf = tape.watch(x), y = f(leaf);
  REQUIRE(y.shape() == shape);
  CHECK(y.dtype() == x.dtype());
  CHECK(tape.size() == 2);
  check_close(y, expected.y, tolerance);
  check_close(tape.backward(y, {.seed = g})[leaf], expected.dx, tolerance);
}

template <class F>
std::string text(F call) {
  const std::string whole = message<Error>(call);
  return whole.substr(0, whole.rfind(" (at pooling_test.cpp:"));
}

}  // namespace

TEST_CASE("max_pool2d: plain loops give the same, ties share", "[ops]") {
  std::mt19937 random(1);
  for (int i = 0; i < 150; ++i) {
    const Setting s = random_setting(random, 9, true);
    INFO(to_string(s.x) << " to " << to_string(s.y()));
    const auto f = [&](const Variable& x) {
      return max_pool2d(x, pair(s.kernel),
                        {.stride = pair(s.stride), .padding = pair(s.padding), .dilation = pair(s.dilation)});
    };
    for (DType dtype : {float32, float64}) {
      // Of 19 numbers, many are equal.
      const Tensor x = test::random_whole(s.x, dtype, random), g = test::random_whole(s.y(), dtype, random);
      check(f, s.y(), x, g, maxima(s, x, g), dtype == float32 ? 1e-4 : 1e-12);
    }
  }
}

TEST_CASE("avg_pool2d: plain loops give the same", "[ops]") {
  std::mt19937 random(2);
  for (int i = 0; i < 150; ++i) {
    const Setting s = random_setting(random, 9, false);
    INFO(to_string(s.x) << " to " << to_string(s.y()));
    for (bool all : {true, false}) {
      const auto f = [&](const Variable& x) {
        return avg_pool2d(x, pair(s.kernel),
                          {.stride = pair(s.stride), .padding = pair(s.padding), .count_include_pad = all});
      };
      for (DType dtype : {float32, float64}) {
        const Tensor x = test::random_whole(s.x, dtype, random), g = test::random_whole(s.y(), dtype, random);
        check(f, s.y(), x, g, means(s, x, g, all), dtype == float32 ? 1e-4 : 1e-12);
      }
    }
  }
}

TEST_CASE("pooling: large images for any number of threads", "[ops]") {
  std::mt19937 random(3);
  const Setting s{{7, 5, 70, 61}, {3, 2}, {2, 2}, {1, 0}, {1, 1}};
  const Tensor x = test::random_whole(s.x, float32, random), g = test::random_whole(s.y(), float32, random);
  for (int threads : {1, 3}) {
    const Threads scope(threads);
    check(
        [](const Variable& v) {
          return max_pool2d(v, {3, 2}, {.stride = 2, .padding = {1, 0}});
        },
        s.y(), x, g, maxima(s, x, g), 1e-4);
    check(
        [](const Variable& v) {
          return avg_pool2d(v, {3, 2}, {.stride = 2, .padding = {1, 0}});
        },
        s.y(), x, g, means(s, x, g, true), 1e-4);
  }
}

TEST_CASE("pooling along one axis: that of height 1", "[ops]") {
  std::mt19937 random(4);
  const Tensor x = test::random_whole({2, 3, 11}, float32, random);
  const Variable high = expand_dims(x, 2);
  const auto same = [](const Variable& one, const Variable& two) {
    CHECK(one.rank() == 3);
    CHECK(doubles(one) == doubles(two));
  };
  same(max_pool1d(x, 3, {.stride = 2, .padding = 1}),
       max_pool2d(high, {1, 3}, {.stride = {1, 2}, .padding = {0, 1}}));
  same(max_pool1d(x, 2), max_pool2d(high, {1, 2}));
  same(avg_pool1d(x, 3, {.stride = 2, .padding = 1}),
       avg_pool2d(high, {1, 3}, {.stride = {1, 2}, .padding = {0, 1}}));
  same(adaptive_avg_pool1d(x, 4), adaptive_avg_pool2d(high, {1, 4}));
}

TEST_CASE("adaptive_avg_pool2d: windows that cover the image", "[ops]") {
  const Tensor x = arange(0, 7, 1, float64).reshape({1, 1, 7});
  CHECK(doubles(adaptive_avg_pool1d(x, 3)) == Doubles{1, 3, 5});  // 0-2, 2-4, 4-6
  CHECK(doubles(adaptive_avg_pool1d(x, 7)) == doubles(x));
  CHECK(doubles(adaptive_avg_pool1d(x, 14))[3] == 1);
  const Tensor image = arange(0, 24, 1, float64).reshape({2, 1, 3, 4});
  CHECK(doubles(adaptive_avg_pool2d(image, 1)) == doubles(mean(image, {2, 3})));
  CHECK(doubles(adaptive_avg_pool2d(image, {3, 2})) == doubles(avg_pool2d(image, {1, 2})));
}

TEST_CASE("max_pool: forward mode and higher orders", "[ops]") {
  std::mt19937 random(5);
  const Tensor x = test::random_whole({2, 2, 5, 6}, float64, random);  // with ties
  check_push([](const Variables& v) { return max_pool2d(v[0], 3, {.stride = 1, .padding = 1}); }, {x});
  check_push([](const Variables& v) { return avg_pool2d(v[0], 3, {.stride = 2, .padding = 1}); }, {x});
  const auto of_gradient = [](auto pool) {
    return [pool](const Variables& v) {
      Tape& tape = *Tape::recording();
      const Variable y = pool(v[0]);
      return tape.backward(y, {.seed = v[1], .create_graph = true})[v[0]];
    };
  };
  const Tensor g = test::random_whole({2, 2, 2, 3}, float64, random);
  check_push(of_gradient([](const Variable& v) { return max_pool2d(v, 2); }), {x, g});
  check_push(of_gradient([](const Variable& v) { return avg_pool2d(v, 2); }), {x, g});
}

TEST_CASE("pooling: NaN and infinities", "[ops]") {
  Doubles values(16, 1);
  values[5] = NaN;
  const Tensor x(Shape{1, 1, 4, 4}, values);
  const Result top = run([](const Variables& v) { return max_pool2d(v[0], 2); }, {x});
  CHECK(same(doubles(top.value), {NaN, 1, 1, 1}));
  const Doubles g = doubles(top.gradients[0]);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i / 4 < 2 && i % 4 < 2) {
      CHECK(std::isnan(g[i]));
    } else {
      CHECK(g[i] == 0.25);
    }
  }
  CHECK(same(doubles(avg_pool2d(x, 2)), {NaN, 1, 1, 1}));
  const Tensor none = full({1, 1, 2}, -Inf, float64);
  const Result least = run([](const Variables& v) { return max_pool1d(v[0], 2); }, {none});
  CHECK(doubles(least.value) == Doubles{-Inf});
  CHECK(doubles(least.gradients[0]) == Doubles{0.5, 0.5});
  // Padding is never a maximum.
  CHECK(doubles(max_pool1d(full({1, 1, 3}, -5.0), 3, {.stride = 1, .padding = 1})) == Doubles(3, -5));
}

TEST_CASE("pooling: replayed by compile", "[ops]") {
  std::mt19937 random(6);
  const auto step = [](const Variable& x) {
    Tape inner;
    const Variable leaf = inner.watch(x.value());
    const Variable y = avg_pool2d(max_pool2d(leaf, 2), 2, {.stride = 1});
    return std::pair(y, inner.backward(sum(square(y)))[leaf]);
  };
  auto compiled = compile(step);
  for (int i = 0; i < 3; ++i)
    test::check_call(step, compiled, test::random_whole({2, 2, 8, 6}, float32, random));
  CHECK(compiled.report().replays == 2);
}

TEST_CASE("pooling: integers, no images", "[ops]") {
  CHECK(max_pool2d(ones({1, 1, 2, 2}, int64), 2).dtype() == float32);
  CHECK(avg_pool2d(zeros({0, 3, 4, 4}), 2).shape() == Shape{0, 3, 2, 2});
  CHECK(max_pool2d(zeros({2, 0, 4, 4}), 2).shape() == Shape{2, 0, 2, 2});
}

TEST_CASE("pooling: what it refuses", "[ops]") {
  const Tensor x = zeros({2, 3, 4, 5});
  CHECK(
      text([&] {
        max_pool2d(zeros({3, 4, 5}), 2);
      }) ==
      "max_pool2d: x is (N, C, H, W), not (3, 4, 5); give a single example its axis with expand_dims(x, 0)");
  CHECK(text([&] { avg_pool1d(x, 2); }) == "avg_pool1d: x is (N, C, L), not (2, 3, 4, 5)");
  CHECK(text([&] {
          max_pool2d(x, {5, 1});
        }) == "max_pool2d: the kernel covers 5 places, and axis 2 has 4 with its padding: (2, 3, 4, 5)");
  CHECK(text([&] { max_pool2d(x, 0); }) == "max_pool2d: the kernel must be at least 1, not 0");
  CHECK(text([&] { avg_pool2d(x, 2, {.stride = -1}); }) ==
        "avg_pool2d: the stride must be at least 0, not -1");
  CHECK(text([&] {
          avg_pool2d(x, 2, {.padding = {0, 2}});
        }) == "avg_pool2d: window 0 of axis 3 lies in the padding alone: (2, 3, 4, 5) with a padding of 2");
  CHECK(text([&] {
          adaptive_avg_pool2d(x, {2, 0});
        }) == "adaptive_avg_pool2d: the size must be at least 1, not 0");
  CHECK(text([&] {
          adaptive_avg_pool1d(zeros({2, 3, 0}), 2);
        }) == "adaptive_avg_pool1d: the mean of no elements along axis 2: (2, 3, 0)");
}
