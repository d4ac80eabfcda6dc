// The cotangent that a large sum spreads stays narrow on its way through elementwise nodes. Under create_graph it never is:
// both must give the same gradients.
#include <catch2/catch.hpp>
#include <compiled.hpp>
#include <functional>
#include <xgrad/xgrad.hpp>

using namespace xgrad;

namespace {

constexpr std::int64_t rows = 256, columns = 128;  // as many elements as are worth it

struct Case {
  const char* name;
  std::function<Variable(const Variable& x, const Variable& y, const Variable& row, const Variable& column)>
      f;
};

const Case cases[] = {
    {"a leaf", [](auto x, auto, auto, auto) { return sum(x); }},
    {"a sum of two", [](auto x, auto y, auto, auto) { return sum(x + y); }},
    {"a difference", [](auto x, auto y, auto, auto) { return sum(x - y); }},
    {"a product", [](auto x, auto y, auto, auto) { return sum(x * y); }},
    {"numbers", [](auto x, auto, auto, auto) { return sum(2 * x + 1); }},
    {"one node twice", [](auto x, auto y, auto, auto) { return sum((x + y) * x + (x + y)); }},
    {"narrow and narrow", [](auto x, auto y, auto, auto) { return sum(x + x - y); }},
    {"narrow, then whole",
     [](auto x, auto y, auto, auto) {
       const auto t = x * y;
       return sum(t + tanh(t));
     }},
    {"whole, then narrow",
     [](auto x, auto y, auto, auto) {
       const auto t = x * y;
       return sum(tanh(t) + t);
     }},
    {"a broadcast row", [](auto x, auto, auto row, auto) { return sum(x * row + row); }},
    {"a broadcast column", [](auto x, auto, auto, auto column) { return sum(x / column - column); }},
    {"a constant row", [](auto x, auto, auto row, auto) { return sum(x * stop_gradient(row)); }},
    {"a mean along an axis",
     [](auto x, auto y, auto row, auto) { return sum(mean(x * y, 0) * reshape(row, {-1})); }},
    {"a sum along an axis",
     [](auto x, auto y, auto, auto column) { return sum(sum(x + y, 1, true) * column); }},
    {"sums of sums", [](auto x, auto, auto, auto) { return sum(sum(exp(x), 1)); }},
    {"a move", [](auto x, auto y, auto, auto) { return sum(transpose(x) + transpose(y)); }},
    {"a choice", [](auto x, auto y, auto, auto) { return sum(where(x > y, x, y * x)); }},
    {"a fuse", [](auto x, auto y, auto,
                  auto) { return sum(fuse([](auto a, auto b) { return a * sigmoid(b); }, x, y)); }},
    {"a hook", [](auto x, auto y, auto,
                  auto) { return sum(on_gradient(x + y, [](const Variable& g) { return g * 3; }) * x); }},
    {"a chain", [](auto x, auto y, auto, auto) { return mean(sigmoid(x) * tanh(y) + log(1 + exp(x))); }},
};

std::vector<Tensor> inputs() {
  const auto some = [](const Shape& shape, double from, double to) {
    return linspace(from, to, shape.size()).reshape(shape).astype(float32);
  };
  return {some({rows, columns}, -2, 2), some({rows, columns}, 3, -1), some({1, columns}, 0.5, 1.5),
          some({rows, 1}, -2, -1)};
}

}  // namespace

TEST_CASE("A cotangent that is kept narrow changes no gradient", "[narrow][simd]") {
  for (const Case& c : cases) {
    INFO(c.name);
    Tape tape;
    std::vector<Variable> v;
    for (const Tensor& x : inputs()) v.push_back(tape.watch(x));
    const Variable y = c.f(v[0], v[1], v[2], v[3]);
    const Gradients recorded = tape.backward(y, {.retain = true, .create_graph = true});
    const Gradients plain = tape.backward(y, {.retain = true});
    for (const Variable& x : v) {
      const Variable g = plain.or_zeros(x);
      REQUIRE(g.shape() == x.shape());
      CHECK(allclose(g.value(), recorded.or_zeros(x).value(), 1e-5, 1e-6));
    }
    const Gradients again = tape.backward(y, {.retain = true});
    CHECK(equal(again.or_zeros(v[0]).value(), plain.or_zeros(v[0]).value()));
  }
}

TEST_CASE("A narrow cotangent is whole for who asks for it", "[narrow]") {
  Tape tape;
  const Variable x = tape.watch(inputs()[0]), t = x + 1, u = -t;
  const Gradients g = tape.backward(sum(u), {.wrt = {t, u}});
  CHECK(equal(g[u].value(), ones({rows, columns})));
  CHECK(equal(g[t].value(), full({rows, columns}, -1)));
}

TEST_CASE("Narrow cotangents replay to the bit", "[narrow]") {
  for (const Case& c : cases) {
    if (std::string(c.name) == "a hook") continue;  // it is a function of the user's, called as it is
    INFO(c.name);
    const auto gradients = [&](const Variable& x, const Variable& y, const Variable& row,
                               const Variable& column) {
      return grad([&](const Variable& a, const Variable& b) { return c.f(a, b, row, column); })(x, y);
    };
    auto step = compile(gradients);
    const std::vector<Tensor> v = inputs();
    for (int call = 0; call < 3; ++call) test::check_call(gradients, step, v[0], v[1], v[2], v[3]);
  }
}
