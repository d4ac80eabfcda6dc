// vjp: a function that is pulled back through, cotangent by cotangent.
#include <catch2/catch.hpp>
#include <complaint.hpp>
#include <optional>
#include <thread>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/ops/ops.hpp>

namespace {

using namespace xgrad;

const Tensor a = tensor({{0.5, -1, 2}, {1.5, 0.25, -0.75}}, float64);
const Tensor x = tensor({0.3, -1.2, 0.8}, float64);

bool close(const Variable& u, const Variable& v) { return allclose(u.value(), v.value(), 1e-13, 1e-14); }

}  // namespace

TEST_CASE("vjp pulls cotangents back, as many as come", "[forward]") {
  const auto [y, pull] = vjp([](const Variable& v) { return matmul(a, exp(v)); }, x);
  CHECK(Tape::recording() == nullptr);
  CHECK(y.is_constant());
  CHECK(close(y, matmul(a, exp(x))));
  for (const Tensor& g : {tensor({1, 0}, float64), tensor({-2, 3}, float64)})
    CHECK(close(pull(g), matmul(g, a) * exp(x)));
  const auto [z, both] = vjp([](const Variable& u, const Variable& v) { return u * v; }, 2.0, 3.0);
  const auto [du, dv] = both(10);
  CHECK(z.item() == 6);
  CHECK(du.item() == 30);
  CHECK(dv.item() == 20);
  CHECK(equal(vjp([](const Variable&) { return Variable(1.0); }, x).pull(1.0).value(), zeros({3}, float64)));
}

TEST_CASE("vjp keeps its own tape and leaves others alone", "[forward]") {
  const auto recording = vjp([](const Variable& v) { return v * v; }, 3.0);
  Tape tape;
  const Variable u = tape.watch(scalar(2));
  const Variable y = u * recording.pull(1.0);  // 6 u
  CHECK(tape.backward(y, {.retain = true})[u].item() == 6);
  CHECK_THAT(complaint<GraphError>([&] { recording.pull(u); }),
             Catch::StartsWith("vjp: the cotangent is recorded"));
  CHECK(recording.pull(1.0).item() == 6);
  CHECK(Tape::recording() == &tape);
}

TEST_CASE("Inside a tape, what vjp pulls back can be differentiated", "[forward]") {
  const Parameter w("w", 2.0);
  {
    Tape tape;
    const Variable u = tape.watch(scalar(3)), g = tape.watch(scalar(5));
    const auto [y, pull] = vjp([&](const Variable& v) { return w * v * v; }, u);
    const Variable slope = pull(g);  // 2 w u g
    CHECK(slope.item() == 60);
    const Gradients all = tape.backward(y + slope);
    CHECK(all[w].item() == 9 + 30);
    CHECK(all[u].item() == 12 + 20);
    CHECK(all[g].item() == 12);
  }
  std::optional<ValueAndPullBack<1>> kept;
  {
    const Tape tape;
    kept.emplace(vjp([](const Variable& v) { return v * v; }, 3.0));
    const Tape::Pause pause;
    CHECK(kept->pull(1.0).item() == 6);
    CHECK(kept->pull(1.0).is_constant());
  }
  CHECK_THAT(complaint<GraphError>([&] { kept->pull(1.0); }), Catch::Contains("is gone"));
}

TEST_CASE("vjp belongs to the thread that made it", "[forward]") {
  const auto recording = vjp([](const Variable& v) { return v * v; }, 3.0);
  std::string text;
  std::thread([&] { text = complaint<GraphError>([&] { recording.pull(1.0); }); }).join();
  CHECK_THAT(text, Catch::Contains("another thread"));
  CHECK(recording.pull(1.0).item() == 6);
}

TEST_CASE("vjp refuses a cotangent that does not fit", "[forward]") {
  const auto pull = vjp([](const Variable& v) { return v; }, x).pull;
  CHECK(complaint<ShapeError>([&] { pull(1.0); }) ==
        "vjp: the cotangent and the value differ in shape: () and (3,)");
  CHECK(complaint<DTypeError>([&] { pull(ones({3})); }) ==
        "vjp: the cotangent and the value differ in dtype: float32 and float64; convert one with "
        "astype(float64)");
}
