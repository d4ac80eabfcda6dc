// Convolutions against plain loops, their derivatives, and where they must refuse.
#include <compiled.hpp>
#include <complaint.hpp>
#include <threads_scope.hpp>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/ops.hpp>

#include "convolving.hpp"
#include "push.hpp"

using namespace convolving;

namespace {

std::string shown(const Setting& s) {
  return "x " + to_string(s.x) + ", weight " + to_string(s.weight) + ", y " + to_string(s.y) + ", stride " +
         std::to_string(s.stride[0]) + " " + std::to_string(s.stride[1]) + ", groups " +
         std::to_string(s.groups);
}

// Whole numbers: every sum is exact, in any order and in float32.
struct Whole {
  std::mt19937 random{5};
  DType dtype;
  Tensor operator()(const Shape& shape) { return test::random_whole(shape, dtype, random); }
};

struct Pulled {
  Variable value;
  std::vector<Tensor> gradients;
};

template <class F>
Pulled pulled(const F& f, const std::vector<Tensor>& inputs, const Tensor& seed) {
  Tape tape;
  Variables leaves;
  for (const Tensor& x : inputs) leaves.push_back(tape.watch(x));
  Pulled result{f(leaves), {}};
  CHECK(tape.size() == inputs.size() + 1);
  const Gradients all = tape.backward(result.value, {.seed = seed});
  for (const Variable& x : leaves) result.gradients.push_back(all[x].value());
  return result;
}

void check_case(const Case& c, DType dtype) {
  INFO(shown(c.setting) << " " << name(dtype));
  const Setting& s = c.setting;
  Whole whole{.dtype = dtype};
  const Tensor x = whole(s.x), weight = whole(s.weight), y = whole(s.y), of_y = whole({s.y[1]}),
               of_x = whole({s.x[1]});

  const Pulled conv =
      pulled([&](const Variables& v) { return conv2d(v[0], v[1], v[2], c.options); }, {x, weight, of_y}, y);
  REQUIRE(conv.value.shape() == s.y);
  CHECK(conv.value.dtype() == dtype);
  CHECK(doubles(conv.value) == with_bias(make_y(s, x, weight), s.y, of_y));
  CHECK(doubles(conv.gradients[0]) == make_x(s, y, weight));
  CHECK(doubles(conv.gradients[1]) == make_weight(s, x, y));
  CHECK(doubles(conv.gradients[2]) == channel_sums(y));
  CHECK(doubles(conv2d(x, weight, c.options)) == make_y(s, x, weight));

  const Pulled back =
      pulled([&](const Variables& v) { return conv_transpose2d(v[0], v[1], v[2], c.transpose); },
             {y, weight, of_x}, x);
  REQUIRE(back.value.shape() == s.x);
  CHECK(doubles(back.value) == with_bias(make_x(s, y, weight), s.x, of_x));
  CHECK(doubles(back.gradients[0]) == make_y(s, x, weight));
  CHECK(doubles(back.gradients[1]) == make_weight(s, x, y));
  CHECK(doubles(back.gradients[2]) == channel_sums(x));
  CHECK(doubles(conv_transpose2d(y, weight, c.transpose)) == make_x(s, y, weight));
}

Case case_of(const Setting& s) {
  return {s,
          {{s.stride[0], s.stride[1]}, ConvPadding(s.before[0], s.before[1]), s.dilation[0], s.groups},
          {{s.stride[0], s.stride[1]}, {s.before[0], s.before[1]}, 0, s.dilation[0], s.groups}};
}

}  // namespace

TEST_CASE("conv2d and conv_transpose2d: plain loops give the same", "[ops][simd]") {
  std::mt19937 random(1);
  for (int i = 0; i < 150; ++i) {
    const Case c = random_case(random, 9);
    for (DType dtype : {float32, float64}) check_case(c, dtype);
  }
}

