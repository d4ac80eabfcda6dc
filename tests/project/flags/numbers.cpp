// A user's program, compiled with several sets of flags: values and gradients of fuse, one a line.
#include <cstdio>
#include <xgrad/ops/fuse.hpp>

namespace {

using namespace xgrad;

void print(const Tensor& x) {
  for (double number : x.to_vector<double>()) std::printf("%s %.17g\n", name(x.dtype()), number);
}

template <class F>
void print(const F& f, const Tensor& a, const Tensor& b) {
  Tape tape;
  const Variable x = tape.watch(a), y = tape.watch(b), z = f(x, y);
  const Gradients all = tape.backward(z, {.seed = full(z.shape(), 1.25, z.dtype())});
  print(z.value());
  print(all[x].value());
  print(all[y].value());
}

}  // namespace

int main() {
  const auto formula = [](auto a, auto b) {
    return where(a < b, a * sigmoid(b), pow(b, 3) * exp(a)) * (1 + square(maximum(a, 0.25))) / tanh(2 + b);
  };
  for (DType dtype : {float32, float64}) {
    for (std::int64_t n : {1, 3, 8, 31}) {
      const Tensor a = Variable(arange(1, static_cast<double>(n) + 1, 1, dtype) / 17).value(),
                   b = Variable(1.75 - 0.375 * Variable(a)).value();
      print([&](const Variable& x, const Variable& y) { return fuse(formula, x, y); }, a, b);
      print([&](const Variable& x, const Variable& y) { return fuse_mean(formula, x, y); }, a, b);
    }
  }
}