TEST_CASE("conv2d: wide images, for any number of threads", "[ops]") {
  std::mt19937 random(2);
  for (int threads : {1, 2, 5}) {
    const Threads scope(threads);
    for (int i = 0; i < 4; ++i) check_case(random_case(random, 90), float32);
    check_case(case_of({{1, 8, 60, 61}, {7, 8, 3, 3}, {1, 7, 60, 61}, {1, 1}, {1, 1}, {1, 1}, 1}), float32);
    check_case(case_of({{2, 9, 40, 40}, {24, 3, 1, 1}, {2, 24, 40, 40}, {1, 1}, {0, 0}, {1, 1}, 3}), float32);
    check_case(case_of({{1, 64, 6, 5}, {3, 64, 3, 3}, {1, 3, 4, 3}, {1, 1}, {0, 0}, {1, 1}, 1}), float64);
  }
}

TEST_CASE("conv2d: images wide enough to be summed in place", "[ops][simd]") {
  const Setting strided{{2, 6, 33, 39}, {10, 3, 3, 5}, {2, 10, 17, 20}, {2, 2}, {1, 2}, {1, 1}, 2},
      apart{{1, 5, 30, 41}, {9, 5, 3, 2}, {1, 9, 30, 43}, {1, 1}, {2, 2}, {2, 2}, 1},
      thick_padding{{1, 4, 20, 30}, {8, 4, 3, 3}, {1, 8, 24, 34}, {1, 1}, {3, 3}, {1, 1}, 1},
      line{{1, 3, 1, 199}, {5, 3, 1, 7}, {1, 5, 1, 98}, {3, 2}, {0, 1}, {1, 1}, 1};
  test::on_each_simd_level([&] {
    for (const Setting& s : {strided, apart, thick_padding, line}) {
      for (DType dtype : {float32, float64}) check_case(case_of(s), dtype);
    }
  });
  // What lies beside the padding stays apart from it: infinite weights meet zeros where they lie outside of x.
  const Tensor x = ones({1, 1, 12, 20}), weight = full({4, 1, 3, 3}, Inf);
  const auto y = doubles(conv2d(x, weight, {.padding = 1}));
  CHECK(std::isnan(y[0]));
  CHECK(y[21] == Inf);
}

TEST_CASE("conv2d: a result has the same bits every time", "[ops]") {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  const auto noise = [&](const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(shape.size()));
    for (float& value : values) value = normal(random);
    return Tensor(shape, values);
  };
  const Threads scope(2);
  const Tensor x = noise({6, 8, 20, 20}), weight = noise({16, 8, 3, 3}), y = noise({6, 16, 18, 18});
  const auto f = [](const Variables& v) { return conv2d(v[0], v[1]); };
  const Pulled first = pulled(f, {x, weight}, y);
  for (int i = 0; i < 5; ++i) {
    const Pulled again = pulled(f, {x, weight}, y);
    CHECK(test::same_bits(again.value.value(), first.value.value()));
    for (std::size_t k = 0; k < 2; ++k) CHECK(test::same_bits(again.gradients[k], first.gradients[k]));
  }
}

TEST_CASE("conv1d: conv2d of height 1", "[ops]") {
  std::mt19937 random(4);
  for (int i = 0; i < 60; ++i) {
    const Case c = random_case(random, 12);
    const Setting& s = c.setting;
    const Shape x{s.x[0], s.x[1], s.x[3]}, weight{s.weight[0], s.weight[1], s.weight[3]},
        y{s.y[0], s.y[1], s.y[3]};
    Whole whole{.dtype = float32};
    const ConvOptions flat{c.options.stride.sizes[1], c.options.padding.sizes.sizes[1],
                           c.options.dilation.sizes[1], s.groups};
    const auto high = [](const Variable& v) { return expand_dims(v, 2); };
    const Tensor vx = whole(x), vw = whole(weight), vy = whole(y), bias = whole({s.y[1]}),
                 back_bias = whole({s.x[1]});
    const Pulled one =
        pulled([&](const Variables& v) { return conv1d(v[0], v[1], v[2], flat); }, {vx, vw, bias}, vy);
    const ConvOptions wide{
        {1, flat.stride.sizes[1]}, ConvPadding(0, s.before[1]), {1, flat.dilation.sizes[1]}, s.groups};
    CHECK(doubles(one.value) == doubles(conv2d(high(vx), high(vw), bias, wide)));
    REQUIRE(one.value.shape() == y);
    const ConvTransposeOptions up{s.stride[1], s.before[1], c.transpose.output_padding.sizes[1],
                                  s.dilation[1], s.groups};
    const Pulled back = pulled([&](const Variables& v) { return conv_transpose1d(v[0], v[1], v[2], up); },
                               {vy, vw, back_bias}, vx);
    REQUIRE(back.value.shape() == x);
    CHECK(doubles(back.gradients[0]) == doubles(conv1d(vx, vw, flat)));
    CHECK(doubles(one.gradients[0]) == doubles(conv_transpose1d(vy, vw, up)));
    CHECK(doubles(one.gradients[1]) == doubles(back.gradients[1]));
    CHECK(doubles(one.gradients[2]) == doubles(sum(vy, {0, 2})));
    CHECK(doubles(back.gradients[2]) == doubles(sum(vx, {0, 2})));
  }
}

TEST_CASE("conv2d: forward mode is the transpose of reverse mode", "[ops]") {
  std::mt19937 random(6);
  for (int i = 0; i < 30; ++i) {
    const Case c = random_case(random, 6);
    const Setting& s = c.setting;
    INFO(shown(s));
    if (s.x[0] == 0) continue;
    Whole whole{.dtype = float64};
    check_push([&](const Variables& v) { return conv2d(v[0], v[1], v[2], c.options); },
               {whole(s.x), whole(s.weight), whole({s.y[1]})});
    check_push([&](const Variables& v) { return conv_transpose2d(v[0], v[1], v[2], c.transpose); },
               {whole(s.y), whole(s.weight), whole({s.x[1]})});
    // And so is that of the gradients, which are convolutions again.
    check_push(
        [&](const Variables& v) {
          Tape& tape = *Tape::recording();
          const Variable y = conv2d(v[0], v[1], c.options);
          const Gradients g = tape.backward(y, {.seed = v[2], .create_graph = true});
          return sum(square(g[v[0]])) + sum(square(g[v[1]]));
        },
        {whole(s.x), whole(s.weight), whole(s.y)}, 1e-10);
  }
}

TEST_CASE("conv2d: padding by name", "[ops]") {
  Whole whole{.dtype = float32};
  const Tensor x = whole({2, 3, 7, 8});
  for (std::int64_t k = 1; k <= 5; ++k) {
    const Tensor weight = whole({4, 3, k, 1});
    CHECK(doubles(conv2d(x, weight, {.padding = "valid"})) == doubles(conv2d(x, weight)));
    const Variable same = conv2d(x, weight, {.padding = "same", .dilation = 2});
    REQUIRE(same.shape() == Shape{2, 4, 7, 8});
    // Of an odd number of zeros, the last one is at the end.
    const Variable padded = pad(x, {{0, 0}, {0, 0}, {k - 1, k - 1}, {0, 0}});
    CHECK(doubles(same) == doubles(conv2d(padded, weight, {.dilation = 2})));
    const Variable odd = conv2d(x, weight, {.padding = "same"});
    const Variable by_hand = pad(x, {{0, 0}, {0, 0}, {(k - 1) / 2, k - 1 - (k - 1) / 2}, {0, 0}});
    CHECK(doubles(odd) == doubles(conv2d(by_hand, weight)));
  }
}

TEST_CASE("conv2d: no images, no channels", "[ops]") {
  for (const auto& [images, in, out] : {std::array{0, 2, 3}, {2, 0, 3}, {2, 3, 0}}) {
    INFO(images << " " << in << " " << out);
    Whole whole{.dtype = float32};
    const Tensor x = whole({images, in, 4, 4}), weight = whole({out, in, 3, 3}), bias = whole({out}),
                 y = whole({images, out, 2, 2});
    const Pulled r =
        pulled([](const Variables& v) { return conv2d(v[0], v[1], v[2]); }, {x, weight, bias}, y);
    REQUIRE(r.value.shape() == y.shape());
    CHECK(doubles(r.value) == with_bias(none(y.shape()), y.shape(), bias));
    CHECK(doubles(r.gradients[0]) == none(x.shape()));
    CHECK(doubles(r.gradients[1]) == none(weight.shape()));
    CHECK(doubles(r.gradients[2]) == channel_sums(y));
  }
  // All of the image is padding.
  CHECK(doubles(conv2d(zeros({1, 1, 0, 0}), ones({1, 1, 2, 2}), ones({1}), {.padding = 1})) == Doubles{1});
}

TEST_CASE("conv2d: NaN reaches what sees it", "[ops]") {
  Doubles values(25, 1);
  values[6] = NaN;
  const Tensor x(Shape{1, 1, 5, 5}, values), weight = ones({1, 1, 2, 2}, float64);
  const Doubles y = doubles(conv2d(x, weight));
  for (std::size_t i = 0; i < 16; ++i) CHECK(std::isnan(y[i]) == (i / 4 <= 1 && i % 4 <= 1));
}

TEST_CASE("conv2d: dtypes and leaves", "[ops]") {
  const Tensor x = ones({1, 1, 3, 3}, int64), weight = ones({1, 1, 2, 2});
  CHECK(conv2d(x, weight).dtype() == float32);
  CHECK(conv2d(x, weight.astype(int64)).dtype() == float32);
  CHECK(conv2d(x, weight.astype(float64), ones({1}, bool_)).dtype() == float64);
  const Parameter kernel("kernel", weight);
  Tape tape;
  const Variable y = sum(conv2d(x, kernel));
  CHECK(doubles(tape.backward(y)[kernel]) == Doubles(4, 4));
  CHECK(std::string(tape.node(1).op) == "conv2d");
}

TEST_CASE("conv2d: replayed by compile", "[ops]") {
  Whole whole{.dtype = float32};
  const Tensor weight = whole({4, 2, 3, 3}), bias = whole({4});
  const auto step = [&](const Variable& x) {
    Tape inner;
    const Variable leaf = inner.watch(x.value()), w = inner.watch(weight);
    const Variable y = conv2d(leaf, w, bias, {.stride = 2, .padding = 1});
    const Gradients g = inner.backward(sum(square(y)));
    return std::tuple(y, g[leaf], g[w]);
  };
  auto compiled = compile(step);
  for (int i = 0; i < 3; ++i) test::check_call(step, compiled, whole({2, 2, 7, 6}));
  CHECK(compiled.report().replays == 2);
}

TEST_CASE("convolutions: what they refuse", "[ops]") {
  const Tensor x = zeros({2, 4, 5, 6}), weight = zeros({8, 4, 3, 3});
  const auto text = [](auto call, auto error) {
    const std::string whole = complaint<decltype(error)>(call);
    return whole.substr(0, whole.rfind(" (at convolution_test.cpp:"));
  };
  const ShapeError shapes("");
  const Error other("");
  CHECK(
      text(
          [&] {
            conv2d(zeros({4, 5, 6}), weight);
          },
          shapes) ==
      "conv2d: x is (N, C, H, W) and the weight (O, C / groups, KH, KW): (4, 5, 6) with the weight (8, 4, 3, "
      "3); give a single example its axis with expand_dims(x, 0)");
  CHECK(text([&] { conv_transpose1d(x, weight); }, shapes) ==
        "conv_transpose1d: x is (N, C, L) and the weight (C, O / groups, K): (2, 4, 5, 6) with the weight "
        "(8, 4, "
        "3, 3)");
  CHECK(text(
            [&] {
              conv2d(x, zeros({8, 3, 3, 3}));
            },
            shapes) ==
        "conv2d: x has 4 channels, not 3 as the weight takes: (2, 4, 5, 6) with the weight (8, 3, 3, 3)");
  CHECK(text([&] { conv2d(x, weight, {.groups = 2}); }, shapes) ==
        "conv2d: x has 4 channels, not 8, 2 groups of 4: (2, 4, 5, 6) with the weight (8, 4, 3, 3)");
  CHECK(text(
            [&] {
              conv2d(x, zeros({9, 2, 3, 3}), {.groups = 2});
            },
            shapes) ==
        "conv2d: the 9 channels of the weight's first axis do not fall into 2 groups: (2, 4, 5, 6) with the "
        "weight (9, 2, 3, 3)");
  CHECK(text([&] { conv2d(x, weight, {.groups = 0}); }, other) ==
        "conv2d: there must be 1 group or more, not 0: (2, 4, 5, 6) with the weight (8, 4, 3, 3)");
  CHECK(text([&] { conv_transpose2d(x, weight); }, shapes) ==
        "conv_transpose2d: x has 4 channels, not 8 as the weight takes: (2, 4, 5, 6) with the weight (8, 4, "
        "3, 3)");
  CHECK(text(
            [&] {
              conv2d(x, weight, zeros({8, 1}));
            },
            shapes) ==
        "conv2d: the bias (8, 1) is not (8,), one number for each channel of the result of (2, 4, 5, 6) with "
        "the "
        "weight (8, 4, 3, 3)");
  CHECK(text(
            [&] {
              conv2d(x, zeros({1, 4, 6, 1}));
            },
            shapes) ==
        "conv2d: the kernel covers 6 places, and axis 2 has 5 with its padding: (2, 4, 5, 6) with the weight "
        "(1, "
        "4, 6, 1)");
  CHECK(
      text(
          [&] {
            conv2d(x, weight, {.padding = {1, 0}, .dilation = {3, 4}});
          },
          shapes) ==
      "conv2d: the kernel covers 9 places with its dilation, and axis 3 has 6 with its padding: (2, 4, 5, 6) "
      "with the weight (8, 4, 3, 3)");
  CHECK(text(
            [&] {
              conv2d(x, zeros({8, 4, 3, 0}));
            },
            shapes) ==
        "conv2d: the kernel has no elements along axis 3: (2, 4, 5, 6) with the weight (8, 4, 3, 0)");
  CHECK(text(
            [&] {
              conv2d(x, weight, {.stride = {1, 0}});
            },
            other) == "conv2d: the stride must be at least 1, not 0");
  CHECK(text([&] { conv2d(x, weight, {.padding = -1}); }, other) ==
        "conv2d: the padding must be at least 0, not -1");
  CHECK(text([&] { conv2d(x, weight, {.dilation = std::int64_t{1} << 31}); }, other) ==
        "conv2d: the dilation must be below 2^31, not 2147483648");
  CHECK(text([&] { conv2d(x, weight, {.padding = "full"}); }, other) ==
        "conv2d: the padding is a number, \"same\" or \"valid\", not \"full\": (2, 4, 5, 6) with the weight "
        "(8, "
        "4, 3, 3)");
  CHECK(text([&] { conv2d(x, weight, {.stride = 2, .padding = "same"}); }, other) ==
        "conv2d: padding \"same\" needs a stride of 1, not 2: (2, 4, 5, 6) with the weight (8, 4, 3, 3)");
  CHECK(text(
            [&] {
              conv1d(zeros({1, 1, 3}), zeros({1, 1, 2}), {.stride = {1, 2}});
            },
            other) == "conv1d: x has one axis to move along, but the stride is (1, 2)");
  const Tensor up = zeros({4, 2, 3, 3});
  CHECK(text([&] { conv_transpose2d(x, up, {.stride = 2, .output_padding = 2}); }, other) ==
        "conv_transpose2d: the output_padding 2 is not below the stride 2 or the dilation 1");
  CHECK(text(
            [&] {
              conv_transpose2d(x, zeros({4, 2, 1, 1}), {.padding = 3});
            },
            shapes) ==
        "conv_transpose2d: the padding 3 leaves nothing of the result along axis 2: (2, 4, 5, 6) with the "
        "weight "
        "(4, 2, 1, 1)");
  CHECK(text(
            [&] {
              conv_transpose2d(zeros({2, 4, 0, 6}), up);
            },
            shapes) ==
        "conv_transpose2d: x has no elements along axis 2: (2, 4, 0, 6) with the weight (4, 2, 3, 3)");
  CHECK(text([&] { conv2d(x, weight.astype(float64)); }, DTypeError("")) ==
        "conv2d: dtypes differ: (2, 4, 5, 6) is float32, (8, 4, 3, 3) is float64; convert one with "
        "astype(float64)");
  Tape tape;
  const Variable watched = tape.watch(x);
  CHECK_THROWS_AS(conv2d(watched, zeros({8, 3, 3, 3})), ShapeError);
  CHECK(tape.size() == 1);
}
